-- What is said to have been frozen by a closing that never was.
select distinct t.period, t.version
  from ledger.period_total t
 where t.book_id = $1
   and not exists (select from ledger.period_event e
                    where e.book_id = t.book_id and e.period = t.period and e.version = t.version and e.event = 'closed')
 order by 1, 2
