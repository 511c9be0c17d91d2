-- A page of packages with their product and what is promised of them: $4 things
-- at most are looked at, by key from after $2 to before $3, or those of the lot
-- $5 in the order they became known, after the one with the key $2; and how far
-- that came. Whatever is looked up is looked up by its index: "offset 0" and
-- scalar selects keep the planner from reading all of it.
with w as materialized (
  (select i.*
     from custody.item i
    where $5 = '' and i.chain_id = (select c.id from custody.chain c where c.tenant_id = $1) and i.key > $2 and i.key < $3
    order by i.chain_id, i.key
    limit $4)
  union all
  (select i.*
     from (select distinct e.chain_id, ('x' || encode(substring(m.ids from 8 * g.place + 1 for 8), 'hex'))::bit(64)::bigint as id
             from custody.event e
            cross join lateral (select e.members || e.outputs as ids offset 0) m
            cross join lateral generate_series(0, octet_length(m.ids) / 8 - 1) as g (place)
            where $5 <> '' and e.chain_id = (select c.id from custody.chain c where c.tenant_id = $1) and e.lot = $5 and e.lot <> ''
              and ('x' || encode(substring(m.ids from 8 * g.place + 1 for 8), 'hex'))::bit(64)::bigint
                  > coalesce((select a.id from custody.item a
                               where a.chain_id = (select c.id from custody.chain c where c.tenant_id = $1) and a.key = $2), 0)
            order by 2
            limit $4) n
    cross join lateral (select x.* from custody.item x where x.chain_id = n.chain_id and x.id = n.id offset 0) i)
)
select x.upto, x.looked, u.chain_id, u.id, u.key, u.gtin, u.serial, u.lot, u.expiry, u.state, u.commissioned, u.blocked, u.conflict, u.conflict_why,
       u.owner, u.owner_sure, u.holder, u.location, u.parent, u.last_time, u.last_event, u.hops, u.version,
       coalesce(p.name, ''), coalesce(p.ndc, ''), coalesce(p.manufacturer, ''),
       coalesce((select o.key from custody.item o where o.chain_id = u.chain_id and o.id = u.parent), ''),
       coalesce((select r.saga_id from custody.reservation r where r.chain_id = u.chain_id and r.item = u.id), '')
  from (select case when $5 = '' then max(w.key) else (array_agg(w.key order by w.id desc))[1] end as upto, count(*) as looked from w) x
  left join w u on u.gtin <> '' and ($5 = '' or u.lot = $5) and ($6 = '' or u.owner = $6) and ($7::date is null or u.expiry < $7)
               and ($8 = '' or u.gtin = $8)
               and (select true from custody.item c where c.chain_id = u.chain_id and c.parent = u.id limit 1) is null
  left join lateral (select q.* from custody.product q where q.tenant_id = $1 and q.gtin = u.gtin offset 0) p on true
 order by case when $5 = '' then u.key end, u.id
