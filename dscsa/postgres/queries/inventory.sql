-- A page of packages by key, with their product and what is promised of them:
-- $4 things at most are looked at, from after $2 to before $3, or those of the
-- lot $5; and how far that came.
with w as materialized (
  (select i.*
     from custody.item i
    where $5 = '' and i.chain_id = (select c.id from custody.chain c where c.tenant_id = $1) and i.key > $2 and i.key < $3
    order by i.chain_id, i.key
    limit $4)
  union all
  (select i.*
     from (select distinct ('x' || encode(substring(m.ids from 8 * g.place + 1 for 8), 'hex'))::bit(64)::bigint as id, e.chain_id
             from custody.event e
            cross join lateral (select e.members || e.outputs as ids) m
            cross join lateral generate_series(0, octet_length(m.ids) / 8 - 1) as g (place)
            where $5 <> '' and e.chain_id = (select c.id from custody.chain c where c.tenant_id = $1) and e.lot = $5 and e.lot <> '') n
     join custody.item i on i.chain_id = n.chain_id and i.id = n.id
    where i.lot = $5 and i.key > $2 and i.key < $3
    order by i.key
    limit $4)
)
select x.upto, x.looked, u.chain_id, u.id, u.key, u.gtin, u.serial, u.lot, u.expiry, u.state, u.commissioned, u.blocked, u.conflict, u.conflict_why,
       u.owner, u.owner_sure, u.holder, u.location, u.parent, u.last_time, u.last_event, u.hops, u.version,
       coalesce(p.name, ''), coalesce(p.ndc, ''), coalesce(p.manufacturer, ''), coalesce(o.key, ''), coalesce(r.saga_id, '')
  from (select max(w.key) as upto, count(*) as looked from w) x
  left join w u on u.gtin <> '' and ($6 = '' or u.owner = $6) and ($7::date is null or u.expiry < $7)
               and not exists (select from custody.item c where c.chain_id = u.chain_id and c.parent = u.id)
  left join custody.product p on p.tenant_id = $1 and p.gtin = u.gtin
  left join custody.item o on o.chain_id = u.chain_id and o.id = u.parent
  left join custody.reservation r on r.chain_id = u.chain_id and r.item = u.id
 order by u.key
