-- A book, and whether it has an account of that code, in a currency or in any.
-- name: AccountOfBook :one
select b.id, exists (select from ledger.account a
                      where a.book_id = b.id and a.code = @code and (@currency::text = '' or a.currency = @currency::text)) as known
  from ledger.book b
 where b.tenant_id = @tenant_id and b.entity = @entity;
