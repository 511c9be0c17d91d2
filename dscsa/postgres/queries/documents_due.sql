-- Documents of which a class may be over before $4, whose bytes are there, after
-- one and up to another, in order, with the last day they are kept: null while
-- that is open. To find that day takes reading a document's events: only those
-- documents are looked at that have less than $6 bytes before them.
select x.subject, x.sha256, x.size, x.recorded_at, x.sender, x.before < $6, case when x.before < $6 then custody.kept_until($1, x.subject) end
  from (select r.subject, d.sha256, d.size, d.sender, n.recorded_at, sum(d.size) over (order by r.subject) - d.size as before
          from (select distinct r.subject
                  from custody.retention r
                 where r.chain_id = $1 and r.subject > $2 and r.subject <= $3 and r.starts_on <= ($4::date - interval '6 years')::date
                   and exists (select from custody.document d where d.chain_id = $1 and d.seq = r.subject)
                   and not exists (select from custody.purged p where p.chain_id = $1 and p.document = r.subject)
                 order by r.subject
                 limit $5) r
          join custody.document d on d.chain_id = $1 and d.seq = r.subject
          join custody.entry n on n.chain_id = $1 and n.seq = r.subject) x
 order by x.subject
