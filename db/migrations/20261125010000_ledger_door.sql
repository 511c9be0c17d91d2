-- +goose Up
-- The door, faster. What it takes and refuses is what it was; what changes is
-- how it is asked and where a rule stands:
--
--   two arrays of rows instead of twenty-five of columns: a column that is
--     unnested is copied twice a row, and each array costs its share of a trip
--   one statement writes and checks lines and transactions, another moves the
--     head, a third the balances: starting a statement is most of a small trip
--   the rules of a single row are the door's, under the names they had as
--     constraints: Postgres reads a partition's constraints anew for each
--     statement, and nothing but the door can write there
--
-- The door with twenty-five arrays stays for the release before, in front of
-- this one; a later release drops it.
set role ledger_owner;

-- A transaction of a batch. What the lines ask of it comes first.
create type ledger.door_transaction as (
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
  expires_at   timestamptz
);

-- A line of a batch. The lines of one account form a list: each names the one
-- before it, and the last one the first.
create type ledger.door_line as (
  account_id   bigint,
  amount       bigint,    -- debits positive, credits negative
  posted       bigint,    -- balances of the account after this line
  held_debits  bigint,
  held_credits bigint,
  debits       bigint,    -- posted debits of the account in this batch, up to this line
  of           integer,   -- place of its transaction in the batch, from 1
  prev         integer,   -- place of the account's line before this one; 0: it is the first
  first        integer,   -- on the account's last line the place of its first; 0: it is not the last
  line         smallint,  -- number in its transaction, from 1
  layer        smallint,  -- 0 posted, 1 held, -1 released
  name         text       -- the account's code and currency, in one
);

-- The door. The caller has computed a batch on top of the head it knows:
-- sequence, hashes, balances after each line. The door checks all of it, set
-- by set, and writes. Transaction i gets sequence p_seq + i and time p_at + i - 1
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
  transactions ledger.door_transaction[],
  lines        ledger.door_line[])
  returns bigint   -- the new head's sequence
  language plpgsql security definer
  set search_path = ledger, pg_temp
  set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  head     book;
  n        integer := cardinality(transactions);
  at_us    bigint := (extract(epoch from p_at) * 1000000)::bigint;
  said     text;
  wrong    text;
  ahead    boolean;   -- the batch before this one has not ended
  linked   boolean;   -- something is resolved or reversed
  currencies boolean; -- a transaction has several
  late     boolean;   -- a transaction, for its month
  bounded  boolean;   -- an account has a floor or a ceiling
  named    integer;   -- accounts
  moved    integer;
  looked   integer := 0;
  unlisted bigint;    -- not 0: lines of an account that its list passes over
  earliest date;      -- of all transactions, the day and the period
  latest   date;
  period_from date;
  period_to   date;
  open_from date;     -- the first period that takes what has no approval; null: any
  open_approved date; -- and what has
