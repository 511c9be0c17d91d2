-- Documents that may go: kept until a day before $4, after one and up to
-- another, in order, with that day.
select d.seq, d.sha256, d.size, custody.kept_until($1, d.seq), n.recorded_at, d.sender
  from (select distinct r.subject from custody.retention r
         where r.chain_id = $1 and r.starts_on <= ($4::date - interval '6 years')::date and r.subject > $2 and r.subject <= $3) r
  join custody.document d on d.chain_id = $1 and d.seq = r.subject
  join custody.entry n on n.chain_id = $1 and n.seq = r.subject
 where not exists (select from custody.purged p where p.chain_id = $1 and p.document = r.subject)
   and custody.kept_until($1, d.seq) < $4::date
 order by d.seq
 limit $5
