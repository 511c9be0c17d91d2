-- Documents of which a class may be over before $4, whose bytes are there, after
-- one and up to another, in order, with the last day they are kept: null while
-- that is open.
select x.subject, d.sha256, d.size, custody.kept_until($1, x.subject), n.recorded_at, d.sender
  from (select distinct r.subject
          from custody.retention r
         where r.chain_id = $1 and r.subject > $2 and r.subject <= $3 and r.starts_on <= ($4::date - interval '6 years')::date
           and exists (select from custody.document d where d.chain_id = $1 and d.seq = r.subject)
           and not exists (select from custody.purged p where p.chain_id = $1 and p.document = r.subject)
         order by r.subject
         limit $5) x
  join custody.document d on d.chain_id = $1 and d.seq = x.subject
  join custody.entry n on n.chain_id = $1 and n.seq = x.subject
 order by x.subject
