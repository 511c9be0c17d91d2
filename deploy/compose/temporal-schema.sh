#!/bin/sh
# Brings both of Temporal's databases to the schema its server image expects.
set -eu

for name in temporal visibility; do
  database=temporal
  [ "$name" = visibility ] && database=temporal_visibility
  temporal-sql-tool --db "$database" setup-schema -v 0.0 || true # already there on a second run
  temporal-sql-tool --db "$database" update-schema -d "/etc/temporal/schema/postgresql/v12/$name/versioned"
done
