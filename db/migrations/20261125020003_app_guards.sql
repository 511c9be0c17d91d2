-- +goose Up
-- The guards of sagas and their steps hold in every session, as those of
-- approvals and of the books do: also where triggers are said to be off.
set role recourse_owner;
alter table app.saga      enable always trigger saga_guard;
alter table app.saga      enable always trigger saga_no_delete;
alter table app.saga_step enable always trigger saga_step_guard;
alter table app.saga_step enable always trigger saga_step_no_delete;
reset role;
