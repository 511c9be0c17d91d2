-- The events that name some items, as far as they decide where items stand.
select e.seq, e.event_time, e.hash, e.event_id, e.declared, e.type, e.action, e.biz_step, e.disposition, e.persistent, e.parent, e.members,
       e.outputs, e.source_owner, e.dest_owner, e.dest_holder, e.dest_location, e.biz_location, e.read_point, e.lot, e.expiry,
       array(select h.id from custody.hold h
              where h.chain_id = $1 and h.document in (select e.document union select c.document from custody.event_copy c
                                                        where c.chain_id = $1 and c.event = e.seq)) as holds
  from custody.event e
 where e.chain_id = $1 and e.seq in (select x.event from custody.event_item x where x.chain_id = $1 and x.item = any($2)
                                    union select i.first_event from custody.item i where i.chain_id = $1 and i.id = any($2))
