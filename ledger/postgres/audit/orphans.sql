-- What was sealed of books that are not there.
select (select count(*) from ledger.checkpoint c where not exists (select from ledger.book b where b.id = c.book_id))
     + (select count(*) from ledger.tile t where not exists (select from ledger.book b where b.id = t.book_id))
