-- What a decision to purge says, and whether the order stands as it says.
select c.body, exists (select from custody.purge_order o
                        where o.chain_id = $1 and o.id = $2 and o.before = (convert_from(c.body, 'UTF8')::jsonb ->> 'before')::date
                          and o.up_to = (convert_from(c.body, 'UTF8')::jsonb ->> 'up_to')::bigint)
  from custody.decision c
 where c.chain_id = $1 and c.seq = $2 and c.kind = 'purge_ordered'
