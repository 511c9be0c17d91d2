-- Whether a legal hold stands as its decision and the one that lifted it say.
select exists (select from custody.legal_hold l
                where l.chain_id = $1 and l.id = $2 and l.subject is not distinct from $3::bigint
                  and (l.lifted is null
                       or exists (select from custody.decision u where u.chain_id = $1 and u.seq = l.lifted and u.kind = 'legal_hold_lifted'
                                     and (convert_from(u.body, 'UTF8')::jsonb ->> 'hold')::bigint = l.id)))
