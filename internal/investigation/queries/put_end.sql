insert into custody.investigation_end (tenant_id, investigation_id, outcome, concluded_by, person, position, summary, fda_told_at, chain_id, hold)
values ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)
returning at
