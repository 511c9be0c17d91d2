-- What an investigation's holds cover and an event named, or moved with what it
-- was in, after the first of them; by its unit, after one. What happened before
-- and is told after counts: a sequence says when it came.
with under as (
  select u.item from custody.investigation v cross join lateral custody.under_hold(v.chain_id, v.hold) u where v.tenant_id = $1 and v.id = $2
  union
  select u.item from custody.investigation_end e cross join lateral custody.under_hold(e.chain_id, e.hold) u where e.tenant_id = $1 and e.investigation_id = $2
)
select i.key, i.gtin, i.serial, i.lot, i.state, i.owner,
       coalesce(i.first_event > v.hold, not exists (select from custody.event_item x where x.chain_id = v.chain_id and x.item = i.id and x.event < v.hold)),
       n.seq, n.biz_step, n.event_time, n.document, coalesce(d.sender, '')
  from custody.investigation v
  join under on true
  join custody.item i on i.chain_id = v.chain_id and i.id = under.item
 cross join lateral (
   select min(s.seq) as seq
     from (select i.first_event where i.first_event > v.hold
           union all
           select i.commissioned where i.commissioned > v.hold
           union all
           (select x.event from custody.event_item x where x.chain_id = v.chain_id and x.item = i.id and x.event > v.hold order by x.event limit 1)
           union all
           select e.seq from custody.event e where e.chain_id = v.chain_id and e.seq = i.last_event and e.seq > v.hold) as s (seq)) came
  join custody.event n on n.chain_id = v.chain_id and n.seq = came.seq
  left join custody.document d on d.chain_id = v.chain_id and d.seq = n.document
 where v.tenant_id = $1 and v.id = $2 and i.key > $3
 order by i.key
 limit $4
