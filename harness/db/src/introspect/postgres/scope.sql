-- The relations and routines asked for, the tables that their sequences belong to, and the
-- sequences of all these. Arrays, not joins, so that the catalogs are read by their indexes alone.
seed AS MATERIALIZED (
    SELECT asked AS oid FROM unnest($3::oid[]) asked
    UNION
    SELECT d.refobjid
    FROM unnest($3::oid[]) asked
    JOIN pg_class c ON c.oid = asked AND c.relkind = 'S'
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
    WHERE d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
),
scope AS MATERIALIZED (
    SELECT oid FROM seed
    UNION
    SELECT c.oid
    FROM pg_depend d
    JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY (ARRAY(SELECT oid FROM seed))
        AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
),
mentioned AS MATERIALIZED (
    SELECT oid FROM scope
    UNION
    SELECT confrelid FROM pg_constraint WHERE conrelid = ANY (ARRAY(SELECT oid FROM scope)) AND confrelid <> 0
),
part AS MATERIALIZED (
    SELECT oid FROM scope
    UNION ALL SELECT oid FROM pg_constraint WHERE conrelid = ANY (ARRAY(SELECT oid FROM scope))
    UNION ALL SELECT indexrelid FROM pg_index WHERE indrelid = ANY (ARRAY(SELECT oid FROM scope))
    UNION ALL SELECT oid FROM pg_trigger WHERE tgrelid = ANY (ARRAY(SELECT oid FROM scope))
    UNION ALL SELECT oid FROM pg_rewrite WHERE ev_class = ANY (ARRAY(SELECT oid FROM scope))
    UNION ALL SELECT oid FROM pg_policy WHERE polrelid = ANY (ARRAY(SELECT oid FROM scope))
    UNION ALL SELECT oid FROM pg_statistic_ext WHERE stxrelid = ANY (ARRAY(SELECT oid FROM scope))
),