begin
  if p_tenant is distinct from app.current_tenant() then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  -- Elements of these are taken by number.
  if (array_ndims(transactions) = 1 and array_lower(transactions, 1) = 1 and n <= 10000
      and array_ndims(lines) = 1 and array_lower(lines, 1) = 1 and cardinality(lines) <= 100000) is not true then
    raise exception 'the batch is wrong: a batch has 1 to 10000 transactions and at most 100000 lines' using errcode = 'LG002';
  end if;
  -- What is written is of this book. The next batch, if it is there first,
  -- waits for this one to end.
  said := set_config('ledger.door', 'open', true) || set_config('ledger.book', p_book::text, true)
       || pg_try_advisory_xact_lock(p_book, ((p_seq + n) & 2147483647)::integer);

  -- Each balance follows from the one before it on the same account, sums are
  -- zero, kinds and layers fit, each hash follows from the one before it.
  with posted as (
    insert into posting (recorded_at, seq, account_id, amount, posted_after, held_debits_after, held_credits_after, book_id, period, line, side, layer)
    select p_at + (u.of - 1) * interval '1 microsecond', p_seq + u.of, u.account_id, abs(u.amount), u.posted, u.held_debits, u.held_credits, p_book,
           (transactions[u.of]).period, u.line, case when u.amount > 0 then 'D' else 'C' end, case u.layer when 0 then 'P' when 1 then 'H' else 'R' end
      from unnest(lines) as u
  ), written as (
    insert into journal (seq, recorded_at, id, resolves, reverses, expires_at, book_id, effective_on, period, kind, purpose, actor, reason,
                         saga_id, order_ref, document, approval_id, hash)
    select p_seq + u.place, p_at + (u.place - 1) * interval '1 microsecond', u.id, u.resolves, u.reverses, u.expires_at, p_book, u.effective_on,
           u.period, u.kind, u.purpose, u.actor, u.reason, u.saga_id, u.order_ref, u.document, u.approval_id, u.hash
      from unnest(transactions) with ordinality as u (id, period, effective_on, hash, kind, purpose, actor, reason, saga_id, order_ref,
             document, approval_id, resolves, reverses, expires_at, place)
  ), keyed as (
    insert into journal_key (seq, recorded_at, id, book_id)
    select p_seq + i, p_at + (i - 1) * interval '1 microsecond', (transactions[i]).id, p_book from generate_series(1, n) i
  )
  select min(t.wrong), total(t.named), total(t.unlisted), bool_or(t.currencies), bool_or(t.resolves is not null or t.reverses is not null),
         min(t.effective_on), max(t.effective_on), min(t.period), max(t.period), (select b.seq < p_seq from book b where b.id = p_book)
    into wrong, named, unlisted, currencies, linked, earliest, latest, period_from, period_to, ahead
    from (
      select u.effective_on, u.period, u.resolves, u.reverses, l.named, l.unlisted, l.currencies,
             case
               when l.wrong is not null then l.wrong
               when u.place is null or l.of is null then 'lines'
               when u.hash is distinct from sha256(case when u.place = 1 then p_hash else (transactions[u.place - 1]).hash end
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
                    || l.bytes) then 'chain'
               when not case u.kind
                          when 'posted' then l.held = 0 and l.freed = 0 and l.posted between 2 and 1000
                          when 'pending' then l.posted = 0 and l.freed = 0 and l.held between 2 and 1000
                          when 'post_pending' then l.held = 0 and l.freed >= 2 and l.posted between 2 and 1000
                          when 'void_pending' then l.held = 0 and l.posted = 0 and l.freed >= 2
                          when 'expire_pending' then l.held = 0 and l.posted = 0 and l.freed >= 2
                          else false end then 'layers'
               when (u.resolves is not null) <> (u.kind not in ('posted', 'pending')) then 'journal_resolves_when_due'
               when u.reverses is not null and u.kind <> 'posted' then 'journal_reverses_posted'
               when u.expires_at is not null and (u.kind <> 'pending' or u.expires_at <= 'epoch') then 'journal_expiry_of_pending' -- the hash takes the epoch for none
               when u.id = '00000000-0000-0000-0000-000000000000' then 'journal_id_given' -- and this for none
               when u.purpose like 'manual.%' and coalesce(u.approval_id, '') = '' then 'journal_manual_is_approved'
               when length(u.purpose) not between 1 and 100 then 'journal_purpose_length'
               when length(u.actor) not between 1 and 200 then 'journal_actor_length'
               when length(u.reason) > 2000 then 'journal_reason_length'
             end as wrong
        from unnest(transactions) with ordinality as u (id, period, effective_on, hash, kind, purpose, actor, reason, saga_id, order_ref,
               document, approval_id, resolves, reverses, expires_at, place)
        full join (
          select x.of, string_agg(x.bytes, ''::bytea) as bytes,
                 count(*) filter (where x.layer = 0) as posted, count(*) filter (where x.layer = 1) as held, count(*) filter (where x.layer = -1) as freed,
                 count(*) filter (where x.first > 0) as named,
                 total(case when x.first > 0 then 0 else x.place end - x.prev) as unlisted,
                 bool_or(x.currencies) as currencies,
                 coalesce(min(x.wrong), case when total(x.amount) filter (where x.layer = 0) <> 0 or total(x.amount) filter (where x.layer = 1) <> 0
                                               or total(x.amount) filter (where x.layer = -1) <> 0 then 'unbalanced' end) as wrong
            from (
              select u.of, u.layer, u.amount, u.first, u.prev, u.place,
                     int2send(u.line) || int2send((octet_length(u.name) - 3)::smallint)
                       || convert_to(u.name || case when u.amount > 0 then 'D' else 'C' end || case u.layer when 0 then 'P' when 1 then 'H' else 'R' end, 'UTF8')
                       || int8send(abs(u.amount)) || int8send(u.posted) || int8send(u.held_debits) || int8send(u.held_credits) as bytes,
                     u.line > 1 and right(u.name, 3) <> right((lines[u.place - 1]).name, 3) as currencies,
                     case
                       when u.amount is null or u.amount = 0 or u.layer is null or u.layer not between -1 and 1 or u.account_id is null or u.name is null
                         or u.of is null or u.layer = -1 and u.line > 1 and (lines[u.place - 1]).layer <> -1  -- what is released comes first
                         or u.of not between 1 and n or u.of < (lines[u.place - 1]).of
                         or u.line is distinct from case when u.of = (lines[u.place - 1]).of then (lines[u.place - 1]).line + 1 else 1 end then 'line'
                       when u.held_debits < 0 or u.held_credits < 0 or u.prev is null or u.first is null or u.prev < 0 or u.prev >= u.place then 'balance'
                       when u.debits is distinct from case when u.prev = 0 then 0 else (lines[u.prev]).debits end
                                                    + case when u.layer = 0 and u.amount > 0 then u.amount else 0 end then 'balance'
                       when u.prev > 0 and (
                            (lines[u.prev]).account_id <> u.account_id or (lines[u.prev]).name <> u.name
                         or u.posted is distinct from (lines[u.prev]).posted + case when u.layer = 0 then u.amount else 0 end
                         or u.held_debits is distinct from (lines[u.prev]).held_debits + case when u.amount > 0 then u.layer * u.amount else 0 end
                         or u.held_credits is distinct from (lines[u.prev]).held_credits + case when u.amount < 0 then -u.layer * u.amount else 0 end)
                         then 'balance'
                     end as wrong
                from unnest(lines) with ordinality as u (account_id, amount, posted, held_debits, held_credits, debits, of, prev, first, line, layer, name, place)
            ) x
           group by x.of
        ) l on l.of = u.place
    ) t;
  -- What is rare stands inside of a condition on variables: one that holds a
  -- query is started as a query, even if it need not be.
  if wrong is not null or currencies then
    if wrong is null and exists (select from unnest(lines) as u group by u.of, right(u.name, 3), u.layer having total(u.amount) <> 0) then
      wrong := 'unbalanced';
    end if;
    if wrong is not null then
      raise exception 'the batch is wrong: %', wrong using errcode = 'LG002';
    end if;
  end if;

  -- While the one before it has not ended, this one waits. Whoever has locked
  -- the head already never waits here, so that nobody waits in a circle.
  while ahead loop
    if looked = 0 then
      perform pg_advisory_xact_lock_shared(p_book, (p_seq & 2147483647)::integer);
    else
      perform pg_sleep(0.0005); -- it has not begun yet
    end if;
    looked := looked + 1;
    select b.seq < p_seq and looked < 100 into ahead from book b where b.id = p_book;
  end loop;

  -- The head moves on from the one that the caller has computed on. Late is
  -- what counts in another month than it happened in, or in one that is closed.
  update book b
     set seq = p_seq + n, hash = (transactions[n]).hash, recorded_at = p_at + (n - 1) * interval '1 microsecond'
   where b.id = p_book and b.tenant_id = p_tenant and b.seq = p_seq and b.hash = p_hash and b.version = p_version and p_at > b.recorded_at
     and p_at between clock_timestamp() - interval '5 minutes'
                  and greatest(clock_timestamp() + interval '5 minutes', b.recorded_at + interval '1 microsecond')
  returning b.closed_through + interval '1 month', greatest(b.closed_through, b.soft_closed_through) + interval '1 month',
            period_from is distinct from period_to or period_from <> date_trunc('month', latest::timestamp)
            or earliest < period_from or earliest < greatest(b.closed_through, b.soft_closed_through) + interval '1 month'
       into open_approved, open_from, late;
  if not found then
    select * into head from book where id = p_book and tenant_id = p_tenant;
    if not found then
      raise exception 'there is no such book' using errcode = '42501';
    end if;
    if (head.seq, head.hash, head.version) is distinct from (p_seq, p_hash, p_version) then
      raise exception 'the book has moved: it is at % of version %', head.seq, head.version using errcode = 'LG003';
    end if;
    raise exception 'the batch is wrong: the time % is not now: the database has %, the book %', p_at, clock_timestamp(), head.recorded_at
      using errcode = 'LG002';
  end if;

  -- The periods as the book knows them: what is late for one that is closed
  -- counts in the first that is open to it.
  if late then
    if exists (
      select from unnest(transactions) as u
       where u.period is distinct from greatest(u.effective_on - extract(day from u.effective_on)::integer + 1,
               case when coalesce(u.approval_id, '') = '' then open_from else open_approved end)) then
      raise exception 'the batch is wrong: period' using errcode = 'LG002';
    end if;
  end if;

  -- The accounts: the book's own, open, named right, each moved by its last
  -- line. Its first line follows from the stored balance. That its list is
  -- whole: as many accounts move as there are last lines, so each has one; and
  -- a line's prev points to an earlier line of its account, so that over all
  -- lines the places less those of the last ones are as many as the prevs only
  -- when none is passed over.
  with up as (
    update balance b
       set debits_posted = b.debits_posted + u.debits, credits_posted = b.debits_posted + u.debits - u.posted,
           debits_pending = u.held_debits, credits_pending = u.held_credits
      from unnest(lines) as u
     where u.first > 0 and b.account_id = u.account_id and b.book_id = p_book and not b.closed and b.name = u.name
       and (lines[u.first]).account_id = u.account_id and (lines[u.first]).prev = 0
       and b.debits_posted - b.credits_posted = (lines[u.first]).posted - case when (lines[u.first]).layer = 0 then (lines[u.first]).amount else 0 end
       and b.debits_pending = (lines[u.first]).held_debits - case when (lines[u.first]).amount > 0 then (lines[u.first]).layer * (lines[u.first]).amount else 0 end
       and b.credits_pending = (lines[u.first]).held_credits - case when (lines[u.first]).amount < 0 then -(lines[u.first]).layer * (lines[u.first]).amount else 0 end
    returning b.bounded
  )
  select count(*), bool_or(up.bounded) into moved, bounded from up;
  if moved <> named or unlisted <> 0 then
    raise exception 'the batch is wrong: balance or account' using errcode = 'LG002';
  end if;
  if bounded then
    if exists (
      select from (
        select u.layer, u.posted, u.held_debits, u.held_credits, a.normal_side, a.floor, a.ceiling,
               lead(u.of) over (partition by u.account_id order by u.place) is distinct from u.of as done
          from unnest(lines) with ordinality as u (account_id, amount, posted, held_debits, held_credits, debits, of, prev, first, line, layer, name, place)
          join account a on a.id = u.account_id and (a.floor is not null or a.ceiling is not null)) x
       where x.done and x.layer <> -1
         and case x.normal_side
               when 'D' then x.posted::numeric - x.held_credits < x.floor or x.posted::numeric + x.held_debits > x.ceiling
               else -x.posted::numeric - x.held_debits < x.floor or -x.posted::numeric + x.held_credits > x.ceiling end) then
      raise exception 'the batch is wrong: bounds' using errcode = 'LG002';
    end if;
  end if;

  if linked then
    select check_links(p_book, p_seq, p_at, array_agg(u.id order by u.place), array_agg(u.kind order by u.place), array_agg(u.resolves order by u.place),
                       array_agg(u.reverses order by u.place))
      into wrong
      from unnest(transactions) with ordinality as u (id, period, effective_on, hash, kind, purpose, actor, reason, saga_id, order_ref,
             document, approval_id, resolves, reverses, expires_at, place);
    if wrong is not null then
      raise exception 'the batch is wrong: %', wrong using errcode = 'LG002';
    end if;
  end if;
  said := set_config('ledger.door', '', true) || set_config('ledger.book', '', true);
  return p_seq + n;
