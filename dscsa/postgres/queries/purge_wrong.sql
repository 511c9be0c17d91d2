-- The first document among those that a decision says are gone of which that
-- cannot be, and why. Of what keeps one, what was so at the time counts: the
-- day of its events and of its classes, and legal holds, which are held against
-- their decisions elsewhere.
select x.seq,
       case when d.sha256 is null then 'there is no such document'
            when exists (select from custody.document_part p where p.chain_id = $1 and p.document = x.seq) then 'its bytes are there'
            when not exists (select from custody.purged u where u.chain_id = $1 and u.document = x.seq and u.decision = $2) then 'it is not on the list of what is gone'
            when l.id is not null then 'legal hold ' || l.id || ' kept it'
            when k.until >= $3::date or r.until is null or r.until >= $3::date then 'its six years were not over'
       end
  from unnest($4::bigint[], $5::text[]) as x (seq, sha256)
  left join custody.document d on d.chain_id = $1 and d.seq = x.seq and encode(d.sha256, 'hex') = x.sha256
  left join lateral (select min(l.id) as id from custody.legal_hold l
                      where l.chain_id = $1 and (l.subject is null or l.subject = x.seq) and l.id < $2 and (l.lifted is null or l.lifted > $2)) l on true
  left join lateral (select ((max(e.event_time) at time zone 'UTC')::date + interval '6 years')::date as until from custody.event e
                      where e.chain_id = $1 and e.document = x.seq and e.seq > x.seq
                        and e.seq < coalesce((select min(n.seq) from custody.document n where n.chain_id = $1 and n.seq > x.seq), 9223372036854775807)) k on true
  left join lateral (select (min(t.starts_on) + interval '6 years')::date as until from custody.retention t where t.chain_id = $1 and t.subject = x.seq) r on true
 where d.sha256 is null
    or exists (select from custody.document_part p where p.chain_id = $1 and p.document = x.seq)
    or not exists (select from custody.purged u where u.chain_id = $1 and u.document = x.seq and u.decision = $2)
    or l.id is not null or k.until >= $3::date or r.until is null or r.until >= $3::date
 order by x.seq
 limit 1
