-- Keeps how much of what a transfer brought to whom.
-- name: AddT3Lines :exec
insert into custody.t3_line (tenant_id, saga_id, gtin, buyer_id, quantity)
select @tenant_id, @saga_id, u.gtin, @buyer_id, u.quantity
  from unnest(@gtins::text[], @quantities::integer[]) as u (gtin, quantity);