end $$;
-- +goose StatementEnd

-- What resolves or reverses something, checked after the batch is written: it
-- may concern a transaction of the same batch. Writes the links; returns what
-- is wrong. The tables may be empty when a plan is made and large when it is
-- used: it always goes by the indexes, and by those of the primary keys. On an
-- empty table every way costs the same, so each look-up asks for an order that
-- no other index has, or for one row.
-- +goose StatementBegin
create or replace function ledger.check_links(p_book integer, p_seq bigint, p_at timestamptz, t_id uuid[], t_kind text[], t_resolves uuid[], t_reverses uuid[])
  returns text
  language plpgsql
  set search_path = ledger, pg_temp
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_sort = off as $$
declare
  wrong text;
begin
  insert into journal_link (seq, target, book_id, relation)
  select p_seq + u.place, coalesce(u.resolves, u.reverses), p_book, case when u.resolves is null then 'reverses' else 'resolves' end
    from unnest(t_resolves, t_reverses) with ordinality as u (resolves, reverses, place)
   where u.resolves is not null or u.reverses is not null;
  with x as materialized (
    select u.place, u.kind, u.reverses is not null as reverses, p_at + (u.place - 1) * interval '1 microsecond' as at,
           j.recorded_at as target_at, j.kind as target_kind, j.expires_at as target_expires_at
      from unnest(t_kind, t_resolves, t_reverses) with ordinality as u (kind, resolves, reverses, place)
      left join lateral (select * from journal_key where book_id = p_book and id = coalesce(u.resolves, u.reverses) limit 1) k on k.seq < p_seq + u.place
      left join lateral (
        select * from journal where book_id = k.book_id and seq between k.seq and k.seq and recorded_at = k.recorded_at order by seq) j on true
     where u.resolves is not null or u.reverses is not null
  ), m as (
    -- By account and side: what the target held or posted, and what this one
    -- releases and posts. A reversal is held against the other side.
    select x.place, p.account_id, case when w.target and x.reverses then case p.side when 'D' then 'C' else 'D' end else p.side end as side,
           coalesce(sum(p.amount) filter (where w.target and (p.layer = 'P' or not x.reverses)), 0) as target,
           coalesce(sum(p.amount) filter (where not w.target and p.layer = 'R'), 0) as freed,
           coalesce(sum(p.amount) filter (where not w.target and p.layer = 'P'), 0) as posted
      from x
      cross join lateral (values (x.target_at, true), (x.at, false)) w (at, target)
      cross join lateral (select * from posting where book_id = p_book and recorded_at = w.at order by line) p
     group by 1, 2, 3
  ), sums as (
    select m.place, bool_and(m.target = m.posted) as mirror, bool_and(m.target = m.freed and m.posted <= m.target) as within
      from m group by 1
  )
  select case
           when x.target_at is null then 'target'
           when x.reverses and x.target_kind not in ('posted', 'post_pending') then 'not reversible'
           when x.reverses and not s.mirror then 'not the mirror'
           when x.reverses then null
           when x.target_kind <> 'pending' then 'not pending'
           when (x.kind = 'expire_pending') <> coalesce(x.target_expires_at <= x.at, false) then 'expiry'
           when not s.within then 'exceeds pending'  -- all that was held is released, and no more than that is posted
         end
    into wrong
    from x left join sums s on s.place = x.place
   order by 1
   limit 1;
  return wrong;
