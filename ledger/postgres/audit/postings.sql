-- The lines of a book after a moment, in order. Decoded by place.
select recorded_at, seq, account_id, amount, posted_after, held_debits_after, held_credits_after, period, line, side, layer
  from ledger.posting
 where book_id = $1 and recorded_at > $2
 order by recorded_at, line
