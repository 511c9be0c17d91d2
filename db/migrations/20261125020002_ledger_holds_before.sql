-- +goose Up
-- Holds from before the list of holds. In a transaction of its own: the journal
-- is read from end to end, and by now nobody waits for that. The owner of the
-- books sees one tenant's at a time; who the tenants are is not its to see.
-- +goose StatementBegin
do $$
declare
  tenants uuid[];
  one     uuid;
begin
  set local role recourse_owner;
  select array_agg(t.id) into tenants from app.tenant t;
  set local role ledger_owner;
  perform set_config('ledger.door', 'open', true);
  foreach one in array coalesce(tenants, '{}') loop
    perform set_config('app.tenant', one::text, true);
    insert into ledger.hold (expires_at, tenant_id, id, book_id, entity, saga_id, order_ref)
    select j.expires_at, b.tenant_id, j.id, b.id, b.entity, j.saga_id, j.order_ref
      from ledger.book b join ledger.journal j on j.book_id = b.id
     where b.tenant_id = one and j.kind = 'pending' and j.expires_at is not null
       and not exists (select from ledger.journal_link l where l.book_id = b.id and l.target = j.id and l.relation = 'resolves')
    on conflict on constraint hold_pkey do nothing;
  end loop;
  perform set_config('ledger.door', '', true), set_config('app.tenant', '', true);
end $$;
-- +goose StatementEnd
set role ledger_owner;
reset role;
