-- What the current role could reach outside a schema of its own: a verb phrase per hole. Schemas
-- of Switchback's runs don't count.
WITH me AS (SELECT * FROM pg_roles WHERE rolname = current_user),
other AS (
    SELECT oid, nspname FROM pg_namespace
    WHERE nspname !~ '^switchback_[0-9a-f]{12}_' AND nspname !~ '^pg_(toast|temp|toast_temp)(_|$)'
      AND nspname NOT IN ('pg_catalog', 'information_schema')
)
SELECT 'is a superuser' FROM me WHERE rolsuper
UNION ALL SELECT 'may create roles' FROM me WHERE rolcreaterole
UNION ALL SELECT 'may create databases' FROM me WHERE rolcreatedb
UNION ALL SELECT 'may replicate' FROM me WHERE rolreplication
UNION ALL SELECT 'bypasses row security' FROM me WHERE rolbypassrls
UNION ALL SELECT format('is a member of role "%s"', r.rolname)
    FROM pg_auth_members m JOIN me ON me.oid = m.member JOIN pg_roles r ON r.oid = m.roleid
UNION ALL SELECT format('may not create a schema in database "%s"', current_database())
    WHERE NOT has_database_privilege(current_database(), 'CREATE')
UNION ALL SELECT format('owns %s', pg_describe_object(d.classid, d.objid, d.objsubid))
    FROM pg_shdepend d JOIN me ON d.refclassid = 'pg_authid'::regclass AND d.refobjid = me.oid
    CROSS JOIN pg_identify_object(d.classid, d.objid, d.objsubid) AS o
    WHERE d.deptype = 'o'
      AND d.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
      AND coalesce(o.schema, o.name, '') !~ '^switchback_[0-9a-f]{12}_'
      AND coalesce(o.schema, '') !~ '^pg_(toast|temp)'
UNION ALL SELECT format('may create in schema "%s"', nspname)
    FROM other WHERE has_schema_privilege(oid, 'CREATE')
UNION ALL SELECT format('may write to %s', c.oid::regclass)
    FROM pg_class c JOIN other n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'f', 'm') AND has_schema_privilege(n.oid, 'USAGE')
      AND (has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER, REFERENCES')
        OR has_any_column_privilege(c.oid, 'INSERT, UPDATE, REFERENCES'))
UNION ALL SELECT format('may advance %s', c.oid::regclass)
    FROM pg_class c JOIN other n ON n.oid = c.relnamespace
    WHERE has_schema_privilege(n.oid, 'USAGE')
      -- In this order, as the function refuses whatever is no sequence.
      AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege(c.oid, 'USAGE, UPDATE') END
UNION ALL SELECT format('may run %s as its owner', p.oid::regprocedure)
    FROM pg_proc p JOIN other n ON n.oid = p.pronamespace
    WHERE p.prosecdef AND has_schema_privilege(n.oid, 'USAGE')
      AND has_function_privilege(p.oid, 'EXECUTE')
