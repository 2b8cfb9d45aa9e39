-- What has changed since the transaction $1 (since ever if it is null), by catalog: how many rows
-- there are, and an entry for each row written since; or for all rows of the catalogs in $2, if any
-- are named. As the rows written since are known, the count tells whether others have gone.
--
-- An entry is the oid of the row and that of the object that it belongs to, in one number; for
-- comments and parents it is this object's oid and a number that tells the row from its others.
-- What belongs to a type is said to belong to 1, and toast tables and indexes to 0: the catalog of
-- indexes says more. A bulk of catalogs that migrations seldom touch is told only as a whole.
--
-- Every snapshot runs this over catalogs that grow, so it does as little as possible for a row. An oid
-- is compared as a number where an index would be found for it, and be slower than the table.
WITH since AS MATERIALIZED (
    SELECT CASE WHEN $1::int8 IS NULL THEN 2147483647 ELSE age(($1::int8 % 4294967296)::text::xid) END AS age
),
other (key, written) AS (
    SELECT oid, xmin FROM pg_namespace WHERE nspname !~ '^pg_'
    UNION ALL SELECT oid, xmin FROM pg_type
        WHERE (typtype IN ('e', 'd', 'r') OR (typtype = 'b' AND typelem = 0) OR NOT typisdefined) AND oid::int8 >= 16384
    UNION ALL SELECT oid, xmin FROM pg_enum
    UNION ALL SELECT oid, xmin FROM pg_collation WHERE oid >= 16384
    UNION ALL SELECT oid, xmin FROM pg_extension
    UNION ALL SELECT oid, xmin FROM pg_publication
    UNION ALL SELECT oid, xmin FROM pg_publication_rel
    {publication_namespaces}
    UNION ALL SELECT oid, xmin FROM pg_event_trigger
    UNION ALL SELECT oid, xmin FROM pg_operator WHERE oid >= 16384
    UNION ALL SELECT oid, xmin FROM pg_opclass WHERE oid >= 16384
    UNION ALL SELECT oid, xmin FROM pg_opfamily WHERE oid >= 16384
    UNION ALL SELECT oid, xmin FROM pg_amop WHERE oid >= 16384
    UNION ALL SELECT oid, xmin FROM pg_amproc WHERE oid >= 16384
    UNION ALL SELECT oid, xmin FROM pg_cast WHERE oid >= 16384
    UNION ALL SELECT oid, xmin FROM pg_conversion WHERE oid >= 16384
    UNION ALL SELECT oid, xmin FROM pg_ts_config
    UNION ALL SELECT mapcfg, xmin FROM pg_ts_config_map WHERE mapcfg >= 16384
    UNION ALL SELECT oid, xmin FROM pg_ts_dict
    UNION ALL SELECT oid, xmin FROM pg_ts_parser
    UNION ALL SELECT oid, xmin FROM pg_ts_template
    UNION ALL SELECT oid, xmin FROM pg_foreign_data_wrapper
    UNION ALL SELECT oid, xmin FROM pg_foreign_server
    UNION ALL SELECT oid, xmin FROM pg_language
    UNION ALL SELECT oid, xmin FROM pg_am
    UNION ALL SELECT oid, xmin FROM pg_transform
    UNION ALL SELECT oid, xmin FROM pg_default_acl
)
SELECT 'now', pg_snapshot_xmin(pg_current_snapshot())::text::int8, NULL::int8[]
UNION ALL
SELECT 'other', count(*), array_agg(key::int8) FILTER (WHERE age(written) <= (SELECT age FROM since))
FROM other
UNION ALL
-- What cannot be told by the transaction that wrote it: roles, members of extensions, and what only
-- a superuser may read whole.
SELECT 'state', hashtext(string_agg(line, ',' ORDER BY line COLLATE "C")), NULL
FROM (
    SELECT current_user
    UNION ALL SELECT rolname || ' ' || oid FROM pg_roles
    UNION ALL SELECT classid || ' ' || objid FROM pg_depend
        WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
    UNION ALL SELECT concat_ws(' ', srvname, umuser, usename, umoptions) FROM pg_user_mappings
    UNION ALL SELECT concat_ws(' ', subname, subenabled, subpublications) FROM pg_subscription
) s (line)
UNION ALL
SELECT 'attribute', 0, array_agg(DISTINCT attrelid::int8)
FROM pg_attribute
WHERE age(xmin) <= (SELECT age FROM since) AND $1 IS NOT NULL AND $2 = '{}'
UNION ALL
SELECT 'relation', count(*), array_agg((oid::int8 << 32)
        | CASE relkind WHEN 'i' THEN 0 WHEN 'I' THEN 0 WHEN 't' THEN 0 WHEN 'c' THEN 1 ELSE oid END::int8) FILTER (
    WHERE age(xmin) <= (SELECT CASE WHEN 'relation' = ANY ($2) THEN 2147483647 ELSE age END FROM since)
)
FROM pg_class
WHERE oid::int8 >= 16384 AND ($2 = '{}' OR 'relation' = ANY ($2))
UNION ALL
-- One that has gone is missed among the relations.
SELECT 'index', NULL, array_agg((indexrelid::int8 << 32) | indrelid::int8)
FROM pg_index
WHERE age(xmin) <= (SELECT age FROM since) AND indexrelid::int8 >= 16384 AND $2 = '{}'
UNION ALL
SELECT 'constraint', count(*), array_agg((oid::int8 << 32) | CASE conrelid WHEN 0 THEN 1 ELSE conrelid END::int8) FILTER (
    WHERE age(xmin) <= (SELECT CASE WHEN 'constraint' = ANY ($2) THEN 2147483647 ELSE age END FROM since)
)
FROM pg_constraint
WHERE oid::int8 >= 16384 AND ($2 = '{}' OR 'constraint' = ANY ($2))
UNION ALL
SELECT 'trigger', count(*), array_agg((oid::int8 << 32) | tgrelid::int8) FILTER (
    WHERE age(xmin) <= (SELECT CASE WHEN 'trigger' = ANY ($2) THEN 2147483647 ELSE age END FROM since)
)
FROM pg_trigger
WHERE NOT tgisinternal AND ($2 = '{}' OR 'trigger' = ANY ($2))
UNION ALL
SELECT 'rule', count(*), array_agg((oid::int8 << 32) | ev_class::int8) FILTER (
    WHERE age(xmin) <= (SELECT CASE WHEN 'rule' = ANY ($2) THEN 2147483647 ELSE age END FROM since)
)
FROM pg_rewrite
WHERE ev_class >= 16384 AND ($2 = '{}' OR 'rule' = ANY ($2))
UNION ALL
SELECT 'policy', count(*), array_agg((oid::int8 << 32) | polrelid::int8) FILTER (
    WHERE age(xmin) <= (SELECT CASE WHEN 'policy' = ANY ($2) THEN 2147483647 ELSE age END FROM since)
)
FROM pg_policy
WHERE ($2 = '{}' OR 'policy' = ANY ($2))
UNION ALL
SELECT 'statistics', count(*), array_agg((oid::int8 << 32) | stxrelid::int8) FILTER (
    WHERE age(xmin) <= (SELECT CASE WHEN 'statistics' = ANY ($2) THEN 2147483647 ELSE age END FROM since)
)
FROM pg_statistic_ext
WHERE ($2 = '{}' OR 'statistics' = ANY ($2))
UNION ALL
SELECT 'routine', count(*), array_agg((oid::int8 << 32) | oid::int8) FILTER (
    WHERE age(xmin) <= (SELECT CASE WHEN 'routine' = ANY ($2) THEN 2147483647 ELSE age END FROM since)
)
FROM pg_proc
WHERE oid >= 16384 AND ($2 = '{}' OR 'routine' = ANY ($2))
UNION ALL
SELECT 'sequence', count(*), array_agg((seqrelid::int8 << 32) | seqrelid::int8) FILTER (
    WHERE age(xmin) <= (SELECT CASE WHEN 'sequence' = ANY ($2) THEN 2147483647 ELSE age END FROM since)
)
FROM pg_sequence
WHERE ($2 = '{}' OR 'sequence' = ANY ($2))
UNION ALL
SELECT 'foreign table', count(*), array_agg((ftrelid::int8 << 32) | ftrelid::int8) FILTER (
    WHERE age(xmin) <= (SELECT CASE WHEN 'foreign table' = ANY ($2) THEN 2147483647 ELSE age END FROM since)
)
FROM pg_foreign_table
WHERE ($2 = '{}' OR 'foreign table' = ANY ($2))
UNION ALL
SELECT 'parent', count(*), array_agg((inhrelid::int8 << 32) | inhseqno::int8) FILTER (
    WHERE age(xmin) <= (SELECT CASE WHEN 'parent' = ANY ($2) THEN 2147483647 ELSE age END FROM since)
)
FROM pg_inherits
WHERE ($2 = '{}' OR 'parent' = ANY ($2))
UNION ALL
SELECT 'comment', count(*), array_agg((objoid::int8 << 32) | objsubid::int8) FILTER (
    WHERE age(xmin) <= (SELECT CASE WHEN 'comment' = ANY ($2) THEN 2147483647 ELSE age END FROM since)
)
FROM pg_description
WHERE objoid >= 16384 AND ($2 = '{}' OR 'comment' = ANY ($2))
UNION ALL
SELECT 'other comment', hashtext(string_agg(d.description, ',' ORDER BY d.objoid)), NULL
FROM pg_description d
JOIN pg_namespace n ON n.oid = d.objoid
WHERE d.classoid = 'pg_namespace'::regclass
