-- I1: debits equal credits in each transaction and currency. Rows are breaches.
-- name: VerifyBalanced :many
select e.tenant_id, e.seq, a.currency,
       sum(case e.side when 'D' then e.amount else -e.amount end)::text as difference
  from ledger.entry e
  join ledger.account a on a.id = e.account_id
 group by e.tenant_id, e.seq, a.currency
having sum(case e.side when 'D' then e.amount else -e.amount end) <> 0
 order by 1, 2
 limit @at_most;
