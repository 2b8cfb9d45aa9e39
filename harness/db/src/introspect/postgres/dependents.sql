-- The relations and routines whose text may speak of the relations and routines in $1; 0 for
-- anything else that may.
SELECT DISTINCT owner
FROM (
    SELECT CASE d.classid
        WHEN 'pg_class'::regclass THEN (
            SELECT CASE
                WHEN c.relkind IN ('i', 'I') THEN (SELECT i.indrelid FROM pg_index i WHERE i.indexrelid = c.oid)
                WHEN c.relkind = 'c' THEN 0
                WHEN c.relkind <> 't' THEN c.oid
            END
            FROM pg_class c WHERE c.oid = d.objid
        )
        WHEN 'pg_constraint'::regclass THEN (SELECT k.conrelid FROM pg_constraint k WHERE k.oid = d.objid)
        WHEN 'pg_rewrite'::regclass THEN (SELECT w.ev_class FROM pg_rewrite w WHERE w.oid = d.objid)
        WHEN 'pg_trigger'::regclass THEN (SELECT g.tgrelid FROM pg_trigger g WHERE g.oid = d.objid)
        WHEN 'pg_policy'::regclass THEN (SELECT p.polrelid FROM pg_policy p WHERE p.oid = d.objid)
        WHEN 'pg_attrdef'::regclass THEN (SELECT a.adrelid FROM pg_attrdef a WHERE a.oid = d.objid)
        WHEN 'pg_statistic_ext'::regclass THEN (SELECT x.stxrelid FROM pg_statistic_ext x WHERE x.oid = d.objid)
        WHEN 'pg_proc'::regclass THEN d.objid
        -- A table's row type and its array are parts of the table.
        WHEN 'pg_type'::regclass THEN CASE WHEN d.deptype <> 'i' THEN 0 END
        ELSE 0
    END::oid AS owner
    FROM (
        SELECT 'pg_class'::regclass::oid AS class, oid FROM unnest($1::oid[]) oid
        UNION ALL SELECT 'pg_proc'::regclass, oid FROM unnest($1::oid[]) oid
        UNION ALL SELECT 'pg_type'::regclass, unnest(ARRAY[t.oid, t.typarray])
            FROM pg_class c JOIN pg_type t ON t.oid = c.reltype WHERE c.oid = ANY ($1::oid[])
    ) changed
    JOIN pg_depend d ON d.refclassid = changed.class AND d.refobjid = changed.oid
) d
WHERE owner IS NOT NULL
