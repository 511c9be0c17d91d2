select bytes from custody.document_part where chain_id = $1 and document = $2 and part = $3
