select tenant_id, notification_id, investigation_id, hours, due_at from custody.raise_notification_alerts($1)
