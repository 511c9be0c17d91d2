-- Some lines of one account, all layers, in the order they were recorded: $1
-- book, $2 account code, $3 currency or '', after the line $5 recorded at $4,
-- $6 at most. Columns as entries.sql.
select p.seq, p.recorded_at, j.effective_on, p.period, j.id, j.reverses, p.line, p.account_id, a.code, a.currency, p.side, p.layer, p.amount,
       p.posted_after, p.held_debits_after, p.held_credits_after, j.purpose, j.actor, j.reason, coalesce(j.saga_id, ''), coalesce(j.order_ref, ''),
       coalesce(j.document, ''), coalesce(j.approval_id, ''),
       coalesce(case when j.approval_id is not null then
         (select string_agg(y.checker, ' ' order by y.decided_at) from app.approval_decision y join ledger.book b on b.tenant_id = y.tenant_id
           where b.id = p.book_id and y.approval_id = j.approval_id and y.decision = 'approved') end,
         j.approval_id, ''),
       j.kind, j.resolves, j.hash, ''
  from ledger.account a
 cross join lateral (
    select * from ledger.posting x
     where x.account_id = a.id and x.recorded_at >= $4 and (x.recorded_at, x.line) > ($4, $5)
     order by x.recorded_at, x.line limit $6) p
  -- the limit keeps each line's look-up by key from becoming a join with all
 cross join lateral (select * from ledger.journal x where x.book_id = p.book_id and x.seq = p.seq and x.recorded_at = p.recorded_at limit 1) j
 where a.book_id = $1 and a.code = $2 and ($3 = '' or a.currency = $3)
 order by p.recorded_at, p.line
 limit $6
