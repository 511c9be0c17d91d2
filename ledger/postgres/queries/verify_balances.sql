-- I2: each balance equals the sum of its entries, pending ones counted while
-- nothing has resolved them. Rows are breaches.
-- name: VerifyBalances :many
with truth as (
  select e.account_id,
         coalesce(sum(e.amount) filter (where e.side = 'D' and t.kind = 'pending' and r.id is null), 0) as dp,
         coalesce(sum(e.amount) filter (where e.side = 'C' and t.kind = 'pending' and r.id is null), 0) as cp,
         coalesce(sum(e.amount) filter (where e.side = 'D' and t.kind <> 'pending'), 0) as d,
         coalesce(sum(e.amount) filter (where e.side = 'C' and t.kind <> 'pending'), 0) as c
    from ledger.entry e
    join ledger.transaction t on t.tenant_id = e.tenant_id and t.seq = e.seq
    left join ledger.transaction r on r.tenant_id = t.tenant_id and r.resolves = t.id
   group by e.account_id
)
select a.tenant_id, a.code, a.currency,
       format('balance has D %s/%s C %s/%s, entries give D %s/%s C %s/%s (posted/pending)',
              b.debits_posted, b.debits_pending, b.credits_posted, b.credits_pending,
              coalesce(x.d, 0), coalesce(x.dp, 0), coalesce(x.c, 0), coalesce(x.cp, 0))::text as difference
  from ledger.account a
  left join ledger.balance b on b.account_id = a.id
  left join truth x on x.account_id = a.id
 where (b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending)
       is distinct from (coalesce(x.d, 0), coalesce(x.c, 0), coalesce(x.dp, 0), coalesce(x.cp, 0))
 order by 1, 2, 3
 limit @at_most;
