-- +goose Up
-- Suspect product: what was looked into, what came of it, and what FDA is told.
--
--   investigation               what was suspected, by whom, and the hold that keeps it
--   investigation_verification  what was said of one package's product identifier
--   investigation_end           how it ended, once: cleared or illegitimate
--   investigation_disposition   what became of illegitimate product, once
--   notification                Form FDA 3911: the first is due 24 hours after the
--                               determination (21 USC 360eee-1(b) to (e)(4)(B)(ii))
--   notification_form           what it says, in versions; the last one counts
--   notification_submission     that a person has sent it, once
--   notification_incident       the number FDA gave the incident, once
--   notification_alert          that somebody was reminded, once for each hour of it
--
-- All of it is facts that are only added to. An investigation is open while it
-- has no end; the tables' keys and the triggers below are its state machine,
-- which internal/investigation explains.
set role custody_owner;

create table custody.investigation (
  tenant_id    uuid        not null,
  id           text        not null,
  chain_id     integer     not null,
  hold         bigint      not null,               -- that keeps what is suspected from sale
  partner_id   text        not null,               -- the company that investigates
  role         text        not null,               -- its own, then: how much it has to verify
  suspicion    text        not null,               -- 21 USC 360eee(21)
  summary      text        not null,
  units        text[]      not null default '{}',  -- canonical keys, as they were named
  gtin         text        not null default '',    -- of a lot
  lot          text        not null default '',
  fda_asked_on date,                               -- FDA has asked for the verification
  fda_office   text,
  opened_at    timestamptz not null default clock_timestamp(),
  opened_by    text        not null,               -- api key id
  constraint investigation_pkey primary key (tenant_id, id),
  constraint investigation_hold_once unique (chain_id, hold),
  constraint investigation_hold_fkey foreign key (chain_id, hold) references custody.hold (chain_id, id),
  constraint investigation_partner_fkey foreign key (tenant_id, partner_id) references custody.partner (tenant_id, id),
  constraint investigation_id_shape check (id ~ '^inv_[0-9a-z]{26}$'),
  constraint investigation_role_known check (role in ('manufacturer', 'repackager', 'wholesaler', 'dispenser')),
  constraint investigation_suspicion_known check (suspicion in
    ('counterfeit', 'diverted', 'stolen', 'intentionally_adulterated', 'fraudulent_transaction', 'unfit')),
  constraint investigation_summary_given check (length(summary) between 1 and 1500),
  constraint investigation_of_units_or_lot check ((gtin = '') = (lot = '') and (gtin = '') = (cardinality(units) > 0)),
  constraint investigation_fda_asked_whole check ((fda_asked_on is null) = (fda_office is null)),
  constraint investigation_fda_office_given check (length(fda_office) between 1 and 200)
);
create index investigation_by_time_idx on custody.investigation (tenant_id, opened_at desc, id desc);

create table custody.investigation_verification (
  tenant_id        uuid        not null,
  investigation_id text        not null,
  n                bigint      generated always as identity,   -- of one package the last counts
  unit             text collate "C" not null,                  -- canonical key
  result           text        not null,
  failure          text        not null default '',            -- why not, in the words of GS1's verification messages
  source           text        not null,                       -- who answered: the manufacturer's service, our records
  note             text        not null default '',
  at               timestamptz not null default clock_timestamp(),
  recorded_by      text        not null,                       -- api key id
  constraint investigation_verification_pkey primary key (tenant_id, investigation_id, n),
  constraint investigation_verification_of_fkey foreign key (tenant_id, investigation_id) references custody.investigation (tenant_id, id),
  constraint investigation_verification_result_known check (result in ('verified', 'not_verified')),
  constraint investigation_verification_failure_known check ((result = 'verified') = (failure = '') and failure in
    ('', 'No_match_GTIN_Serial', 'No_match_GTIN_Serial_Lot', 'No_match_GTIN_Serial_Expiry', 'No_match_GTIN_Serial_Lot_Expiry',
     'No_reason_provided', 'Manufacturer_policy', 'Not_for_re-distribution')),
  constraint investigation_verification_source_given check (length(source) between 1 and 200),
  constraint investigation_verification_note_length check (length(note) <= 1000)
);

