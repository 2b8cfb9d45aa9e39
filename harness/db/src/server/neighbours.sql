-- Each object with its attributes in words, how to take it back if a revision made it, and what no other
-- object has, whatever it is called by now.
WITH other AS (
    SELECT * FROM pg_database WHERE datname !~ '^switchback_[0-9a-f]{12}_'
)
SELECT format('role "%s"', rolname) AS name, concat_ws(', ',
        CASE WHEN rolsuper THEN 'superuser' END,
        CASE WHEN NOT rolinherit THEN 'noinherit' END,
        CASE WHEN rolcreaterole THEN 'createrole' END,
        CASE WHEN rolcreatedb THEN 'createdb' END,
        CASE WHEN rolcanlogin THEN 'login' ELSE 'nologin' END,
        CASE WHEN rolreplication THEN 'replication' END,
        CASE WHEN rolbypassrls THEN 'bypassrls' END,
        CASE WHEN rolconnlimit <> -1 THEN format('connection limit %s', rolconnlimit) END,
        'valid until ' || (rolvaliduntil AT TIME ZONE 'UTC'),
        'comment ' || quote_literal(shobj_description(oid, 'pg_authid'))) AS attributes,
        5 AS turn, format('DROP ROLE IF EXISTS %I', rolname) AS undo,
        oid::bigint AS oid, format('role %s %s', oid, written) AS identity
    FROM {roles} AS roles WHERE rolname !~ '^pg_'
UNION ALL SELECT format('membership of "%s" in "%s"', pg_get_userbyid(m.member), pg_get_userbyid(m.roleid)),
        -- Which options there are depends on the version; a role may be a member by several grants.
        string_agg(concat_ws(', ', 'admin ' || m.admin_option,
            'inherit ' || (to_jsonb(m) ->> 'inherit_option'),
            'set ' || (to_jsonb(m) ->> 'set_option')), '; ' ORDER BY to_jsonb(m)::text),
        2, format('REVOKE %s FROM %s', m.roleid::regrole, m.member::regrole),
        NULL, format('membership %s %s', m.roleid, m.member)
    FROM pg_auth_members m GROUP BY m.member, m.roleid
UNION ALL SELECT format('database "%s"', d.datname), concat_ws(', ',
        format('owner "%s"', pg_get_userbyid(d.datdba)), pg_encoding_to_char(d.encoding),
        d.datcollate, d.datctype, format('tablespace "%s"', t.spcname),
        CASE WHEN d.datistemplate THEN 'template' END,
        CASE WHEN NOT d.datallowconn THEN 'closed' END,
        CASE WHEN d.datconnlimit <> -1 THEN format('connection limit %s', d.datconnlimit) END,
        'privileges ' || array_to_string(d.datacl, ' '),
        'comment ' || quote_literal(shobj_description(d.oid, 'pg_database'))),
        4, format('DROP DATABASE IF EXISTS %I WITH (FORCE)', d.datname),
        d.oid::bigint, format('database %s', d.oid)
    FROM other d JOIN pg_tablespace t ON t.oid = d.dattablespace
UNION ALL SELECT format('tablespace "%s"', spcname), concat_ws(', ',
        format('owner "%s"', pg_get_userbyid(spcowner)),
        'location ' || nullif(pg_tablespace_location(oid), ''),
        'options ' || array_to_string(spcoptions, ' '),
        'privileges ' || array_to_string(spcacl, ' '),
        'comment ' || quote_literal(shobj_description(oid, 'pg_tablespace'))),
        4, format('DROP TABLESPACE IF EXISTS %I', spcname), oid::bigint, format('tablespace %s', oid)
    FROM pg_tablespace
UNION ALL SELECT concat_ws(' ', 'settings of',
        'role "' || r.rolname || '"', 'database "' || d.datname || '"'),
        array_to_string(s.setconfig, ', '),
        3, CASE WHEN r.oid IS NULL THEN format('ALTER DATABASE %I RESET ALL', d.datname)
            WHEN d.oid IS NULL THEN format('ALTER ROLE %I RESET ALL', r.rolname)
            ELSE format('ALTER ROLE %I IN DATABASE %I RESET ALL', r.rolname, d.datname) END,
        NULL, format('settings %s %s', s.setrole, s.setdatabase)
    FROM pg_db_role_setting s
    LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN other d ON d.oid = s.setdatabase
    WHERE s.setdatabase = 0 OR d.oid IS NOT NULL
UNION ALL SELECT format('subscription "%s"', s.subname), format('in database "%s"', d.datname),
        0, NULL, NULL, format('subscription %s', s.oid)
    FROM pg_subscription s JOIN other d ON d.oid = s.subdbid
UNION ALL SELECT format('replication slot "%s"', slot_name),
        concat_ws(', ', slot_type, plugin::text),
        1, format('SELECT pg_drop_replication_slot(%L)', slot_name), NULL, format('slot %s', slot_name)
    FROM pg_replication_slots WHERE NOT temporary
UNION ALL SELECT format('replication origin "%s"', roname), '',
        1, format('SELECT pg_replication_origin_drop(%L)', roname), NULL, format('origin %s', roident)
    FROM pg_replication_origin
    -- The others belong to subscriptions.
    WHERE roname !~ '^pg_[0-9]+'
