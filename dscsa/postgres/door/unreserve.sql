select custody.unreserve($1, $2)
