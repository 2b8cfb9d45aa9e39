coalesce((
            SELECT array_remove(ARRAY[
                'sfunc ' || g.aggtransfn, 'stype ' || format_type(g.aggtranstype, NULL), 'initcond ' || g.agginitval,
                CASE WHEN g.aggfinalfn <> 0 THEN 'finalfunc ' || g.aggfinalfn END,
                CASE WHEN g.aggcombinefn <> 0 THEN 'combinefunc ' || g.aggcombinefn END,
                CASE WHEN g.aggserialfn <> 0 THEN 'serialfunc ' || g.aggserialfn END,
                CASE WHEN g.aggdeserialfn <> 0 THEN 'deserialfunc ' || g.aggdeserialfn END,
                CASE WHEN g.aggmtransfn <> 0 THEN 'msfunc ' || g.aggmtransfn END,
                CASE WHEN g.aggminvtransfn <> 0 THEN 'minvfunc ' || g.aggminvtransfn END,
                CASE WHEN g.aggmtranstype <> 0 THEN 'mstype ' || format_type(g.aggmtranstype, NULL) END,
                CASE WHEN g.aggmfinalfn <> 0 THEN 'mfinalfunc ' || g.aggmfinalfn END,
                'minitcond ' || g.aggminitval,
                CASE WHEN g.aggsortop <> 0 THEN 'sortop ' || g.aggsortop::regoperator END,
                CASE g.aggkind WHEN 'o' THEN 'ordered set' WHEN 'h' THEN 'hypothetical' END,
                CASE WHEN g.aggfinalextra THEN 'finalfunc_extra' END
            ], NULL)
            FROM pg_aggregate g WHERE g.aggfnoid = p.oid AND p.prokind = 'a'
        ), '{}')
