-- What is recorded under some ids, whether it has been resolved or reversed,
-- and its lines.
select (k.journal).id, (k.journal).seq, (k.journal).recorded_at, (k.journal).kind, (k.journal).resolves, (k.journal).reverses,
       (k.journal).purpose, (k.journal).effective_on, (k.journal).period, (k.journal).expires_at, (k.journal).actor, (k.journal).reason,
       coalesce((k.journal).saga_id, ''), coalesce((k.journal).order_ref, ''), coalesce((k.journal).document, ''),
       coalesce((k.journal).approval_id, ''), (k.journal).hash, k.resolved, k.reversed,
       (k.posting).line, (k.posting).layer, (k.posting).account_id, k.code, k.currency, (k.posting).side, (k.posting).amount,
       (k.posting).posted_after, (k.posting).held_debits_after, (k.posting).held_credits_after
  from ledger.known($1, $2, $3) k
