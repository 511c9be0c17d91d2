-- Adds a company to the register.
-- name: AddPartner :exec
insert into custody.partner (tenant_id, id, name, role, own, street, city, state, postal_code, country, t3_endpoint,
                             verified_at, verified_by, created_at, created_by)
values (@tenant_id, @id, @name, @role, @own, @street, @city, @state, @postal_code, @country, sqlc.narg('t3_endpoint'),
        case when sqlc.narg('verified_by')::text is not null then clock_timestamp() end, sqlc.narg('verified_by'), @created_at, @created_by);
