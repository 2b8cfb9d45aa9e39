-- Whatever else a user can create, each as (class, oid, namespace, name, variety, what it is made of).
SELECT o.class, o.oid, 0, 'object', s.name, o.variety || ' ' || o.name, NULL, NULL,
    json_build_object('variety', o.variety, 'calls', o.calls, 'on', o.stands_on, 'properties', o.properties,
        'options', (SELECT array_agg(option ORDER BY option COLLATE "C") FROM unnest(o.options) option))::text
FROM (
    SELECT 'pg_operator'::regclass::oid AS class, p.oid, p.oprnamespace AS namespace,
        p.oprname || '(' || CASE WHEN p.oprleft = 0 THEN 'none' ELSE format_type(p.oprleft, NULL) END
            || ', ' || CASE WHEN p.oprright = 0 THEN 'none' ELSE format_type(p.oprright, NULL) END || ')' AS name,
        'operator' AS variety, CASE WHEN p.oprcode <> 0 THEN p.oprcode::text END AS calls, NULL AS stands_on,
        array_remove(ARRAY[
            CASE WHEN p.oprcom <> 0 THEN 'commutator ' || p.oprcom::regoper END,
            CASE WHEN p.oprnegate <> 0 THEN 'negator ' || p.oprnegate::regoper END,
            CASE WHEN p.oprrest <> 0 THEN 'restrict ' || p.oprrest END,
            CASE WHEN p.oprjoin <> 0 THEN 'join ' || p.oprjoin END,
            CASE WHEN p.oprcanhash THEN 'hashes' END, CASE WHEN p.oprcanmerge THEN 'merges' END
        ], NULL) AS properties,
        NULL::text[] AS options
    FROM pg_operator p
    UNION ALL
    SELECT 'pg_opclass'::regclass, c.oid, c.opcnamespace, c.opcname || ' using ' || m.amname, 'operator class', NULL,
        format_type(c.opcintype, NULL), array_remove(ARRAY[CASE WHEN c.opcdefault THEN 'default' END, 'family ' || quote_ident(f.opfname)], NULL), NULL
    FROM pg_opclass c JOIN pg_am m ON m.oid = c.opcmethod JOIN pg_opfamily f ON f.oid = c.opcfamily
    UNION ALL
    SELECT 'pg_opfamily'::regclass, f.oid, f.opfnamespace, f.opfname || ' using ' || m.amname, 'operator family', NULL, NULL, (
            SELECT array_agg(x ORDER BY x) FROM (
                SELECT 'operator ' || a.amopstrategy || ' ' || a.amopopr::regoperator FROM pg_amop a WHERE a.amopfamily = f.oid
                UNION ALL
                SELECT 'function ' || a.amprocnum || ' ' || a.amproc::regprocedure FROM pg_amproc a WHERE a.amprocfamily = f.oid
            ) x (x)
        ), NULL
    FROM pg_opfamily f JOIN pg_am m ON m.oid = f.opfmethod
    UNION ALL
    SELECT 'pg_cast'::regclass, k.oid, 0, format_type(k.castsource, NULL) || ' as ' || format_type(k.casttarget, NULL), 'cast',
        CASE k.castmethod WHEN 'i' THEN 'inout' WHEN 'b' THEN 'without function' ELSE k.castfunc::regprocedure::text END, NULL,
        CASE k.castcontext WHEN 'a' THEN ARRAY['assignment'] WHEN 'i' THEN ARRAY['implicit'] END, NULL
    FROM pg_cast k
    UNION ALL
    SELECT 'pg_conversion'::regclass, c.oid, c.connamespace, c.conname, 'conversion', c.conproc::text,
        pg_encoding_to_char(c.conforencoding) || ' to ' || pg_encoding_to_char(c.contoencoding),
        CASE WHEN c.condefault THEN ARRAY['default'] END, NULL
    FROM pg_conversion c
    UNION ALL
    SELECT 'pg_ts_config'::regclass, c.oid, c.cfgnamespace, c.cfgname, 'text search configuration', NULL,
        quote_ident(p.prsname), (
            SELECT array_agg(alias || ' ' || dicts ORDER BY alias) FROM (
                SELECT (SELECT t.alias FROM ts_token_type(c.cfgparser) t WHERE t.tokid = m.maptokentype) AS alias,
                    string_agg(m.mapdict::regdictionary::text, ', ' ORDER BY m.mapseqno) AS dicts
                FROM pg_ts_config_map m WHERE m.mapcfg = c.oid GROUP BY m.maptokentype
            ) m
        ), NULL
    FROM pg_ts_config c JOIN pg_ts_parser p ON p.oid = c.cfgparser WHERE c.oid >= 16384
    UNION ALL
    SELECT 'pg_ts_dict'::regclass, d.oid, d.dictnamespace, d.dictname, 'text search dictionary', NULL,
        quote_ident(t.tmplname), NULL, CASE WHEN d.dictinitoption <> '' THEN ARRAY[d.dictinitoption] END
    FROM pg_ts_dict d JOIN pg_ts_template t ON t.oid = d.dicttemplate
    UNION ALL
    SELECT 'pg_ts_parser'::regclass, p.oid, p.prsnamespace, p.prsname, 'text search parser', NULL, NULL,
        ARRAY['start ' || p.prsstart, 'gettoken ' || p.prstoken, 'end ' || p.prsend, 'lextypes ' || p.prslextype], NULL
    FROM pg_ts_parser p
    UNION ALL
    SELECT 'pg_ts_template'::regclass, t.oid, t.tmplnamespace, t.tmplname, 'text search template', NULL, NULL,
        ARRAY['lexize ' || t.tmpllexize], NULL
    FROM pg_ts_template t
    UNION ALL
    SELECT 'pg_foreign_data_wrapper'::regclass, f.oid, 0, f.fdwname, 'foreign data wrapper',
        CASE WHEN f.fdwhandler <> 0 THEN f.fdwhandler::regproc::text END, NULL,
        CASE WHEN f.fdwvalidator <> 0 THEN ARRAY['validator ' || f.fdwvalidator::regproc] END, f.fdwoptions
    FROM pg_foreign_data_wrapper f
    UNION ALL
    SELECT 'pg_foreign_server'::regclass, s.oid, 0, s.srvname, 'foreign server', NULL, quote_ident(f.fdwname),
        array_remove(ARRAY['type ' || s.srvtype, 'version ' || s.srvversion], NULL), s.srvoptions
    FROM pg_foreign_server s JOIN pg_foreign_data_wrapper f ON f.oid = s.srvfdw
    UNION ALL
    -- Values may be secrets.
    SELECT 'pg_user_mapping'::regclass, u.umid, 0, CASE WHEN u.umuser = 0 THEN 'public' ELSE u.usename END || ' on ' || u.srvname,
        'user mapping', NULL, quote_ident(u.srvname), NULL,
        ARRAY(SELECT split_part(option, '=', 1) FROM unnest(u.umoptions) option)
    FROM pg_user_mappings u
    UNION ALL
    SELECT 'pg_language'::regclass, l.oid, 0, l.lanname, 'language', l.lanplcallfoid::regproc::text, NULL,
        CASE WHEN l.lanpltrusted THEN ARRAY['trusted'] END, NULL
    FROM pg_language l
    UNION ALL
    SELECT 'pg_am'::regclass, a.oid, 0, a.amname, 'access method', a.amhandler::text, NULL,
        ARRAY[CASE a.amtype WHEN 't' THEN 'table' ELSE 'index' END], NULL
    FROM pg_am a
    UNION ALL
    SELECT 'pg_transform'::regclass, t.oid, 0, format_type(t.trftype, NULL) || ' for ' || l.lanname, 'transform', NULL, NULL,
        ARRAY['from sql ' || t.trffromsql, 'to sql ' || t.trftosql], NULL
    FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang
    UNION ALL
    SELECT 'pg_subscription'::regclass, s.oid, 0, s.subname, 'subscription', NULL, NULL,
        s.subpublications || CASE WHEN s.subenabled THEN '{}' ELSE ARRAY['disabled'] END, NULL
    FROM pg_subscription s WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    UNION ALL
    SELECT 'pg_default_acl'::regclass, a.oid, a.defaclnamespace,
        'on ' || CASE a.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
            WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE 'large objects' END
            || CASE WHEN pg_get_userbyid(a.defaclrole) = current_user THEN '' ELSE ' of ' || pg_get_userbyid(a.defaclrole) END
            || CASE WHEN a.defaclnamespace = 0 THEN '' ELSE ' in schema' END,
        'default privileges', NULL, NULL, NULL, NULL
    FROM pg_default_acl a
) o
LEFT JOIN space s ON s.oid = o.namespace
WHERE o.oid >= 16384
    AND (o.namespace = 0 OR s.oid IS NOT NULL)
    -- What an extension brings along, and the casts of range types.
    AND NOT EXISTS (
        SELECT FROM pg_depend d
        WHERE d.classid = o.class AND d.objid = o.oid AND d.deptype IN ('e', 'i')
    )
