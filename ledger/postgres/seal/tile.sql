select root, hashes from ledger.tile where book_id = $1 and level = $2 and index = $3
