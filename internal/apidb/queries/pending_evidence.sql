-- What is proposed about companies and can still be decided, oldest first.
-- name: PendingEvidence :many
select a.id, a.payload, a.maker, a.made_at
  from app.approval a
 where a.tenant_id = @tenant_id and a.action = 'partner.evidence' and a.decision is null and a.expires_at > clock_timestamp()
   and a.payload ->> 'partner' = any (@partners::text[])
 order by a.made_at, a.id;
