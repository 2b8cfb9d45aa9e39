//! The queries, put together for a server's version.

use std::sync::Arc;

/// What the rows of a query are limited to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Everything.
    Whole,
    /// The relations and routines whose oids are given as `$3`.
    Some,
}

/// The queries for one version of the server.
#[derive(Debug)]
pub(super) struct Queries {
    /// Reads the whole schema. `$1` is the default namespace, `$2` the tables to leave out.
    pub(super) whole: Arc<String>,
    /// Reads the relations and routines whose oids are `$3`.
    pub(super) some: Arc<String>,
    /// Tells what has changed since the transaction `$1`.
    pub(super) changes: Arc<String>,
    /// Finds the relations and routines that may speak of those in `$1`.
    pub(super) dependents: &'static str,
}

/// The families that hold relations, routines and what belongs to them.
const RELATIONS: &[&str] = &[
    include_str!("relations.sql"),
    include_str!("columns.sql"),
    include_str!("constraints.sql"),
    include_str!("indexes.sql"),
    include_str!("triggers.sql"),
    include_str!("routines.sql"),
    include_str!("notes.sql"),
];

/// The families that are only read as a whole.
const REST: &[&str] = &[include_str!("types.sql"), include_str!("database.sql"), include_str!("others.sql")];

/// For each placeholder the first version that has its column, what it is since, and until then.
const VERSIONS: &[(&str, u32, &str, &str)] = &[
    ("{inhdetachpending}", 14, "i.inhdetachpending", "false"),
    ("{attcompression}", 14, "a.attcompression", "''::\"char\""),
    ("{sqlbody}", 14, "pg_get_function_sqlbody(p.oid)", "NULL::text"),
    // Without a name of its own, a multirange is called after its range.
    (
        "{multirange}",
        14,
        "(SELECT 'multirange ' || quote_ident(m.typname) FROM pg_type m WHERE m.oid = g.rngmultitypid
            AND m.typname <> CASE WHEN t.typname LIKE '%range%' THEN regexp_replace(t.typname, 'range', 'multirange')
                ELSE t.typname || '_multirange' END)",
        "NULL",
    ),
    (
        "{statistics_expressions}",
        14,
        "coalesce(pg_get_statisticsobjdef_expressions(x.oid), '{}')",
        "'{}'::text[]",
    ),
    ("{confdelsetcols}", 15, "k.confdelsetcols", "NULL::int2[]"),
    ("{indnullsnotdistinct}", 15, "i.indnullsnotdistinct", "false"),
    ("{prattrs}", 15, "r.prattrs::int2[]", "NULL::int2[]"),
    ("{prqual}", 15, "r.prqual", "NULL::pg_node_tree"),
    (
        "{publication_schemas}",
        15,
        "UNION ALL SELECT 'schema ' || quote_ident(ns.nspname)
            FROM pg_publication_namespace pn JOIN pg_namespace ns ON ns.oid = pn.pnnspid WHERE pn.pnpubid = p.oid",
        "",
    ),
    (
        "{publication_namespaces}",
        15,
        "UNION ALL SELECT oid, xmin FROM pg_publication_namespace",
        "",
    ),
    (
        "{public_privileges}",
        15,
        "ARRAY[makeaclitem(0, n.nspowner, 'USAGE', false)]",
        "ARRAY[makeaclitem(0, n.nspowner, 'USAGE', false), makeaclitem(0, n.nspowner, 'CREATE', false)]",
    ),
    ("{icu_rules}", 16, "c.collicurules", "NULL::text"),
    ("{locale}", 17, "coalesce(c.colllocale, {icu_locale})", "{icu_locale}"),
    ("{icu_locale}", 17, "{libc_locale}", "{old_icu_locale}"),
    ("{old_icu_locale}", 15, "coalesce(c.colliculocale, {libc_locale})", "{libc_locale}"),
    (
        "{libc_locale}",
        13,
        "CASE WHEN c.collcollate = c.collctype THEN c.collcollate ELSE c.collcollate || ', ' || c.collctype END",
        "",
    ),
    ("{conperiod}", 18, "k.conperiod", "false"),
    ("{conenforced}", 18, "k.conenforced", "true"),
    ("{pubgencols}", 18, "CASE WHEN p.pubgencols <> 'n' THEN 'generated columns stored' END", "NULL"),
    ("{not_null}", 18, include_str!("not_null.sql"), ""),
    ("{aggregate_properties}", 13, include_str!("aggregate.sql"), ""),
];

impl Queries {
    /// `confined`: only the default namespace is looked at.
    pub(super) fn new(version: u32, confined: bool) -> Self {
        let relations = RELATIONS.join("\nUNION ALL\n");
        let whole = format!("{relations}\nUNION ALL\n{}", REST.join("\nUNION ALL\n"));
        let query = |families: &str, scope| {
            let scoping = if scope == Scope::Some { include_str!("scope.sql") } else { "" };
            let text = format!("WITH {scoping}{}{families}", include_str!("prelude.sql"));
            Arc::new(scoped(&versioned(&text, version, confined), scope))
        };
        Self {
            whole: query(&whole, Scope::Whole),
            some: query(&relations, Scope::Some),
            changes: Arc::new(versioned(include_str!("changes.sql"), version, confined)),
            dependents: include_str!("dependents.sql"),
        }
    }
}

fn versioned(text: &str, version: u32, confined: bool) -> String {
    let namespaces = if confined { "n.nspname = $1" } else { "true" };
    let mut text = text.replace("{namespaces}", namespaces);
    for (placeholder, first, since, until) in VERSIONS {
        text = text.replace(placeholder, if version >= *first { since } else { until });
    }
    text
}

/// Turns `{scope:oid}` and its like into conditions.
fn scoped(text: &str, scope: Scope) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, marked)) = ["{scope:", "{mentioned:", "{part:"]
        .iter()
        .filter_map(|mark| rest.find(mark))
        .min()
        .map(|at| rest.split_at(at))
    {
        let (mark, after) = marked.split_once('}').expect("every mark in our own files is closed");
        let (set, column) = mark[1..].split_once(':').expect("every mark has a column");
        out.push_str(before);
        if scope == Scope::Some {
            out.push_str(&format!("AND {column} = ANY (ARRAY(SELECT oid FROM {set}))"));
        }
        rest = after;
    }
    out + rest
}
