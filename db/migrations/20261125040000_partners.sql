-- +goose Up
-- Trading partners, products, and what a transfer adds to custody.
--
--   partner          a company, our own or another
--   partner_gln      its Global Location Numbers, each of one company
--   partner_licence  what makes it authorized, with the evidence; only added to:
--                    a newer record of the same licence takes the older's place
--   partner_key      which API key sends and fetches documents as which partner
--   product          the master data of a drug
--   review           what people decided about an order that was held
--   t3               what transaction information, history and statement of a
--                    transfer are made from, written with the change of owner
--   t3_line          how much of what went to whom, for the monitor
--   receipt          what the buyer said it received
set role custody_owner;

create table custody.partner (
  tenant_id    uuid        not null,
  id           text        not null,
  name         text        not null,
  role         text        not null,
  own          boolean     not null default false,
  street       text        not null default '',
  city         text        not null default '',
  state        text        not null default '',
  postal_code  text        not null default '',
  country      text        not null default 'US',
  t3_endpoint  text,
  verified_at  timestamptz,           -- when a person had looked at the evidence
  verified_by  text,                  -- api key id
  created_at   timestamptz not null default clock_timestamp(),
  created_by   text        not null,  -- api key id
  constraint partner_pkey primary key (tenant_id, id),
  constraint partner_id_shape check (id ~ '^ptr_[0-9a-z]{26}$'),
  constraint partner_name_length check (length(name) between 1 and 200),
  constraint partner_role_known check (role in ('manufacturer', 'repackager', 'wholesaler', '3pl', 'dispenser', 'unknown')),
  constraint partner_country_shape check (country ~ '^[A-Z]{2}$'),
  constraint partner_verified_whole check ((verified_at is null) = (verified_by is null))
);
create index partner_by_time_idx on custody.partner (tenant_id, created_at desc, id desc);

create table custody.partner_gln (
  tenant_id  uuid    not null,
  gln        text    not null,
  partner_id text    not null,
  place      integer not null,   -- from 1; the first names the company
  constraint partner_gln_once primary key (tenant_id, gln),
  constraint partner_gln_partner_fkey foreign key (tenant_id, partner_id) references custody.partner (tenant_id, id),
  constraint partner_gln_shape check (gln ~ '^[0-9]{13}$')
);
create index partner_gln_partner_idx on custody.partner_gln (tenant_id, partner_id, place);

create table custody.partner_licence (
  tenant_id  uuid        not null,
  id         bigint      generated always as identity,
  partner_id text        not null,
  kind       text        not null,
  number     text        not null,
  state      text        not null default '',
  valid_from date        not null,
  expires_on date,                     -- the last day it holds
  source     text        not null,     -- where it was checked
  checked_at timestamptz not null default clock_timestamp(),
  checked_by text        not null,     -- api key id
  constraint partner_licence_pkey primary key (tenant_id, id),
  constraint partner_licence_partner_fkey foreign key (tenant_id, partner_id) references custody.partner (tenant_id, id),
  constraint partner_licence_kind_known check (kind in
    ('fda_registration', 'state_licence', 'federal_licence', 'reporting_503e', 'reporting_584b', 'fda_finding')),
  constraint partner_licence_number_length check (length(number) between 1 and 100),
  constraint partner_licence_source_given check (length(source) between 1 and 500),
  constraint partner_licence_days_in_order check (expires_on is null or expires_on >= valid_from)
);
create index partner_licence_newest_idx on custody.partner_licence (tenant_id, partner_id, kind, number, state, id desc);

create table custody.partner_key (
  tenant_id  uuid        not null,
  key_id     text        not null,
  partner_id text        not null,
  bound_at   timestamptz not null default clock_timestamp(),
  bound_by   text        not null,   -- api key id
  constraint partner_key_once primary key (tenant_id, key_id),
  constraint partner_key_partner_fkey foreign key (tenant_id, partner_id) references custody.partner (tenant_id, id)
);
create index partner_key_partner_idx on custody.partner_key (tenant_id, partner_id);

