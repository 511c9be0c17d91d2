-- What is known of things, for the checks: who made them when, what they are
-- in, whether anything is in them, who owns them, what holds them.
select i.key, c.event_time, i.lot, i.expiry, case when i.state in ('destroyed', 'decommissioned') then i.last_time end, coalesce(p.key, ''),
       exists (select from custody.item x where x.chain_id = $1 and x.parent = i.id), case when i.owner_sure then i.owner else '' end,
       coalesce((select h.class from custody.hold_item x join custody.hold h on h.chain_id = $1 and h.id = x.hold
                  where x.chain_id = $1 and x.item = i.id and h.released is null limit 1),
                (select h.class from custody.hold h where h.chain_id = $1 and h.gtin = i.gtin and h.lot = i.lot and h.gtin <> '' and h.released is null limit 1),
                nullif(i.blocked, ''), '')
  from custody.item i
  left join custody.event c on c.chain_id = $1 and c.seq = i.commissioned
  left join custody.item p on p.chain_id = $1 and p.id = i.parent
 where i.chain_id = $1 and i.key = any($2)
