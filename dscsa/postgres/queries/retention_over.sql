-- Documents whose dates are over before a day and whose bytes are there: how
-- many and how large, and how many of them a hold in force keeps. A date of an
-- event may keep some of them longer: that is looked at one by one.
with over as (
  select r.subject
    from custody.retention r
   where r.chain_id = $1
     and r.subject in (select s.subject from custody.retention s where s.chain_id = $1 and s.starts_on <= ($2::date - interval '6 years')::date)
   group by r.subject
  having bool_and(r.starts_on is not null and (r.starts_on + interval '6 years')::date < $2::date)
)
select count(*) filter (where not x.held), coalesce(sum(x.size) filter (where not x.held), 0)::bigint, count(*) filter (where x.held)
  from (select d.size,
               exists (select from custody.legal_hold l where l.chain_id = $1 and (l.subject is null or l.subject = d.seq) and l.lifted is null)
                 or exists (select from custody.hold h where h.chain_id = $1 and h.document = d.seq and h.released is null) as held
          from over o
          join custody.document d on d.chain_id = $1 and d.seq = o.subject
          left join custody.purged p on p.chain_id = $1 and p.document = o.subject
         where p.document is null) x
