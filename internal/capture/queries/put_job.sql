-- How the capture of a document went, beside what it stored.
-- name: PutJob :exec
insert into custody.capture_job (tenant_id, id, created_at, finished_at, document, events, proceed, success, sha256, verdict, credential, event_id, findings)
values (@tenant_id, @id, @created_at, @finished_at, @document, @events, @proceed, @success, @sha256, @verdict, @credential, @event_id, @findings);
