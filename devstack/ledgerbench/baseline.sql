-- The baseline: what one would write by hand for the same facts, without a
-- chain, sequence or check by the database of what it is told. One transaction
-- a transfer; balances updated in order of account, so that nothing deadlocks.
create schema bench;
create table bench.account (
  id bigint primary key, debits bigint not null default 0, credits bigint not null default 0
) with (fillfactor = 50);
create table bench.transfer (
  id uuid primary key, recorded_at timestamptz not null default clock_timestamp(), effective_on date not null default current_date,
  kind text not null, purpose text not null, actor text not null, reason text not null
);
create table bench.entry (
  transfer_id uuid not null, account_id bigint not null, amount bigint not null, balance_after bigint not null,
  recorded_at timestamptz not null default clock_timestamp(), line smallint not null, side text not null
);
create index on bench.entry (account_id, recorded_at);
create index on bench.entry (transfer_id);
create table bench.single (id uuid primary key, at timestamptz not null default clock_timestamp(), note text not null);
insert into bench.account (id) select n from generate_series(0, 9999) n;
create function bench.post(p_id uuid, p_debit bigint, p_credit bigint, p_amount bigint, p_purpose text, p_actor text, p_reason text) returns void
  language plpgsql as $$
declare
  d bigint; c bigint;
begin
  insert into bench.transfer (id, kind, purpose, actor, reason) values (p_id, 'posted', p_purpose, p_actor, p_reason);
  if p_debit < p_credit then
    update bench.account set debits = debits + p_amount where id = p_debit returning debits - credits into d;
    update bench.account set credits = credits + p_amount where id = p_credit returning debits - credits into c;
  else
    update bench.account set credits = credits + p_amount where id = p_credit returning debits - credits into c;
    update bench.account set debits = debits + p_amount where id = p_debit returning debits - credits into d;
  end if;
  insert into bench.entry (transfer_id, account_id, amount, balance_after, line, side)
  values (p_id, p_debit, p_amount, d, 1, 'D'), (p_id, p_credit, p_amount, c, 2, 'C');
end $$;
