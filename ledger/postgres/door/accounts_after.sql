-- The next accounts of a book in the order of code and currency, in the form of
-- accounts.sql.
select a.id, a.code, a.currency, a.normal_side, a.floor, a.ceiling, a.closed_at is not null,
       b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending
  from ledger.account a
  join ledger.balance b on b.account_id = a.id
 where a.book_id = $1 and (a.code, a.currency) > ($2, $3)
 order by a.code, a.currency
 limit $4
