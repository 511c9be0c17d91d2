-- +goose Up
-- The door, lighter for a small trip. What it takes and refuses is what it was;
-- what changes is that every rule asks a row about the rows it names, and no
-- rule gathers rows any more:
--
--   a line says how far its run has come, so that what must balance and what
--     belongs to a transaction is seen at the run's end, without a group
--   the bytes that are hashed come with the transaction, and each line is held
--     against its own, so that nothing is put together again
--   the accounts are an array of their own: each as it stood, with its first
--     and last line, so that their balances are held one by one
--   a rule that is broken says so at once, so that rows are checked where they
--     are written, by four small statements and no large one
--   what is rare the caller says beforehand, and a row that has more than was
--     said is refused
set role ledger_owner;

-- A transaction of a batch.
create type ledger.batch_transaction as (
  id           uuid,
  period       date,
  effective_on date,
  hash         bytea,
  kind         text,
  purpose      text,
  actor        text,
  reason       text,
  saga_id      text,
  order_ref    text,
  document     text,
  approval_id  text,
  resolves     uuid,
  reverses     uuid,
  expires_at   timestamptz,
  last         integer,   -- place of its last line in the batch, from 1
  bytes        bytea      -- the canonical bytes of its lines, one after the other
);

-- A line of a batch. A run is the lines of one layer in one transaction: what
-- is released comes first, so a transaction has two at most.
create type ledger.batch_line as (
  amount       bigint,    -- debits positive, credits negative
  debits       bigint,    -- posted debits of the account in this batch, up to this line
  posted       bigint,    -- balances of the account after this line
  held_debits  bigint,
  held_credits bigint,
  net          bigint,    -- sum of the run up to this line
  of           integer,   -- place of its transaction in the batch, from 1
  account      integer,   -- place of its account in the batch, from 1
  prev         integer,   -- place of the account's line before this one; 0: it is the first
  next         integer,   -- and of the one after it; 0: it is the last
  at           integer,   -- where its canonical bytes begin in its transaction's, from 1
  line         smallint,  -- number in its transaction, from 1
  nth          smallint,  -- number in its run, from 1
  layer        smallint   -- 0 posted, 1 held, -1 released
);

-- An account of a batch, as it stands before it.
create type ledger.batch_account as (
  account_id   bigint,
  posted       bigint,    -- debits less credits
  held_debits  bigint,
  held_credits bigint,
  first        integer,   -- place of its first line
  last         integer,   -- and of its last
  name         text       -- its code and currency, in one
);

-- Says that a batch is wrong, for a rule inside of a statement; of null it says
-- nothing.
-- +goose StatementBegin
create function ledger.refuse(p_rule text) returns text
  language plpgsql strict as $$
begin
  raise exception 'the batch is wrong: %', p_rule using errcode = 'LG002';
end $$;
-- +goose StatementEnd

-- The door. The caller has computed a batch on top of the head it knows:
-- sequence, hashes, balances after each line. The door checks all of it, row by
-- row, and writes. Transaction i gets sequence p_seq + i and time p_at + i - 1
-- microseconds; the lines come in the order of their transactions.
--
-- Rows are written before the head is moved, so that the next batch of a
-- caller, computed on the head that this one will leave, is written while this
-- one commits. Every error takes back all of it: LG003 when the head is not the
-- caller's, because somebody else has written or accounts or periods have
-- changed (read again and repeat); unique violations of journal_key_pkey (an
-- id is there already) and journal_link_once; LG002 when what the caller
-- computed is wrong.
-- +goose StatementBegin
create function ledger.post_batch(
  p_tenant     uuid,
  p_book       integer,
  p_version    bigint,
  p_seq        bigint,
  p_hash       bytea,
  p_at         timestamptz,
  p_from       date,      -- everything happened on this day or later, in the month it counts in; null: not so
  p_currencies boolean,   -- a transaction may have several
  p_linked     boolean,   -- one may resolve or reverse another
  p_bounded    boolean,   -- an account may have a floor or a ceiling
  transactions ledger.batch_transaction[],
  lines        ledger.batch_line[],
  accounts     ledger.batch_account[])
  returns bigint   -- the new head's sequence
  language plpgsql security definer
  set search_path = ledger, pg_temp
  set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  head   book;
  n      integer := cardinality(transactions);
  at_us  bigint := (extract(epoch from p_at) * 1000000)::bigint;
  said   text;
  wrong  text;
  moved  integer;
  looked integer := 0;
  again  boolean := false; -- the head was the caller's, and did not move
  open_from date;     -- the first period that takes what has no approval; null: any
  open_approved date; -- and what has
