insert into custody.investigation_verification (tenant_id, investigation_id, unit, result, failure, source, note, recorded_by)
select $1, $2, u.unit, u.result, u.failure, u.source, u.note, $8
  from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) with ordinality as u (unit, result, failure, source, note, place)
 order by u.place
