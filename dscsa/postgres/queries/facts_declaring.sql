-- The error declarations of some events, by id.
select e.seq, e.event_time, e.hash, e.event_id, e.declared, e.type, e.action, e.biz_step, e.disposition, e.persistent, e.parent, e.members,
       e.outputs, e.source_owner, e.dest_owner, e.dest_holder, e.dest_location, e.biz_location, e.read_point, e.lot, e.expiry,
       array(select h.id from custody.hold h
              where h.chain_id = $1 and h.document in (select e.document union select c.document from custody.event_copy c
                                                        where c.chain_id = $1 and c.event = e.seq)) as holds
  from (select distinct unnest($2::text[]) as id) k
 cross join lateral (select * from custody.event where chain_id = $1 and event_id = k.id and declared offset 0) e
