-- The accounts of a book that stood at something before the report or moved in
-- it: $1 book, $2 from and $3 before which moment their entries were recorded,
-- $4 the period or null, $5 account code or '', $6 currency or ''.
--
-- Of a period the opening is what the account stands at now less what counts in
-- the period and later; of a range of time it is the balance after the last
-- line before it.
select a.id, a.code, a.name, a.type, a.normal_side, a.currency, o.opening, coalesce(m.debits, 0)::bigint, coalesce(m.credits, 0)::bigint
  from ledger.account a
  join ledger.balance b on b.account_id = a.id
  left join (
    select p.account_id,
           sum(p.amount) filter (where p.side = 'D' and ($4::date is null or p.period = $4)) as debits,
           sum(p.amount) filter (where p.side = 'C' and ($4::date is null or p.period = $4)) as credits,
           sum(case p.side when 'D' then p.amount else -p.amount end) as since
      from ledger.posting p
     where p.book_id = $1 and p.layer = 'P' and p.recorded_at >= $2 and p.recorded_at < $3 and ($4::date is null or p.period >= $4)
       and ($5 = '' and $6 = '' or p.account_id = any (array(select x.id from ledger.account x
             where x.book_id = $1 and ($5 = '' or x.code = $5) and ($6 = '' or x.currency = $6))))
     group by p.account_id) m on m.account_id = a.id
 cross join lateral (
    select case when $4::date is not null then (b.debits_posted - b.credits_posted - coalesce(m.since, 0))::bigint
                else coalesce((select p.posted_after from ledger.posting p where p.account_id = a.id and p.recorded_at < $2
                                order by p.recorded_at desc, p.line desc limit 1), 0) end as opening) o
 where a.book_id = $1 and ($5 = '' or a.code = $5) and ($6 = '' or a.currency = $6)
   and (o.opening <> 0 or m.debits <> 0 or m.credits <> 0)
 order by a.currency, a.code
