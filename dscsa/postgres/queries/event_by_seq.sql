-- Whose event or decision is under a sequence, in the tenants the role sees, or
-- in one of them.
select c.tenant_id, e.seq
  from custody.chain c join custody.entry e on e.chain_id = c.id and e.seq = $1 and e.kind in (2, 3)
 where $2::uuid is null or c.tenant_id = $2
 order by c.id limit 10
