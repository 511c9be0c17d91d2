-- Which book has a transaction; for roles that see several.
-- name: BookOf :one
select b.tenant_id, b.entity
  from ledger.book b join ledger.journal_key k on k.book_id = b.id
 where k.id = @id
 limit 1;
