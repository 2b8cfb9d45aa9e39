//! Spellings of both backends side by side: those that mean the same are silent, and of those that
//! don't each is found once.

use rstest::rstest;

use super::{Comparison, compare};
use crate::schema::{Attribute, Kind, Name, Object, ObjectId, Schema, Value};

/// A table with a column of each common kind, as each backend declares it.
const POSTGRES: &str = "
    table t
    column id: bigint | not null | identity by default
    column name: text
    column n: integer
    column price: numeric(10,2)
    column flag: boolean
    column data: jsonb
    column at: timestamp with time zone
    column u: uuid
    primary key t_pkey: id
    table p
    column id: bigint | not null | identity by default
    primary key p_pkey: id";
const SQLITE: &str = "
    table t
    column id: INTEGER | not null
    column name: TEXT
    column n: INTEGER
    column price: NUMERIC
    column flag: BOOLEAN
    column data: JSON
    column at: DATETIME
    column u: CHAR(36)
    primary key (id): id
    table p
    column id: INTEGER | not null | autoincrement
    primary key (id): id";

/// A schema of lines: a kind, a name, then its attributes. A part belongs to the last table, and
/// one of the same name to `t` takes the place of the one before.
fn schema(text: &str) -> Schema {
    let mut schema = Schema::new();
    let mut owner = (Kind::Table, Name::new("t"));
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (head, rest) = line.split_once(": ").unwrap_or((line, ""));
        let kinds = Kind::ALL.iter().filter(|kind| head.starts_with(&format!("{kind} ")));
        let kind = *kinds.max_by_key(|kind| kind.word().len()).unwrap_or_else(|| panic!("{line}"));
        let name = &head[kind.word().len() + 1..];
        let object = object(kind, rest);
        let is_part = !matches!(kind, Kind::Table | Kind::Type | Kind::Routine | Kind::View);
        if matches!(kind, Kind::Table | Kind::View) {
            owner = (kind, Name::new(name));
        }
        let id = match is_part {
            true => ObjectId::part(owner.0, owner.1.clone(), kind, name),
            false => ObjectId::whole(kind, Name::new(name)),
        };
        schema.insert(id, object);
    }
    schema
}

fn object(kind: Kind, text: &str) -> Object {
    let lead = match kind {
        Kind::Column => Attribute::Type,
        Kind::Check => Attribute::Expression,
        Kind::Type => Attribute::Variety,
        Kind::Trigger => Attribute::Timing,
        Kind::Routine | Kind::View => Attribute::Definition,
        _ => Attribute::Columns,
    };
    let value = |attribute, text: &str| match attribute {
        Attribute::Columns
        | Attribute::Events
        | Attribute::Values
        | Attribute::Include
        | Attribute::ColumnOrder => Value::List(text.split("; ").map(str::to_owned).collect()),
        _ if text.is_empty() => Value::Flag,
        _ => Value::Text(text.to_owned()),
    };
    let mut object = Object::new();
    for (place, field) in text.split(" | ").filter(|field| !field.is_empty()).enumerate() {
        if place == 0 {
            object.set(lead, value(lead, field));
            continue;
        }
        let words =
            Attribute::ALL.iter().filter(|one| field == one.word() || field.starts_with(&format!("{one} ")));
        let attribute = *words.max_by_key(|one| one.word().len()).unwrap_or_else(|| panic!("{field}"));
        object.set(attribute, value(attribute, field[attribute.word().len()..].trim_start()));
    }
    object
}

fn compared(postgres: &str, sqlite: &str) -> Comparison {
    // What a case says stands last, so parts of it must say which table they belong to: it is `t`.
    let with = |base: &str, case: &str| {
        let (first, second) = base.split_once("table p").unwrap();
        schema(&format!("table p{second}\n{first}\n{}", case.replace(" & ", "\n")))
    };
    compare(&with(POSTGRES, postgres), &with(SQLITE, sqlite))
}

