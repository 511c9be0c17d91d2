-- What a buyer usually takes of a product: the median quantity of its transfers
-- in the 180 days before now, and how many they were.
-- name: Median :one
select coalesce(percentile_disc(0.5) within group (order by l.quantity), 0)::integer as quantity, count(*)::integer as transfers
  from custody.t3_line l
 where l.tenant_id = @tenant_id and l.buyer_id = @buyer_id and l.gtin = @gtin
   and l.created_at > clock_timestamp() - interval '180 days';
