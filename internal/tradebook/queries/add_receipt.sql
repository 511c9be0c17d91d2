-- Keeps what the buyer said it received. No row: it had said so before.
-- name: AddReceipt :one
insert into custody.receipt (tenant_id, saga_id, received, exceptions, received_at, recorded_by)
values (@tenant_id, @saga_id, @received, @exceptions, @received_at, @recorded_by)
on conflict on constraint receipt_once do nothing
returning recorded_at;
