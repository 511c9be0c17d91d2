-- What was sealed or recorded of logs that are not there.
-- name: Orphans :one
select ((select count(*) from audit.checkpoint c where not exists (select from audit.chain b where b.id = c.chain_id))
      + (select count(*) from audit.tile t where not exists (select from audit.chain b where b.id = t.chain_id))
      + (select count(*) from audit.action e where e.seq = 1 and not exists (select from audit.chain b where b.id = e.chain_id)))::bigint as orphans;
