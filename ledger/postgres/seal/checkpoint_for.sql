-- The largest checkpoint of a book that covers a sequence and a witness has
-- co-signed, or else the largest that covers it. No row: none does yet.
(select 1 as choice, x.size, x.sealed_at,
        x.signed || (select string_agg(s.line, '' order by s.witness) from ledger.cosignature s where s.book_id = x.book_id and s.size = x.size)
   from ledger.checkpoint x
  where x.book_id = $1 and x.size >= $2
    and exists (select from ledger.cosignature s where s.book_id = x.book_id and s.size = x.size)
  order by x.size desc limit 1)
union all
(select 2, x.size, x.sealed_at, x.signed
   from ledger.checkpoint x where x.book_id = $1 and x.size >= $2 order by x.size desc limit 1)
order by choice limit 1