create table custody.investigation_end (
  tenant_id        uuid        not null,
  investigation_id text        not null,
  outcome          text        not null,
  at               timestamptz not null default clock_timestamp(),   -- of illegitimate product: the determination, as the chain has it
  concluded_by     text        not null,                             -- api key id
  person           text        not null,                             -- and who that is, for FDA
  position         text        not null,
  summary          text        not null,                             -- the evidence, or how it was cleared
  fda_told_at      timestamptz,                                      -- of a product that FDA had asked about and is cleared
  chain_id         integer     not null,
  hold             bigint,                                           -- that keeps illegitimate product from sale
  packages         bigint      not null default 0,                   -- under investigation at the end
  required         bigint      not null default 0,                   -- of them to be verified
  verified         bigint      not null default 0,
  failed           bigint      not null default 0,
  constraint investigation_end_once primary key (tenant_id, investigation_id),
  constraint investigation_end_outcome unique (tenant_id, investigation_id, outcome),
  constraint investigation_end_hold_once unique (chain_id, hold),
  constraint investigation_end_of_fkey foreign key (tenant_id, investigation_id) references custody.investigation (tenant_id, id),
  constraint investigation_end_hold_fkey foreign key (chain_id, hold) references custody.hold (chain_id, id),
  constraint investigation_end_outcome_known check (outcome in ('cleared', 'illegitimate')),
  constraint investigation_end_held check ((outcome = 'illegitimate') = (hold is not null)),
  constraint investigation_end_verified_enough check (outcome <> 'cleared' or (verified >= required and failed = 0)),
  constraint investigation_end_told_when_cleared check (outcome = 'cleared' or fda_told_at is null),
  constraint investigation_end_person_given check (length(person) between 1 and 200 and length(position) between 1 and 200),
  constraint investigation_end_summary_given check (length(summary) between 1 and 1500)
);

create table custody.investigation_disposition (
  tenant_id        uuid        not null,
  investigation_id text        not null,
  outcome          text        not null default 'illegitimate',
  method           text        not null,
  concluded_on     date        not null,
  summary          text        not null,   -- what was done, with whom, which samples were kept and where
  at               timestamptz not null default clock_timestamp(),
  recorded_by      text        not null,   -- api key id
  constraint investigation_disposition_once primary key (tenant_id, investigation_id),
  constraint investigation_disposition_of_fkey foreign key (tenant_id, investigation_id, outcome) references custody.investigation_end (tenant_id, investigation_id, outcome),
  constraint investigation_disposition_of_illegitimate check (outcome = 'illegitimate'),
  constraint investigation_disposition_method_known check (method in ('destroyed', 'returned', 'surrendered', 'other')),
  constraint investigation_disposition_not_ahead check (concluded_on <= (at at time zone 'UTC')::date),
  constraint investigation_disposition_summary_given check (length(summary) between 1 and 2000)
);

create table custody.notification (
  tenant_id        uuid        not null,
  id               text        not null,
  investigation_id text        not null,
  outcome          text        not null default 'illegitimate',
  type             text        not null,
  determined_at    timestamptz not null,
  due_at           timestamptz,                -- the law has a time for the first only
  opened_at        timestamptz not null default clock_timestamp(),
  opened_by        text        not null,       -- api key id
  constraint notification_pkey primary key (tenant_id, id),
  constraint notification_of_fkey foreign key (tenant_id, investigation_id, outcome) references custody.investigation_end (tenant_id, investigation_id, outcome),
  constraint notification_of_illegitimate check (outcome = 'illegitimate'),
  constraint notification_id_shape check (id ~ '^ntf_[0-9a-z]{26}$'),
  constraint notification_type_known check (type in ('initial', 'follow_up', 'termination')),
  constraint notification_due_in_a_day check (case when type = 'initial' then due_at is not null and due_at - determined_at = interval '24 hours'
                                                   else due_at is null end)
);
create unique index notification_initial_once on custody.notification (tenant_id, investigation_id) where type = 'initial';
create index notification_of_idx on custody.notification (tenant_id, investigation_id, opened_at);
create index notification_due_idx on custody.notification (due_at) where due_at is not null;

create table custody.notification_form (
  tenant_id       uuid        not null,
  notification_id text        not null,
  n               integer     not null,   -- gap-free from 1
  form            jsonb       not null,
  at              timestamptz not null default clock_timestamp(),
  written_by      text        not null,   -- api key id
  constraint notification_form_once primary key (tenant_id, notification_id, n),
  constraint notification_form_of_fkey foreign key (tenant_id, notification_id) references custody.notification (tenant_id, id),
  constraint notification_form_number_positive check (n > 0),
  constraint notification_form_is_object check (jsonb_typeof(form) = 'object')
);

