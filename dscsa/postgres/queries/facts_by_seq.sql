select e.seq, e.event_time, e.hash, e.event_id, e.declared, e.type, e.action, e.biz_step, e.disposition, e.persistent, e.parent, e.members,
       e.outputs, e.source_owner, e.dest_owner, e.dest_holder, e.dest_location, e.biz_location, e.read_point, e.lot, e.expiry,
       array(select h.id from custody.hold h
              where h.chain_id = $1 and h.document in (select e.document union select c.document from custody.event_copy c
                                                        where c.chain_id = $1 and c.event = e.seq)) as holds
  from (select distinct unnest($2::bigint[]) as seq) k
 cross join lateral (select * from custody.event where chain_id = $1 and seq = k.seq offset 0) e
