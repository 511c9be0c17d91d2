-- The posted lines of a report in the order of the journal; the same
-- parameters and columns as entries.sql.
select p.seq, p.recorded_at, j.effective_on, p.period, j.id, j.reverses, p.line, p.account_id, a.code, a.currency, p.side, p.layer, p.amount,
       p.posted_after, p.held_debits_after, p.held_credits_after, j.purpose, j.actor, j.reason, coalesce(j.saga_id, ''), coalesce(j.order_ref, ''),
       coalesce(j.document, ''), coalesce(j.approval_id, ''),
       coalesce(case when j.approval_id is not null then
         (select string_agg(y.checker, ' ' order by y.decided_at) from app.approval_decision y join ledger.book b on b.tenant_id = y.tenant_id
           where b.id = p.book_id and y.approval_id = j.approval_id and y.decision = 'approved') end,
         j.approval_id, ''),
       j.kind, j.resolves, j.hash, ''
  from ledger.journal j
  join ledger.posting p on p.book_id = j.book_id and p.recorded_at = j.recorded_at
  join ledger.account a on a.id = p.account_id
 where j.book_id = $1 and j.recorded_at >= $2 and j.recorded_at < $3 and p.recorded_at >= $2 and p.recorded_at < $3 and p.layer = 'P'
   and ($4::date is null or j.period = $4)
   and ($5 = '' or a.code = $5) and ($6 = '' or a.currency = $6)
 order by p.recorded_at, p.line
