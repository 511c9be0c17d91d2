-- Every change of a saga begins here: one writer at a time, also against the
-- cancel route. It is a statement of its own because what follows must be read
-- with a snapshot taken after the wait.
-- name: Lock :exec
select from app.saga
 where tenant_id = @tenant_id and id = @saga_id
   for no key update;
