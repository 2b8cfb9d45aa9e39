-- Indexes of constraints belong to these, those of partitions to the parent's.
SELECT 'pg_class'::regclass::oid, i.indexrelid, 0, r.kind, r.namespace, r.name, 'index', c.relname::text,
    json_build_object(
        'columns', key.columns,
        'using', nullif(m.amname, 'btree'),
        'unique', i.indisunique,
        'include', CASE WHEN i.indnatts > i.indnkeyatts THEN ARRAY(
            SELECT pg_get_indexdef(i.indexrelid, place, false)
            FROM generate_series(i.indnkeyatts + 1, i.indnatts) place
        ) END,
        'nulls not distinct', {indnullsnotdistinct},
        'where', pg_get_expr(i.indpred, i.indrelid),
        'invalid', CASE WHEN NOT i.indisvalid THEN 'not valid' END,
        'options', CASE WHEN c.reloptions IS NOT NULL OR i.indisclustered THEN (
            SELECT array_agg(o.option ORDER BY o.option COLLATE "C")
            FROM (SELECT unnest(c.reloptions) UNION ALL SELECT 'clustered' WHERE i.indisclustered) o (option)
        ) END,
        'tablespace', CASE WHEN c.reltablespace <> 0 THEN (
            SELECT t.spcname FROM pg_tablespace t WHERE t.oid = c.reltablespace
        ) END
    )::text
FROM relation r
JOIN pg_index i ON i.indrelid = r.oid
JOIN pg_class c ON c.oid = i.indexrelid AND NOT c.relispartition
JOIN pg_am m ON m.oid = c.relam
JOIN key ON key.indexrelid = i.indexrelid
WHERE NOT EXISTS (
    SELECT FROM pg_constraint k
    WHERE k.conrelid = r.oid AND k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
)

UNION ALL
SELECT 'pg_statistic_ext'::regclass::oid, x.oid, 0, r.kind, r.namespace, r.name, 'statistics',
    CASE WHEN x.stxnamespace = c.relnamespace THEN '' ELSE quote_ident(s.nspname) || '.' END || x.stxname,
    json_build_object(
        'columns', ARRAY(SELECT n.names[attnum] FROM unnest(x.stxkeys::int2[]) attnum) || {statistics_expressions},
        'properties', ARRAY(
            SELECT CASE kind WHEN 'd' THEN 'ndistinct' WHEN 'f' THEN 'dependencies' WHEN 'm' THEN 'mcv' END
            FROM unnest(x.stxkind) kind
            WHERE kind <> 'e'
            ORDER BY 1
        ),
        'options', CASE WHEN x.stxstattarget >= 0 THEN ARRAY['statistics=' || x.stxstattarget] END
    )::text
FROM relation r
JOIN pg_class c ON c.oid = r.oid
JOIN pg_statistic_ext x ON x.stxrelid = r.oid
JOIN pg_namespace s ON s.oid = x.stxnamespace
LEFT JOIN named n ON n.attrelid = r.oid
