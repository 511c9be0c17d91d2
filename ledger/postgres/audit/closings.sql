-- What happened to the periods of a book, in order.
select period, version, event, seq, hash from ledger.period_event where book_id = $1 order by seq, id
