-- One company with its numbers and the newest record of each licence: by its
-- id, or by one of its numbers.
-- name: Partner :one
select p.id, p.name, p.role, p.own, p.street, p.city, p.state, p.postal_code, p.country, p.t3_endpoint, p.verified_at, p.created_at,
       array(select g.gln from custody.partner_gln g where g.tenant_id = p.tenant_id and g.partner_id = p.id order by g.place)::text[] as glns,
       coalesce((select jsonb_agg(to_jsonb(l) order by l.id)
                   from (select distinct on (n.kind, n.number, n.state) n.*
                           from custody.partner_licence n
                          where n.tenant_id = p.tenant_id and n.partner_id = p.id
                          order by n.kind, n.number, n.state, n.id desc) as l), '[]')::jsonb as licences
  from custody.partner p
 where p.tenant_id = @tenant_id
   and (p.id = @name or p.id = (select g.partner_id from custody.partner_gln g where g.tenant_id = @tenant_id and g.gln = @name));
