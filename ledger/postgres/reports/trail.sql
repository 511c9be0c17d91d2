-- A transaction and all that hangs together with it by resolving or reversing,
-- line by line, in the order they were recorded: $1 book, $2 the transaction's
-- id or null, $3 its number or 0, $4 the line or 0. Columns as entries.sql; the
-- last one says whether it is the one asked for, or came before or after it.
-- The limits are larger than what there can be; they keep look-ups by key what they are.
with recursive chain as (
  select j.id, j.seq, j.recorded_at, j.resolves, j.reverses, j.seq as asked
    from ledger.journal_key k
   cross join lateral (select * from ledger.journal x where x.book_id = k.book_id and x.seq = k.seq and x.recorded_at = k.recorded_at limit 1) j
   where k.book_id = $1 and k.id = coalesce($2::uuid, (select i.id from ledger.journal i where i.book_id = $1 and i.seq = $3::bigint))
  union
  select j.id, j.seq, j.recorded_at, j.resolves, j.reverses, c.asked
    from chain c
   cross join lateral (
     select k.seq from ledger.journal_key k where k.book_id = $1 and k.id in (c.resolves, c.reverses)
     union all
     select l.seq from ledger.journal_link l where l.book_id = $1 and l.target = c.id) n
   cross join lateral (select * from ledger.journal x where x.book_id = $1 and x.seq = n.seq limit 1) j
)
select p.seq, p.recorded_at, j.effective_on, p.period, j.id, j.reverses, p.line, p.account_id, a.code, a.currency, p.side, p.layer, p.amount,
       p.posted_after, p.held_debits_after, p.held_credits_after, j.purpose, j.actor, j.reason, coalesce(j.saga_id, ''), coalesce(j.order_ref, ''),
       coalesce(j.document, ''), coalesce(j.approval_id, ''),
       coalesce(case when j.approval_id is not null then
         (select string_agg(y.checker, ' ' order by y.decided_at) from app.approval_decision y join ledger.book b on b.tenant_id = y.tenant_id
           where b.id = p.book_id and y.approval_id = j.approval_id and y.decision = 'approved') end,
         j.approval_id, ''),
       j.kind, j.resolves, j.hash,
       case when c.seq = c.asked then 'asked' when c.seq < c.asked then 'before' else 'after' end
  from chain c
 cross join lateral (select * from ledger.journal x where x.book_id = $1 and x.seq = c.seq and x.recorded_at = c.recorded_at limit 1) j
 cross join lateral (select * from ledger.posting x where x.book_id = $1 and x.recorded_at = c.recorded_at limit 2000) p
  join ledger.account a on a.id = p.account_id
 where $4::integer = 0 or p.line = $4::integer or c.seq <> c.asked
 order by p.recorded_at, p.line
