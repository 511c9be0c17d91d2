-- A page of companies, newest first, after the one the cursor names.
-- name: Partners :many
select p.id, p.name, p.role, p.own, p.street, p.city, p.state, p.postal_code, p.country, p.t3_endpoint, p.verified_at, p.created_at,
       array(select g.gln from custody.partner_gln g where g.tenant_id = p.tenant_id and g.partner_id = p.id order by g.place)::text[] as glns,
       coalesce((select jsonb_agg(to_jsonb(l) order by l.id)
                   from (select distinct on (n.kind, n.number, n.state) n.*
                           from custody.partner_licence n
                          where n.tenant_id = p.tenant_id and n.partner_id = p.id
                          order by n.kind, n.number, n.state, n.id desc) as l), '[]')::jsonb as licences
  from custody.partner p
 where p.tenant_id = @tenant_id
   and (sqlc.narg('after_id')::text is null
        or (p.created_at, p.id) < (sqlc.narg('after_at')::timestamptz, sqlc.narg('after_id')::text))
 order by p.created_at desc, p.id desc
 limit @at_most;