create table custody.product (
  tenant_id      uuid        not null,
  gtin           text        not null,
  ndc            text        not null,
  name           text        not null,
  strength       text        not null,
  dosage_form    text        not null,
  container_size text        not null,
  manufacturer   text        not null,
  schedule       text        not null default '',   -- of the Controlled Substances Act
  created_at     timestamptz not null default clock_timestamp(),
  created_by     text        not null,              -- api key id
  constraint product_pkey primary key (tenant_id, gtin),
  constraint product_gtin_shape check (gtin ~ '^[0-9]{14}$'),
  constraint product_ndc_shape check (ndc ~ '^[0-9]{4,5}-[0-9]{3,4}-[0-9]{1,2}$'),
  constraint product_schedule_known check (schedule in ('', 'CII', 'CIII', 'CIV', 'CV')),
  constraint product_name_length check (length(name) between 1 and 200)
);
create index product_by_time_idx on custody.product (tenant_id, created_at desc, gtin desc);

create table custody.review (
  tenant_id   uuid        not null,
  saga_id     text        not null,
  decision    text        not null,
  reason      text        not null,
  approval_id text        not null,
  decided_at  timestamptz not null default clock_timestamp(),
  constraint review_once primary key (tenant_id, saga_id),
  constraint review_decision_known check (decision in ('clear', 'refuse')),
  constraint review_reason_given check (length(reason) between 1 and 2000)
);

create table custody.t3 (
  tenant_id  uuid        not null,
  saga_id    text        not null,
  seller_id  text        not null,
  buyer_id   text        not null,
  facts      text        not null,   -- JSON as it was written, never written anew
  xml_sha256 bytea       not null,   -- of the EPCIS 1.2 document made from them
  created_at timestamptz not null default clock_timestamp(),
  constraint t3_once primary key (tenant_id, saga_id),
  constraint t3_seller_fkey foreign key (tenant_id, seller_id) references custody.partner (tenant_id, id),
  constraint t3_buyer_fkey foreign key (tenant_id, buyer_id) references custody.partner (tenant_id, id),
  constraint t3_digest_length check (octet_length(xml_sha256) = 32)
);

create table custody.t3_line (
  tenant_id  uuid        not null,
  saga_id    text        not null,
  gtin       text        not null,
  buyer_id   text        not null,
  quantity   integer     not null,   -- packages
  created_at timestamptz not null default clock_timestamp(),
  constraint t3_line_once primary key (tenant_id, saga_id, gtin),
  constraint t3_line_t3_fkey foreign key (tenant_id, saga_id) references custody.t3 (tenant_id, saga_id),
  constraint t3_line_quantity_positive check (quantity > 0)
);
create index t3_line_of_buyer_idx on custody.t3_line (tenant_id, buyer_id, gtin, created_at desc);

create table custody.receipt (
  tenant_id   uuid        not null,
  saga_id     text        not null,
  received    jsonb       not null,   -- units, as canonical keys
  exceptions  jsonb       not null,   -- [{unit, kind, note}]
  received_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  recorded_by text        not null,   -- api key id, or 'partner' for what its endpoint said
  constraint receipt_once primary key (tenant_id, saga_id)
);

-- What was written is only added to.
-- +goose StatementBegin
do $$
declare
  name text;
begin
  foreach name in array array['partner_licence', 'partner_gln', 'partner_key', 'review', 't3', 't3_line', 'receipt'] loop
    execute format('create trigger %I before update or delete on custody.%I for each row execute function custody.forbid()', name || '_append_only', name);
    execute format('create trigger %I before truncate on custody.%I for each statement execute function custody.forbid()', name || '_no_truncate', name);
    execute format('alter table custody.%I enable always trigger %I', name, name || '_append_only');
    execute format('alter table custody.%I enable always trigger %I', name, name || '_no_truncate');
  end loop;
