-- Investigations as they stand, newest first: one ($2), or a page after ($4, $5)
-- of those in a state ($3).
select v.id, case when d.investigation_id is not null then 'disposed' when e.outcome is not null then e.outcome else 'open' end,
       v.partner_id, p.name, v.role, v.suspicion, v.summary, v.units, v.gtin, v.lot, v.hold, v.fda_asked_on, coalesce(v.fda_office, ''),
       v.opened_at, v.opened_by, coalesce(e.packages, 0), coalesce(e.required, 0), coalesce(e.verified, 0), coalesce(e.failed, 0),
       e.at, coalesce(e.concluded_by, ''), coalesce(e.person, ''), coalesce(e.position, ''), coalesce(e.summary, ''), e.fda_told_at, coalesce(e.hold, 0),
       coalesce(d.method, ''), d.concluded_on, coalesce(d.summary, ''), d.at, coalesce(d.recorded_by, '')
  from custody.investigation v
  join custody.partner p on p.tenant_id = v.tenant_id and p.id = v.partner_id
  left join custody.investigation_end e on e.tenant_id = v.tenant_id and e.investigation_id = v.id
  left join custody.investigation_disposition d on d.tenant_id = v.tenant_id and d.investigation_id = v.id
 where v.tenant_id = $1 and ($2 = '' or v.id = $2)
   and ($3 = '' or $3 = case when d.investigation_id is not null then 'disposed' when e.outcome is not null then e.outcome else 'open' end)
   and ($5 = '' or (v.opened_at, v.id) < ($4::timestamptz, $5))
 order by v.opened_at desc, v.id desc
 limit $6
