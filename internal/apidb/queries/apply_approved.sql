-- Does to the chart of accounts or to a period what an approval says that this
-- transaction has used up.
-- name: ApplyApproved :one
select ledger.apply_approved(@tenant_id, @id)::jsonb as done;
