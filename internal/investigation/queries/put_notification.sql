insert into custody.notification (tenant_id, id, investigation_id, type, determined_at, due_at, opened_by)
select $1, $2, $3, $4, e.at, case when $4 = 'initial' then e.at + interval '24 hours' end, $5
  from custody.investigation_end e
 where e.tenant_id = $1 and e.investigation_id = $3
returning determined_at
