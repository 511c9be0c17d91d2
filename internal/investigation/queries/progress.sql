-- How much of an open investigation is verified, by the last word on each
-- package.
select count(*), custody.packages_to_verify(v.role, count(*)), count(*) filter (where l.result = 'verified'),
       count(*) filter (where l.result = 'not_verified')
  from custody.investigation v
  left join lateral custody.packages_under(v.tenant_id, v.id, v.hold) p on true
  left join lateral (select c.result from custody.investigation_verification c
                      where c.tenant_id = v.tenant_id and c.investigation_id = v.id and c.unit = p.unit
                      order by c.n desc limit 1) l on true
 where v.tenant_id = $1 and v.id = $2 and p.unit is not null
 group by v.role
