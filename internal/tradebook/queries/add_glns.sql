-- Adds the numbers of a company, the first of which names it.
-- name: AddGlns :exec
insert into custody.partner_gln (tenant_id, gln, partner_id, place)
select @tenant_id, u.gln, @partner_id, u.place
  from unnest(@glns::text[]) with ordinality as u (gln, place);
