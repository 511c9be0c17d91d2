-- I3, first part: seq runs from 1 to the head without a gap. Rows are breaches.
-- name: VerifySequence :many
select b.tenant_id, b.seq as head, coalesce(t.last, 0)::bigint as last, coalesce(t.n, 0)::bigint as n
  from ledger.book b
  left join (select book_id, max(seq) as last, count(*) as n from ledger.journal group by book_id) t
    on t.book_id = b.id
 where b.seq <> coalesce(t.last, 0) or b.seq <> coalesce(t.n, 0)
 order by 1
 limit @at_most;
