-- One transaction by its id, in the form of known.sql.
select j.id, j.seq, j.recorded_at, j.kind, j.resolves, j.reverses, j.purpose, j.effective_on, j.period, j.expires_at, j.actor, j.reason,
       coalesce(j.saga_id, ''), coalesce(j.order_ref, ''), coalesce(j.document, ''), coalesce(j.approval_id, ''), j.hash, false, false,
       p.line, p.layer, p.account_id, a.code, a.currency, p.side, p.amount, p.posted_after, p.held_debits_after, p.held_credits_after
  from ledger.book b
  join ledger.journal_key k on k.book_id = b.id and k.id = $3
  join ledger.journal j on j.book_id = k.book_id and j.seq = k.seq and j.recorded_at = k.recorded_at
  join ledger.posting p on p.book_id = j.book_id and p.recorded_at = j.recorded_at
  join ledger.account a on a.id = p.account_id
 where b.tenant_id = $1 and b.entity = $2
 order by j.seq, p.line
