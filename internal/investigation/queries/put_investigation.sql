insert into custody.investigation
  (tenant_id, id, chain_id, hold, partner_id, role, suspicion, summary, units, gtin, lot, fda_asked_on, fda_office, opened_by)
select $1, $2, c.id, $3, $4, $5, $6, $7, $8, $9, $10, $11, nullif($12, ''), $13 from custody.chain c where c.tenant_id = $1
