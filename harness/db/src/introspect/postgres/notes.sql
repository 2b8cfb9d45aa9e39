-- Comments, on whatever the other queries have found.
SELECT d.classoid, d.objoid, d.objsubid, NULL, NULL, NULL, NULL, NULL, json_build_object('comment', d.description)::text
FROM pg_description d
WHERE d.objoid >= 16384 AND d.classoid <> 'pg_extension'::regclass {part:d.objoid}

UNION ALL
SELECT d.classoid, d.objoid, d.objsubid, NULL, NULL, NULL, NULL, NULL, json_build_object('comment', d.description)::text
FROM space s
JOIN pg_description d ON d.objoid = s.oid AND d.classoid = 'pg_namespace'::regclass
WHERE s.oid < 16384 AND d.description <> 'standard public schema' {part:d.objoid}

UNION ALL
-- Owners other than the reading role, and privileges other than those that a new object has.
SELECT a.class, a.oid, a.sub, NULL, NULL, NULL, NULL, NULL,
    json_build_object(
        'owner', CASE WHEN a.owner <> me.oid AND a.has_owner THEN pg_get_userbyid(a.owner) END,
        'privileges', CASE WHEN a.acl IS NOT NULL THEN (
            WITH now AS (
                SELECT grantee, array_agg(DISTINCT privilege_type ORDER BY privilege_type) AS held,
                    array_agg(DISTINCT privilege_type ORDER BY privilege_type) FILTER (WHERE is_grantable) AS grantable
                FROM aclexplode(a.acl) GROUP BY grantee
            ),
            usual AS (
                SELECT grantee, array_agg(DISTINCT privilege_type ORDER BY privilege_type) AS held
                FROM aclexplode(a.usual) GROUP BY grantee
            ),
            every AS (
                SELECT array_agg(DISTINCT privilege_type ORDER BY privilege_type) AS held
                FROM aclexplode(acldefault(a.kind, a.owner)) WHERE grantee = a.owner
            )
            SELECT array_agg(
                CASE WHEN grantee = 0 THEN 'PUBLIC' WHEN grantee = a.owner THEN 'owner' ELSE pg_get_userbyid(grantee) END
                || ': '
                || CASE
                    WHEN now.held IS NULL THEN 'none'
                    WHEN now.held = every.held AND now.grantable IS NULL THEN 'ALL'
                    WHEN now.held = every.held AND now.grantable = now.held THEN 'ALL with grant option'
                    -- What there is to hold differs between versions; what an owner gave up does not.
                    WHEN grantee = a.owner AND now.grantable IS NULL THEN 'all but ' || (
                        SELECT string_agg(one, ', ' ORDER BY one) FROM unnest(every.held) one WHERE one <> ALL (now.held)
                    )
                    ELSE (
                        SELECT string_agg(
                            one || CASE WHEN one = ANY (now.grantable) THEN ' with grant option' ELSE '' END, ', ' ORDER BY one
                        )
                        FROM unnest(now.held) one
                    )
                END
                ORDER BY grantee <> a.owner, grantee <> 0, pg_get_userbyid(grantee) COLLATE "C"
            )
            FROM now FULL JOIN usual USING (grantee) CROSS JOIN every
            WHERE now.held IS DISTINCT FROM usual.held OR now.grantable IS NOT NULL
        ) END
    )::text
FROM (SELECT oid FROM pg_roles WHERE rolname = current_user) me
CROSS JOIN (
    SELECT 'pg_class'::regclass::oid AS class, c.oid, 0 AS sub, k.kind, c.relowner AS owner, true AS has_owner,
        c.relacl AS acl, acldefault(k.kind, c.relowner) AS usual
    FROM pg_class c
    CROSS JOIN LATERAL (SELECT CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END AS kind) k
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.oid >= 16384 {scope:c.oid}
    UNION ALL
    SELECT 'pg_class'::regclass, a.attrelid, a.attnum, 'c', 0, false, a.attacl, acldefault('c', 0)
    FROM pg_attribute a
    WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND a.attrelid >= 16384 {scope:a.attrelid}
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, 0, 'f', p.proowner, true, p.proacl, acldefault('f', p.proowner)
    FROM pg_proc p
    WHERE p.oid >= 16384 {scope:p.oid}
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, 0, 'T', t.typowner, true, t.typacl, acldefault('T', t.typowner)
    FROM pg_type t
    WHERE t.oid >= 16384 {scope:t.oid}
    UNION ALL
    -- The bootstrap superuser owns public until version 14, pg_database_owner since.
    SELECT 'pg_namespace'::regclass, n.oid, 0, 'n', n.nspowner, n.nspname <> 'public' OR n.nspowner NOT IN (10, 6171),
        coalesce(n.nspacl, acldefault('n', n.nspowner)),
        acldefault('n', n.nspowner) || CASE WHEN n.nspname = 'public' THEN {public_privileges} ELSE '{}' END
    FROM pg_namespace n
    WHERE true {scope:n.oid}
    UNION ALL
    SELECT 'pg_language'::regclass, l.oid, 0, 'l', l.lanowner, true, l.lanacl, acldefault('l', l.lanowner)
    FROM pg_language l
    WHERE l.oid >= 16384 {scope:l.oid}
    UNION ALL
    SELECT 'pg_foreign_server'::regclass, s.oid, 0, 'S', s.srvowner, true, s.srvacl, acldefault('S', s.srvowner)
    FROM pg_foreign_server s
    WHERE true {scope:s.oid}
    UNION ALL
    SELECT 'pg_foreign_data_wrapper'::regclass, f.oid, 0, 'F', f.fdwowner, true, f.fdwacl, acldefault('F', f.fdwowner)
    FROM pg_foreign_data_wrapper f
    WHERE true {scope:f.oid}
    UNION ALL
    SELECT 'pg_default_acl'::regclass, d.oid, 0, k.kind, d.defaclrole, false, d.defaclacl,
        CASE WHEN d.defaclnamespace = 0 THEN acldefault(k.kind, d.defaclrole) ELSE acldefault('c', 0) END
    FROM pg_default_acl d
    CROSS JOIN LATERAL (SELECT CASE d.defaclobjtype WHEN 'S' THEN 's'::"char" ELSE d.defaclobjtype END AS kind) k
    WHERE true {scope:d.oid}
) a
WHERE (a.acl IS NOT NULL AND a.acl IS DISTINCT FROM a.usual) OR (a.owner <> me.oid AND a.has_owner)
