-- What is resolved or reversed, with its lines.
select j.id, j.seq, j.kind, j.expires_at, p.account_id, p.side, p.layer, p.amount
  from ledger.journal_key k
  join ledger.journal j on j.book_id = k.book_id and j.seq = k.seq and j.recorded_at = k.recorded_at and j.id = k.id
  join ledger.posting p on p.book_id = k.book_id and p.recorded_at = k.recorded_at
 where k.book_id = $1 and k.id = any ($2::uuid[])
