-- Why a period cannot be moved, in words; empty when it can. No row: there are
-- no such books.
-- name: PeriodRefusal :one
select coalesce(ledger.period_refusal(b.id, @period::date, @event::text), '')::text as refusal
  from ledger.book b
 where b.tenant_id = @tenant_id and b.entity = @entity;
