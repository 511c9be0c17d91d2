-- Holds of all tenants that are past their time, at most some of each book.
-- name: DueHolds :many
select d.tenant_id::uuid as tenant_id, d.entity::text as entity, d.id::uuid as id, d.expires_at::timestamptz as expires_at,
       coalesce(d.saga_id, '')::text as saga_id, coalesce(d.order_ref, '')::text as order_ref
  from ledger.due_holds(@each::integer, @at_most::integer) as d;
