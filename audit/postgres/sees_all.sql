-- Does row-level security show this role every log?
select (r.rolsuper or r.rolbypassrls or pg_has_role(r.oid, 'auditor_ro', 'usage'))::boolean as sees_all from pg_roles r where r.rolname = current_user;
