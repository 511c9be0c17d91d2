select min(k.seq) from ledger.journal_key k
 where k.book_id = $1 and not exists (select from ledger.journal j
        where j.book_id = k.book_id and j.id = k.id and j.seq = k.seq and j.recorded_at = k.recorded_at)
