-- Whose event has an id, in the tenants the role sees, or in one of them.
select c.tenant_id, e.seq
  from custody.chain c join custody.event e on e.chain_id = c.id and e.event_id = $1
 where $2::uuid is null or c.tenant_id = $2
 order by c.id, e.seq limit 10