create table custody.notification_submission (
  tenant_id       uuid        not null,
  notification_id text        not null,
  form            integer     not null,   -- the version that was sent
  submitted_at    timestamptz not null,   -- as the person says
  person          text        not null,
  channel         text        not null,
  recorded_at     timestamptz not null default clock_timestamp(),
  recorded_by     text        not null,   -- api key id
  constraint notification_submission_once primary key (tenant_id, notification_id),
  constraint notification_submission_form_fkey foreign key (tenant_id, notification_id, form) references custody.notification_form (tenant_id, notification_id, n),
  constraint notification_submission_channel_known check (channel in ('cder_nextgen', 'email')),
  constraint notification_submission_person_given check (length(person) between 1 and 200),
  constraint notification_submission_not_ahead check (submitted_at <= recorded_at)
);

create table custody.notification_incident (
  tenant_id        uuid        not null,
  investigation_id text        not null,
  number           text        not null,
  recorded_at      timestamptz not null default clock_timestamp(),
  recorded_by      text        not null,   -- api key id
  constraint notification_incident_once primary key (tenant_id, investigation_id),
  constraint notification_incident_of_fkey foreign key (tenant_id, investigation_id) references custody.investigation (tenant_id, id),
  constraint notification_incident_number_given check (length(number) between 1 and 100)
);

create table custody.notification_alert (
  tenant_id       uuid        not null,
  notification_id text        not null,
  hours           smallint    not null,   -- after the determination
  raised_at       timestamptz not null default clock_timestamp(),
  constraint notification_alert_once primary key (tenant_id, notification_id, hours),
  constraint notification_alert_of_fkey foreign key (tenant_id, notification_id) references custody.notification (tenant_id, id),
  constraint notification_alert_hours_known check (hours in (12, 20, 24))
);

-- +goose StatementBegin
do $$
declare
  t text;
begin
  foreach t in array array['investigation', 'investigation_verification', 'investigation_end', 'investigation_disposition', 'notification',
                           'notification_form', 'notification_submission', 'notification_incident', 'notification_alert'] loop
    execute format('create trigger %I before update or delete on custody.%I for each row execute function custody.forbid()', t || '_append_only', t);
    execute format('create trigger %I before truncate on custody.%I for each statement execute function custody.forbid()', t || '_no_truncate', t);
    execute format('alter table custody.%I enable always trigger %I', t, t || '_append_only');
    execute format('alter table custody.%I enable always trigger %I', t, t || '_no_truncate');
    execute format('create policy %I on custody.%I to app_api, app_worker using (tenant_id = (select app.current_tenant()))', t || '_own', t);
    execute format('create policy %I on custody.%I for select to auditor_ro using (true)', t || '_audit', t);
    execute format('grant select on custody.%I to app_api, app_worker, auditor_ro', t);
    if t <> 'notification_alert' then
      execute format('grant insert on custody.%I to app_api', t);
    end if;
    -- The clock runs for all tenants, and triggers look where they are told to;
    -- nobody else becomes the owner.
    execute format('create policy %I on custody.%I to custody_owner using (true)', t || '_clock', t);
  end loop;
end $$;
-- +goose StatementEnd
alter table custody.investigation              enable row level security;
alter table custody.investigation              force  row level security;
alter table custody.investigation_verification enable row level security;
alter table custody.investigation_verification force  row level security;
alter table custody.investigation_end          enable row level security;
alter table custody.investigation_end          force  row level security;
alter table custody.investigation_disposition  enable row level security;
alter table custody.investigation_disposition  force  row level security;
alter table custody.notification               enable row level security;
alter table custody.notification               force  row level security;
alter table custody.notification_form          enable row level security;
alter table custody.notification_form          force  row level security;
alter table custody.notification_submission    enable row level security;
alter table custody.notification_submission    force  row level security;
alter table custody.notification_incident      enable row level security;
alter table custody.notification_incident      force  row level security;
alter table custody.notification_alert         enable row level security;
alter table custody.notification_alert         force  row level security;

-- How many packages are to be verified: all; a dispenser at least three or a
-- tenth, whichever is more, and all when there are fewer than three
-- (21 USC 360eee-1(d)(4)(A)(ii)(II)).
create function custody.packages_to_verify(p_role text, p_packages bigint) returns bigint
  language sql immutable parallel safe
  return case when p_role = 'dispenser' then least(p_packages, greatest(3, (p_packages + 9) / 10)) else p_packages end;

