-- The chain's hashes after one sequence up to another.
select seq, hash from audit.action where chain_id = $1 and seq > $2 and seq <= $3 order by seq