begin
  if p_tenant is distinct from app.current_tenant() then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  -- Elements of these are taken by number.
  if (array_ndims(transactions) = 1 and array_lower(transactions, 1) = 1 and n <= 10000
      and array_ndims(lines) = 1 and array_lower(lines, 1) = 1 and cardinality(lines) <= 100000
      and array_ndims(accounts) = 1 and array_lower(accounts, 1) = 1) is not true then
    raise exception 'the batch is wrong: a batch has 1 to 10000 transactions and at most 100000 lines' using errcode = 'LG002';
  end if;
  -- What is written is of this book. The next batch, if it is there first,
  -- waits for this one to end.
  said := set_config('ledger.door', 'open', true) || set_config('ledger.book', p_book::text, true)
       || pg_try_advisory_xact_lock(p_book, ((p_seq + n) & 2147483647)::integer);

  -- The lines. Each follows from the one before it in its transaction, and its
  -- balances from those of the account's line before it.
  insert into posting (recorded_at, seq, account_id, amount, posted_after, held_debits_after, held_credits_after, book_id, period, line, side, layer)
  select p_at + (u.of - 1) * interval '1 microsecond', p_seq + u.of, (accounts[u.account]).account_id, abs(u.amount), u.posted, u.held_debits,
         u.held_credits, p_book, (transactions[u.of]).period, u.line, case when u.amount > 0 then 'D' else 'C' end,
         case u.layer when 0 then 'P' when 1 then 'H' else 'R' end
    from unnest(lines) with ordinality as u (amount, debits, posted, held_debits, held_credits, net, of, account, prev, next, at, line, nth, layer, place)
   where refuse(case
           when (u.amount <> 0 and u.layer between -1 and 1
                 and case
                       when u.line = 1 then u.of = case when u.place = 1 then 1 else (lines[u.place - 1]).of + 1 end and u.at = 1
                       else u.of = (lines[u.place - 1]).of and u.line = (lines[u.place - 1]).line + 1
                            and u.at = (lines[u.place - 1]).at + 38 + octet_length((accounts[(lines[u.place - 1]).account]).name)
                     end
                 and case
                       when u.line > 1 and u.layer = (lines[u.place - 1]).layer
                         then u.nth = (lines[u.place - 1]).nth + 1 and u.net = (lines[u.place - 1]).net + u.amount
                       else (u.line = 1 or (lines[u.place - 1]).layer = -1) and u.nth = 1 and u.net = u.amount  -- what is released comes first
                     end) is not true then 'line'
           when u.line > 1 and u.layer <> (lines[u.place - 1]).layer and (lines[u.place - 1]).net <> 0 then 'unbalanced'
           when u.line > 1 and p_currencies is not true
                and right((accounts[u.account]).name, 3) <> right((accounts[(lines[u.place - 1]).account]).name, 3) then 'currencies'
           when (u.held_debits >= 0 and u.held_credits >= 0
                 and case when u.prev = 0 then (accounts[u.account]).first = u.place
                          else u.prev < u.place and (lines[u.prev]).account = u.account and (lines[u.prev]).next = u.place end
                 and case when u.next = 0 then (accounts[u.account]).last = u.place else u.next > u.place end
                 and u.debits = case when u.prev = 0 then 0 else (lines[u.prev]).debits end
                              + case when u.layer = 0 and u.amount > 0 then u.amount else 0 end
                 and u.posted = case when u.prev = 0 then (accounts[u.account]).posted else (lines[u.prev]).posted end
                              + case when u.layer = 0 then u.amount else 0 end
                 and u.held_debits = case when u.prev = 0 then (accounts[u.account]).held_debits else (lines[u.prev]).held_debits end
                                   + case when u.amount > 0 then u.layer * u.amount else 0 end
                 and u.held_credits = case when u.prev = 0 then (accounts[u.account]).held_credits else (lines[u.prev]).held_credits end
                                    + case when u.amount < 0 then -u.layer * u.amount else 0 end) is not true then 'balance'
           when (substr((transactions[u.of]).bytes, u.at, 38 + octet_length((accounts[u.account]).name))
                 = int2send(u.line) || int2send((octet_length((accounts[u.account]).name) - 3)::smallint)
                   || convert_to((accounts[u.account]).name || case when u.amount > 0 then 'D' else 'C' end
                                 || case u.layer when 0 then 'P' when 1 then 'H' else 'R' end, 'UTF8')
                   || int8send(abs(u.amount)) || int8send(u.posted) || int8send(u.held_debits) || int8send(u.held_credits)) is not true then 'chain'
         end) is null;

  -- The transactions. Each has its lines, whole and balanced, of the layers of
  -- its kind, and its hash follows from the one before it.
  insert into journal (seq, recorded_at, id, resolves, reverses, expires_at, book_id, effective_on, period, kind, purpose, actor, reason,
                       saga_id, order_ref, document, approval_id, hash)
  select p_seq + u.place, p_at + (u.place - 1) * interval '1 microsecond', u.id, u.resolves, u.reverses, u.expires_at, p_book, u.effective_on,
         u.period, u.kind, u.purpose, u.actor, u.reason, u.saga_id, u.order_ref, u.document, u.approval_id, u.hash
    from unnest(transactions) with ordinality as u (id, period, effective_on, hash, kind, purpose, actor, reason, saga_id, order_ref,
           document, approval_id, resolves, reverses, expires_at, last, bytes, place)
   where refuse(case
           when ((lines[u.last]).of = u.place and coalesce((lines[u.last + 1]).of, n + 1) = u.place + 1
                 and octet_length(u.bytes) = (lines[u.last]).at + 37 + octet_length((accounts[(lines[u.last]).account]).name)) is not true then 'lines'
           when (lines[u.last]).net <> 0 then 'unbalanced'
           when (u.hash = sha256(case when u.place = 1 then p_hash else (transactions[u.place - 1]).hash end
                 || '\x0001'::bytea || int8send(p_seq + u.place)
                 || int8send(at_us + u.place - 1) || uuid_send(u.id)
                 || uuid_send(coalesce(u.resolves, '00000000-0000-0000-0000-000000000000'))
                 || uuid_send(coalesce(u.reverses, '00000000-0000-0000-0000-000000000000'))
                 || int8send(coalesce((extract(epoch from u.expires_at) * 1000000)::bigint, 0))
                 || int4send(u.effective_on - date '1970-01-01') || int4send(u.period - date '1970-01-01')
                 || int4send(octet_length(u.kind)) || int4send(octet_length(u.purpose)) || int4send(octet_length(u.actor))
                 || int4send(octet_length(u.reason)) || int4send(octet_length(coalesce(u.saga_id, '')))
                 || int4send(octet_length(coalesce(u.order_ref, ''))) || int4send(octet_length(coalesce(u.document, '')))
                 || int4send(octet_length(coalesce(u.approval_id, '')))
                 || convert_to(concat(u.kind, u.purpose, u.actor, u.reason, u.saga_id, u.order_ref, u.document, u.approval_id), 'UTF8')
                 || u.bytes)) is not true then 'chain'
           when not case u.kind  -- a balanced run has two lines at least
                      when 'posted' then (lines[u.last]).layer = 0 and (lines[u.last]).nth = (lines[u.last]).line and (lines[u.last]).nth <= 1000
                      when 'pending' then (lines[u.last]).layer = 1 and (lines[u.last]).nth = (lines[u.last]).line and (lines[u.last]).nth <= 1000
                      when 'post_pending' then (lines[u.last]).layer = 0 and (lines[u.last]).nth < (lines[u.last]).line and (lines[u.last]).nth <= 1000
                      when 'void_pending' then (lines[u.last]).layer = -1
                      when 'expire_pending' then (lines[u.last]).layer = -1
                      else false end then 'layers'
           when (u.resolves is not null) <> (u.kind not in ('posted', 'pending')) then 'journal_resolves_when_due'
           when u.reverses is not null and u.kind <> 'posted' then 'journal_reverses_posted'
           when p_linked is not true and (u.resolves is not null or u.reverses is not null) then 'linked'
           when u.expires_at is not null and (u.kind <> 'pending' or u.expires_at <= 'epoch') then 'journal_expiry_of_pending' -- the hash takes the epoch for none
           when u.id = '00000000-0000-0000-0000-000000000000' then 'journal_id_given' -- and this for none
           when u.purpose like 'manual.%' and coalesce(u.approval_id, '') = '' then 'journal_manual_is_approved'
           when length(u.purpose) not between 1 and 100 then 'journal_purpose_length'
           when length(u.actor) not between 1 and 200 then 'journal_actor_length'
           when length(u.reason) > 2000 then 'journal_reason_length'
           when p_from is not null
                and (u.effective_on >= p_from and u.period = u.effective_on - extract(day from u.effective_on)::integer + 1) is not true then 'period'
         end) is null;
  insert into journal_key (seq, recorded_at, id, book_id)
  select p_seq + i, p_at + (i - 1) * interval '1 microsecond', (transactions[i]).id, p_book from generate_series(1, n) i;

  -- What is rare stands inside of a condition on variables: one that holds a
  -- query is started as a query, even if it need not be.
  if p_currencies then
    if exists (select from unnest(lines) as u group by u.of, right((accounts[u.account]).name, 3), u.layer having total(u.amount) <> 0) then
      raise exception 'the batch is wrong: unbalanced' using errcode = 'LG002';
    end if;
  end if;

  -- The head moves on from the one that the caller has computed on. While the
  -- batch before this one has not ended, this one waits. Whoever has locked the
  -- head already never waits here, so that nobody waits in a circle.
  loop
    update book b
       set seq = p_seq + n, hash = (transactions[n]).hash, recorded_at = p_at + (n - 1) * interval '1 microsecond'
     where b.id = p_book and b.tenant_id = p_tenant and b.seq = p_seq and b.hash = p_hash and b.version = p_version and p_at > b.recorded_at
       and p_at between clock_timestamp() - interval '5 minutes'
                    and greatest(clock_timestamp() + interval '5 minutes', b.recorded_at + interval '1 microsecond')
    returning b.closed_through + interval '1 month', greatest(b.closed_through, b.soft_closed_through) + interval '1 month'
         into open_approved, open_from;
    if found then
      exit;
    end if;
    select * into head from book where id = p_book and tenant_id = p_tenant;
    if head.id is null then
      raise exception 'there is no such book' using errcode = '42501';
    end if;
    if (head.seq, head.hash, head.version) is not distinct from (p_seq, p_hash, p_version) then
      if again then
        raise exception 'the batch is wrong: the time % is not now: the database has %, the book %', p_at, clock_timestamp(), head.recorded_at
          using errcode = 'LG002';
      end if;
      again := true; -- the batch before this one ended after this one looked
      continue;
    end if;
    if (head.seq < p_seq and looked < 100) is not true then
      raise exception 'the book has moved: it is at % of version %', head.seq, head.version using errcode = 'LG003';
    end if;
    if looked = 0 then
      perform pg_advisory_xact_lock_shared(p_book, (p_seq & 2147483647)::integer);
    else
      perform pg_sleep(0.0005); -- it has not begun yet
    end if;
    looked := looked + 1;
  end loop;

  -- The periods as the book knows them: what is late for one that is closed
  -- counts in the first that is open to it.
  if p_from is null or p_from < open_from then
    if exists (
      select from unnest(transactions) as u
       where u.period is distinct from greatest(u.effective_on - extract(day from u.effective_on)::integer + 1,
               case when coalesce(u.approval_id, '') = '' then open_from else open_approved end)) then
      raise exception 'the batch is wrong: period' using errcode = 'LG002';
    end if;
  end if;

  -- The accounts: the book's own, open, named right, each as it stood before
  -- its first line and moved to where its last one leaves it. That no line is
  -- passed over: an account's lines form one list from its first, in which each
  -- names the one before it and the one after it, and its last has none after.
  update balance b
     set debits_posted = b.debits_posted + (lines[u.last]).debits,
         credits_posted = b.debits_posted + (lines[u.last]).debits - (lines[u.last]).posted,
         debits_pending = (lines[u.last]).held_debits, credits_pending = (lines[u.last]).held_credits
    from unnest(accounts) with ordinality as u (account_id, posted, held_debits, held_credits, first, last, name, place)
   where b.account_id = u.account_id and b.book_id = p_book and not b.closed and b.name = u.name and (p_bounded or not b.bounded)
     and b.debits_posted - b.credits_posted = u.posted and b.debits_pending = u.held_debits and b.credits_pending = u.held_credits
     and (lines[u.last]).account = u.place and (lines[u.last]).next = 0;
  get diagnostics moved = row_count;
  if moved <> cardinality(accounts) then
    raise exception 'the batch is wrong: balance or account' using errcode = 'LG002';
  end if;
  if p_bounded then
    if exists (
      select from (
        select u.layer, u.posted, u.held_debits, u.held_credits, a.normal_side, a.floor, a.ceiling,
               (lines[u.next]).of is distinct from u.of as done
          from unnest(lines) as u
          join account a on a.id = (accounts[u.account]).account_id and (a.floor is not null or a.ceiling is not null)) x
       where x.done and x.layer <> -1
         and case x.normal_side
               when 'D' then x.posted::numeric - x.held_credits < x.floor or x.posted::numeric + x.held_debits > x.ceiling
               else -x.posted::numeric - x.held_debits < x.floor or -x.posted::numeric + x.held_credits > x.ceiling end) then
      raise exception 'the batch is wrong: bounds' using errcode = 'LG002';
    end if;
  end if;

  if p_linked then
    select check_links(p_book, p_seq, p_at, array_agg(u.id order by u.place), array_agg(u.kind order by u.place), array_agg(u.resolves order by u.place),
                       array_agg(u.reverses order by u.place))
      into wrong
      from unnest(transactions) with ordinality as u (id, period, effective_on, hash, kind, purpose, actor, reason, saga_id, order_ref,
             document, approval_id, resolves, reverses, expires_at, last, bytes, place);
    if wrong is not null then
      raise exception 'the batch is wrong: %', wrong using errcode = 'LG002';
    end if;
  end if;
  said := set_config('ledger.door', '', true) || set_config('ledger.book', '', true);
  return p_seq + n;
