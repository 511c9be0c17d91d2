-- Accounts with their sums, by code and currency.
select a.id, a.code, a.currency, a.normal_side, a.floor, a.ceiling, a.closed_at is not null as closed,
       b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending
  from unnest($3::text[], $4::text[]) as u (code, currency)
  join ledger.book k on k.tenant_id = $1 and k.entity = $2
  join ledger.account a on a.book_id = k.id and a.code = u.code and a.currency = u.currency
  join ledger.balance b on b.account_id = a.id
