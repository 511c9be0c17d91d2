-- Size of a book's last checkpoint, 0 when there is none.
select coalesce(max(size), 0) from ledger.checkpoint where book_id = $1
