-- Forgets idempotency answers and stream tickets past their time.
-- name: Prune :one
select app.prune(@at_most::integer)::integer as pruned;
