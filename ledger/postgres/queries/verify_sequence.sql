-- I3, first part: seq runs from 1 to the head without a gap. Rows are breaches.
-- name: VerifySequence :many
select h.tenant_id, h.seq as head, coalesce(t.last, 0)::bigint as last, coalesce(t.n, 0)::bigint as n
  from ledger.head h
  left join (select tenant_id, max(seq) as last, count(*) as n from ledger.transaction group by tenant_id) t
    on t.tenant_id = h.tenant_id
 where h.seq <> coalesce(t.last, 0) or h.seq <> coalesce(t.n, 0)
 order by 1
 limit @at_most;