end $$;
-- +goose StatementEnd

-- What is recorded under some ids, a row a line, and whether it has been
-- resolved or reversed. By the primary keys, as check_links.
-- +goose StatementBegin
create or replace function ledger.known(p_tenant uuid, p_entity text, p_ids uuid[])
  returns table (journal ledger.journal, resolved boolean, reversed boolean, posting ledger.posting, code text, currency text)
  language plpgsql stable
  set search_path = ledger, pg_temp
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_sort = off as $$
#variable_conflict use_column
begin
  return query
    select j.whole, exists (select from journal_link l where l.book_id = k.book_id and l.target = j.id and l.relation = 'resolves'),
           exists (select from journal_link l where l.book_id = k.book_id and l.target = j.id and l.relation = 'reverses'),
           p.whole, a.code, a.currency
      from book b
      cross join (select distinct id from unnest(p_ids) as id) i
      cross join lateral (select * from journal_key where book_id = b.id and journal_key.id = i.id limit 1) k
      cross join lateral (
        select x as whole, x.id, x.seq from journal x
         where x.book_id = k.book_id and x.seq between k.seq and k.seq and x.recorded_at = k.recorded_at order by x.seq) j
      cross join lateral (
        select x as whole, x.line, x.account_id from posting x
         where x.book_id = k.book_id and x.recorded_at = k.recorded_at order by x.line) p
      join account a on a.id = p.account_id
     where b.tenant_id = p_tenant and b.entity = p_entity
     order by j.seq, p.line;
