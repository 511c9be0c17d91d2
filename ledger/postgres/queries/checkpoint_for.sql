-- The largest checkpoint of a book that covers a sequence and a witness has
-- co-signed, or else the largest that covers it. No row: none does yet.
-- name: CheckpointFor :one
select c.book_id, c.size, c.root, c.sealed_at, (c.signed || coalesce(c.lines, ''))::text as signed
  from ledger.book b
 cross join lateral (
  (select 1 as choice, x.book_id, x.size, x.root, x.sealed_at, x.signed,
          (select string_agg(s.line, '' order by s.witness) from ledger.cosignature s where s.book_id = x.book_id and s.size = x.size) as lines
     from ledger.checkpoint x
    where x.book_id = b.id and x.size >= @seq
      and exists (select from ledger.cosignature s where s.book_id = x.book_id and s.size = x.size)
    order by x.size desc limit 1)
  union all
  (select 2, x.book_id, x.size, x.root, x.sealed_at, x.signed, null
     from ledger.checkpoint x where x.book_id = b.id and x.size >= @seq order by x.size desc limit 1)
  order by choice limit 1) c
 where b.tenant_id = @tenant_id and b.entity = @entity;
