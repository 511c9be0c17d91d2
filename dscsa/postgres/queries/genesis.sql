select genesis from custody.chain where tenant_id = $1
