-- Checkpoints of a book after a size, with what witnesses added.
select c.size, c.root, c.signed, coalesce((select string_agg(s.line, '' order by s.witness) from ledger.cosignature s where s.book_id = c.book_id and s.size = c.size), '')
  from ledger.checkpoint c
 where c.book_id = $1 and c.size > $2
 order by c.size
 limit 500
