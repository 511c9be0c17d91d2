-- Transactions without their key, keys, and keys of nothing: the first
-- sequence of each kind of trouble, and how many keys there are.
select (select min(j.seq) from ledger.journal j
         where j.book_id = $1 and not exists (select from ledger.journal_key k
                where k.book_id = j.book_id and k.id = j.id and k.seq = j.seq and k.recorded_at = j.recorded_at)),
       (select count(*) from ledger.journal_key k where k.book_id = $1)
