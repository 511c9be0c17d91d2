-- name: PutCosignature :exec
select ledger.put_cosignature(@tenant_id, @book_id, @size, @witness, @line);
