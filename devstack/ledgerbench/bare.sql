-- The ledger's rows in tables of the same columns and indexes, and nothing else
-- of the ledger.
create schema bare;
create table bare.journal (like ledger.journal including indexes including storage);
create table bare.posting (like ledger.posting including indexes including storage);
create table bare.balance (
  account_id bigint primary key, debits_posted bigint not null default 0, credits_posted bigint not null default 0
) with (fillfactor = 50);
insert into bare.balance (account_id) select n from generate_series(0, 9999) n;
