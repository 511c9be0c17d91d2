-- The door. Written by hand in Go because arrays here have null elements.
select ord, id, coalesce(seq, 0), outcome, coalesce(detail, '')
  from ledger.post($1, $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::date[], $8::text[], $9::text[],
                   $10::text[], $11::text[], $12::text[], $13::bytea[],
                   $14::integer[], $15::text[], $16::text[], $17::text[], $18::bigint[])