end $$;
-- +goose StatementEnd

-- The door of the release before: the same batch in an array a column.
drop function ledger.post_batch(uuid, integer, bigint, bigint, bytea, timestamptz, uuid[], text[], uuid[], uuid[], timestamptz[], date[], date[], text[],
  text[], text[], text[], text[], text[], text[], bytea[], integer[], smallint[], bigint[], text[], integer[], smallint[], bigint[], bigint[], bigint[], bigint[]);
create function ledger.post_batch(
  p_tenant uuid, p_book integer, p_version bigint, p_seq bigint, p_hash bytea, p_at timestamptz, t_id uuid[], t_kind text[], t_resolves uuid[],
  t_reverses uuid[], t_expires_at timestamptz[], t_effective_on date[], t_period date[], t_purpose text[], t_actor text[], t_reason text[],
  t_saga_id text[], t_order_ref text[], t_document text[], t_approval_id text[], t_hash bytea[], l_of integer[], l_line smallint[],
  l_account bigint[], l_name text[], l_prev integer[], l_layer smallint[], l_amount bigint[], l_posted bigint[], l_held_debits bigint[],
  l_held_credits bigint[])
  returns bigint
  language sql
  set search_path = ledger, pg_temp as $$
  select post_batch(p_tenant, p_book, p_version, p_seq, p_hash, p_at,
    (select array_agg(row(u.id, u.period, u.effective_on, u.hash, u.kind, u.purpose, u.actor, u.reason, u.saga_id, u.order_ref, u.document, u.approval_id,
                          u.resolves, u.reverses, u.expires_at)::door_transaction order by u.place)
       from unnest(t_id, t_kind, t_resolves, t_reverses, t_expires_at, t_effective_on, t_period, t_purpose, t_actor, t_reason,
                   t_saga_id, t_order_ref, t_document, t_approval_id, t_hash)
            with ordinality as u (id, kind, resolves, reverses, expires_at, effective_on, period, purpose, actor, reason,
                   saga_id, order_ref, document, approval_id, hash, place)),
    (select array_agg(row(u.account, u.amount, u.posted, u.held_debits, u.held_credits, u.debits, u.of, u.prev,
                          case when u.place = u.last then u.first else 0 end, u.line, u.layer, u.name)::door_line order by u.place)
       from (select x.*, min(x.place) over account as first, max(x.place) over account as last,
                    sum(case when x.layer = 0 and x.amount > 0 then x.amount else 0 end) over (account order by x.place) as debits
               from unnest(l_of, l_line, l_account, l_name, l_prev, l_layer, l_amount, l_posted, l_held_debits, l_held_credits)
                    with ordinality as x (of, line, account, name, prev, layer, amount, posted, held_debits, held_credits, place)
             window account as (partition by x.account)) u))
