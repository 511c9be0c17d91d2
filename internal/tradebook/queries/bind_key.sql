-- Says which partner a key speaks for. A key of another tenant is not there, and
-- neither is one of another role: it would go on seeing everything else.
-- name: BindKey :one
insert into custody.partner_key (tenant_id, key_id, partner_id, bound_by)
select k.tenant_id, k.id, @partner_id, @bound_by
  from app.api_key k
 where k.tenant_id = @tenant_id and k.id = @key_id and k.role = 'trading_partner'
returning key_id;
