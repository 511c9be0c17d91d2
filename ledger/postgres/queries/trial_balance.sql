-- Every account of a book with its four sums, or those of one currency.
-- name: TrialBalance :many
select t.code, t.name, t.type, t.normal_side, t.currency,
       t.debits_pending, t.credits_pending, t.debits_posted, t.credits_posted
  from ledger.trial_balance t
 where t.tenant_id = @tenant_id and t.entity = @entity and (@currency::text = '' or t.currency = @currency::text)
 order by t.currency, t.code;
