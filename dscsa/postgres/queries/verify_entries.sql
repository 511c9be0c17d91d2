-- Entries in order, each with what it is of.
select n.seq, n.recorded_at, n.kind, n.content, n.hash,
       e.document, e.ordinal, e.hash, e.body,
       d.sha256, d.size, d.direction, d.format, d.sender, d.receiver, d.credential, coalesce(d.saga_id, ''), d.verdict, d.findings,
       c.kind, c.actor, c.reason, c.body,
       e.event_time, e.type, e.action, e.biz_step, e.disposition, e.event_id, e.read_point, e.biz_location, e.source_owner, e.dest_owner,
       e.dest_holder, e.dest_location, e.persistent, e.lot, e.expiry, e.declared, e.parent, e.members, e.outputs
  from custody.entry n
  left join custody.event e on n.kind = 2 and e.chain_id = $1 and e.seq = n.seq
  left join custody.document d on n.kind = 1 and d.chain_id = $1 and d.seq = n.seq
  left join custody.decision c on n.kind = 3 and c.chain_id = $1 and c.seq = n.seq
 where n.chain_id = $1 and n.seq > $2
 order by n.seq limit $3
