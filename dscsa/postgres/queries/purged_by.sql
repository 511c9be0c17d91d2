-- The decision that tells of a document that its bytes are gone.
select p.decision, c.body
  from custody.purged p join custody.decision c on c.chain_id = $1 and c.seq = p.decision and c.kind = 'purged'
 where p.chain_id = $1 and p.document = $2
