-- What is recorded under some ids, whether it has been resolved or reversed,
-- and its lines.
select j.id, j.seq, j.recorded_at, j.kind, j.resolves, j.reverses, j.purpose, j.effective_on, j.period, j.expires_at, j.actor, j.reason,
       coalesce(j.saga_id, ''), coalesce(j.order_ref, ''), coalesce(j.document, ''), coalesce(j.approval_id, ''), j.hash,
       exists (select from ledger.journal_link l where l.book_id = k.book_id and l.target = j.id and l.relation = 'resolves') as resolved,
       exists (select from ledger.journal_link l where l.book_id = k.book_id and l.target = j.id and l.relation = 'reverses') as reversed,
       p.line, p.layer, p.account_id, a.code, a.currency, p.side, p.amount, p.posted_after, p.held_debits_after, p.held_credits_after
  from ledger.book b
  join ledger.journal_key k on k.book_id = b.id and k.id = any ($3::uuid[])
  join ledger.journal j on j.book_id = k.book_id and j.seq = k.seq and j.recorded_at = k.recorded_at
  join ledger.posting p on p.book_id = k.book_id and p.recorded_at = k.recorded_at
  join ledger.account a on a.id = p.account_id
 where b.tenant_id = $1 and b.entity = $2
 order by j.seq, p.line
