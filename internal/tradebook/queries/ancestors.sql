-- What units are in, from the inside out, up to the things that were named.
-- name: Ancestors :many
with recursive up as (
  select i.id, i.key, i.parent
    from custody.item i
   where i.chain_id = @chain_id and i.id = any (@units::bigint[])
  union
  select p.id, p.key, p.parent
    from up join custody.item p on p.chain_id = @chain_id and p.id = up.parent
   where up.id <> all (@named::bigint[])
)
select up.id, up.key, up.parent from up where up.id <> all (@units::bigint[]) order by up.id;
