SELECT 'pg_type'::regclass::oid, t.oid, 0, 'type', s.name, t.typname::text, NULL, NULL,
    json_build_object(
        'variety', CASE WHEN NOT t.typisdefined THEN 'shell' ELSE
            CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'c' THEN 'composite' WHEN 'r' THEN 'range' ELSE 'base' END
        END,
        'type', CASE t.typtype
            WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod)
            WHEN 'r' THEN (SELECT format_type(g.rngsubtype, NULL) FROM pg_range g WHERE g.rngtypid = t.oid)
        END,
        'not null', t.typnotnull,
        'default', CASE WHEN t.typtype = 'd' THEN pg_get_expr(t.typdefaultbin, 0) END,
        'collate', CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation THEN t.typcollation::regcollation::text END,
        'properties', CASE
            WHEN t.typtype = 'r' THEN (
                SELECT array_remove(ARRAY[
                    CASE WHEN NOT o.opcdefault THEN 'subtype_opclass ' || quote_ident(o.opcname) END,
                    CASE WHEN g.rngcollation <> sub.typcollation THEN 'collation ' || g.rngcollation::regcollation END,
                    CASE WHEN g.rngcanonical <> 0 THEN 'canonical ' || g.rngcanonical END,
                    CASE WHEN g.rngsubdiff <> 0 THEN 'subtype_diff ' || g.rngsubdiff END,
                    {multirange}
                ], NULL)
                FROM pg_range g
                JOIN pg_opclass o ON o.oid = g.rngsubopc
                JOIN pg_type sub ON sub.oid = g.rngsubtype
                WHERE g.rngtypid = t.oid
            )
            WHEN t.typtype = 'b' AND t.typisdefined THEN array_remove(ARRAY[
                'input ' || t.typinput, 'output ' || t.typoutput,
                CASE WHEN t.typreceive <> 0 THEN 'receive ' || t.typreceive END,
                CASE WHEN t.typsend <> 0 THEN 'send ' || t.typsend END,
                'internallength ' || t.typlen, 'alignment ' || t.typalign::text, 'storage ' || t.typstorage::text,
                'category ' || t.typcategory::text, CASE WHEN t.typispreferred THEN 'preferred' END,
                CASE WHEN t.typbyval THEN 'passedbyvalue' END, 'default ' || t.typdefault,
                CASE WHEN t.typelem <> 0 THEN 'element ' || format_type(t.typelem, NULL) END
            ], NULL)
        END,
        'values', CASE t.typtype
            WHEN 'e' THEN (SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)
            WHEN 'c' THEN (
                SELECT array_agg(
                    quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
                        || CASE WHEN a.attcollation <> f.typcollation THEN ' collate ' || a.attcollation::regcollation ELSE '' END
                    ORDER BY a.attnum
                )
                FROM pg_attribute a JOIN pg_type f ON f.oid = a.atttypid
                WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
            )
        END
    )::text
FROM pg_type t
JOIN space s ON s.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
LEFT JOIN pg_type b ON b.oid = t.typbasetype
WHERE t.oid >= 16384
    AND (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c' OR t.typtype = 'b' OR (t.typtype = 'p' AND NOT t.typisdefined))
    AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
    AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_type'::regclass AND m.objid = t.oid)

UNION ALL
SELECT 'pg_constraint'::regclass::oid, k.oid, 0, 'type', s.name, t.typname::text, 'check', k.conname::text,
    json_build_object('expression', pg_get_expr(k.conbin, 0), 'not valid', NOT k.convalidated)::text
FROM pg_constraint k
JOIN pg_type t ON t.oid = k.contypid
JOIN space s ON s.oid = t.typnamespace
WHERE k.contype = 'c'
    AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_type'::regclass AND m.objid = t.oid)

UNION ALL
SELECT 'pg_collation'::regclass::oid, c.oid, 0, 'collation', s.name, c.collname::text, NULL, NULL,
    json_build_object(
        'variety', CASE c.collprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'default' END,
        'value', {locale},
        'properties', CASE WHEN NOT c.collisdeterministic THEN ARRAY['nondeterministic'] END,
        'definition', {icu_rules}
    )::text
FROM pg_collation c
JOIN space s ON s.oid = c.collnamespace
WHERE c.oid >= 16384
    AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_collation'::regclass AND m.objid = c.oid)
