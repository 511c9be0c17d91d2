-- How many full tiles each level has.
select level, max(index) + 1 from ledger.tile where book_id = $1 group by level order by level
