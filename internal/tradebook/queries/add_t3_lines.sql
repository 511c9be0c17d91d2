-- Keeps how much of what a transfer brought to whom; quantities by GTIN.
-- name: AddT3Lines :exec
insert into custody.t3_line (tenant_id, saga_id, gtin, buyer_id, quantity)
select @tenant_id, @saga_id, u.key, @buyer_id, u.value::integer
  from jsonb_each_text(@quantities::jsonb) as u;
