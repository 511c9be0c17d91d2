-- Adds a drug's master data.
-- name: AddProduct :exec
insert into custody.product (tenant_id, gtin, ndc, name, strength, dosage_form, container_size, manufacturer, schedule, created_at, created_by)
values (@tenant_id, @gtin, @ndc, @name, @strength, @dosage_form, @container_size, @manufacturer, @schedule, @created_at, @created_by);
