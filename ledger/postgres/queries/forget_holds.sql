-- Holds that have been resolved are no longer due.
-- name: ForgetHolds :one
select ledger.forget_holds(@tenant_id, @entity, @ids::uuid[])::integer;
