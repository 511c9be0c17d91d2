-- +goose Up
-- Finance's reports: what they need to find the entries of a period, and the
-- record of who took which report out.
set role ledger_owner;

-- The entries of a period in the order they were recorded, and where a period
-- begins and ends in that order: late items are recorded after its month. An
-- index of a partitioned table cannot be made concurrently. It need not be: the
-- table comes with the same release, so no posting waits for this.
-- +goose StatementBegin
do $$
begin
  execute format('create index %I on ledger.journal (book_id, period, recorded_at)', 'journal_period_idx');
end $$;
-- +goose StatementEnd

create table ledger.report_export (
  id             bigint      generated always as identity,
  tenant_id      uuid        not null,
  entity         text        not null,
  report         text        not null,
  format         text        not null,
  parameters     jsonb       not null,   -- what was asked for
  requested_by   text        not null,   -- api key id
  request_id     text        not null,
  row_count      bigint      not null,
  complete       boolean     not null,   -- false: it broke off, and so many rows may have left
  final          boolean     not null,   -- asked again it gives the same bytes
  sha256         bytea,                  -- of the bytes that were sent
  data_sha256    bytea,                  -- of the header and rows as CSV
  checkpoint_seq bigint      not null,   -- the last transaction it covers
  started_at     timestamptz not null,
  recorded_at    timestamptz not null default clock_timestamp(),
  constraint report_export_pkey primary key (id),
  constraint report_export_name_length check (length(report) between 1 and 100),
  constraint report_export_format_known check (format in ('json', 'csv', 'xlsx')),
  constraint report_export_rows_counted check (row_count >= 0),
  constraint report_export_digests_when_complete check
    ((sha256 is not null) = complete and (data_sha256 is not null) = complete
     and octet_length(sha256) = 32 and octet_length(data_sha256) = 32)
);
create index report_export_tenant_idx on ledger.report_export (tenant_id, id);
select ledger.guard_table('report_export', false);
alter table ledger.report_export enable row level security;
alter table ledger.report_export force  row level security;
create policy report_export_own   on ledger.report_export to ledger_owner, app_api, finance_ro using (tenant_id = (select app.current_tenant()));
create policy report_export_audit on ledger.report_export for select to auditor_ro using (true);
grant select on ledger.report_export to app_api, finance_ro, auditor_ro;

-- Records one export. What broke off has no digests.
-- +goose StatementBegin
create function ledger.record_export(p_tenant uuid, p_entity text, p_report text, p_format text, p_parameters jsonb, p_requested_by text,
                                     p_request_id text, p_rows bigint, p_final boolean, p_sha256 bytea, p_data_sha256 bytea,
                                     p_checkpoint_seq bigint, p_started_at timestamptz)
  returns bigint
  language plpgsql security definer
  set search_path = ledger, pg_temp as $$
declare
  made bigint;
begin
  if p_tenant is distinct from app.current_tenant() then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  perform set_config('ledger.door', 'open', true);
  insert into report_export (tenant_id, entity, report, format, parameters, requested_by, request_id, row_count, complete, final, sha256,
                             data_sha256, checkpoint_seq, started_at)
  values (p_tenant, p_entity, p_report, p_format, p_parameters, p_requested_by, p_request_id, p_rows, p_sha256 is not null, p_final, p_sha256,
          p_data_sha256, p_checkpoint_seq, p_started_at)
  returning id into made;
  perform set_config('ledger.door', '', true);
  return made;
end $$;
-- +goose StatementEnd
revoke all on function ledger.record_export(uuid, text, text, text, jsonb, text, text, bigint, boolean, bytea, bytea, bigint, timestamptz) from public;
grant execute on function ledger.record_export(uuid, text, text, text, jsonb, text, text, bigint, boolean, bytea, bytea, bigint, timestamptz) to app_api;

reset role;
