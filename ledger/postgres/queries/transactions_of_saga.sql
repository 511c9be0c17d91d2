-- The transactions of one saga in the order they were recorded, one row for
-- each entry and one with no entry for a void.
-- name: TransactionsOfSaga :many
select t.seq, t.id, t.kind, t.resolves, t.reverses, t.purpose, t.effective_on, t.recorded_at, t.actor, t.reason,
       coalesce(t.saga_id, '')::text as saga_id, coalesce(t.order_ref, '')::text as order_ref,
       coalesce(t.document, '')::text as document,
       coalesce(e.line, 0)::integer as line, coalesce(a.code, '')::text as code, coalesce(a.currency, '')::text as currency,
       coalesce(e.side, '')::text as side, coalesce(e.amount, 0)::bigint as amount
  from ledger.transaction t
  left join ledger.entry e on e.tenant_id = t.tenant_id and e.seq = t.seq
  left join ledger.account a on a.id = e.account_id
 where t.tenant_id = @tenant_id and t.saga_id = @saga_id::text
 order by t.seq, e.line;