$$;

-- What the door keeps for each row is not kept a second time: a statement
-- would read all of it from the catalogue before it writes its first row.
alter table ledger.journal
  drop constraint journal_kind_known, drop constraint journal_resolves_when_due, drop constraint journal_reverses_posted,
  drop constraint journal_expiry_of_pending, drop constraint journal_id_given, drop constraint journal_manual_is_approved,
  drop constraint journal_period_is_month, drop constraint journal_purpose_length, drop constraint journal_actor_length,
  drop constraint journal_reason_length;
alter table ledger.posting
  drop constraint posting_side_known, drop constraint posting_layer_known, drop constraint posting_amount_positive,
  drop constraint posting_held_not_negative;

-- The head moves with every batch, and what does not move with it is looked at
-- when it does. Its hash is the one that the door has computed.
-- +goose StatementBegin
create function ledger.guard_book() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if (new.entity ~ '^[a-z0-9][a-z0-9_-]{0,62}$') is not true then
    raise exception 'the entity % has the wrong shape', new.entity using errcode = '23514', constraint = 'book_entity_shape';
  end if;
  if (octet_length(new.hash) = 32 and octet_length(new.genesis) = 32) is not true then
    raise exception 'a hash has 32 bytes' using errcode = '23514', constraint = 'book_hash_length';
  end if;
  if extract(day from new.closed_through) <> 1 or extract(day from new.soft_closed_through) <> 1 then
    raise exception 'a period is the first day of its month' using errcode = '23514', constraint = 'book_periods_are_months';
  end if;
  return new;
