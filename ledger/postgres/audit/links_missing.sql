select min(j.seq) from ledger.journal j
 where j.book_id = $1 and (j.resolves is not null or j.reverses is not null)
   and not exists (select from ledger.journal_link l where l.book_id = j.book_id and l.seq = j.seq and l.target = coalesce(j.resolves, j.reverses))
