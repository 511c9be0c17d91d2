-- +goose NO TRANSACTION
-- +goose Up
-- Whose time may be over is found by the day it began, without reading what is
-- still to be kept. One that was left unfinished is made again.
set role custody_owner;
set lock_timeout = 0;
drop index concurrently if exists custody.retention_starts_idx;
create index concurrently retention_starts_idx on custody.retention (chain_id, starts_on, subject);
reset lock_timeout;
reset role;
