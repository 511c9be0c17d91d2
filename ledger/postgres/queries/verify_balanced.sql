-- I1: debits equal credits in each transaction, layer and currency. Rows are
-- breaches.
-- name: VerifyBalanced :many
select b.tenant_id, p.seq, a.currency,
       sum(case p.side when 'D' then p.amount else -p.amount end)::text as difference
  from ledger.posting p
  join ledger.account a on a.id = p.account_id
  join ledger.book b on b.id = p.book_id
 group by b.tenant_id, p.book_id, p.seq, p.layer, a.currency
having sum(case p.side when 'D' then p.amount else -p.amount end) <> 0
 order by 1, 2
 limit @at_most;
