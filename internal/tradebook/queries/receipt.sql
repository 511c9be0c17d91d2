-- What the buyer said it received.
-- name: Receipt :one
select r.received, r.exceptions, r.received_at, r.recorded_at, r.recorded_by from custody.receipt r where r.tenant_id = @tenant_id and r.saga_id = @saga_id;
