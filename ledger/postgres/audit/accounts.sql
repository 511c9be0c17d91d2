-- The accounts of a book with their sums, as the database says, and whether
-- what the door asks of an account is what the account says.
select a.id, a.code, a.currency, coalesce(b.debits_posted, 0), coalesce(b.credits_posted, 0), coalesce(b.debits_pending, 0), coalesce(b.credits_pending, 0),
       (b.tenant_id, b.book_id, b.name, b.closed, b.bounded) is not distinct from
       (a.tenant_id, a.book_id, a.code || a.currency, a.closed_at is not null, a.floor is not null or a.ceiling is not null) as agrees
  from ledger.account a
  left join ledger.balance b on b.account_id = a.id
 where a.book_id = $1
