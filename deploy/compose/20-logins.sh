#!/bin/sh
# Gives the roles of roles.sql their passwords and Temporal its own two
# databases, which no role of ours can reach and whose role reaches none of ours.
set -eu

psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  --set migrator="$MIGRATOR_PASSWORD" --set api="$API_PASSWORD" \
  --set worker="$WORKER_PASSWORD" --set sealer="$SEALER_PASSWORD" \
  --set temporal="$TEMPORAL_PASSWORD" <<'SQL'
alter role migrator password :'migrator';
alter role app_api password :'api';
alter role app_worker password :'worker';
alter role sealer password :'sealer';
create role temporal login password :'temporal';
create database temporal owner temporal;
create database temporal_visibility owner temporal;
revoke all on database temporal, temporal_visibility from public;
SQL
