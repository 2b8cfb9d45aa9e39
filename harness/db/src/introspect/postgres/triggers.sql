SELECT 'pg_trigger'::regclass::oid, g.oid, 0, r.kind, r.namespace, r.name, 'trigger', g.tgname::text,
    json_build_object(
        'variety', CASE WHEN g.tgconstraint <> 0 THEN 'constraint' END,
        'timing', CASE WHEN g.tgtype & 2 <> 0 THEN 'before' WHEN g.tgtype & 64 <> 0 THEN 'instead of' ELSE 'after' END,
        'events', ARRAY(
            SELECT event
            FROM (VALUES
                (4, 'insert'),
                (8, 'delete'),
                (16, 'update' || coalesce(' of ' || nullif(array_to_string(ARRAY(
                    SELECT n.names[attnum] FROM unnest(g.tgattr::int2[]) attnum
                ), ', '), ''), '')),
                (32, 'truncate')
            ) e (bit, event)
            WHERE g.tgtype & e.bit <> 0
        ),
        'for each', CASE WHEN g.tgtype & 1 <> 0 THEN 'row' ELSE 'statement' END,
        'when', CASE WHEN g.tgqual IS NOT NULL THEN substring(
            substr(pg_get_triggerdef(g.oid), length('CREATE TRIGGER ' || quote_ident(g.tgname)))
            FROM '^.*? WHEN \((.*)\) EXECUTE FUNCTION '
        ) END,
        'referencing', nullif(array_remove(ARRAY[
            'old table as ' || quote_ident(g.tgoldtable), 'new table as ' || quote_ident(g.tgnewtable)
        ], NULL), '{}'),
        'references', CASE WHEN g.tgconstrrelid <> 0 THEN g.tgconstrrelid::regclass::text END,
        'deferrable', CASE WHEN g.tginitdeferred THEN 'deferrable initially deferred'
            WHEN g.tgdeferrable THEN 'deferrable' END,
        'calls', substring(pg_get_triggerdef(g.oid) FROM '^.* EXECUTE FUNCTION (.*)$'),
        'enabled', CASE g.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END
    )::text
FROM relation r
JOIN pg_trigger g ON g.tgrelid = r.oid AND NOT g.tgisinternal AND g.tgparentid = 0
LEFT JOIN named n ON n.attrelid = r.oid

UNION ALL
SELECT 'pg_rewrite'::regclass::oid, w.oid, 0, r.kind, r.namespace, r.name, 'rule', w.rulename::text,
    json_build_object(
        'events', CASE w.ev_type WHEN '1' THEN 'select' WHEN '2' THEN 'update' WHEN '3' THEN 'insert' ELSE 'delete' END,
        'enabled', CASE w.ev_enabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END,
        'definition', rtrim(substr(d.text, p.place + length(r.qualified)), ';')
    )::text
FROM relation r
JOIN pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'
CROSS JOIN LATERAL (SELECT pg_get_ruledef(w.oid) AS text) d
CROSS JOIN LATERAL (SELECT position(r.qualified IN d.text) AS place) p

UNION ALL
SELECT 'pg_policy'::regclass::oid, y.oid, 0, r.kind, r.namespace, r.name, 'policy', y.polname::text,
    json_build_object(
        'events', CASE y.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update'
            WHEN 'd' THEN 'delete' ELSE 'all' END,
        'as', CASE WHEN NOT y.polpermissive THEN 'restrictive' END,
        'to', CASE WHEN y.polroles <> '{0}' THEN ARRAY(
            SELECT pg_get_userbyid(role)::text FROM unnest(y.polroles) role ORDER BY 1
        ) END,
        'expression', pg_get_expr(y.polqual, y.polrelid),
        'with check', pg_get_expr(y.polwithcheck, y.polrelid)
    )::text
FROM relation r
JOIN pg_policy y ON y.polrelid = r.oid
