
UNION ALL
-- Since version 18 NOT NULL is a constraint; only where it is not the ordinary one does it count.
SELECT 'pg_class'::regclass::oid, k.conrelid, k.conkey[1]::int4, NULL, NULL, NULL, NULL, NULL,
    json_build_object('not valid', NOT k.convalidated, 'no inherit', k.connoinherit)::text
FROM relation r
JOIN pg_constraint k ON k.conrelid = r.oid AND k.contype = 'n'
WHERE NOT k.convalidated OR k.connoinherit