end $$;
-- +goose StatementEnd
create trigger book_shape before insert or update of entity, genesis, closed_through, soft_closed_through on ledger.book
  for each row execute function ledger.guard_book();
alter table ledger.book enable always trigger book_shape;
alter table ledger.book
  drop constraint book_entity_shape, drop constraint book_hash_length, drop constraint book_periods_are_months;

-- Asked once for each statement that writes: without a search path of its own,
-- which costs more than the answer.
-- +goose StatementBegin
create or replace function ledger.door_only() returns trigger
  language plpgsql as $$
begin
  if current_user operator(pg_catalog.<>) 'ledger_owner'
     or coalesce(pg_catalog.current_setting('ledger.door', true), '') operator(pg_catalog.<>) 'open' then
    raise exception '% on %.% is refused: only the ledger''s own functions write here', tg_op, tg_table_schema, tg_table_name
      using errcode = '42501';
  end if;
  return null;
end $$;
-- +goose StatementEnd

revoke all on function ledger.guard_book(),
  ledger.post_batch(uuid, integer, bigint, bigint, bytea, timestamptz, ledger.door_transaction[], ledger.door_line[]),
  ledger.post_batch(uuid, integer, bigint, bigint, bytea, timestamptz, uuid[], text[], uuid[], uuid[], timestamptz[], date[], date[], text[],
    text[], text[], text[], text[], text[], text[], bytea[], integer[], smallint[], bigint[], text[], integer[], smallint[], bigint[],
    bigint[], bigint[], bigint[]) from public;
grant execute on function
  ledger.post_batch(uuid, integer, bigint, bigint, bytea, timestamptz, ledger.door_transaction[], ledger.door_line[]),
  ledger.post_batch(uuid, integer, bigint, bigint, bytea, timestamptz, uuid[], text[], uuid[], uuid[], timestamptz[], date[], date[], text[],
    text[], text[], text[], text[], text[], text[], bytea[], integer[], smallint[], bigint[], text[], integer[], smallint[], bigint[],
    bigint[], bigint[], bigint[]) to app_api, app_worker;
reset role;
