-- A book, and its chain's hash at a sequence; at 0 what the first one follows.
-- name: ChainBefore :one
select b.id, coalesce((select j.hash from ledger.journal j where j.book_id = b.id and j.seq = @seq::bigint), b.genesis)::bytea as hash
  from ledger.book b
 where b.tenant_id = @tenant_id and b.entity = @entity;
