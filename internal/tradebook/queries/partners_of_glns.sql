-- The companies of some numbers, each with the number it was found by.
-- name: PartnersOfGlns :many
select f.gln as found_by, p.id, p.name, p.role, p.own, p.street, p.city, p.state, p.postal_code, p.country, p.t3_endpoint, p.verified_at, p.created_at,
       array(select g.gln from custody.partner_gln g where g.tenant_id = p.tenant_id and g.partner_id = p.id order by g.place)::text[] as glns,
       coalesce((select jsonb_agg(to_jsonb(l) order by l.id)
                   from (select distinct on (n.kind, n.number, n.state) n.*
                           from custody.partner_licence n
                          where n.tenant_id = p.tenant_id and n.partner_id = p.id
                          order by n.kind, n.number, n.state, n.id desc) as l), '[]')::jsonb as licences
  from custody.partner_gln f
  join custody.partner p on p.tenant_id = f.tenant_id and p.id = f.partner_id
 where f.tenant_id = @tenant_id and f.gln = any (@glns::text[]);
