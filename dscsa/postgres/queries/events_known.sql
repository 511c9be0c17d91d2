-- Events of the same content or under the same id; each looked up by itself.
select e.seq, e.hash, e.event_id, e.declared
  from unnest($2::bytea[]) as k (hash)
 cross join lateral (select * from custody.event where chain_id = $1 and hash = k.hash offset 0) e
union
select e.seq, e.hash, e.event_id, e.declared
  from unnest($3::text[]) as k (event_id)
 cross join lateral (select * from custody.event where chain_id = $1 and event_id = k.event_id offset 0) e
