-- Whether a decision lifted a legal hold.
select exists (select from custody.legal_hold l where l.chain_id = $1 and l.id = $2 and l.lifted = $3)
