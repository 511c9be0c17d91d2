-- Puts on record who took which report out.
-- name: RecordExport :one
select ledger.record_export(@tenant_id, @entity, @report, @format, @parameters::jsonb, @requested_by, @request_id, @row_count, @final,
                            sqlc.narg('sha256')::bytea, sqlc.narg('data_sha256')::bytea, @checkpoint_seq, @started_at::timestamptz)::bigint as id;
