-- What is known of things, for the checks: who made them when, what they are
-- in, whether anything is in them, who owns them, what holds them or something
-- in them, and the earliest expiry of that.
with recursive within (top, id) as (
  select i.id, i.id from custody.item i where i.chain_id = $1 and i.key = any($2)
  union
  select w.top, x.id from within w join custody.item x on x.chain_id = $1 and x.parent = w.id
)
select i.key, c.event_time, i.lot,
       coalesce((select min(x.expiry) from within w join custody.item x on x.chain_id = $1 and x.id = w.id where w.top = i.id), i.expiry),
       case when i.state in ('destroyed', 'decommissioned') then i.last_time end, coalesce(p.key, ''),
       exists (select from custody.item x where x.chain_id = $1 and x.parent = i.id), case when i.owner_sure then i.owner else '' end,
       coalesce((select min(h.class) from within w join custody.hold_item x on x.chain_id = $1 and x.item = w.id
                   join custody.hold h on h.chain_id = $1 and h.id = x.hold
                  where w.top = i.id and h.released is null),
                (select min(h.class) from within w join custody.item x on x.chain_id = $1 and x.id = w.id
                   join custody.hold h on h.chain_id = $1 and h.gtin = x.gtin and h.lot = x.lot
                  where w.top = i.id and h.gtin <> '' and h.released is null),
                (select min(nullif(x.blocked, '')) from within w join custody.item x on x.chain_id = $1 and x.id = w.id where w.top = i.id), ''),
       i.last_time
  from custody.item i
  left join custody.event c on c.chain_id = $1 and c.seq = i.commissioned
  left join custody.item p on p.chain_id = $1 and p.id = i.parent
 where i.chain_id = $1 and i.key = any($2)
