-- What an investigation's holds cover and an event named, or moved with what it
-- was in, after the first of them; by its unit, after one. What happened before
-- and is told after counts: a sequence says when it came. The two holds of a lot
-- cover the same.
with under as materialized (
  select u.item from custody.investigation v cross join lateral custody.under_hold(v.chain_id, v.hold) u where v.tenant_id = $1 and v.id = $2
  union
  select u.item
    from custody.investigation v
    join custody.investigation_end e on e.tenant_id = v.tenant_id and e.investigation_id = v.id
   cross join lateral custody.under_hold(e.chain_id, e.hold) u
   where v.tenant_id = $1 and v.id = $2 and v.lot = ''
), came as materialized (
  select i.*, v.hold
    from custody.investigation v
    join under on true
   cross join lateral (select x.* from custody.item x where x.chain_id = v.chain_id and x.id = under.item offset 0) i
   where v.tenant_id = $1 and v.id = $2 and i.key > $3
     and (i.first_event > v.hold or i.commissioned > v.hold
          or i.last_event > v.hold and (select true from custody.event e where e.chain_id = v.chain_id and e.seq = i.last_event)   -- and no decision
          or (select true from custody.event_item x where x.chain_id = v.chain_id and x.item = i.id and x.event > v.hold limit 1))
   order by i.key
   limit $4
)
select i.key, i.gtin, i.serial, i.lot, i.state, i.owner,
       coalesce(i.first_event > i.hold, not exists (select from custody.event_item x where x.chain_id = i.chain_id and x.item = i.id and x.event < i.hold)),
       n.seq, n.biz_step, n.event_time, n.document, coalesce(d.sender, '')
  from came i
 cross join lateral (
   select min(s.seq) as seq
     from (select i.first_event where i.first_event > i.hold
           union all
           select i.commissioned where i.commissioned > i.hold
           union all
           (select x.event from custody.event_item x where x.chain_id = i.chain_id and x.item = i.id and x.event > i.hold order by x.event limit 1)
           union all
           select e.seq from custody.event e where e.chain_id = i.chain_id and e.seq = i.last_event and e.seq > i.hold) as s (seq)) first
  join custody.event n on n.chain_id = i.chain_id and n.seq = first.seq
  left join custody.document d on d.chain_id = i.chain_id and d.seq = n.document
 order by i.key
