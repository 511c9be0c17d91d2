-- What is known of things, for the checks: who made them when, what they are
-- in, whether anything is in them, who owns them, what holds them or something
-- in them, and the earliest expiry of that. Looked up one by one, as items_by_key
-- tells.
with recursive asked as (
  select i.* from unnest($2::text[]) as k (key)
   cross join lateral (
     select id, key, commissioned, lot, state, last_time, parent, owner, owner_sure
       from custody.item where chain_id = $1 and key = k.key offset 0) i
), within (top, id) as (
  select id, id from asked
  union
  select w.top, x.id from within w
   cross join lateral (select id from custody.item where chain_id = $1 and parent = w.id offset 0) x
), found as (
  select w.top, bool_or(w.id <> w.top) as filled, min(x.expiry) as expiry, min(nullif(x.blocked, '')) as blocked, min(n.class) as by_number,
         min(l.class) as by_lot
    from within w
   cross join lateral (select expiry, blocked, gtin, lot from custody.item where chain_id = $1 and id = w.id offset 0) x
    left join lateral (
      select h.class from custody.hold_item c join custody.hold h on h.chain_id = $1 and h.id = c.hold
       where c.chain_id = $1 and c.item = w.id and h.released is null offset 0) n on true
    left join lateral (
      select h.class from custody.hold h
       where h.chain_id = $1 and h.gtin = x.gtin and h.lot = x.lot and h.gtin <> '' and h.released is null offset 0) l on true
   group by w.top
)
select a.key, c.event_time, a.lot, f.expiry, case when a.state in ('destroyed', 'decommissioned') then a.last_time end, coalesce(p.key, ''), f.filled,
       case when a.owner_sure then a.owner else '' end, coalesce(f.by_number, f.by_lot, f.blocked, ''), a.last_time
  from asked a
  join found f on f.top = a.id
  left join lateral (select event_time from custody.event where chain_id = $1 and seq = a.commissioned offset 0) c on true
  left join lateral (select key from custody.item where chain_id = $1 and id = a.parent offset 0) p on true
