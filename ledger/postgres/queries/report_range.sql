-- The last transaction of a book that was recorded before a moment. The range
-- is final when something was recorded at that moment or later: time only grows.
-- name: ReportRange :one
select b.id, b.seq, b.hash, b.recorded_at, coalesce(b.recorded_at >= @until::timestamptz, false)::boolean as final,
       coalesce(covered.seq, 0)::bigint as covered_seq, coalesce(covered.hash, b.genesis)::bytea as covered_hash,
       coalesce(covered.recorded_at, 'epoch')::timestamptz as covered_at
  from ledger.book b
  left join lateral (
    select (select j.period from ledger.journal j where j.book_id = b.id order by j.period limit 1) as oldest,
           (select j.period from ledger.journal j where j.book_id = b.id order by j.period desc limit 1) as newest) m on true
  left join lateral (
    select p.seq, p.hash, p.recorded_at
      from generate_series(m.oldest::timestamp, m.newest::timestamp, interval '1 month') s (month)
     cross join lateral (select j.seq, j.hash, j.recorded_at from ledger.journal j
                          where j.book_id = b.id and j.period = s.month::date and j.recorded_at < @until::timestamptz
                          order by j.recorded_at desc limit 1) p
     order by p.recorded_at desc limit 1) covered on true
 where b.tenant_id = @tenant_id and b.entity = @entity;
