-- What was sealed or recorded of chains that are not there.
select (select count(*) from custody.checkpoint c where not exists (select from custody.chain b where b.id = c.chain_id))
     + (select count(*) from custody.tile t where not exists (select from custody.chain b where b.id = t.chain_id))
     + (select count(*) from custody.entry e where e.seq = 1 and not exists (select from custody.chain b where b.id = e.chain_id))
