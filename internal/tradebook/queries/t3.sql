-- What the documents of a transfer are made from.
-- name: T3 :one
select t.seller_id, t.buyer_id, t.facts, t.xml_sha256, t.created_at from custody.t3 t where t.tenant_id = @tenant_id and t.saga_id = @saga_id;
