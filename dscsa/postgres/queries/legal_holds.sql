-- Legal holds, newest first, from before one; those in force alone when asked;
-- or one of them.
select l.id, coalesce(l.subject, 0), n.recorded_at, c.actor, c.reason,
       m.recorded_at, coalesce(u.actor, ''), coalesce(u.reason, ''), coalesce(convert_from(u.body, 'UTF8')::jsonb ->> 'approval_id', '')
  from custody.legal_hold l
  join custody.entry n on n.chain_id = $1 and n.seq = l.id
  join custody.decision c on c.chain_id = $1 and c.seq = l.id
  left join custody.entry m on m.chain_id = $1 and m.seq = l.lifted
  left join custody.decision u on u.chain_id = $1 and u.seq = l.lifted
 where l.chain_id = $1 and l.id < $2 and (not $3 or l.lifted is null) and ($4::bigint is null or l.id = $4)
 order by l.id desc
 limit $5
