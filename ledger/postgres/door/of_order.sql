-- The transactions of one order in the order they were recorded, in the form of
-- known.sql.
select j.id, j.seq, j.recorded_at, j.kind, j.resolves, j.reverses, j.purpose, j.effective_on, j.period, j.expires_at, j.actor, j.reason,
       coalesce(j.saga_id, ''), coalesce(j.order_ref, ''), coalesce(j.document, ''), coalesce(j.approval_id, ''), j.hash, false, false,
       p.line, p.layer, p.account_id, a.code, a.currency, p.side, p.amount, p.posted_after, p.held_debits_after, p.held_credits_after
  from ledger.book b
  join ledger.journal j on j.book_id = b.id and j.order_ref = $3
  join ledger.posting p on p.book_id = j.book_id and p.recorded_at = j.recorded_at
  join ledger.account a on a.id = p.account_id
 where b.tenant_id = $1 and b.entity = $2
 order by j.seq, p.line