-- In these two, "offset 0" and a scalar select have each item looked up by its
-- index, also before anybody has counted what the tables hold.

-- What a hold covers, containers too: what was named, what is or was in that,
-- and what of the lot was made.
create function custody.under_hold(p_chain integer, p_hold bigint) returns table (item bigint, direct boolean)
  language sql stable
  set search_path = custody, pg_temp
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
    select x.item, x.direct from hold_item x where x.chain_id = p_chain and x.hold = p_hold
    union
    select i.id, false
      from hold h
      join event e on e.chain_id = p_chain and e.lot = h.lot and e.lot <> ''
     cross join lateral (select e.members || e.outputs as ids offset 0) m
     cross join lateral generate_series(0, octet_length(m.ids) / 8 - 1) as g (place)
     cross join lateral (select x.id, x.gtin, x.lot from item x
                          where x.chain_id = p_chain
                            and x.id = ('x' || encode(substring(m.ids from 8 * g.place + 1 for 8), 'hex'))::bit(64)::bigint offset 0) i
     where h.chain_id = p_chain and h.id = p_hold and h.lot <> '' and i.gtin = h.gtin and i.lot = h.lot
  $$;

-- The packages of an investigation: what its hold covers, is no container of
-- something, and was named or is in the company's possession or control, which
-- is having it or owning it (FDA, Verification Systems Under DSCSA, III.A).
create function custody.packages_under(p_tenant uuid, p_investigation text, p_hold bigint) returns table (item bigint, unit text)
  language sql stable
  set search_path = custody, pg_temp
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
    select i.id, i.key
      from investigation v
     cross join lateral under_hold(v.chain_id, p_hold) u
     cross join lateral (select x.* from item x where x.chain_id = v.chain_id and x.id = u.item offset 0) i
     where v.tenant_id = p_tenant and v.id = p_investigation and i.gtin <> ''
       and (select true from item c where c.chain_id = v.chain_id and c.parent = i.id limit 1) is null
       and (u.direct or i.state not in ('dispensed', 'destroyed', 'decommissioned')
                        and exists (select from partner_gln g where g.tenant_id = v.tenant_id and g.partner_id = v.partner_id and g.gln in (i.owner, i.holder)))
  $$;

-- What the caller says of an investigation is said while it is open; who comes
-- second waits, and sees what the first did.
-- +goose StatementBegin
create function custody.check_investigation_open() returns trigger
  language plpgsql security definer
  set search_path = custody, pg_temp as $$
begin
  perform from investigation v where v.tenant_id = new.tenant_id and v.id = new.investigation_id for no key update;
  if exists (select from investigation_end e where e.tenant_id = new.tenant_id and e.investigation_id = new.investigation_id) then
    raise exception 'investigation % has ended', new.investigation_id using errcode = '23514', constraint = 'investigation_is_open';
  end if;
  return new;
end $$;
-- +goose StatementEnd
create trigger investigation_verification_open before insert on custody.investigation_verification
  for each row execute function custody.check_investigation_open();
alter table custody.investigation_verification enable always trigger investigation_verification_open;

-- How much was verified is counted here, whatever the caller says.
-- +goose StatementBegin
create function custody.count_investigation() returns trigger
  language plpgsql security definer
  set search_path = custody, pg_temp as $$
declare
  v investigation;
  h hold;
begin
  select * into v from investigation where tenant_id = new.tenant_id and id = new.investigation_id for no key update;
  if exists (select from investigation_end e where e.tenant_id = new.tenant_id and e.investigation_id = new.investigation_id) then
    raise exception 'investigation % has ended', new.investigation_id using errcode = '23514', constraint = 'investigation_is_open';
  end if;
  select count(*), count(*) filter (where l.result = 'verified'), count(*) filter (where l.result = 'not_verified')
    into new.packages, new.verified, new.failed
    from packages_under(new.tenant_id, new.investigation_id, v.hold) p
    left join lateral (select c.result from investigation_verification c
                        where c.tenant_id = new.tenant_id and c.investigation_id = new.investigation_id and c.unit = p.unit
                        order by c.n desc limit 1) l on true;
  new.required := packages_to_verify(v.role, new.packages);
  new.chain_id := v.chain_id;
  if new.outcome = 'cleared' and v.fda_asked_on is not null and new.fda_told_at is null then
    raise exception 'FDA had asked about investigation % and is to be told before it is cleared', new.investigation_id
      using errcode = '23514', constraint = 'investigation_end_fda_told';
  end if;
  if new.fda_told_at > clock_timestamp() then
    raise exception 'FDA cannot have been told in the future' using errcode = '23514', constraint = 'investigation_end_not_ahead';
  end if;
  if new.hold is not null then
    select * into h from hold where chain_id = v.chain_id and id = new.hold;
    if h.class is distinct from 'illegitimate' or h.placed_by <> new.concluded_by or h.released is not null
       or (h.gtin, h.lot) <> (v.gtin, v.lot)
       or exists (select from hold_item a where a.chain_id = v.chain_id and a.hold = v.hold
                     and not exists (select from hold_item b where b.chain_id = v.chain_id and b.hold = new.hold and b.item = a.item)) then
      raise exception 'hold % does not keep what investigation % is about', new.hold, new.investigation_id
        using errcode = '23514', constraint = 'investigation_end_hold_covers';
    end if;
    new.at := h.placed_at;
  end if;
  return new;
