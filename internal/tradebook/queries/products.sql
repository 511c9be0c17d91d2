-- Products by their numbers.
-- name: Products :many
select p.gtin, p.ndc, p.name, p.strength, p.dosage_form, p.container_size, p.manufacturer, p.schedule, p.created_at
  from custody.product p
 where p.tenant_id = @tenant_id and p.gtin = any (@gtins::text[])
 order by p.gtin;
