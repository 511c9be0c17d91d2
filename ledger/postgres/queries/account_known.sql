-- Whether a book has an account of that code, in a currency or in any.
-- name: AccountKnown :one
select exists (select from ledger.account a
                where a.book_id = @book_id and a.code = @code and (@currency::text = '' or a.currency = @currency::text)) as known;
