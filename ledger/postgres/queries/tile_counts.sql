-- How many full tiles each level has.
-- name: TileCounts :many
select level, (max(index) + 1)::bigint as tiles from ledger.tile where book_id = @book_id group by level order by level;
