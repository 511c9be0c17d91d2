-- The posted lines of a report in the order of the journal; the same
-- parameters and columns as entries.sql.
--
-- Transaction by transaction through the journal's key, which is the order of
-- time in a book, and each one's lines by theirs: rows come at once and in
-- order, whatever there are of them and whatever the planner knows of that. The
-- offset and the limit keep it from joining all with all instead.
select p.seq, p.recorded_at, j.effective_on, p.period, j.id, j.reverses, p.line, p.account_id, a.code, a.currency, p.side, p.layer, p.amount,
       p.posted_after, p.held_debits_after, p.held_credits_after, j.purpose, j.actor, j.reason, coalesce(j.saga_id, ''), coalesce(j.order_ref, ''),
       coalesce(j.document, ''), coalesce(j.approval_id, ''),
       coalesce(case when j.approval_id is not null then
         (select string_agg(y.checker, ' ' order by y.decided_at) from app.approval_decision y join ledger.book b on b.tenant_id = y.tenant_id
           where b.id = p.book_id and y.approval_id = j.approval_id and y.decision = 'approved') end,
         j.approval_id, ''),
       j.kind, j.resolves, j.hash, ''
  from (select * from ledger.journal x
         where x.book_id = $1 and x.recorded_at >= $2 and x.recorded_at < $3 and ($4::date is null or x.period = $4)
         order by x.seq offset 0) j
 cross join lateral (
    select * from ledger.posting x
     where x.recorded_at = j.recorded_at and x.book_id = j.book_id and x.layer = 'P'
     order by x.line offset 0) p
 cross join lateral (select * from ledger.account x where x.id = p.account_id limit 1) a
 where ($5 = '' or a.code = $5) and ($6 = '' or a.currency = $6)
 order by j.seq, p.line
