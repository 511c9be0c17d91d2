-- Which partner a key speaks for.
-- name: PartnerOfKey :one
select b.partner_id from custody.partner_key b where b.tenant_id = @tenant_id and b.key_id = @key_id;
