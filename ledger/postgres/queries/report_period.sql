-- Where an accounting period lies in a book: from the first entry that counts
-- in it or later to the last one that counts in it, in the order of recording,
-- and the last transaction that counts in it or before. Each is one probe of
-- an index a month. What is not there is 0, the genesis or the epoch.
-- name: ReportPeriod :one
select b.id, b.seq, b.hash, b.recorded_at, coalesce(b.closed_through >= @period::date, false)::boolean as final,
       coalesce(first.recorded_at, 'epoch')::timestamptz as first_at, coalesce(last.recorded_at, 'epoch')::timestamptz as last_at,
       coalesce(covered.seq, 0)::bigint as covered_seq, coalesce(covered.hash, b.genesis)::bytea as covered_hash,
       coalesce(covered.recorded_at, 'epoch')::timestamptz as covered_at
  from ledger.book b
  left join lateral (
    select (select j.period from ledger.journal j where j.book_id = b.id order by j.period limit 1) as oldest,
           (select j.period from ledger.journal j where j.book_id = b.id order by j.period desc limit 1) as newest) m on true
  left join lateral (
    select p.recorded_at
      from generate_series(cast(@period::date as timestamp), m.newest::timestamp, interval '1 month') s (month)
     cross join lateral (select j.recorded_at from ledger.journal j
                          where j.book_id = b.id and j.period = s.month::date order by j.recorded_at limit 1) p
     order by p.recorded_at limit 1) first on true
  left join lateral (
    select j.recorded_at from ledger.journal j
     where j.book_id = b.id and j.period = @period::date order by j.recorded_at desc limit 1) last on true
  left join lateral (
    select p.seq, p.hash, p.recorded_at
      from generate_series(m.oldest::timestamp, cast(@period::date as timestamp), interval '1 month') s (month)
     cross join lateral (select j.seq, j.hash, j.recorded_at from ledger.journal j
                          where j.book_id = b.id and j.period = s.month::date order by j.recorded_at desc limit 1) p
     order by p.recorded_at desc limit 1) covered on true
 where b.tenant_id = @tenant_id and b.entity = @entity;
