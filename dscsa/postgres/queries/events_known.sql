-- Events of the same content or under the same id. There may be several of a
-- content, and an id stands for an event and for its error declaration.
select e.seq, e.hash, e.event_id, e.declared
  from unnest($2::bytea[]) as k (hash)
 cross join lateral (select seq, hash, event_id, declared from custody.event where chain_id = $1 and hash = k.hash offset 0) e
union
select e.seq, e.hash, e.event_id, e.declared
  from unnest($3::text[]) as k (id)
 cross join lateral (select seq, hash, event_id, declared from custody.event where chain_id = $1 and event_id = k.id offset 0) e
