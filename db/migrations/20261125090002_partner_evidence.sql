-- +goose Up
-- What lets a company trade takes two people: that it was verified, what role
-- it has, and the licences that hold. What keeps it from trading takes one: a
-- licence that has run out, a finding of FDA's that stands. The rows name the
-- approval, and it has to be one that is used up in the very transaction and
-- says the same. Rows from before stay as they are; what the owner of the
-- schema loads is its own affair.
set role recourse_owner;

insert into app.approval_rule (action, makers, checkers) values
  ('partner.evidence', array['operator', 'recall_operator'], array['operator', 'recall_operator']);
grant execute on function app.approval_used_here(uuid, text) to custody_owner;

reset role;

set role custody_owner;

alter table custody.partner         add column approval_id text;   -- by which it is verified and has its role
alter table custody.partner_licence add column approval_id text;   -- by which it counts
grant update (role, approval_id) on custody.partner to app_api;

-- +goose StatementBegin
create function custody.check_verified() returns trigger
  language plpgsql security definer
  set search_path = custody, pg_temp as $$
declare
  a record;
begin
  if pg_has_role(session_user, 'custody_owner', 'member') then
    return new;
  end if;
  select * into a from app.approval_used_here(new.tenant_id, new.approval_id);
  if a.action is distinct from 'partner.evidence' or a.payload ->> 'partner' is distinct from new.id
     or a.payload ->> 'verified' is distinct from 'true' or a.payload ->> 'role' is distinct from new.role then
    raise exception 'partner %: that it is verified takes two people', new.id
      using errcode = '42501', constraint = 'partner_evidence_approved';
  end if;
  return new;
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
create function custody.check_licence() returns trigger
  language plpgsql security definer
  set search_path = custody, pg_temp as $$
declare
  a     record;
  today date := (clock_timestamp() at time zone 'UTC')::date;
begin
  if pg_has_role(session_user, 'custody_owner', 'member') then
    return new;
  end if;
  if new.approval_id is null and (case new.kind when 'fda_finding' then new.valid_from <= today and new.expires_on is null
                                                else new.expires_on < today end) then
    return new;   -- it only keeps the company from trading
  end if;
  select * into a from app.approval_used_here(new.tenant_id, new.approval_id);
  if a.action is distinct from 'partner.evidence' or a.payload ->> 'partner' is distinct from new.partner_id
     or not coalesce(a.payload -> 'licences' @> jsonb_build_array(jsonb_build_object(
          'kind', new.kind, 'number', new.number, 'state', new.state, 'valid_from', new.valid_from::text,
          'expires_on', coalesce(new.expires_on::text, ''), 'source', new.source)), false) then
    raise exception 'partner %: a licence takes two people', new.partner_id
      using errcode = '42501', constraint = 'partner_evidence_approved';
  end if;
  return new;
end $$;
-- +goose StatementEnd
revoke all on function custody.check_verified(), custody.check_licence() from public;

create trigger partner_added_verified before insert on custody.partner
  for each row when (new.verified_at is not null) execute function custody.check_verified();
create trigger partner_verified before update on custody.partner
  for each row when (new.verified_at is distinct from old.verified_at and new.verified_at is not null or new.role is distinct from old.role)
  execute function custody.check_verified();
create trigger partner_licence_evidence before insert on custody.partner_licence
  for each row execute function custody.check_licence();
alter table custody.partner         enable always trigger partner_added_verified;
alter table custody.partner         enable always trigger partner_verified;
alter table custody.partner_licence enable always trigger partner_licence_evidence;

reset role;
