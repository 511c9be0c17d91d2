insert into custody.notification_incident (tenant_id, investigation_id, number, recorded_by) values ($1, $2, $3, $4)
