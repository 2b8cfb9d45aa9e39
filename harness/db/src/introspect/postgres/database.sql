-- The default namespace is there anyway; it counts when something is unusual about it.
SELECT 'pg_namespace'::regclass::oid, s.oid, 0, 'schema', NULL, s.nspname::text, NULL, NULL, '{}'
FROM space s
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_namespace'::regclass AND m.objid = s.oid)

UNION ALL
SELECT 'pg_namespace'::regclass::oid, 0::oid, 0, 'schema', NULL, $1, NULL, NULL, '{"invalid":"dropped"}'
WHERE NOT EXISTS (SELECT FROM space WHERE name IS NULL)

UNION ALL
-- The version and the comment of an extension count where they are not those that the server would
-- give it.
SELECT 'pg_extension'::regclass::oid, e.oid, 0, 'extension', NULL, e.extname::text, NULL, NULL,
    json_build_object(
        'on', CASE WHEN n.nspname <> $1 THEN 'schema ' || quote_ident(n.nspname) END,
        'value', CASE WHEN a.default_version <> e.extversion THEN e.extversion END,
        'comment', CASE WHEN a.comment IS DISTINCT FROM d.description THEN coalesce(d.description, 'none') END
    )::text
FROM pg_extension e
JOIN pg_namespace n ON n.oid = e.extnamespace
LEFT JOIN LATERAL (SELECT * FROM pg_available_extensions() a WHERE a.name = e.extname) a ON true
LEFT JOIN pg_description d ON d.classoid = 'pg_extension'::regclass AND d.objoid = e.oid
WHERE e.extname <> 'plpgsql'

UNION ALL
SELECT 'pg_extension'::regclass::oid, 0::oid, 0, 'extension', NULL, 'plpgsql', NULL, NULL, '{"invalid":"dropped"}'
WHERE NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'plpgsql')

UNION ALL
SELECT 'pg_publication'::regclass::oid, p.oid, 0, 'publication', NULL, p.pubname::text, NULL, NULL,
    json_build_object(
        'tables', CASE WHEN p.puballtables THEN ARRAY['all tables'] ELSE ARRAY(
            SELECT r.prrelid::regclass
                || coalesce(' (' || (
                    SELECT string_agg(n.names[attnum], ', ' ORDER BY attnum) FROM unnest({prattrs}) attnum
                ) || ')', '')
                || coalesce(' WHERE ' || pg_get_expr({prqual}, r.prrelid), '')
            FROM pg_publication_rel r
            LEFT JOIN named n ON n.attrelid = r.prrelid
            WHERE r.prpubid = p.oid
            {publication_schemas}
            ORDER BY 1
        ) END,
        'properties', array_remove(ARRAY[
            CASE WHEN NOT (p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate) THEN 'publish ' || concat_ws(', ',
                CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
                CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END
            ) END,
            CASE WHEN p.pubviaroot THEN 'via partition root' END,
            {pubgencols}
        ], NULL)
    )::text
FROM pg_publication p

UNION ALL
SELECT 'pg_event_trigger'::regclass::oid, e.oid, 0, 'event trigger', NULL, e.evtname::text, NULL, NULL,
    json_build_object(
        'events', e.evtevent,
        'when', 'tag in (' || (SELECT string_agg(quote_literal(tag), ', ' ORDER BY tag) FROM unnest(e.evttags) tag) || ')',
        'calls', e.evtfoid::regproc || '()',
        'enabled', CASE e.evtenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END
    )::text
FROM pg_event_trigger e
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_event_trigger'::regclass AND m.objid = e.oid)
