-- The namespaces that count, with no name for the default one.
space AS MATERIALIZED (
    SELECT n.oid, n.nspname, nullif(n.nspname, $1)::text AS name
    FROM pg_namespace n
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND {namespaces}
),
-- What belongs to an extension comes and goes with it.
member AS MATERIALIZED (
    SELECT classid, objid
    FROM pg_depend
    WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
),
relation AS MATERIALIZED (
    SELECT
        c.oid,
        CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'table' END AS kind,
        s.name AS namespace,
        c.relname::text AS name,
        quote_ident(s.nspname) || '.' || quote_ident(c.relname) AS qualified,
        c.relkind
    FROM pg_class c
    JOIN space s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
        AND NOT (c.relname = ANY ($2) OR s.nspname || '.' || c.relname = ANY ($2))
        AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid)
        {scope:c.oid}
),
-- The names of columns by their number; also those that constraints elsewhere speak of.
named AS MATERIALIZED (
    SELECT a.attrelid, array_agg(quote_ident(a.attname) ORDER BY a.attnum) AS names
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'f', 'm')
    WHERE a.attnum > 0 AND a.attrelid >= 16384 {mentioned:a.attrelid}
    GROUP BY a.attrelid
),
-- The columns and expressions of indexes, each with what is not the default for it.
key AS MATERIALIZED (
    SELECT i.indexrelid, array_agg(
        CASE WHEN k.attnum > 0 THEN n.names[k.attnum] ELSE pg_get_indexdef(i.indexrelid, k.place::int, false) END
            || CASE WHEN k.collated <> 0 AND k.collated <> coalesce(own.attcollation, t.typcollation)
                THEN ' COLLATE ' || k.collated::regcollation ELSE '' END
            || CASE WHEN o.opcdefault AND a.attoptions IS NULL THEN ''
                ELSE ' ' || CASE WHEN pg_opclass_is_visible(o.oid) THEN '' ELSE o.opcnamespace::regnamespace || '.' END
                    || quote_ident(o.opcname)
                    || coalesce(' (' || array_to_string(a.attoptions, ', ') || ')', '') END
            || CASE k.option & 3
                WHEN 1 THEN ' DESC NULLS LAST' WHEN 2 THEN ' NULLS FIRST' WHEN 3 THEN ' DESC' ELSE '' END
        ORDER BY k.place
    ) AS columns
    FROM relation r
    JOIN pg_index i ON i.indrelid = r.oid
    CROSS JOIN LATERAL unnest(i.indoption::int2[], i.indcollation::oid[], i.indclass::oid[], i.indkey::int2[])
        WITH ORDINALITY k (option, collated, class, attnum, place)
    JOIN pg_attribute a ON a.attrelid = i.indexrelid AND a.attnum = k.place
    JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_opclass o ON o.oid = k.class
    JOIN named n ON n.attrelid = i.indrelid
    LEFT JOIN pg_attribute own ON own.attrelid = i.indrelid AND own.attnum = k.attnum AND own.attnum > 0
    WHERE NOT EXISTS (
        SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u') AND c.conrelid = r.oid
    ) AND k.place <= i.indnkeyatts
    GROUP BY i.indexrelid
)
