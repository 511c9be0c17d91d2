-- The document of the same bytes.
select seq from custody.document where chain_id = $1 and sha256 = $2
