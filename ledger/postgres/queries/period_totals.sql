-- What was frozen when a period was closed, closing by closing.
-- name: PeriodTotals :many
select t.version, a.code, a.currency, t.debits, t.credits
  from ledger.book b
  join ledger.period_total t on t.book_id = b.id and t.period = @period::date
  join ledger.account a on a.id = t.account_id
 where b.tenant_id = @tenant_id and b.entity = @entity
 order by t.version, a.code, a.currency;