#[rstest]
#[case::nothing("", "")]
// Types.
#[case::width("column n: smallint", "column n: BIGINT")]
#[case::serial("column id: integer | not null | default nextval('t_id_seq'::regclass)", "column id: INTEGER")]
#[case::exact_as_text("column price: numeric(20,8)", "column price: TEXT")]
#[case::whole_decimal("column price: numeric(20)", "column price: INTEGER")]
#[case::boolean_as_integer("", "column flag: INTEGER")]
#[case::json_as_text("", "column data: TEXT")]
#[case::json_as_blob("", "column data: BLOB")]
#[case::uuid_as_text("", "column u: TEXT")]
#[case::uuid_as_bytes("", "column u: BLOB")]
#[case::moment_as_text("", "column at: TEXT")]
#[case::moment_as_epoch("", "column at: INTEGER")]
#[case::length("column name: character varying(50)", "column name: TEXT")]
#[case::array_as_json("column n: text[]", "column n: JSON")]
#[case::inet("column n: inet", "column n: TEXT")]
#[case::bit("column n: bit(8)", "column n: INTEGER")]
#[case::declared_the_same("column n: inet", "column n: INET")]
#[case::without_a_type("column n: bytea", "column n")]
#[case::enumeration("type mood: enum | values sad; glad & column n: mood", "column n: TEXT")]
#[case::enumeration_checked(
    "type mood: enum | values sad; glad & column n: mood",
    "column n: TEXT & check (n): n in ('glad', 'sad')"
)]
#[case::names_fold("column name: text", "column Name: TEXT & column name: TEXT")]
// Defaults.
#[case::now(
    "column at: timestamp with time zone | default now()",
    "column at: DATETIME | default current_timestamp"
)]
#[case::now_iso(
    "column at: timestamp with time zone | default current_timestamp",
    "column at: TEXT | default strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
)]
#[case::now_function(
    "column at: timestamp with time zone | default now()",
    "column at: TEXT | default datetime('now')"
)]
#[case::now_utc(
    "column at: timestamp without time zone | default timezone('utc'::text, now())",
    "column at: DATETIME | default current_timestamp"
)]
#[case::now_epoch(
    "column n: bigint | default (EXTRACT(epoch FROM now()))::bigint",
    "column n: BIGINT | default strftime('%s', 'now')"
)]
#[case::now_as_epoch(
    "column at: timestamp with time zone | default now()",
    "column at: INTEGER | default unixepoch()"
)]
#[case::today("column at: date | default CURRENT_DATE", "column at: DATE | default date('now')")]
#[case::boolean_number("column flag: boolean | default false", "column flag: BOOLEAN | default 0")]
#[case::number_boolean("column n: integer | default 1", "column n: BOOLEAN | default true")]
#[case::text("column name: text | default 'a'::text", "column name: TEXT | default 'a'")]
#[case::varchar(
    "column name: character varying(9) | default 'a'::character varying",
    "column name: VARCHAR(9) | default 'a'"
)]
#[case::negative("column n: integer | default '-1'::integer", "column n: INTEGER | default -1")]
#[case::decimal("column price: numeric | default 0.00", "column price: NUMERIC | default 0")]
#[case::json(
    "column data: jsonb | default '{\"a\": [1]}'::jsonb",
    "column data: JSON | default '{\"a\":[1]}'"
)]
#[case::json_call("column data: jsonb | default '{}'::jsonb", "column data: BLOB | default jsonb('{}')")]
#[case::empty_array("column n: text[] | default '{}'::text[]", "column n: JSON | default '[]'")]
#[case::enum_word(
    "type mood: enum | values a & column n: mood | default 'a'::mood",
    "column n: TEXT | default 'a'"
)]
#[case::null("column name: text | default NULL::text", "column name: TEXT")]
#[case::uuid(
    "column u: uuid | default gen_random_uuid()",
    "column u: TEXT | default lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2)))"
)]
#[case::later(
    "column at: timestamp with time zone | default (now() + '7 days'::interval)",
    "column at: DATETIME | default datetime('now', '+7 days')"
)]
// Checks.
#[case::in_list("check ck: (name = any (array['a'::text, 'b'::text]))", "check ck: name in ('b', 'a')")]
#[case::in_varchar_list(
    "column name: character varying(9) & check ck: ((name)::text = any ((array['a'::character varying, 'b'::character varying])::text[]))",
    "check ck: name in ('a', 'b')"
)]
#[case::alternatives("check ck: ((name = 'a'::text) or (name = 'b'::text))", "check ck: name in ('a', 'b')")]
#[case::not_in("check ck: (name <> all (array['a'::text, 'b'::text]))", "check ck: name not in ('a', 'b')")]
#[case::not_empty("check ck: (name <> ''::text)", "check ck: name != ''")]
#[case::between("check ck: ((n >= 0) and (n <= 9))", "check ck: n between 0 and 9")]
#[case::two_for_one("check ck: ((n >= 0) and (n <= 9))", "check a: n >= 0 & check b: 9 >= n")]
#[case::whole_numbers("check ck: (n > 0)", "check ck: n >= 1")]
#[case::turned("check ck: (n > price)", "check ck: price < n")]
#[case::negated("check ck: (not (n < 5))", "check ck: n >= 5")]
#[case::like("check ck: (name ~~ '%@%'::text)", "check ck: name like '%@%'")]
#[case::length_of("check ck: (char_length(name) <= 5)", "check ck: length(name) <= 5")]
#[case::exclusive("check ck: ((n is null) <> (name is null))", "check ck: (name is not null) = (n is null)")]
#[case::count_nonnull(
    "check ck: (num_nonnulls(n, name) = 1)",
    "check ck: (n is not null) + (name is not null) = 1"
)]
#[case::implied_null("check ck: (n > 0)", "check ck: n is null or n > 0")]
#[case::json_path(
    "check ck: ((data ->> 'a'::text) is not null)",
    "check ck: json_extract(data, '$.a') is not null"
)]
#[case::json_type("check ck: (jsonb_typeof(data) = 'array'::text)", "check ck: json_type(data) = 'array'")]
#[case::json_valid("", "check ck: json_valid(data)")]
#[case::json_valid_or_null("", "check ck: data is null or json_valid(data)")]
#[case::boolean_values("", "check ck: flag in (0, 1)")]
#[case::type_of("", "check ck: typeof(n) = 'integer'")]
#[case::length_of_varchar("column name: character varying(5)", "check ck: length(name) <= 5")]
#[case::width_of_smallint("column n: smallint", "check ck: n between -32768 and 32767")]
#[case::form_of_uuid("", "check ck: length(u) = 36")]
#[case::form_of_moment("", "check ck: at is datetime(at)")]
#[case::not_null_check(
    "column n: integer | not null",
    "column n: INTEGER | not null & check ck: n is not null"
)]
#[case::trigger_for_check(
    "check ck: (n > 0)",
    "trigger tr: before | events insert | when new.n <= 0 | definition select raise(abort, 'no'); & \
     trigger tr2: before | events update | when new.n <= 0 | definition select raise(abort, 'no');"
)]
#[case::boolean_condition("check ck: (flag or (n > 0))", "check ck: flag = 1 or n > 0")]
// Keys.
#[case::unique_either_way("unique uq: name", "index uq: name | unique")]
#[case::unique_order("unique uq: n; name", "unique (name, n): name; n")]
#[case::unique_said_twice("unique uq: id; name", "")]
#[case::constraint_or_index(
    "column n: integer | not null & unique uq: n",
    "column n: INTEGER | not null & index uq: n | unique"
)]
#[case::unique_ignoring_case("index uq: lower(name) | unique", "index uq: name collate nocase | unique")]
#[case::citext(
    "column name: citext & unique uq: name",
    "column name: TEXT | collate NOCASE & unique uq: name"
)]
#[case::partial_unique(
    "index uq: name | unique | where (flag is true)",
    "index uq: name | unique | where flag = 1"
)]
#[case::foreign_key(
    "foreign key fk: n | references p (id) | on delete cascade",
    "foreign key (n): n | references p (id) | on delete cascade"
)]
#[case::restrict(
    "foreign key fk: n | references p (id) | on delete restrict",
    "foreign key fk: n | references p (id)"
)]
#[case::deferrable(
    "foreign key fk: n | references p (id) | deferrable deferrable",
    "foreign key fk: n | references p (id)"
)]
// Indexes.
#[case::other_name("index a: name", "index b: name")]
#[case::json_index("index a: ((data ->> 'status'::text))", "index a: json_extract(data, '$.status')")]
#[case::json_deep("index a: ((data #>> '{a,b}'::text[]))", "index a: data ->> '$.a.b'")]
#[case::json_steps("index a: (((data -> 'a'::text) ->> 'b'::text))", "index a: json_extract(data, '$.a.b')")]
#[case::json_function(
    "index a: jsonb_extract_path_text(data, variadic array['a'::text])",
    "index a: json_extract(data, '$.a')"
)]
#[case::json_number("index a: (((data ->> 'n'::text))::integer)", "index a: json_extract(data, '$.n')")]
#[case::lower("index a: lower((name)::text)", "index a: lower(name)")]
#[case::operator_class("index a: name text_pattern_ops", "index a: name")]
#[case::nulls("index a: n desc nulls last", "index a: n desc")]
#[case::included("index a: n | include name", "index a: n; name")]
#[case::hash("index a: name | using hash", "index a: name")]
#[case::prefix("index a: n & index b: n; name", "index b: n; name")]
#[case::served_by_unique("index a: name & unique uq: name", "unique uq: name")]
#[case::predicate_false("index a: n | where (flag = false)", "index a: n | where not flag")]
#[case::predicate_null("index a: n | where (at is null)", "index a: n | where at is null")]
#[case::predicate_certain(
    "column name: text | not null & index a: n | where (name is not null)",
    "column name: TEXT | not null & index a: n"
)]
#[case::coalesced(
    "index a: coalesce(at, '9999-12-31 23:59:59+00'::timestamp with time zone)",
    "index a: coalesce(at, '9999-12-31T23:59:59Z')"
)]
// Triggers.
#[case::refusal(
    "routine f(): begin raise exception 'no'; end; & trigger tr: before | events update; delete | calls f()",
    "trigger a: before | events update | definition select raise(abort, 'no'); & \
     trigger b: before | events delete | definition select raise(abort, 'no');"
)]
#[case::refusal_when(
    "routine f(): begin if new.n < old.n then raise exception 'no'; end if; return new; end; & trigger tr: before | events update | calls f()",
    "trigger tr: before | events update | when old.n > new.n | definition select raise(abort, 'no');"
)]
#[case::refusal_in_query(
    "routine f(): begin raise exception 'no'; end; & trigger tr: before | events update | when (old.name = 'x'::text) | calls f()",
    "trigger tr: before | events update | definition select raise(abort, 'no') where old.name = 'x';"
)]
#[case::touched(
    "routine f(): begin new.at = now(); return new; end; & trigger tr: before | events update | calls f()",
    "trigger tr: after | events update | definition update t set at = current_timestamp where id = new.id;"
)]
#[case::truncate(
    "routine f(): begin raise exception 'no'; end; & trigger tr: before | events truncate | calls f()",
    ""
)]
#[case::notification(
    "routine f(): begin perform pg_notify('t', new.id::text); return new; end; & trigger tr: after | events insert | calls f()",
    ""
)]
#[case::generated(
    "column name: text | generated (lower((u)::text)) stored",
    "column name: TEXT | generated (lower(u)) virtual"
)]
#[case::view(
    "view v:  select t.id, t.name as label from t join p on ((p.id = t.n)) where (t.flag = true) | column order id; label & column id & column label",
    "view v: select name as label, t.id from p inner join t on t.n = p.id where flag | column order label; id & column id & column label"
)]
fn means_the_same(#[case] postgres: &str, #[case] sqlite: &str) {
    let comparison = compared(postgres, sqlite);
    let messages: Vec<&str> = comparison.mismatches.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(messages, [""; 0]);
    assert_eq!(comparison.unclear, []);
}

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
#[case::deferred(
    "foreign key fk: n | references p (id) | deferrable deferrable initially deferred",
    "foreign key (n): n | references p (id)",
    "error: foreign key \"fk\" of table \"t\" is initially deferred on postgres and checked at once on sqlite"
)]
#[case::exclusion(
    "exclusion ex: n",
    "",
    "warning: exclusion \"ex\" of table \"t\" is there on postgres but not on sqlite"
)]
// Indexes.
#[case::index("index ix: name", "", "warning: index \"ix\" is there on postgres but not on sqlite")]
#[case::gin("index ix: data | using gin", "", "note: index \"ix\" is there on postgres but not on sqlite")]
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

