insert into custody.notification_form (tenant_id, notification_id, n, form, written_by) values ($1, $2, $3, $4, $5)
