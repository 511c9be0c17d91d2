-- Which saga has this order reference?
-- name: SagaOfOrder :one
select id from app.saga where tenant_id = @tenant_id and type = @type and order_ref = @order_ref;
