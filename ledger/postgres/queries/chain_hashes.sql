-- The chain's hashes after one sequence up to another.
-- name: ChainHashes :many
select seq, hash from ledger.journal where book_id = @book_id and seq > @after and seq <= @upto order by seq;
