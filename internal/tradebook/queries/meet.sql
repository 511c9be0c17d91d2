-- Puts down companies with their numbers, each unless somebody has the number:
-- place by place in the arrays, no number twice.
-- name: Meet :exec
with met as (
  select c.*
    from (select unnest(@ids::text[]) as id, unnest(@glns::text[]) as gln, unnest(@names::text[]) as name, unnest(@streets::text[]) as street,
                 unnest(@cities::text[]) as city, unnest(@states::text[]) as state, unnest(@postal_codes::text[]) as postal_code,
                 unnest(@countries::text[]) as country) c
   where not exists (select from custody.partner_gln g where g.tenant_id = @tenant_id and g.gln = c.gln)
), put as (
  insert into custody.partner (tenant_id, id, name, role, street, city, state, postal_code, country, created_at, created_by)
  select @tenant_id, m.id, m.name, 'unknown', m.street, m.city, m.state, m.postal_code, m.country, @created_at, @created_by from met m
  returning id
)
insert into custody.partner_gln (tenant_id, gln, partner_id, place)
select @tenant_id, m.gln, m.id, 1 from met m join put on put.id = m.id;
