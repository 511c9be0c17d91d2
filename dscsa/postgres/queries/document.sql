-- A document as it is kept, without its bytes.
select d.seq, d.sha256, d.size, d.direction, d.format, d.sender, d.receiver, d.credential, coalesce(d.saga_id, ''), d.verdict, d.findings, n.recorded_at
  from custody.document d join custody.entry n on n.chain_id = $1 and n.seq = d.seq
 where d.chain_id = $1 and d.seq = $2
