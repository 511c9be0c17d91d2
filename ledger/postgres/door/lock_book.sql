-- The head of a book, locked until the transaction ends.
select id, seq, hash, recorded_at, version, closed_through, soft_closed_through from ledger.lock_book($1, $2, $3)
