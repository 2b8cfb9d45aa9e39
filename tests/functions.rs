//! Functions that the application defines on SQLite are there wherever the project's SQL runs: stood in
//! for by an expression, or loaded from the application's own extension.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::process::Command;

use insta::assert_snapshot;
use support::command::{Project, Ran};
use support::is_skipped;
use switchback::Backend;

const CONFIG: &str = "switchback.toml";

/// A function of the application's own in rows, a check, a generated column, indexes and a trigger.
const TABLE: &str = "\
CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL CHECK (normalize(name, 'nfc') <> 'root'),
    folded TEXT GENERATED ALWAYS AS (normalize(name, 'nfc')) VIRTUAL
);
CREATE UNIQUE INDEX uq_users_name ON users (normalize(name, 'nfc'));
";
const BACKFILL: &str = "\
ALTER TABLE users ADD COLUMN search TEXT;
UPDATE users SET search = normalize(name, 'nfd');
CREATE INDEX ix_users_search ON users (search) WHERE normalize(search, 'nfd') IS NOT NULL;
CREATE TRIGGER users_search AFTER UPDATE OF name ON users BEGIN
    UPDATE users SET search = normalize(new.name, 'nfd') WHERE id = new.id;
END;
";
const BACK: &str = "\
DROP TRIGGER users_search;
DROP INDEX ix_users_search;
ALTER TABLE users DROP COLUMN search;
";

fn project() -> Project {
    Project::sqlx(&[
        ("1_users.up.sql", TABLE),
        ("1_users.down.sql", "DROP TABLE users;\n"),
        ("2_search.up.sql", BACKFILL),
        ("2_search.down.sql", BACK),
    ])
}

fn on_sqlite(project: &Project) -> Ran {
    project.run("check --backend sqlite --skip behaviour-mismatch")
}

#[test]
fn without_it_the_finding_says_what_to_write() {
    let ran = on_sqlite(&project()).ends(1);
    assert!(ran.stdout.contains("upgrade of 1_users failed (sqlite): no such function: normalize"), "{ran}");
    assert!(ran.stdout.contains("such as \"normalize(x, x2)\" = \"x\""), "{ran}");
}

#[test]
fn an_expression_stands_in_for_it() {
    let stub = "\n[sqlite.functions]\n\"normalize(text, form)\" = \"lower(text)\"\n";
    on_sqlite(&project().adding(CONFIG, stub)).ends(0);
}

#[test]
fn both_backends_are_compared_where_one_has_it() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let config = "[history]\ntool = \"sqlx\"\npostgres = \"postgres\"\nsqlite = \"sqlite\"\n\n[sqlite.functions]\n\
                  \"fold(text)\" = \"lower(text)\"\n";
    let table = |fold: &str| {
        format!(
            "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL CHECK ({fold}(name) <> 'root'));\n\
             CREATE UNIQUE INDEX uq_users_name ON users ({fold}(name));\n"
        )
    };
    let project = Project::new()
        .with(CONFIG, config)
        .with("postgres/1_users.up.sql", table("lower"))
        .with("postgres/1_users.down.sql", "DROP TABLE users;\n")
        .with("sqlite/1_users.up.sql", table("fold"))
        .with("sqlite/1_users.down.sql", "DROP TABLE users;\n");
    let ran = project.run("check");
    assert!(ran.stdout.contains("fold"), "what only one side calls is not judged in silence: {ran}");
    assert!(!ran.stdout.contains("error["), "{ran}");
    ran.ends(0);
}

/// Which of the two computes what the application does, nobody here knows.
#[test]
fn what_a_stand_in_computes_otherwise_is_a_warning() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let config = "[history]\ntool = \"sqlx\"\npostgres = \"postgres\"\nsqlite = \"sqlite\"\n\n[sqlite.functions]\n\
                  \"FOLD(text)\" = \"text\"\n";
    let table = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n";
    let filled = |fold: &str| format!("UPDATE users SET name = {fold};\n");
    let project = Project::new()
        .with(CONFIG, config)
        .with("postgres/1_users.sql", table)
        .with("postgres/2_fold.sql", filled("name || '!'"))
        .with("sqlite/1_users.sql", table)
        .with("sqlite/2_fold.sql", filled("fold(name)"));
    let ran = project.run("check --check rows-changed").ends(0);
    assert!(ran.stdout.contains("warning[rows-changed]: upgrade of 2_fold leaves other values"), "{ran}");
    assert!(ran.stdout.contains("the upgrade calls \"fold\", and what stands in for it"), "{ran}");
}

