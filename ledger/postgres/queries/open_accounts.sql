-- Opens accounts in a book; those that are open stay as they are.
-- name: OpenAccounts :one
select ledger.open_accounts(@tenant_id, @entity, @codes::text[], @names::text[], @types::text[], @sides::text[], @currencies::text[],
                            @floors::bigint[], @ceilings::bigint[])::integer as opened;
