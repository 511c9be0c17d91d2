-- What happened to a period, in order.
-- name: PeriodEvents :many
select e.event, e.version, e.approval_id, e.actor, e.at, e.seq, e.hash
  from ledger.book b
  join ledger.period_event e on e.book_id = b.id and e.period = @period::date
 where b.tenant_id = @tenant_id and b.entity = @entity
 order by e.id;