#[rstest]
#[case::pattern("check ck: (name ~ '^[a-z]+$'::text)", "check ck: name not glob '*[^a-z]*'")]
#[case::function("check ck: (is_fine(name))", "check ck: fine(name)")]
#[case::subquery("check ck: (n = ( select 1))", "check ck: n = 1")]
#[case::trigger(
    "routine f(): begin insert into log values (1); return new; end; & trigger tr: after | events insert | calls f()",
    "trigger tr: after | events insert | definition insert into log values (2);"
)]
#[case::view(
    "view v: with w as (select 1) select w.id from w | column order id & column id",
    "view v: select id from t | column order id & column id"
)]
fn what_is_not_understood_is_neither(#[case] postgres: &str, #[case] sqlite: &str) {
    let comparison = compared(postgres, sqlite);
    assert_eq!(comparison.mismatches, []);
    assert_eq!(comparison.unclear.len(), 1, "{:?}", comparison.unclear);
}

#[test]
fn what_was_compared_once_is_known() {
    let mut comparer = super::Comparer::new();
    let (postgres, sqlite) = (schema(POSTGRES), schema(&SQLITE.replace("price: NUMERIC", "price: BLOB")));
    let first = comparer.compare(&postgres, &sqlite);
    assert_eq!(first.mismatches.len(), 1);
    assert_eq!(comparer.compare(&postgres, &sqlite), first);
    // A type that changes its words is seen in a table that stays as it is.
    let with = |words: &str| schema(&format!("type mood: enum | values {words}\ntable m\ncolumn n: mood"));
    let other = schema("table m\ncolumn n: TEXT\ncheck ck: n in ('a')");
    let mut enums = with("a");
    assert_eq!(comparer.compare(&enums, &other).mismatches, []);
    let (kind, name, group) =
        with("a; b").groups().next().map(|(k, n, g)| (k, n.clone(), g.clone())).unwrap();
    enums.insert_group(kind, name, group);
    assert_eq!(comparer.compare(&enums, &other).mismatches.len(), 1);
}
