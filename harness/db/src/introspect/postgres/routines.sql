SELECT 'pg_proc'::regclass::oid, p.oid, 0, 'routine', s.name, p.proname || '(' || a.types || ')', NULL, NULL,
    json_build_object(
        'variety', CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' WHEN 'w' THEN 'window' END,
        'arguments', CASE
            WHEN p.proargnames IS NOT NULL OR p.proargmodes IS NOT NULL OR p.pronargdefaults > 0 THEN ARRAY(
                SELECT concat_ws(' ',
                    CASE p.proargmodes[place] WHEN 'o' THEN 'OUT' WHEN 'b' THEN 'INOUT' WHEN 'v' THEN 'VARIADIC' END,
                    quote_ident(nullif(p.proargnames[place], '')),
                    format_type(type, NULL),
                    'DEFAULT ' || pg_get_function_arg_default(p.oid, place::int)
                )
                FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY argument (type, place)
                WHERE p.proargmodes[place] IS DISTINCT FROM 't'
                ORDER BY place
            )
        END,
        'returns', pg_get_function_result(p.oid),
        'language', l.lanname,
        'volatility', CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' END,
        'properties', array_remove(ARRAY[
            CASE WHEN p.proisstrict THEN 'strict' END,
            CASE WHEN p.prosecdef THEN 'security definer' END,
            CASE WHEN p.proleakproof THEN 'leakproof' END,
            CASE p.proparallel WHEN 's' THEN 'parallel safe' WHEN 'r' THEN 'parallel restricted' END,
            CASE WHEN p.procost <> CASE WHEN l.lanname IN ('c', 'internal') THEN 1 ELSE 100 END THEN 'cost ' || p.procost END,
            CASE WHEN p.prorows <> CASE WHEN p.proretset THEN 1000 ELSE 0 END THEN 'rows ' || p.prorows END,
            CASE WHEN p.prosupport <> 0 THEN 'support ' || p.prosupport END,
            'transform ' || (SELECT string_agg(format_type(t, NULL), ', ') FROM unnest(p.protrftypes) t)
        ], NULL) || {aggregate_properties},
        'set', p.proconfig,
        'definition', CASE
            WHEN p.prokind = 'a' THEN NULL
            WHEN l.lanname = 'c' THEN p.probin || ', ' || p.prosrc
            ELSE coalesce({sqlbody}, p.prosrc)
        END
    )::text
FROM pg_proc p
JOIN space s ON s.oid = p.pronamespace
JOIN pg_language l ON l.oid = p.prolang
CROSS JOIN LATERAL (
    SELECT array_to_string(ARRAY(
        SELECT format_type(type, NULL) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY t (type, place) ORDER BY place
    ), ', ') AS types
) a
WHERE p.oid >= 16384
    -- What an extension brings along, and the constructors of range types.
    AND NOT EXISTS (
        SELECT FROM pg_depend d
        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i')
    )
    {scope:p.oid}
