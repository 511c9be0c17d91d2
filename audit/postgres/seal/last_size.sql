-- Size of a chain's last checkpoint, 0 when there is none.
select coalesce(max(size), 0) from audit.checkpoint where chain_id = $1
