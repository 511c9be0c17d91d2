-- Which of some units are packages of an investigation.
select u.unit
  from custody.investigation v
 cross join lateral custody.packages_under(v.tenant_id, v.id, v.hold) u
 where v.tenant_id = $1 and v.id = $2 and u.unit = any($3)