end $$;
-- +goose StatementEnd

-- The door of the release before, in front of this one: it says of its rows
-- what this one asks. A later release drops it with its types.
create or replace function ledger.post_batch(
  p_tenant uuid, p_book integer, p_version bigint, p_seq bigint, p_hash bytea, p_at timestamptz, transactions ledger.door_transaction[],
  lines ledger.door_line[])
  returns bigint
  language sql
  set search_path = ledger, pg_temp as $$
  with l as (
    select u.*, dense_rank() over (order by u.account_id, u.name) as account,
           coalesce(lead(u.place) over list, 0) as next,
           sum(u.amount) over run as net, row_number() over run as nth,
           sum(case when u.layer = 0 and u.amount > 0 then u.amount else 0 end) over list as debited,
           1 + sum(38 + octet_length(u.name)) over (partition by u.of order by u.place) - 38 - octet_length(u.name) as at
      from unnest(lines) with ordinality as u (account_id, amount, posted, held_debits, held_credits, debits, of, prev, first, line, layer, name, place)
    window list as (partition by u.account_id, u.name order by u.place), run as (partition by u.of, u.layer order by u.place)
  ), t as (
    select l.of, max(l.place) as last,
           string_agg(int2send(l.line) || int2send((octet_length(l.name) - 3)::smallint)
             || convert_to(l.name || case when l.amount > 0 then 'D' else 'C' end || case l.layer when 0 then 'P' when 1 then 'H' else 'R' end, 'UTF8')
             || int8send(abs(l.amount)) || int8send(l.posted) || int8send(l.held_debits) || int8send(l.held_credits), ''::bytea order by l.place) as bytes
      from l group by l.of
  )
  select post_batch(p_tenant, p_book, p_version, p_seq, p_hash, p_at, null, true, true, true,
    (select array_agg(row(u.id, u.period, u.effective_on, u.hash, u.kind, u.purpose, u.actor, u.reason, u.saga_id, u.order_ref, u.document, u.approval_id,
                          u.resolves, u.reverses, u.expires_at, t.last, t.bytes)::batch_transaction order by u.place)
       from unnest(transactions) with ordinality as u (id, period, effective_on, hash, kind, purpose, actor, reason, saga_id, order_ref, document,
              approval_id, resolves, reverses, expires_at, place)
       left join t on t.of = u.place),
    (select array_agg(row(l.amount, l.debited, l.posted, l.held_debits, l.held_credits, l.net, l.of, l.account, l.prev, l.next, l.at, l.line, l.nth,
                          l.layer)::batch_line order by l.place) from l),
    (select array_agg(row(l.account_id, l.posted - case when l.layer = 0 then l.amount else 0 end,
                          l.held_debits - case when l.amount > 0 then l.layer * l.amount else 0 end,
                          l.held_credits - case when l.amount < 0 then -l.layer * l.amount else 0 end,
                          l.place, l.ends, l.name)::batch_account order by l.account)
       from (select distinct on (l.account) l.*, max(l.place) over (partition by l.account) as ends from l order by l.account, l.place) l))
$$;

revoke all on function ledger.refuse(text),
  ledger.post_batch(uuid, integer, bigint, bigint, bytea, timestamptz, date, boolean, boolean, boolean, ledger.batch_transaction[],
    ledger.batch_line[], ledger.batch_account[]) from public;
grant execute on function
  ledger.post_batch(uuid, integer, bigint, bigint, bytea, timestamptz, date, boolean, boolean, boolean, ledger.batch_transaction[],
    ledger.batch_line[], ledger.batch_account[]) to app_api, app_worker;
reset role;
