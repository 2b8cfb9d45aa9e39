-- What has changed since the transaction $1, by catalog: how many rows there are, and for each row
-- written since (for every row if $1 is null) its key and the object that it belongs to. Since the
-- rows written since are known, the count tells whether others have gone. A bulk of catalogs that
-- migrations seldom touch is told only as a whole: `other` and `state`.
WITH since AS MATERIALIZED (
    SELECT CASE WHEN $1::int8 IS NULL THEN 2147483647 ELSE age(($1::int8 % 4294967296)::text::xid) END AS age
),
other (key, written) AS (
    SELECT oid, xmin FROM pg_namespace WHERE nspname !~ '^pg_'
    UNION ALL SELECT oid, xmin FROM pg_class WHERE relkind = 'c' AND oid >= 16384
    UNION ALL SELECT oid, xmin FROM pg_type
        WHERE oid >= 16384 AND (typtype IN ('e', 'd', 'r') OR (typtype = 'b' AND typelem = 0) OR NOT typisdefined)
    UNION ALL SELECT oid, xmin FROM pg_enum
    UNION ALL SELECT oid, xmin FROM pg_constraint WHERE conrelid = 0
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
SELECT 'now', pg_snapshot_xmin(pg_current_snapshot())::text::int8, NULL::int8[], NULL::oid[]
UNION ALL
SELECT 'other', count(*), array_agg(key::int8) FILTER (WHERE age(written) <= (SELECT age FROM since)), NULL
FROM other
UNION ALL
-- What cannot be told by the transaction that wrote it: roles, members of extensions, and what only
-- a superuser may read whole.
SELECT 'state', hashtext(string_agg(line, ',' ORDER BY line COLLATE "C")), NULL, NULL
FROM (
    SELECT current_user
    UNION ALL SELECT rolname || ' ' || oid FROM pg_roles
    UNION ALL SELECT classid || ' ' || objid FROM pg_depend
        WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
    UNION ALL SELECT concat_ws(' ', srvname, umuser, usename, umoptions) FROM pg_user_mappings
    UNION ALL SELECT concat_ws(' ', subname, subenabled, subpublications) FROM pg_subscription
) s (line)
UNION ALL
SELECT 'attribute', 0, NULL, array_agg(DISTINCT attrelid)
FROM pg_attribute
WHERE attrelid >= 16384 AND age(xmin) <= (SELECT age FROM since) AND $1 IS NOT NULL
UNION ALL
-- Indexes and toast tables are told by what they belong to.
SELECT 'relation', count(*), array_agg(oid::int8) FILTER (WHERE age(xmin) <= (SELECT age FROM since)),
    array_agg(CASE WHEN relkind IN ('i', 'I', 't') THEN 0 ELSE oid END) FILTER (WHERE age(xmin) <= (SELECT age FROM since))
FROM pg_class
WHERE oid >= 16384 AND relkind <> 'c'
UNION ALL
SELECT catalog, count(*), array_agg(key::int8) FILTER (WHERE age(written) <= (SELECT age FROM since)),
    array_agg(owner) FILTER (WHERE age(written) <= (SELECT age FROM since))
FROM (
    SELECT 'index' AS catalog, indexrelid::int8 AS key, indrelid AS owner, xmin AS written FROM pg_index WHERE indexrelid >= 16384
    UNION ALL SELECT 'constraint', oid::int8, conrelid, xmin FROM pg_constraint WHERE conrelid >= 16384
    UNION ALL SELECT 'default', oid::int8, adrelid, xmin FROM pg_attrdef
    UNION ALL SELECT 'trigger', oid::int8, tgrelid, xmin FROM pg_trigger
    UNION ALL SELECT 'rule', oid::int8, ev_class, xmin FROM pg_rewrite WHERE ev_class >= 16384
    UNION ALL SELECT 'policy', oid::int8, polrelid, xmin FROM pg_policy
    UNION ALL SELECT 'statistics', oid::int8, stxrelid, xmin FROM pg_statistic_ext
    UNION ALL SELECT 'routine', oid::int8, oid, xmin FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT 'sequence', seqrelid::int8, seqrelid, xmin FROM pg_sequence
    UNION ALL SELECT 'foreign table', ftrelid::int8, ftrelid, xmin FROM pg_foreign_table
    UNION ALL SELECT 'parent', (inhrelid::int8 << 16) | inhseqno, inhrelid, xmin FROM pg_inherits
    UNION ALL SELECT 'comment', (objoid::int8 << 16) | objsubid, objoid, xmin FROM pg_description
        WHERE objoid >= 16384 OR objoid = 2200
) part
GROUP BY catalog
