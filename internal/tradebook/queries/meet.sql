-- Puts down a company that a document names and nobody has met: unverified, so
-- that nothing can be traded with it. Somebody else may have met it meanwhile.
-- name: Meet :exec
with met as (
  insert into custody.partner (tenant_id, id, name, role, street, city, state, postal_code, country, created_at, created_by)
  select @tenant_id, @id, @name, 'unknown', @street, @city, @state, @postal_code, @country, @created_at, @created_by
   where not exists (select from custody.partner_gln g where g.tenant_id = @tenant_id and g.gln = @gln)
  returning id
)
insert into custody.partner_gln (tenant_id, gln, partner_id, place)
select @tenant_id, @gln, met.id, 1 from met;
