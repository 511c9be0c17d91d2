-- Does row-level security show this role every chain?
select r.rolsuper or r.rolbypassrls or pg_has_role(r.oid, 'auditor_ro', 'usage') from pg_roles r where r.rolname = current_user
