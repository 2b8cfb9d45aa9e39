-- Tables and views.
SELECT 'pg_class'::regclass::oid, r.oid, 0, r.kind, r.namespace, r.name, NULL::text, NULL::text,
    json_build_object(
        'variety', CASE c.relkind WHEN 'p' THEN 'partitioned' WHEN 'f' THEN 'foreign' END,
        'type', CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END,
        'persistence', CASE WHEN c.relpersistence = 'u' THEN 'unlogged' END,
        'partition by', CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
        'partition of', CASE WHEN c.relispartition THEN (
            SELECT i.inhparent::regclass || ' ' || pg_get_expr(c.relpartbound, c.oid)
                || CASE WHEN {inhdetachpending} THEN ' detach pending' ELSE '' END
            FROM pg_inherits i WHERE i.inhrelid = c.oid
        ) END,
        'inherits', CASE WHEN NOT c.relispartition AND c.relkind IN ('r', 'f') THEN (
            SELECT array_agg(i.inhparent::regclass::text ORDER BY i.inhseqno)
            FROM pg_inherits i WHERE i.inhrelid = c.oid
        ) END,
        'row security', CASE
            WHEN c.relrowsecurity AND c.relforcerowsecurity THEN 'forced'
            WHEN c.relrowsecurity THEN 'enabled'
            WHEN c.relforcerowsecurity THEN 'disabled (forced when enabled)'
        END,
        'replica identity', CASE c.relreplident WHEN 'f' THEN 'full'
            WHEN 'n' THEN CASE WHEN c.relkind IN ('r', 'p') THEN 'nothing' END
            WHEN 'i' THEN (
                SELECT 'index ' || i.indexrelid::regclass
                FROM pg_index i WHERE i.indrelid = c.oid AND i.indisreplident
            )
        END,
        'on', CASE WHEN c.relkind = 'f' THEN (
            SELECT quote_ident(s.srvname)
            FROM pg_foreign_table f JOIN pg_foreign_server s ON s.oid = f.ftserver
            WHERE f.ftrelid = c.oid
        ) END,
        'using', CASE WHEN c.relam <> 0 THEN (
            SELECT m.amname FROM pg_am m WHERE m.oid = c.relam AND m.amname <> 'heap'
        ) END,
        'tablespace', CASE WHEN c.reltablespace <> 0 THEN (
            SELECT t.spcname FROM pg_tablespace t WHERE t.oid = c.reltablespace
        ) END,
        'options', CASE WHEN c.reloptions IS NOT NULL OR toast.reloptions IS NOT NULL OR c.relkind = 'f' THEN (
            SELECT array_agg(o.option ORDER BY o.option COLLATE "C")
            FROM (
                SELECT unnest(c.reloptions)
                UNION ALL SELECT 'toast.' || unnest(toast.reloptions)
                UNION ALL SELECT unnest(f.ftoptions) FROM pg_foreign_table f WHERE f.ftrelid = c.oid
            ) o (option)
        ) END,
        'invalid', CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN 'not populated' END,
        'definition', CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END
    )::text
FROM relation r
JOIN pg_class c ON c.oid = r.oid
LEFT JOIN pg_class toast ON toast.oid = c.reltoastrelid AND toast.reloptions IS NOT NULL

UNION ALL
-- Sequences. Those of identity columns are part of the column.
SELECT 'pg_class'::regclass::oid, c.oid, 0, 'sequence', s.name, c.relname::text, NULL, NULL,
    json_build_object(
        'type', CASE WHEN q.seqtypid <> 'int8'::regtype THEN format_type(q.seqtypid, NULL) END,
        'persistence', CASE WHEN c.relpersistence = 'u' THEN 'unlogged' END,
        'owned by', o.refobjid::regclass || '.' || quote_ident(a.attname),
        'start', CASE
            WHEN q.seqstart <> CASE WHEN q.seqincrement > 0 THEN q.seqmin ELSE q.seqmax END THEN q.seqstart::text
        END,
        'increment', CASE WHEN q.seqincrement <> 1 THEN q.seqincrement::text END,
        'minimum', CASE WHEN q.seqmin <> usual.lowest THEN q.seqmin::text END,
        'maximum', CASE WHEN q.seqmax <> usual.highest THEN q.seqmax::text END,
        'cache', CASE WHEN q.seqcache <> 1 THEN q.seqcache::text END,
        'cycle', q.seqcycle
    )::text
FROM pg_class c
JOIN space s ON s.oid = c.relnamespace
JOIN pg_sequence q ON q.seqrelid = c.oid
CROSS JOIN LATERAL (
    SELECT
        CASE WHEN q.seqincrement > 0 THEN 1 ELSE CASE q.seqtypid
            WHEN 'int2'::regtype THEN -32768 WHEN 'int4'::regtype THEN -2147483648 ELSE -9223372036854775808
        END END AS lowest,
        CASE WHEN q.seqincrement < 0 THEN -1 ELSE CASE q.seqtypid
            WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 ELSE 9223372036854775807
        END END AS highest
) usual
LEFT JOIN pg_depend o ON o.classid = 'pg_class'::regclass AND o.objid = c.oid
    AND o.refclassid = 'pg_class'::regclass AND o.deptype IN ('a', 'i')
LEFT JOIN pg_attribute a ON a.attrelid = o.refobjid AND a.attnum = o.refobjsubid
WHERE c.relkind = 'S'
    AND o.deptype IS DISTINCT FROM 'i'
    AND (o.refobjid IS NULL OR o.refobjid IN (SELECT oid FROM relation))
    AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid)
    {scope:c.oid}
