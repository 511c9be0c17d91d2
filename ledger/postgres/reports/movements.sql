-- What each purpose added to an account and took from it, on the account's
-- normal side; the parameters of entries.sql, in the order of balances.sql.
select a.id, j.purpose, coalesce(sum(p.amount) filter (where p.side = a.normal_side), 0)::bigint,
       coalesce(sum(p.amount) filter (where p.side <> a.normal_side), 0)::bigint
  from ledger.account a
  join ledger.posting p on p.account_id = a.id
  join ledger.journal j on j.book_id = p.book_id and j.seq = p.seq and j.recorded_at = p.recorded_at
 where a.book_id = $1 and p.book_id = $1 and p.layer = 'P' and p.recorded_at >= $2 and p.recorded_at < $3
   and j.recorded_at >= $2 and j.recorded_at < $3
   and ($4::date is null or p.period = $4)
   and ($5 = '' or a.code = $5) and ($6 = '' or a.currency = $6)
 group by a.currency, a.code, a.id, j.purpose
 order by a.currency, a.code, j.purpose
