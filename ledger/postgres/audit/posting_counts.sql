-- How many lines each book has.
select book_id, count(*) from ledger.posting group by book_id
