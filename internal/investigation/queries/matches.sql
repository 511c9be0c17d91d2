-- What an investigation's holds cover and an event named after the first of
-- them, by its unit, after one.
with under as (
  select u.item from custody.investigation v cross join lateral custody.under_hold(v.chain_id, v.hold) u where v.tenant_id = $1 and v.id = $2
  union
  select u.item from custody.investigation_end e cross join lateral custody.under_hold(e.chain_id, e.hold) u where e.tenant_id = $1 and e.investigation_id = $2
)
select i.key, i.gtin, i.serial, i.lot, i.state, i.owner, coalesce(i.first_event, i.commissioned, i.last_event) > v.hold, n.seq, n.biz_step, n.event_time,
       n.document, coalesce(d.sender, '')
  from custody.investigation v
  join under u on true
  join custody.item i on i.chain_id = v.chain_id and i.id = u.item
  join custody.event n on n.chain_id = v.chain_id and n.seq = case when i.first_event > v.hold then i.first_event else i.last_event end
  left join custody.document d on d.chain_id = v.chain_id and d.seq = n.document
 where v.tenant_id = $1 and v.id = $2 and (i.first_event > v.hold or i.last_event > v.hold) and i.key > $3
 order by i.key
 limit $4