end $$;
-- +goose StatementEnd

alter table custody.partner         enable row level security;
alter table custody.partner         force  row level security;
alter table custody.partner_gln     enable row level security;
alter table custody.partner_gln     force  row level security;
alter table custody.partner_licence enable row level security;
alter table custody.partner_licence force  row level security;
alter table custody.partner_key     enable row level security;
alter table custody.partner_key     force  row level security;
alter table custody.product         enable row level security;
alter table custody.product         force  row level security;
alter table custody.review          enable row level security;
alter table custody.review          force  row level security;
alter table custody.t3              enable row level security;
alter table custody.t3              force  row level security;
alter table custody.t3_line         enable row level security;
alter table custody.t3_line         force  row level security;
alter table custody.receipt         enable row level security;
alter table custody.receipt         force  row level security;

create policy partner_own         on custody.partner         to app_api, app_worker, custody_owner using (tenant_id = (select app.current_tenant()));
create policy partner_gln_own     on custody.partner_gln     to app_api, app_worker, custody_owner using (tenant_id = (select app.current_tenant()));
create policy partner_licence_own on custody.partner_licence to app_api, app_worker, custody_owner using (tenant_id = (select app.current_tenant()));
create policy partner_key_own     on custody.partner_key     to app_api, app_worker, custody_owner using (tenant_id = (select app.current_tenant()));
create policy product_own         on custody.product         to app_api, app_worker, custody_owner using (tenant_id = (select app.current_tenant()));
create policy review_own          on custody.review          to app_api, app_worker, custody_owner using (tenant_id = (select app.current_tenant()));
create policy t3_own              on custody.t3              to app_api, app_worker, custody_owner using (tenant_id = (select app.current_tenant()));
create policy t3_line_own         on custody.t3_line         to app_api, app_worker, custody_owner using (tenant_id = (select app.current_tenant()));
create policy receipt_own         on custody.receipt         to app_api, app_worker, custody_owner using (tenant_id = (select app.current_tenant()));
create policy partner_audit         on custody.partner         for select to auditor_ro using (true);
create policy partner_gln_audit     on custody.partner_gln     for select to auditor_ro using (true);
create policy partner_licence_audit on custody.partner_licence for select to auditor_ro using (true);
create policy partner_key_audit     on custody.partner_key     for select to auditor_ro using (true);
create policy product_audit         on custody.product         for select to auditor_ro using (true);
create policy review_audit          on custody.review          for select to auditor_ro using (true);
create policy t3_audit              on custody.t3              for select to auditor_ro using (true);
create policy t3_line_audit         on custody.t3_line         for select to auditor_ro using (true);
create policy receipt_audit         on custody.receipt         for select to auditor_ro using (true);

grant select on custody.partner, custody.partner_gln, custody.partner_licence, custody.partner_key, custody.product,
  custody.review, custody.t3, custody.t3_line, custody.receipt to app_api, app_worker, auditor_ro;
grant insert on custody.partner, custody.partner_gln, custody.partner_licence, custody.partner_key, custody.product, custody.review,
  custody.receipt to app_api;
grant update (name, street, city, state, postal_code, country, t3_endpoint, verified_at, verified_by) on custody.partner to app_api;
grant insert on custody.t3, custody.t3_line, custody.receipt to app_worker;

reset role;

set role recourse_owner;

-- A trading partner of the tenant's, which sends and fetches its own documents
-- and nothing else.
alter table app.api_key
  drop constraint api_key_role_known,
  add constraint api_key_role_known check (role in
    ('marketplace', 'finance_preparer', 'finance_reviewer', 'recall_operator', 'auditor', 'operator', 'trading_partner')) not valid;
alter table app.api_key validate constraint api_key_role_known;

-- Whether an order that was held is shipped takes two people.
insert into app.approval_rule (action, makers, checkers) values
  ('transfer.review', array['operator', 'recall_operator'], array['operator', 'recall_operator']);

reset role;
