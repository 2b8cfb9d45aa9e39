//! Every family of mismatch, each found once.

use rstest::rstest;

use super::compared;

const REFUSING: &str = "routine f(): begin raise exception 'no'; end; & trigger tr: before";

#[rstest]
// Types.
#[case::kind(
    "",
    "column n: TEXT",
    "error: column \"n\" of table \"t\" is integer on postgres and TEXT on sqlite"
)]
#[case::boolean_as_text(
    "",
    "column flag: TEXT",
    "error: column \"flag\" of table \"t\" is boolean on postgres and TEXT on sqlite"
)]
#[case::bytes_as_text(
    "column n: bytea",
    "column n: TEXT",
    "error: column \"n\" of table \"t\" is bytea on postgres and TEXT on sqlite"
)]
#[case::date_as_moment(
    "column at: date",
    "",
    "error: column \"at\" of table \"t\" is date on postgres and DATETIME on sqlite"
)]
#[case::inexact(
    "",
    "column price: REAL",
    "warning: column \"price\" of table \"t\" is numeric(10,2) on postgres and REAL on sqlite"
)]
#[case::affinity(
    "",
    "column name: STRING",
    "error: column \"name\" of table \"t\" is text on postgres and STRING on sqlite"
)]
#[case::type_swallows_default(
    "column n: integer | default 1",
    "column n: TEXT | default 'x'",
    "error: column \"n\" of table \"t\" is integer on postgres and TEXT on sqlite"
)]
// Presence.
#[case::table("table more", "", "error: table \"more\" is there on postgres but not on sqlite")]
#[case::table_of_sqlite("", "table more", "error: table \"more\" is there on sqlite but not on postgres")]
#[case::column(
    "column more: text",
    "",
    "error: column \"more\" of table \"t\" is there on postgres but not on sqlite"
)]
#[case::column_swallows(
    "column more: text & unique uq: more & index ix: more & check ck: (more <> ''::text) & foreign key fk: more | references p (id)",
    "",
    "error: column \"more\" of table \"t\" is there on postgres but not on sqlite"
)]
#[case::column_in_key(
    "column more: text & primary key t_pkey: id; more",
    "",
    "error: column \"more\" of table \"t\" is there on postgres but not on sqlite"
)]
#[case::search_column(
    "column more: tsvector",
    "",
    "note: column \"more\" of table \"t\" is there on postgres but not on sqlite"
)]
// Nullability, counting, defaults.
#[case::nullable(
    "column name: text | not null",
    "",
    "error: column \"name\" of table \"t\" is NOT NULL on postgres but may be null on sqlite"
)]
#[case::nullable_with_default(
    "column name: text | not null | default 'en'::text",
    "",
    "error: column \"name\" of table \"t\" is NOT NULL on postgres but may be null on sqlite"
)]
#[case::required(
    "",
    "column n: INTEGER | not null",
    "error: column \"n\" of table \"t\" is NOT NULL on sqlite but may be null on postgres"
)]
#[case::no_alias(
    "",
    "column id: BIGINT | not null",
    "error: column \"id\" of table \"t\" counts up on postgres but not on sqlite"
)]
#[case::no_alias_nullable(
    "",
    "column id: BIGINT",
    "error: column \"id\" of table \"t\" counts up on postgres but not on sqlite"
)]
#[case::serial_beside_key(
    "column n: integer | default nextval('t_n_seq'::regclass)",
    "",
    "error: column \"n\" of table \"t\" counts up on postgres but not on sqlite"
)]
#[case::counts_by_nature(
    "column id: bigint | not null",
    "",
    "note: column \"id\" of table \"t\" counts up on sqlite but not on postgres"
)]
#[case::counts_on_purpose(
    "column id: bigint | not null",
    "column id: INTEGER | not null | autoincrement",
    "error: column \"id\" of table \"t\" counts up on sqlite but not on postgres"
)]
#[case::nullable_key(
    "column id: text | not null",
    "column id: TEXT",
    "note: the primary key of table \"t\" accepts NULL in \"id\" on sqlite but not on postgres"
)]
#[case::default(
    "column n: integer | default 1",
    "column n: INTEGER | default 2",
    "error: the default of column \"n\" of table \"t\" is 1 on postgres and 2 on sqlite"
)]
#[case::default_is_text(
    "column flag: boolean | default false",
    "column flag: BOOLEAN | default 'false'",
    "error: the default of column \"flag\" of table \"t\" is false on postgres and 'false' on sqlite"
)]
#[case::local_time(
    "column at: timestamp with time zone | default now()",
    "column at: DATETIME | default datetime('now', 'localtime')",
    "error: the default of column \"at\" of table \"t\" is now() on postgres and datetime('now', 'localtime') on sqlite"
)]
#[case::no_default(
    "column at: timestamp with time zone | default now()",
    "",
    "error: column \"at\" of table \"t\" has the default now() on postgres and none on sqlite"
)]
#[case::default_of_sqlite(
    "",
    "column name: TEXT | default ''",
    "warning: column \"name\" of table \"t\" has the default '' on sqlite and none on postgres"
)]
#[case::generated(
    "column name: text | generated (lower((u)::text)) stored",
    "column name: TEXT | generated (upper(u)) stored",
    "error: the generated expression of column \"name\" of table \"t\" is (lower((u)::text)) stored on postgres and (upper(u)) stored on sqlite"
)]
#[case::not_generated(
    "column n: integer | generated (length(name)) stored",
    "",
    "error: column \"n\" of table \"t\" is generated as (length(name)) stored on postgres and is not generated on sqlite"
)]
#[case::nocase(
    "",
    "column name: TEXT | collate NOCASE",
    "error: column \"name\" of table \"t\" ignores case on sqlite but not on postgres"
)]
#[case::citext(
    "column name: citext",
    "",
    "error: column \"name\" of table \"t\" ignores case on postgres but not on sqlite"
)]
// Checks.
#[case::check(
    "check ck: (n > 0)",
    "",
    "error: check \"ck\" of table \"t\" is there on postgres but not on sqlite"
)]
#[case::check_of_sqlite(
    "",
    "check (n): n > 0",
    "error: check (n) of table \"t\" is there on sqlite but not on postgres"
)]
#[case::check_differs(
    "check ck: (n > 0)",
    "check ck: n >= 0",
    "error: check \"ck\" of table \"t\" wants (n > 0) on postgres and n >= 0 on sqlite"
)]
#[case::word_missing(
    "check ck: (name = any (array['a'::text, 'b'::text]))",
    "check (name): name in ('a')",
    "error: check \"ck\" of table \"t\" wants (name = any (array['a'::text, 'b'::text])) on postgres and name in ('a') on sqlite"
)]
#[case::enum_words(
    "type mood: enum | values sad; glad & column n: mood",
    "column n: TEXT & check ck: n in ('sad')",
    "error: column \"n\" of table \"t\" is one of glad, sad on postgres and of sad on sqlite"
)]
#[case::length(
    "column name: character varying(5)",
    "check ck: length(name) <= 4",
    "error: check \"ck\" of table \"t\" is there on sqlite but not on postgres"
)]
#[case::null_in_check(
    "check ck: ((n > 0) or (name is null))",
    "check ck: n > 0",
    "error: check \"ck\" of table \"t\" wants ((n > 0) or (name is null)) on postgres and n > 0 on sqlite"
)]
#[case::domain(
    "type positive: domain | type integer & check positive_check: (value > 0) & table t & column n: positive",
    "",
    "error: column \"n\" of table \"t\" wants (value > 0) on postgres by its domain \"positive\", and nothing does on sqlite"
)]
// Keys.
#[case::unique(
    "unique uq: name",
    "",
    "error: unique \"uq\" of table \"t\" is there on postgres but not on sqlite"
)]
#[case::unique_index(
    "index uq: name | unique",
    "index uq: name",
    "error: index \"uq\" is there on postgres but not on sqlite"
)]
#[case::unique_columns(
    "unique uq: name",
    "unique uq: name; n",
    "error: unique \"uq\" of table \"t\" keeps (name) unique on postgres and (name, n) on sqlite"
)]
#[case::unique_rows(
    "index uq: name | unique | where flag",
    "index uq: name | unique",
    "error: index \"uq\" keeps (name where flag) unique on postgres and (name) on sqlite"
)]
#[case::unique_case(
    "index uq: lower(name) | unique",
    "index uq: name | unique",
    "error: index \"uq\" keeps (lower(name)) unique on postgres and (name) on sqlite"
)]
#[case::unique_nulls(
    "unique uq: name | nulls not distinct",
    "unique uq: name",
    "error: unique \"uq\" of table \"t\" keeps (name) unique on postgres and (name) on sqlite"
)]
#[case::foreign_key(
    "foreign key fk: n | references p (id)",
    "",
    "error: foreign key \"fk\" of table \"t\" is there on postgres but not on sqlite"
)]
#[case::action(
    "foreign key fk: n | references p (id) | on delete cascade",
    "foreign key (n): n | references p (id)",
    "error: foreign key \"fk\" of table \"t\" is on delete cascade on postgres and on delete no action on sqlite"
)]
#[case::restrict(
    "foreign key fk: n | references p (id) | on delete restrict | on update restrict",
    "foreign key (n): n | references p (id) | on update cascade",
    "error: foreign key \"fk\" of table \"t\" is on update restrict on postgres and on update cascade on sqlite"
)]
#[case::deferred(
    "foreign key fk: n | references p (id) | deferrable deferrable initially deferred",
    "foreign key (n): n | references p (id)",
    "error: foreign key \"fk\" of table \"t\" is initially deferred on postgres and checked at once on sqlite"
)]
#[case::match_full(
    "foreign key fk: n; name | references p (id, name) | match full",
    "foreign key (n): n; name | references p (id, name) | match full",
    "error: foreign key \"fk\" of table \"t\" is match full on postgres and match simple on sqlite"
)]
#[case::match_full_where_one_can_be_null(
    "column n: integer | not null & foreign key fk: n; name | references p (id, name) | match full",
    "column n: INTEGER | not null & foreign key (n): n; name | references p (id, name)",
    "error: foreign key \"fk\" of table \"t\" is match full on postgres and match simple on sqlite"
)]
#[case::deferred_unique(
    "unique uq: n | deferrable deferrable initially deferred",
    "unique uq: n",
    "warning: unique \"uq\" of table \"t\" is checked at the end of the transaction on postgres and with each row on sqlite"
)]
#[case::deferrable_unique(
    "unique uq: n | deferrable deferrable",
    "index uq: n | unique",
    "note: unique \"uq\" of table \"t\" is checked with each statement on postgres and with each row on sqlite"
)]
#[case::deferred_unique_of_other_columns(
    "unique uq: n | deferrable deferrable initially deferred",
    "unique uq: n; name",
    "error: unique \"uq\" of table \"t\" keeps (n) unique on postgres and (n, name) on sqlite"
)]
#[case::exclusion(
    "exclusion ex: n",
    "",
    "warning: exclusion \"ex\" of table \"t\" is there on postgres but not on sqlite"
)]
// Indexes.
#[case::index("index ix: name", "", "warning: index \"ix\" is there on postgres but not on sqlite")]
#[case::gin("index ix: data | using gin", "", "note: index \"ix\" is there on postgres but not on sqlite")]
#[case::gin_for_btree(
    "index ix: data jsonb_path_ops | using gin",
    "index ix: data",
    "note: index \"ix\" is on (data jsonb_path_ops using gin) on postgres and on (data) on sqlite"
)]
#[case::index_order(
    "index ix: n; at desc",
    "index ix: n; at",
    "warning: index \"ix\" is on (n, at desc) on postgres and on (n, at) on sqlite"
)]
#[case::index_reversed(
    "index ix: at desc",
    "index ix: at",
    "note: index \"ix\" is on (at desc) on postgres and on (at) on sqlite"
)]
#[case::index_columns(
    "index ix: n; name",
    "index ix: name; n",
    "warning: index \"ix\" is on (n, name) on postgres and on (name, n) on sqlite"
)]
#[case::index_rows(
    "index ix: n | where (flag = true)",
    "index ix: n | where flag = 0",
    "warning: index \"ix\" is on (n where (flag = true)) on postgres and on (n where flag = 0) on sqlite"
)]
#[case::index_path(
    "index ix: ((data ->> 'a'::text))",
    "index ix: json_extract(data, '$.b')",
    "warning: index \"ix\" is on (((data ->> 'a'::text))) on postgres and on (json_extract(data, '$.b')) on sqlite"
)]
#[case::index_case(
    "index ix: name",
    "index ix: name collate nocase",
    "warning: index \"ix\" is on (name) on postgres and on (name collate nocase) on sqlite"
)]
// Triggers and views.
#[case::trigger_on_missing_table(
    "routine f(): begin insert into log values (1); return new; end; & trigger tr: after | events insert | calls f() & table log",
    "",
    "error: table \"log\" is there on postgres but not on sqlite"
)]
#[case::refusal(
    &format!("{REFUSING} | events update; delete | calls f()"),
    "trigger tr: before | events update | definition select raise(abort, 'no');",
    "error: trigger \"tr\" refuses delete on postgres, and nothing does on sqlite"
)]
#[case::refusal_of_sqlite(
    "",
    "trigger tr: before | events update | definition select raise(abort, 'no');",
    "error: trigger \"tr\" refuses update on sqlite, and nothing does on postgres"
)]
#[case::refusal_beside_an_exclusion(
    "exclusion ex: n WITH =",
    "trigger a: before | events insert | when exists(select 1 from t where n = new.n) | definition select raise(abort, 'no'); & \
     trigger b: before | events update | when old.n = 1 | definition select raise(abort, 'no');",
    "error: trigger \"b\" refuses update on sqlite, and nothing does on postgres"
)]
#[case::refusal_when(
    &format!("{REFUSING} | events update | when (old.n = 1) | calls f()"),
    "trigger tr: before | events update | when old.n = 2 | definition select raise(abort, 'no');",
    "error: trigger \"tr\" refuses update ((old.n = 1)) on postgres and refuses update (old.n = 2) on sqlite"
)]
#[case::touched(
    "routine f(): begin new.at := now(); return new; end; & trigger tr: before | events update | calls f()",
    "",
    "error: trigger \"tr\" sets at on update on postgres, and nothing does on sqlite"
)]
#[case::view(
    "view v: select t.id from t | column order id & column id",
    "",
    "error: view \"v\" is there on postgres but not on sqlite"
)]
#[case::view_columns(
    "view v: select t.id, t.n from t | column order id; n & column id & column n",
    "view v: select id from t | column order id & column id",
    "error: view \"v\" has the columns id, n on postgres and id on sqlite"
)]
#[case::view_rows(
    "view v: select t.id from t where t.flag | column order id & column id",
    "view v: select id from t | column order id & column id",
    "error: view \"v\" does not select the same on postgres and on sqlite"
)]
fn is_found_once(#[case] postgres: &str, #[case] sqlite: &str, #[case] message: &str) {
    let comparison = compared(postgres, sqlite);
    let found: Vec<String> =
        comparison.mismatches.iter().map(|one| format!("{}: {}", one.severity, one.message)).collect();
    assert_eq!(found, [message]);
    assert_eq!(comparison.unclear, []);
}
