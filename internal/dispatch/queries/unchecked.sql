-- Open sagas of all tenants that nobody has looked at for a while.
-- name: Unchecked :many
select u.tenant_id::uuid as tenant_id, u.id::text as id, u.type::text as type,
       u.order_ref::text as order_ref, u.plan::jsonb as plan
  from app.unchecked_sagas(@older_than::interval, @at_most::integer) as u;
