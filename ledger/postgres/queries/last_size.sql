-- Size of a book's last checkpoint, 0 when there is none.
-- name: LastSize :one
select coalesce(max(size), 0)::bigint as size from ledger.checkpoint where book_id = @book_id;
