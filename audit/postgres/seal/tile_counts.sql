-- How many full tiles each level has.
select level, max(index) + 1 from audit.tile where chain_id = $1 group by level order by level
