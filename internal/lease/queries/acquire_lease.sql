-- Takes or renews a lease by the database's clock, the only one all holders
-- share. No row: another holds it.
-- name: AcquireLease :one
insert into app.lease as l (name, holder, expires_at)
values (@name, @holder, clock_timestamp() + @duration::interval)
on conflict on constraint lease_pkey do update
   set epoch = l.epoch + (l.holder <> excluded.holder)::integer,
       holder = excluded.holder,
       expires_at = excluded.expires_at
 where l.holder = excluded.holder or l.expires_at < clock_timestamp()
returning epoch;
