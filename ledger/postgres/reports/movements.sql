-- What each purpose added to an account and took from it, on the account's
-- normal side; the parameters of entries.sql, in the order of balances.sql.
select a.id, m.purpose, case a.normal_side when 'D' then m.debits else m.credits end, case a.normal_side when 'D' then m.credits else m.debits end
  from (
    select p.account_id, j.purpose,
           coalesce(sum(p.amount) filter (where p.side = 'D'), 0)::bigint as debits,
           coalesce(sum(p.amount) filter (where p.side = 'C'), 0)::bigint as credits
      from ledger.posting p
      join ledger.journal j on j.book_id = p.book_id and j.seq = p.seq and j.recorded_at = p.recorded_at
     where p.book_id = $1 and p.layer = 'P' and p.recorded_at >= $2 and p.recorded_at < $3
       and j.book_id = $1 and j.recorded_at >= $2 and j.recorded_at < $3
       and ($4::date is null or p.period = $4)
       and ($5 = '' and $6 = '' or p.account_id = any (array(select x.id from ledger.account x
             where x.book_id = $1 and ($5 = '' or x.code = $5) and ($6 = '' or x.currency = $6))))
     group by p.account_id, j.purpose) m
  join ledger.account a on a.id = m.account_id
 order by a.currency, a.code, m.purpose
