-- Whole events.
select e.seq, e.hash, e.document, e.ordinal, e.event_id, e.body, n.recorded_at
  from (select distinct unnest($2::bigint[]) as seq) k
 cross join lateral (select seq, hash, document, ordinal, event_id, body from custody.event where chain_id = $1 and seq = k.seq offset 0) e
 cross join lateral (select recorded_at from custody.entry where chain_id = $1 and seq = k.seq offset 0) n
