-- The transactions of a book after a sequence, in order. Decoded by place.
select seq, recorded_at, id, resolves, reverses, expires_at, effective_on, period,
       kind, purpose, actor, reason, saga_id, order_ref, document, approval_id, hash
  from ledger.journal
 where book_id = $1 and seq > $2
 order by seq
