-- Which decision tells that a document's bytes are gone, in the tenants the role
-- sees, or in one of them.
select c.tenant_id, p.decision
  from custody.chain c join custody.purged p on p.chain_id = c.id and p.document = $1
 where $2::uuid is null or c.tenant_id = $2
 order by c.id limit 10