end $$;
-- +goose StatementEnd
create trigger investigation_end_counted before insert on custody.investigation_end for each row execute function custody.count_investigation();
alter table custody.investigation_end enable always trigger investigation_end_counted;

-- The clock starts at the determination, which the end of the investigation
-- says, and the second word to FDA follows the first.
-- +goose StatementBegin
create function custody.check_notification() returns trigger
  language plpgsql security definer
  set search_path = custody, pg_temp as $$
declare
  determined timestamptz := (select e.at from investigation_end e where e.tenant_id = new.tenant_id and e.investigation_id = new.investigation_id);
begin
  if new.determined_at is distinct from determined then
    raise exception 'investigation % was determined at %', new.investigation_id, determined using errcode = '23514', constraint = 'notification_determined';
  end if;
  if new.type <> 'initial' and not exists (
       select from notification n join notification_submission s on s.tenant_id = n.tenant_id and s.notification_id = n.id
        where n.tenant_id = new.tenant_id and n.investigation_id = new.investigation_id and n.type = 'initial') then
    raise exception 'the first notification of investigation % comes first', new.investigation_id
      using errcode = '23514', constraint = 'notification_initial_first';
  end if;
  return new;
end $$;

create function custody.check_notification_form() returns trigger
  language plpgsql security definer
  set search_path = custody, pg_temp as $$
begin
  perform from notification n where n.tenant_id = new.tenant_id and n.id = new.notification_id for no key update;
  if exists (select from notification_submission s where s.tenant_id = new.tenant_id and s.notification_id = new.notification_id) then
    raise exception 'notification % has been sent', new.notification_id using errcode = '23514', constraint = 'notification_is_open';
  end if;
  if new.n <> (select count(*) + 1 from notification_form f where f.tenant_id = new.tenant_id and f.notification_id = new.notification_id) then
    raise exception 'version % of notification % does not follow', new.n, new.notification_id using errcode = '23514', constraint = 'notification_form_follows';
  end if;
  return new;
end $$;

-- What was sent is the last version, and is sent after the determination; what
-- follows the first one names the incident.
create function custody.check_notification_submission() returns trigger
  language plpgsql security definer
  set search_path = custody, pg_temp as $$
declare
  n notification;
begin
  select * into n from notification where tenant_id = new.tenant_id and id = new.notification_id for no key update;
  if new.submitted_at < n.determined_at then
    raise exception 'notification % cannot have been sent before the determination', new.notification_id
      using errcode = '23514', constraint = 'notification_submission_after_determination';
  end if;
  if new.form <> (select max(f.n) from notification_form f where f.tenant_id = new.tenant_id and f.notification_id = new.notification_id) then
    raise exception 'notification % has a later version', new.notification_id using errcode = '23514', constraint = 'notification_submission_last_form';
  end if;
  if n.type <> 'initial' and not exists (select from notification_incident i where i.tenant_id = n.tenant_id and i.investigation_id = n.investigation_id) then
    raise exception 'notification % needs the number of the incident', new.notification_id
      using errcode = '23514', constraint = 'notification_submission_incident';
  end if;
  return new;
end $$;

create function custody.check_notification_incident() returns trigger
  language plpgsql security definer
  set search_path = custody, pg_temp as $$
begin
  if not exists (select from notification n join notification_submission s on s.tenant_id = n.tenant_id and s.notification_id = n.id
                  where n.tenant_id = new.tenant_id and n.investigation_id = new.investigation_id and n.type = 'initial') then
    raise exception 'FDA gives a number to what it was told of' using errcode = '23514', constraint = 'notification_initial_first';
  end if;
  return new;
