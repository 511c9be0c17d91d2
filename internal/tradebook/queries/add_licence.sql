-- Adds a licence, or newer evidence of one.
-- name: AddLicence :exec
insert into custody.partner_licence (tenant_id, partner_id, kind, number, state, valid_from, expires_on, source, checked_at, checked_by, approval_id)
values (@tenant_id, @partner_id, @kind, @number, @state, @valid_from, nullif(@expires_on::text, '')::date, @source, @checked_at, @checked_by,
        sqlc.narg('approval_id'));
