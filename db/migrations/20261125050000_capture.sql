-- +goose Up
-- Capture jobs: how each document that was sent went. A document that could
-- not be taken is not kept; its job says why. Jobs are talk, not evidence: what
-- was taken is in the chain.
set role custody_owner;

create table custody.capture_job (
  tenant_id   uuid        not null,
  id          uuid        not null,   -- made by time, so that the newest is the last
  created_at  timestamptz not null,
  finished_at timestamptz not null,
  document    bigint,                 -- its sequence in the chain; null: not taken
  events      integer     not null,   -- stored
  proceed     boolean     not null,   -- take what can be taken; else all or nothing
  success     boolean     not null,
  sha256      bytea       not null,
  verdict     text        not null,
  credential  text        not null,   -- api key id
  event_id    text        not null,   -- of the first event; '' none
  findings    jsonb       not null,
  constraint capture_job_pkey primary key (tenant_id, id),
  constraint capture_job_sha256_length check (octet_length(sha256) = 32),
  constraint capture_job_verdict_known check (verdict in ('accept', 'flag', 'reject')),
  constraint capture_job_taken_whole check (document is not null or events = 0)
);
create unique index capture_job_once on custody.capture_job (tenant_id, sha256) where document is not null;

alter table custody.capture_job enable row level security;
alter table custody.capture_job force  row level security;
create policy capture_job_own on custody.capture_job to custody_owner, app_api, app_worker
  using (tenant_id = (select app.current_tenant())) with check (tenant_id = (select app.current_tenant()));
create policy capture_job_audit on custody.capture_job for select to auditor_ro using (true);
grant select, insert on custody.capture_job to app_api, app_worker;
grant select on custody.capture_job to auditor_ro;

-- The first sequence recorded at or after a moment; one after the last when
-- there is none. Times never fall along a chain, so halving finds it.
-- +goose StatementBegin
create function custody.first_at(p_chain integer, p_at timestamptz) returns bigint
  language plpgsql stable
  set search_path = custody, pg_temp as $$
declare
  low  bigint := 1;
  high bigint := (select c.seq + 1 from chain c where c.id = p_chain);
  half bigint;
begin
  while low < high loop
    half := (low + high) / 2;
    if (select e.recorded_at < p_at from entry e where e.chain_id = p_chain and e.seq = half) then
      low := half + 1;
    else
      high := half;
    end if;
  end loop;
  return low;
end $$;
-- +goose StatementEnd
revoke all on function custody.first_at(integer, timestamptz) from public;
grant execute on function custody.first_at(integer, timestamptz) to app_api, app_worker, auditor_ro;
reset role;
