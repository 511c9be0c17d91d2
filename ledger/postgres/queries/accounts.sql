-- The accounts of a book with their bounds and sums, or one of them.
-- name: Accounts :many
select a.id, a.code, a.name, a.type, a.normal_side, a.currency, a.floor, a.ceiling, a.opened_at, a.closed_at,
       b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending
  from ledger.book k
  join ledger.account a on a.book_id = k.id
  join ledger.balance b on b.account_id = a.id
 where k.tenant_id = @tenant_id and k.entity = @entity
   and (@id::bigint = 0 or a.id = @id::bigint) and (@code::text = '' or a.code = @code::text)
   and (@currency::text = '' or a.currency = @currency::text)
 order by a.code, a.currency;
