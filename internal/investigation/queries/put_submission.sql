insert into custody.notification_submission (tenant_id, notification_id, form, submitted_at, person, channel, recorded_by)
values ($1, $2, $3, coalesce($4, statement_timestamp()), $5, $6, $7)
