-- Of the things that something is in: the earliest expiry of what is in them,
-- at any depth, and why some of it is kept from sale.
with recursive inside (top, id) as (
  select i.parent, i.id from custody.item i where i.chain_id = $1 and i.parent = any ($2)
  union
  select s.top, i.id from inside s join custody.item i on i.chain_id = $1 and i.parent = s.id
)
select s.top, min(i.expiry),
       coalesce(min(nullif(i.blocked, '')), min(nullif(i.conflict_why, '')),
                min((select h.class from custody.hold_item x join custody.hold h on h.chain_id = x.chain_id and h.id = x.hold
                      where x.chain_id = i.chain_id and x.item = i.id and h.released is null limit 1)), '')
  from inside s join custody.item i on i.chain_id = $1 and i.id = s.id
 group by s.top
