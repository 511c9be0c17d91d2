-- Whole events.
select e.seq, e.hash, e.document, e.ordinal, e.event_id, e.body, n.recorded_at
  from custody.event e join custody.entry n on n.chain_id = $1 and n.seq = e.seq
 where e.chain_id = $1 and e.seq = any($2)
