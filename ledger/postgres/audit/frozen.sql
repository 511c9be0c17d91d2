-- What was frozen when a period was closed.
select account_id, debits, credits from ledger.period_total where book_id = $1 and period = $2 and version = $3
