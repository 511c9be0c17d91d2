-- The periods of a book from the first with postings to the running month, or
-- one of them, and how they stand. No row for a period before the first.
-- name: Periods :many
select m.month::date as period,
       (case when m.month <= b.closed_through then 'closed' when m.month <= b.soft_closed_through then 'soft_closed'
            when last.event = 'reopened' then 'reopened' else 'open' end)::text as state,
       coalesce(last.version, 0)::integer as version
  from ledger.book b
  cross join lateral (
    select least((select min(e.period) from ledger.period_event e where e.book_id = b.id),
                 case when b.closed_through is null then (select min(j.period) from ledger.journal j where j.book_id = b.id) end) as month
  ) first
  cross join lateral generate_series(first.month::timestamp, date_trunc('month', clock_timestamp() at time zone 'UTC'), interval '1 month') as m (month)
  left join lateral (
    select e.event, (select count(*) from ledger.period_event c where c.book_id = e.book_id and c.period = e.period and c.event = 'closed') as version
      from ledger.period_event e where e.book_id = b.id and e.period = m.month::date order by e.id desc limit 1
  ) last on true
 where b.tenant_id = @tenant_id and b.entity = @entity and (@all_of_them::boolean or m.month::date = @period::date)
 order by m.month;
