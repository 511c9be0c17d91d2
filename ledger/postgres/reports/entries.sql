-- The posted lines of a report with their transactions, by account and then in
-- the order they were recorded: $1 book, $2 from and $3 before which moment,
-- $4 the period or null, $5 account code or '', $6 currency or ''.
--
-- Account by account, each through its index, and each line's transaction by
-- its key: rows come at once and in order, whatever there are of them. The
-- offset and the limit keep the planner from joining all with all instead.
select p.seq, p.recorded_at, j.effective_on, p.period, j.id, j.reverses, p.line, p.account_id, a.code, a.currency, p.side, p.layer, p.amount,
       p.posted_after, p.held_debits_after, p.held_credits_after, j.purpose, j.actor, j.reason, coalesce(j.saga_id, ''), coalesce(j.order_ref, ''),
       coalesce(j.document, ''), coalesce(j.approval_id, ''),
       coalesce(case when j.approval_id is not null then
         (select string_agg(y.checker, ' ' order by y.decided_at) from app.approval_decision y join ledger.book b on b.tenant_id = y.tenant_id
           where b.id = p.book_id and y.approval_id = j.approval_id and y.decision = 'approved') end,
         j.approval_id, ''),
       j.kind, j.resolves, j.hash, ''
  from (select x.id, x.code, x.currency from ledger.account x
         where x.book_id = $1 and ($5 = '' or x.code = $5) and ($6 = '' or x.currency = $6) order by x.currency, x.code) a
 cross join lateral (
    select * from ledger.posting x
     where x.account_id = a.id and x.book_id = $1 and x.layer = 'P' and x.recorded_at >= $2 and x.recorded_at < $3
       and ($4::date is null or x.period = $4)
     order by x.recorded_at, x.line offset 0) p
 cross join lateral (select * from ledger.journal x where x.book_id = p.book_id and x.seq = p.seq and x.recorded_at = p.recorded_at limit 1) j
 order by a.currency, a.code, p.recorded_at, p.line
