-- The door. Written by hand in Go because arrays here have null elements.
select ledger.post_batch($1, $2, $3, $4, $5, $6, $7::uuid[], $8::text[], $9::uuid[], $10::uuid[], $11::timestamptz[], $12::date[], $13::date[],
                         $14::text[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::bytea[],
                         $22::integer[], $23::smallint[], $24::bigint[], $25::text[], $26::integer[], $27::smallint[], $28::bigint[],
                         $29::bigint[], $30::bigint[], $31::bigint[])
