-- What was said of packages, newest first, from before one.
select n, unit, result, failure, source, note, at, recorded_by
  from custody.investigation_verification
 where tenant_id = $1 and investigation_id = $2 and n < $3
 order by n desc
 limit $4
