-- The first signed checkpoint that covers a place in a book's chain, which no
-- later one replaces, and whether the book is sealed at all.
-- name: CoveringCheckpoint :one
select coalesce((select c.signed from ledger.checkpoint c where c.book_id = @book_id and c.size >= @seq order by c.size limit 1), '')::text as note,
       exists (select from ledger.checkpoint c where c.book_id = @book_id) as sealed;