#[test]
fn a_wrong_one_is_an_error_of_the_config() {
    let bodies = [
        "\"normalize(text, form)\" = \"lower(txt)\"",
        "\"normalize(text, form)\" = \"lower text\"",
        "\"normalize(text, form)\" = \"fold(text)\"",
        "\"normalize(text, form)\" = \"json('{')\"",
        "\"normalize(text, form)\" = \"lower(text\"",
        "\"normalize\" = \"lower(text)\"",
        "\"normalize(text, form)\" = 1",
    ];
    let told = bodies.map(|body| {
        let ran = on_sqlite(&project().adding(CONFIG, &format!("\n[sqlite.functions]\n{body}\n"))).ends(2);
        assert_eq!(ran.stdout, "", "{ran}");
        ran.stderr
    });
    assert_snapshot!(told.concat(), @r#"
    error: switchback.toml:6: "normalize(text, form)" in [sqlite.functions] stands for what sqlite refuses: no such column: txt; its arguments are text, form
    error: switchback.toml:6: "normalize(text, form)" in [sqlite.functions] stands for what sqlite refuses: near "text": syntax error
    error: switchback.toml:6: "normalize(text, form)" in [sqlite.functions] stands for what sqlite refuses: no such function: fold
    error: switchback.toml:6: "normalize(text, form)" in [sqlite.functions] stands for what sqlite refuses: malformed JSON
    error: switchback.toml:6: "normalize(text, form)" in [sqlite.functions] opens a bracket that it does not close
    error: switchback.toml:6: "normalize" in [sqlite.functions] is not how a function is called: write "name(argument, other)"
    error: switchback.toml:6: "normalize(text, form)" must be a string, not an integer
    "#);
}

#[test]
fn what_sqlite_lacks_does_not_matter_elsewhere() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let project = Project::sqlx(&[("1_a.sql", "CREATE TABLE a (id INTEGER PRIMARY KEY);\n")])
        .adding(CONFIG, "\n[sqlite]\nextensions = [\"not/built/yet\"]\n");
    project.run("check --backend postgres").ends(0);
    let ran = project.run("check").ends(2);
    assert!(
        ran.stderr.contains("[sqlite] extensions in switchback.toml: \"not/built/yet\" cannot be loaded"),
        "{ran}"
    );
    assert!(ran.stderr.contains("No such file"), "SQLite's own words: {ran}");
}

/// An extension in the form of SQLite manual, "Run-Time Loadable Extensions", 4. What it takes of
/// `sqlite3ext.h` are places in a table of functions, which never change; so it needs no header.
const EXTENSION: &str = r#"
typedef void (*any)(void);
enum { CREATE_FUNCTION = 45, RESULT_VALUE = 89 };
static any *api;

static void same(void *context, int count, void **values) {
    ((void (*)(void *, void *))api[RESULT_VALUE])(context, values[0]);
}

int sqlite3_extension_init(void *db, char **error, any *routines) {
    api = routines;
    return ((int (*)(void *, const char *, int, int, void *, void (*)(void *, int, void **), any, any))
        api[CREATE_FUNCTION])(db, "normalize", 2, 1 | 0x800, 0, same, 0, 0);
}
"#;

#[test]
fn an_extension_defines_it() {
    let project = project()
        .with("ext/normalize.c", EXTENSION)
        .adding(CONFIG, "\n[sqlite]\nextensions = [\"ext/normalize.so\"]\n");
    // Whatever links this test has a C compiler.
    let folder = project.root().join("ext");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-o", "normalize.so", "normalize.c"])
        .current_dir(&folder)
        .status();
    assert!(built.unwrap().success());
    on_sqlite(&project).ends(0);

    // A body may call what an extension defines.
    let stub = "[sqlite.functions]\n\"normalise(x)\" = \"normalize(x, 'nfc')\"\n";
    on_sqlite(&project.adding(CONFIG, stub)).ends(0);
}
