//! Careful spellings of the same, which are silent.

use rstest::rstest;

use super::compared;

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
#[case::boolean_quoted("column flag: boolean | default false", "column flag: BOOLEAN | default '0'")]
#[case::number_quoted("column n: integer | default 7", "column n: INTEGER | default '7'")]
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
#[case::json_bytes("column data: jsonb | default '[]'::jsonb", "column data: BLOB | default X'5B5D'")]
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
#[case::local_without_zone(
    "column at: timestamp without time zone | default now()",
    "column at: TIMESTAMP | default datetime('now', 'localtime')"
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
#[case::implied(
    "check ck: (name = any (array['a'::text, 'b'::text]))",
    "check a: name in ('a', 'b') & check b: length(name) > 0 and length(name) < 128"
)]
#[case::some_length("check ck: (name <> ''::text)", "check ck: length(name) > 0")]
#[case::digits("", "check ck: price = round(price, 2)")]
#[case::domain("type positive: domain | type integer & table t & column n: positive", "")]
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
#[case::json_compared(
    "check ck: (((data ->> 'a'::text) = 'x'::text) or (n = 1))",
    "check ck: data ->> 'a' = 'x' or n = 1"
)]
#[case::joined(
    "check ck: (((name || 'a'::text) || 'b'::text) <> ''::text)",
    "check ck: name || 'a' || 'b' <> ''"
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
#[case::match_of_one_column(
    "foreign key fk: n | references p (id) | match full",
    "foreign key fk: n | references p (id)"
)]
#[case::match_of_what_is_never_null(
    "column n: integer | not null & column name: text | not null & foreign key fk: n; name | references p (id, name) | match full",
    "column n: INTEGER | not null & column name: TEXT | not null & foreign key fk: n; name | references p (id, name)"
)]
#[case::match_that_sqlite_passes_over(
    "foreign key fk: n; name | references p (id, name)",
    "foreign key fk: n; name | references p (id, name) | match full"
)]
#[case::match_by_a_check(
    "foreign key fk: n; name | references p (id, name) | match full",
    "foreign key fk: n; name | references p (id, name) & check ck: (n is null) = (name is null)"
)]
#[case::match_by_a_longer_check(
    "foreign key fk: n; name | references p (id, name) | match full",
    "foreign key fk: n; name | references p (id, name) & check ck: (name is null and n is null) or (n is not null and name is not null)"
)]
#[case::exclusion_by_triggers(
    "exclusion ex: n WITH =",
    "trigger a: before | events insert | when exists(select 1 from t where n = new.n) | definition select raise(abort, 'no'); & \
     trigger b: before | events update | when exists(select 1 from t where n = new.n) | definition select raise(abort, 'no');"
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
#[case::nulls_as_sqlite_has_them("index a: n nulls first", "index a: n")]
#[case::nulls_among_several("index a: n nulls first; at desc", "index a: n; at desc")]
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
#[case::touched_once(
    "routine f(): begin new.at = now(); return new; end; & trigger tr: before | events update | calls f()",
    "trigger tr: after | events update | when new.at = old.at | definition update t set at = current_timestamp where id = new.id;"
)]
#[case::touched_by_others(
    "routine f(): begin new.at = now(); return new; end; & trigger tr: before | events update | calls f()",
    "trigger tr: after | events update of (name, n, price, flag, data, u) | definition update t set at = current_timestamp where id = new.id;"
)]
#[case::touched_by_an_extension(
    "trigger tr: before | events update | calls moddatetime('at')",
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
#[case::cased(
    "check ck: (case when flag then (n is not null) else true end)",
    "check ck: case when flag = 1 then n is not null else 1 end"
)]
#[case::bytes_length(
    "column n: bytea & check ck: (octet_length(n) <= 9)",
    "column n: BLOB & check ck: length(n) <= 9"
)]
#[case::day("index a: ((at at time zone 'UTC'::text))::date", "index a: date(at)")]
#[case::key_order(
    "column data: jsonb | default '{\"b\": 1, \"a\": 2}'::jsonb",
    "column data: JSON | default '{\"a\":2,\"b\":1}'"
)]
#[case::outer_join(
    "view v: select t.id, count(p.id) as c from (t left join p on ((p.id = t.n))) group by t.id | column order id; c & column id & column c",
    "view v: select t.id, count(p.id) as c from t left outer join p on t.n = p.id group by t.id | column order id; c & column id & column c"
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
