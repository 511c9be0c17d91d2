insert into custody.investigation_disposition (tenant_id, investigation_id, method, concluded_on, summary, recorded_by) values ($1, $2, $3, $4, $5, $6)
