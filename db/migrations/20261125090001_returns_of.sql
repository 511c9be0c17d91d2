-- +goose NO TRANSACTION
-- +goose Up
-- The returns of a transfer, found by the transfer. One that an interrupted
-- attempt left half-made is made anew.
set role recourse_owner;
drop index concurrently if exists app.saga_returns_of_idx;
create index concurrently saga_returns_of_idx on app.saga (tenant_id, (request ->> 'of')) where type = 'return';
reset role;
