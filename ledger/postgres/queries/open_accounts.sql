-- Opens the chart of accounts in one currency; what is open stays as it is.
-- name: OpenAccounts :one
select ledger.open_accounts(@tenant_id, @currency, @codes::text[], @names::text[], @types::text[], @sides::text[])::integer as opened;
