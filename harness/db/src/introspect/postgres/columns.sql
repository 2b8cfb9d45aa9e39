SELECT 'pg_class'::regclass::oid, a.attrelid, a.attnum::int4, r.kind, r.namespace, r.name, 'column', a.attname::text,
    json_build_object(
        'type', format_type(a.atttypid, a.atttypmod),
        'not null', a.attnotnull,
        'identity', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END,
        'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
        'generated', CASE a.attgenerated
            WHEN 's' THEN '(' || pg_get_expr(d.adbin, d.adrelid) || ') stored'
            WHEN 'v' THEN '(' || pg_get_expr(d.adbin, d.adrelid) || ') virtual'
        END,
        'collate', CASE WHEN a.attcollation <> t.typcollation AND a.attcollation <> 0 THEN
            a.attcollation::regcollation::text
        END,
        'options', CASE WHEN a.attoptions IS NOT NULL OR a.attfdwoptions IS NOT NULL OR a.attstattarget >= 0 OR {attcompression} <> ''
            OR (a.attstorage <> t.typstorage AND r.kind = 'table')
        THEN (
            SELECT array_agg(o.option ORDER BY o.option COLLATE "C")
            FROM (
                SELECT unnest(a.attoptions)
                UNION ALL SELECT unnest(a.attfdwoptions)
                UNION ALL SELECT 'statistics=' || a.attstattarget WHERE a.attstattarget >= 0
                UNION ALL SELECT 'compression=' || CASE {attcompression} WHEN 'p' THEN 'pglz' ELSE 'lz4' END
                    WHERE {attcompression} <> ''
                UNION ALL SELECT 'storage=' || CASE a.attstorage
                        WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended'
                    END
                    WHERE a.attstorage <> t.typstorage
            ) o (option)) END
    )::text
FROM relation r
JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum

UNION ALL
-- The sequences of identities, where they are not the ordinary ones.
SELECT 'pg_class'::regclass::oid, d.refobjid, d.refobjsubid, NULL, NULL, NULL, NULL, NULL,
    json_build_object(
        'start', CASE
            WHEN q.seqstart <> CASE WHEN q.seqincrement > 0 THEN q.seqmin ELSE q.seqmax END THEN q.seqstart::text
        END,
        'increment', CASE WHEN q.seqincrement <> 1 THEN q.seqincrement::text END,
        'minimum', CASE WHEN q.seqmin <> usual.lowest THEN q.seqmin::text END,
        'maximum', CASE WHEN q.seqmax <> usual.highest THEN q.seqmax::text END,
        'cache', CASE WHEN q.seqcache <> 1 THEN q.seqcache::text END,
        'cycle', q.seqcycle
    )::text
FROM pg_sequence q
CROSS JOIN LATERAL (
    SELECT
        CASE WHEN q.seqincrement > 0 THEN 1 ELSE CASE q.seqtypid
            WHEN 'int2'::regtype THEN -32768 WHEN 'int4'::regtype THEN -2147483648 ELSE -9223372036854775808
        END END AS lowest,
        CASE WHEN q.seqincrement < 0 THEN -1 ELSE CASE q.seqtypid
            WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 ELSE 9223372036854775807
        END END AS highest
) usual
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = q.seqrelid
    AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'i'
WHERE (
        q.seqmin <> usual.lowest OR q.seqmax <> usual.highest OR q.seqincrement <> 1 OR q.seqcache <> 1 OR q.seqcycle
        OR q.seqstart <> CASE WHEN q.seqincrement > 0 THEN q.seqmin ELSE q.seqmax END
    )
    {scope:q.seqrelid}
