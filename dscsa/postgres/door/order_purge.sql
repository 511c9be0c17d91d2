select custody.order_purge($1, $2, $3)
