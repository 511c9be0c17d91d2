-- Keeps what the documents of a transfer are made from.
-- name: AddT3 :exec
insert into custody.t3 (tenant_id, saga_id, seller_id, buyer_id, facts, xml_sha256)
values (@tenant_id, @saga_id, @seller_id, @buyer_id, @facts, @xml_sha256);
