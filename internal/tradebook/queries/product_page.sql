-- A page of products, newest first, after the one the cursor names.
-- name: ProductPage :many
select p.gtin, p.ndc, p.name, p.strength, p.dosage_form, p.container_size, p.manufacturer, p.schedule, p.created_at
  from custody.product p
 where p.tenant_id = @tenant_id
   and (sqlc.narg('after_gtin')::text is null
        or (p.created_at, p.gtin) < (sqlc.narg('after_at')::timestamptz, sqlc.narg('after_gtin')::text))
 order by p.created_at desc, p.gtin desc
 limit @at_most;
