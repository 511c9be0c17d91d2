-- The posted lines of a report with their transactions, by account and then in
-- the order they were recorded: $1 book, $2 from and $3 before which moment,
-- $4 the period or null, $5 account code or '', $6 currency or ''.
select p.seq, p.recorded_at, j.effective_on, p.period, j.id, j.reverses, p.line, p.account_id, a.code, a.currency, p.side, p.layer, p.amount,
       p.posted_after, p.held_debits_after, p.held_credits_after, j.purpose, j.actor, j.reason, coalesce(j.saga_id, ''), coalesce(j.order_ref, ''),
       coalesce(j.document, ''), coalesce(j.approval_id, ''),
       coalesce(case when j.approval_id is not null then
         (select y.checker from app.approval y join ledger.book b on b.tenant_id = y.tenant_id where b.id = p.book_id and y.id = j.approval_id) end,
         j.approval_id, ''),
       j.kind, j.resolves, j.hash, ''
  from ledger.account a
  join ledger.posting p on p.account_id = a.id
  join ledger.journal j on j.book_id = p.book_id and j.seq = p.seq and j.recorded_at = p.recorded_at
 where a.book_id = $1 and p.book_id = $1 and p.layer = 'P' and p.recorded_at >= $2 and p.recorded_at < $3
   and j.recorded_at >= $2 and j.recorded_at < $3
   and ($4::date is null or p.period = $4)
   and ($5 = '' or a.code = $5) and ($6 = '' or a.currency = $6)
 order by a.currency, a.code, p.recorded_at, p.line
