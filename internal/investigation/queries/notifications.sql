-- Notifications as they stand, those that are due first: one ($2), those of an
-- investigation ($3), those that are not submitted ($4), after ($5, $6).
select n.id, n.investigation_id, n.type, n.determined_at, n.due_at, n.opened_at, n.opened_by,
       case when s.submitted_at is not null then 'submitted' when n.due_at is null then 'draft' when n.due_at <= t.now then 'overdue'
            when n.due_at - interval '12 hours' <= t.now then 'due_soon' else 'due' end,
       coalesce(floor(extract(epoch from n.due_at - t.now))::bigint, 0), coalesce(s.submitted_at > n.due_at, false),
       f.n, f.form, f.at, f.written_by, s.submitted_at, coalesce(s.person, ''), coalesce(s.channel, ''), s.recorded_at, coalesce(s.recorded_by, ''),
       coalesce(i.number, ''), i.recorded_at,
       (select min(g.submitted_at) from custody.notification o
          join custody.notification_submission g on g.tenant_id = o.tenant_id and g.notification_id = o.id
         where o.tenant_id = n.tenant_id and o.investigation_id = n.investigation_id and o.type = 'initial'),
       array(select a.hours::int4 from custody.notification_alert a where a.tenant_id = n.tenant_id and a.notification_id = n.id order by a.hours),
       array(select a.raised_at from custody.notification_alert a where a.tenant_id = n.tenant_id and a.notification_id = n.id order by a.hours)
  from (select clock_timestamp() as now) t
 cross join custody.notification n
  left join custody.notification_submission s on s.tenant_id = n.tenant_id and s.notification_id = n.id
  left join custody.notification_incident i on i.tenant_id = n.tenant_id and i.investigation_id = n.investigation_id
 cross join lateral (select * from custody.notification_form x where x.tenant_id = n.tenant_id and x.notification_id = n.id order by x.n desc limit 1) f
 where n.tenant_id = $1 and ($2 = '' or n.id = $2) and ($3 = '' or n.investigation_id = $3) and (not $4 or s.submitted_at is null)
   and ($6 = '' or (coalesce(n.due_at, timestamptz '9970-01-01 00:00:00+00'), n.id) > ($5::timestamptz, $6))
 order by coalesce(n.due_at, timestamptz '9970-01-01 00:00:00+00'), n.id
 limit $7