end $$;
-- +goose StatementEnd
create trigger notification_checked before insert on custody.notification for each row execute function custody.check_notification();
create trigger notification_form_checked before insert on custody.notification_form for each row execute function custody.check_notification_form();
create trigger notification_submission_checked before insert on custody.notification_submission
  for each row execute function custody.check_notification_submission();
create trigger notification_incident_checked before insert on custody.notification_incident
  for each row execute function custody.check_notification_incident();
alter table custody.notification            enable always trigger notification_checked;
alter table custody.notification_form       enable always trigger notification_form_checked;
alter table custody.notification_submission enable always trigger notification_submission_checked;
alter table custody.notification_incident   enable always trigger notification_incident_checked;

-- A hold of an investigation ends with it, and that on illegitimate product
-- after FDA was asked to terminate the notification, which takes its consent
-- (21 USC 360eee-1(b) to (e)(4)(B)(iv)).
-- +goose StatementBegin
create function custody.check_hold_release() returns trigger
  language plpgsql security definer
  set search_path = custody, pg_temp as $$
begin
  if exists (select from investigation v where v.chain_id = new.chain_id and v.hold = new.id
                and not exists (select from investigation_end e where e.tenant_id = v.tenant_id and e.investigation_id = v.id)) then
    raise exception 'hold % is under investigation', new.id using errcode = '23514', constraint = 'hold_under_investigation';
  end if;
  if exists (select from investigation_end e where e.chain_id = new.chain_id and e.hold = new.id
                and not exists (select from notification n join notification_submission s on s.tenant_id = n.tenant_id and s.notification_id = n.id
                                 where n.tenant_id = e.tenant_id and n.investigation_id = e.investigation_id and n.type = 'termination')) then
    raise exception 'FDA was told of what hold % keeps, and has not been asked to terminate that', new.id
      using errcode = '23514', constraint = 'hold_notified';
  end if;
  return new;
end $$;
-- +goose StatementEnd
create trigger hold_release_checked before update on custody.hold for each row
  when (old.released is null and new.released is not null) execute function custody.check_hold_release();
alter table custody.hold enable always trigger hold_release_checked;

-- Raises what is due, of all tenants: each reminder once, whoever asks.
create function custody.raise_notification_alerts(p_limit integer)
  returns table (tenant_id uuid, notification_id text, investigation_id text, hours smallint, due_at timestamptz)
  language sql volatile security definer
  set search_path = custody, pg_temp as $$
    with due as (
      select n.tenant_id, n.id, n.investigation_id, n.due_at, t.hours
        from notification n
       cross join (values (12::smallint), (20::smallint), (24::smallint)) as t (hours)
       where n.due_at is not null and n.due_at <= clock_timestamp() + interval '12 hours'
         and n.due_at - interval '24 hours' + t.hours * interval '1 hour' <= clock_timestamp()
         and not exists (select from notification_submission s where s.tenant_id = n.tenant_id and s.notification_id = n.id)
         and not exists (select from notification_alert a where a.tenant_id = n.tenant_id and a.notification_id = n.id and a.hours = t.hours)
       order by n.due_at, n.id, t.hours
       limit p_limit
    ), raised as (
      insert into notification_alert as a (tenant_id, notification_id, hours)
      select d.tenant_id, d.id, d.hours from due d
      on conflict on constraint notification_alert_once do nothing
      returning a.tenant_id, a.notification_id, a.hours
    )
    select d.tenant_id, d.id, d.investigation_id, d.hours, d.due_at
      from raised r join due d on d.tenant_id = r.tenant_id and d.id = r.notification_id and d.hours = r.hours
     order by d.due_at, d.id, d.hours
  $$;

revoke all on function custody.packages_to_verify(text, bigint), custody.under_hold(integer, bigint), custody.packages_under(uuid, text, bigint),
  custody.check_investigation_open(), custody.count_investigation(), custody.check_notification(), custody.check_notification_form(),
  custody.check_notification_submission(), custody.check_notification_incident(), custody.check_hold_release(),
  custody.raise_notification_alerts(integer) from public;
grant execute on function custody.packages_to_verify(text, bigint), custody.under_hold(integer, bigint), custody.packages_under(uuid, text, bigint)
  to app_api, app_worker, auditor_ro;
grant execute on function custody.raise_notification_alerts(integer) to app_worker;
reset role;
