-- Copies that a parent gave to its partitions and children say nothing new.
SELECT 'pg_constraint'::regclass::oid, k.oid, 0, r.kind, r.namespace, r.name,
    CASE k.contype
        WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique' WHEN 'f' THEN 'foreign key'
        WHEN 'c' THEN 'check' WHEN 'x' THEN 'exclusion'
    END,
    k.conname::text,
    json_build_object(
        'columns', CASE
            WHEN k.contype = 'c' THEN NULL
            WHEN k.contype <> 'x' AND cardinality(k.conkey) = 1 THEN ARRAY[n.names[k.conkey[1]]]
            WHEN k.contype = 'x' THEN ARRAY(
                SELECT pg_get_indexdef(k.conindid, key.place::int, false) || ' WITH ' || o.oprname
                FROM unnest(k.conexclop) WITH ORDINALITY key (operator, place)
                JOIN pg_operator o ON o.oid = key.operator
                ORDER BY key.place
            )
            ELSE ARRAY(
                SELECT CASE
                    WHEN {conperiod} AND key.place = cardinality(k.conkey) THEN
                        CASE WHEN k.contype = 'f' THEN 'PERIOD ' || n.names[key.attnum]
                            ELSE n.names[key.attnum] || ' WITHOUT OVERLAPS' END
                    ELSE n.names[key.attnum]
                END
                FROM unnest(k.conkey) WITH ORDINALITY key (attnum, place)
            )
        END,
        'references', CASE
            WHEN k.contype = 'f' AND cardinality(k.confkey) = 1 THEN
                k.confrelid::regclass || ' (' || f.names[k.confkey[1]] || ')'
            WHEN k.contype = 'f' THEN k.confrelid::regclass || ' (' || array_to_string(ARRAY(
                SELECT CASE WHEN {conperiod} AND key.place = cardinality(k.confkey) THEN 'PERIOD ' ELSE '' END
                    || f.names[key.attnum]
                FROM unnest(k.confkey) WITH ORDINALITY key (attnum, place)
            ), ', ') || ')'
        END,
        'on delete', CASE k.confdeltype
            WHEN 'r' THEN 'restrict' WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default'
        END || CASE WHEN {confdelsetcols} IS NULL THEN '' ELSE ' (' || (
            SELECT string_agg(n.names[key.attnum], ', ') FROM unnest({confdelsetcols}) key (attnum)
        ) || ')' END,
        'on update', CASE k.confupdtype
            WHEN 'r' THEN 'restrict' WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default'
        END,
        'match', CASE k.confmatchtype WHEN 'f' THEN 'full' WHEN 'p' THEN 'partial' END,
        'deferrable', CASE WHEN k.condeferred THEN 'deferrable initially deferred'
            WHEN k.condeferrable THEN 'deferrable' END,
        'expression', CASE WHEN k.contype = 'c' THEN pg_get_expr(k.conbin, k.conrelid) END,
        'not valid', NOT k.convalidated AND {conenforced},
        'not enforced', NOT {conenforced},
        'no inherit', k.contype = 'c' AND k.connoinherit
    )::text
FROM relation r
JOIN pg_constraint k ON k.conrelid = r.oid AND k.contype IN ('p', 'u', 'f', 'c', 'x')
LEFT JOIN named n ON n.attrelid = k.conrelid
LEFT JOIN named f ON f.attrelid = k.confrelid
WHERE k.conparentid = 0 AND (k.contype <> 'c' OR k.conislocal) {scope:k.conrelid}

UNION ALL
-- What is odd about the index of a constraint.
SELECT 'pg_constraint'::regclass::oid, k.oid, 0, NULL, NULL, NULL, NULL, NULL,
    json_build_object(
        'using', nullif(m.amname, 'btree'),
        'include', (
            SELECT array_agg(n.names[key.attnum] ORDER BY key.place)
            FROM unnest(i.indkey::int2[]) WITH ORDINALITY key (attnum, place)
            WHERE key.place > i.indnkeyatts
        ),
        'nulls not distinct', {indnullsnotdistinct},
        'where', pg_get_expr(i.indpred, i.indrelid),
        'invalid', CASE WHEN NOT i.indisvalid THEN 'not valid' END,
        'options', (
            SELECT array_agg(o.option ORDER BY o.option COLLATE "C")
            FROM (SELECT unnest(c.reloptions) UNION ALL SELECT 'clustered' WHERE i.indisclustered) o (option)
        ),
        'tablespace', (SELECT t.spcname FROM pg_tablespace t WHERE t.oid = c.reltablespace)
    )::text
FROM relation r
JOIN pg_constraint k ON k.conrelid = r.oid AND k.contype IN ('p', 'u', 'x') AND k.conparentid = 0
JOIN pg_index i ON i.indexrelid = k.conindid
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_am m ON m.oid = c.relam
LEFT JOIN named n ON n.attrelid = k.conrelid
WHERE (m.amname <> 'btree' OR i.indnatts > i.indnkeyatts OR {indnullsnotdistinct} OR i.indpred IS NOT NULL
    OR NOT i.indisvalid OR c.reloptions IS NOT NULL OR i.indisclustered OR c.reltablespace <> 0)
    {scope:k.conrelid}
{not_null}
