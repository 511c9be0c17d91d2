-- I2: each balance equals the sum of its postings. Rows are breaches.
-- name: VerifyBalances :many
with truth as (
  select p.account_id,
         coalesce(sum(case p.layer when 'H' then p.amount when 'R' then -p.amount end) filter (where p.side = 'D'), 0) as dp,
         coalesce(sum(case p.layer when 'H' then p.amount when 'R' then -p.amount end) filter (where p.side = 'C'), 0) as cp,
         coalesce(sum(p.amount) filter (where p.side = 'D' and p.layer = 'P'), 0) as d,
         coalesce(sum(p.amount) filter (where p.side = 'C' and p.layer = 'P'), 0) as c
    from ledger.posting p
   group by p.account_id
)
select a.tenant_id, a.code, a.currency,
       format('balance has D %s/%s C %s/%s, postings give D %s/%s C %s/%s (posted/pending)',
              b.debits_posted, b.debits_pending, b.credits_posted, b.credits_pending,
              coalesce(x.d, 0), coalesce(x.dp, 0), coalesce(x.c, 0), coalesce(x.cp, 0))::text as difference
  from ledger.account a
  left join ledger.balance b on b.account_id = a.id
  left join truth x on x.account_id = a.id
 where (b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending)
       is distinct from (coalesce(x.d, 0), coalesce(x.c, 0), coalesce(x.dp, 0), coalesce(x.cp, 0))
 order by 1, 2, 3
 limit @at_most;
