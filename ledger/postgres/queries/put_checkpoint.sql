-- name: PutCheckpoint :one
select ledger.put_checkpoint(@tenant_id, @book_id, @after, @size, @root, @signed,
                             @levels::smallint[], @indexes::bigint[], @roots::bytea[], @hashes::bytea[])::boolean as put;
