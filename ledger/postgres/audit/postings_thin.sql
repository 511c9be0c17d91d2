-- The same for a book that is small beside the others: line by line of its own
-- transactions, without passing over everybody's.
select p.recorded_at, p.seq, p.account_id, p.amount, p.posted_after, p.held_debits_after, p.held_credits_after, p.period, p.line, p.side, p.layer
  from ledger.journal j
 cross join lateral (select * from ledger.posting x where x.recorded_at = j.recorded_at and x.book_id = j.book_id order by x.line offset 0) p
 where j.book_id = $1 and j.recorded_at > $2 and j.seq > 0
 order by j.seq
