-- Accounts with their sums, by code and currency.
select id, code, currency, normal_side, floor, ceiling, closed, debits_posted, credits_posted, debits_pending, credits_pending
  from ledger.accounts_of($1, $2, $3, $4)
