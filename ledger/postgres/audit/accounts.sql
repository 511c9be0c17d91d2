-- The accounts of a book with their sums, as the database says.
select a.id, a.code, a.currency, coalesce(b.debits_posted, 0), coalesce(b.credits_posted, 0), coalesce(b.debits_pending, 0), coalesce(b.credits_pending, 0)
  from ledger.account a
  left join ledger.balance b on b.account_id = a.id
 where a.book_id = $1
