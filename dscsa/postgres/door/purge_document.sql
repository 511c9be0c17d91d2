select custody.purge_document($1, $2, $3)
