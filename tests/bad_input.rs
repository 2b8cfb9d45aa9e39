//! Bad input of every kind ends with a clear message and the right exit code.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use insta::assert_snapshot;
use rstest::rstest;
use support::command::{Project, Ran};

const CONFIG: &str = "switchback.toml";

fn migrations(config: &str) -> Project {
    Project::new()
        .with(CONFIG, config)
        .with("migrations/1_a.sql", "CREATE TABLE t (id INTEGER PRIMARY KEY);\n")
}

fn on_sqlite(project: &Project) -> Ran {
    project.run("check --backend sqlite")
}

/// What it says when it ends with exit code 2.
#[track_caller]
fn refusal(project: &Project) -> String {
    let ran = on_sqlite(project).ends(2);
    assert_eq!(ran.stdout, "", "{ran}");
    ran.stderr
}

#[test]
fn a_path_that_does_not_exist() {
    let project = Project::new();
    assert_snapshot!(project.run("check nowhere/at/all").ends(2).stderr, @r#"error: "nowhere/at/all" does not exist"#);
    assert_snapshot!(Project::new().with("notes.txt", "").run("check notes.txt").ends(2).stderr, @r#"error: "notes.txt" is a file: give the folder of the project, or its switchback.toml"#);
    assert_snapshot!(project.run("check no/switchback.toml").ends(2).stderr, @r#"error: "no/switchback.toml" does not exist"#);
}

#[test]
fn a_folder_without_migrations() {
    assert_snapshot!(refusal(&Project::new()), @r#"
    error: "." is empty
       = help: looked for migrations of alembic, dbmate, diesel, flyway, golang-migrate, goose, liquibase, numbered, refinery, sqlx in ".", "migrations", "db/migrations", "database/migrations", folders there that are named for a backend, and further down
    "#);
    assert_snapshot!(refusal(&Project::new().with_folder("migrations")), @r#"
    error: "." is empty
       = help: looked for migrations of alembic, dbmate, diesel, flyway, golang-migrate, goose, liquibase, numbered, refinery, sqlx in ".", "migrations", "db/migrations", "database/migrations", folders there that are named for a backend, and further down
    "#);
    assert_snapshot!(refusal(&Project::new().with("README.md", "").with("src/main.rs", "")), @r#"
    error: no migrations recognised in ".": looked for migrations of alembic, dbmate, diesel, flyway, golang-migrate, goose, liquibase, numbered, refinery, sqlx in ".", "migrations", "db/migrations", "database/migrations", folders there that are named for a backend, and further down
       = help: the migrations of each tool look like this:
                 alembic: an "alembic.ini", or "[tool.alembic]" in pyproject.toml
                 dbmate: "<version>_<name>.sql" with "-- migrate:up" and "-- migrate:down" in it
                 diesel: "<version>_<name>/up.sql" with "down.sql" beside it
                 flyway: "V<version>__<description>.sql", the same with "U" to undo it, and "R__<description>.sql", the version being numbers with dots or underscores
                 golang-migrate: "<version>_<name>.up.sql" with "<version>_<name>.down.sql" beside it, the version being a number
                 goose: "<version>_<name>.sql" with "-- +goose Up" and "-- +goose Down" in it, the version being a number from 1
                 liquibase: files that begin with "--liquibase formatted sql", and a master changelog that includes them
                 numbered: "<number>_<name>.sql", or the same with ".up.sql" and ".down.sql"
                 pattern: whatever [history] pattern says
                 refinery: "V<version>__<name>.sql" or the same with "U", the name of letters, digits and underscores
                 sqlx: "<version>_<description>.sql", or the same with ".up.sql" and ".down.sql", the version being a number
               say what to check in switchback.toml, such as:

               [history]
               tool = "alembic"  # one of alembic, dbmate, diesel, flyway, golang-migrate, goose, liquibase, numbered, refinery, sqlx
               postgres = "path/to/migrations/postgres"
               sqlite = "path/to/migrations/sqlite"
    "#);
    assert_snapshot!(refusal(&Project::new().with("store/sql/1_a.sql", "SELECT 1;\n").with("store/old/1_a.sql", "")), @r#"
    error: no migrations recognised in ".": looked for migrations of alembic, dbmate, diesel, flyway, golang-migrate, goose, liquibase, numbered, refinery, sqlx in ".", "migrations", "db/migrations", "database/migrations", folders there that are named for a backend, and further down
       = help: seen: "store/old" (sqlx), "store/sql" (sqlx)
               say what to check in switchback.toml, such as:

               [history]
               tool = "sqlx"
               path = "store/old"  # or postgres = "…" and sqlite = "…"
    "#);
    assert_snapshot!(refusal(&Project::new().with(CONFIG, "[history]\npath = \"sql\"\n")), @r#"error: [history] path in switchback.toml: "sql" cannot be read: no such file or directory"#);
    assert_snapshot!(refusal(&migrations("[history]\npath = \"migrations/1_a.sql\"\n")), @r#"error: [history] path in switchback.toml: "migrations/1_a.sql" cannot be read: not a directory"#);
}

#[test]
fn a_folder_of_two_tools() {
    let project = || Project::new().with("1_a.sql", "SELECT 1;\n").with("2024_b/up.sql", "SELECT 1;\n");
    assert_snapshot!(refusal(&project()), @r#"
    error: cannot tell which migrations to check: found "." (diesel), "." (sqlx)
       = help: seen: "." (diesel), "." (sqlx)
               say what to check in switchback.toml, such as:

               [history]
               tool = "diesel"  # or "sqlx"
               path = "."  # or postgres = "…" and sqlite = "…"
    "#);
    on_sqlite(&project().with(CONFIG, "[history]\ntool = \"sqlx\"\npath = \".\"\n")).ends(0);
}

#[test]
fn a_config_that_is_wrong() {
    let configs = [
        "[history\n",
        "\n[histroy]\npath = \"migrations\"\n",
        "[history]\npaht = \"migrations\"\n",
        "[history]\ntool = \"sqlxx\"\n",
        "[checks]\n\"rows-lots\" = \"error\"\n",
        "[checks]\n\"rows-lost\" = \"fatal\"\n",
        "[sqlite]\nforeign_keys = \"yes\"\n",
        "history = 1\n",
        "[[accept]]\ncheck = \"rows-lost\"\n",
        "[[accept]]\ncheck = \"rows-lost\"\nreason = \" \"\n",
        "[[accept]]\nreason = \"known\"\n",
        "[history]\npath = \"/srv/migrations\"\n",
        "[history]\npath = \"\"\n",
        "[history]\npath = \"migrations\"\nsqlite = \"migrations\"\n",
        "[history]\npath = \"a\"\npath = \"b\"\n",
        "[postgres]\nversion = \"new\"\n",
    ];
    let told: String =
        configs.iter().map(|config| format!("{config}{}\n", refusal(&migrations(config)))).collect();
    assert_snapshot!(told, @r#"
    [history
    error: switchback.toml:1: unclosed table, expected `]`


    [histroy]
    path = "migrations"
    error: switchback.toml:2: unknown section "histroy": did you mean "history"?

    [history]
    paht = "migrations"
    error: switchback.toml:2: unknown key "paht" in [history]: did you mean "path"?

    [history]
    tool = "sqlxx"
    error: switchback.toml:2: "tool" cannot be "sqlxx": it is one of "dbmate", "diesel", "flyway", "golang-migrate", "goose", "liquibase", "numbered", "pattern", "refinery", "sqlx", "alembic", "command": did you mean "sqlx"?

    [checks]
    "rows-lots" = "error"
    error: switchback.toml:2: unknown check "rows-lots" in [checks]: did you mean "rows-lost"?

    [checks]
    "rows-lost" = "fatal"
    error: switchback.toml:2: "rows-lost" cannot be "fatal": it is one of "error", "warning", "note", "off"

    [sqlite]
    foreign_keys = "yes"
    error: switchback.toml:2: "foreign_keys" must be true or false, not a string

    history = 1
    error: switchback.toml:1: "history" must be a table, not an integer

    [[accept]]
    check = "rows-lost"
    error: switchback.toml:1: [[accept]] has no "reason"

    [[accept]]
    check = "rows-lost"
    reason = " "
    error: switchback.toml:3: "reason" is empty: say why this is accepted

    [[accept]]
    reason = "known"
    error: switchback.toml:1: [[accept]] has no "check"

    [history]
    path = "/srv/migrations"
    error: switchback.toml:2: "path" is the absolute path "/srv/migrations": write it relative to this file

    [history]
    path = ""
    error: switchback.toml:2: "path" is an empty path: use "." for the folder of this file

    [history]
    path = "migrations"
    sqlite = "migrations"
    error: switchback.toml:2: [history] has "path", the folder for both backends, as well as a folder of a backend's own: give either the one or the others

    [history]
    path = "a"
    path = "b"
    error: switchback.toml:3: duplicate key

    [postgres]
    version = "new"
    error: switchback.toml:2: "version" is not a version of PostgreSQL: write a number such as "17"
    "#);
}

#[test]
fn a_config_that_cannot_be_read() {
    assert_snapshot!(refusal(&Project::new().with_folder(CONFIG)), @r#"error: "./switchback.toml" cannot be read: is a directory"#);
    assert_snapshot!(refusal(&Project::new().linking(CONFIG, "nowhere.toml")), @r#"error: "./switchback.toml" cannot be read: no such file or directory"#);
    assert_snapshot!(refusal(&Project::new().linking(CONFIG, CONFIG)), @r#"error: "./switchback.toml" cannot be read: too many levels of symbolic links"#);
    assert_snapshot!(refusal(&Project::new().with(CONFIG, b"[history]\n# caf\xe9\n")), @r#"error: "switchback.toml" is not text in UTF-8: line 2, byte 15; save it as UTF-8"#);
    // A byte-order mark and the line ends of Windows do no harm.
    on_sqlite(&migrations("\u{feff}[history]\r\npath = \"migrations\"\r\n")).ends(0);
}

#[test]
fn a_file_that_the_config_names_and_that_cannot_be_read() {
    assert_snapshot!(refusal(&migrations("[metadata]\nsqlite = \"schema.sql\"\n")), @r#"error: [metadata] sqlite in switchback.toml: "schema.sql" cannot be read: no such file or directory"#);
    assert_snapshot!(refusal(&migrations("[metadata]\nsqlite = \"migrations\"\n")), @r#"error: [metadata] sqlite in switchback.toml: "migrations" cannot be read: it is a folder"#);
    assert_snapshot!(refusal(&migrations("[sqlite]\nsetup = \"setup.sql\"\n").linking("setup.sql", "gone.sql")), @r#"error: [sqlite] setup in switchback.toml: "setup.sql" cannot be read: no such file or directory"#);
    assert_snapshot!(refusal(&migrations("[rows]\nfixtures = \"rows.json\"\n").with("rows.json", "{\n  \"t\": [")), @r#"error: rows.json:2: EOF while parsing a list at line 2 column 8: write {"table": [{"column": value, …}, …], …}"#);
    assert_snapshot!(refusal(&migrations("[rows]\nfixtures = \"rows.json\"\n").with("rows.json", [0xff])), @r#"error: [rows] fixtures in switchback.toml: "rows.json" is not text in UTF-8: line 1, byte 0; save it as UTF-8"#);
}

#[test]
fn a_setup_or_schema_that_fails() {
    let bad = "CREATE TABLE a (id INTEGER);\n\nCREATE TABEL b (id INTEGER);\n";
    let setup = migrations("[sqlite]\nsetup = \"setup.sql\"\n").with("setup.sql", bad);
    assert_snapshot!(on_sqlite(&setup).ends(3).stdout, @r#"
    switchback 0.1.0  project

    not run
      everything (sqlite): the setup failed: setup.sql:3: near "TABEL": syntax error

    could not run everything
    "#);
    let declared = migrations("[metadata]\nsqlite = \"schema.sql\"\n").with("schema.sql", bad);
    on_sqlite(&declared).ends(1).says("schema.sql:3").says("near \"TABEL\"");
}

#[test]
fn two_files_of_one_version() {
    assert_snapshot!(refusal(&Project::sqlx(&[("1_a.sql", ""), ("1_b.sql", "")])), @r#"error: "migrations/1_a.sql" and "migrations/1_b.sql" have the same version 1: give one of them a version of its own"#);
    assert_snapshot!(refusal(&Project::sqlx(&[("1_a.up.sql", ""), ("001_a.up.sql", "")])), @r#"error: "migrations/001_a.up.sql" and "migrations/1_a.up.sql" have the same version 1: give one of them a version of its own"#);
    let diesel = Project::new().with("migrations/1_a/up.sql", "").with("migrations/1_b/up.sql", "");
    assert_snapshot!(refusal(&diesel), @r#"error: "migrations/1_a" and "migrations/1_b" have the same version 1: give one of them a version of its own"#);
}

#[test]
fn a_step_without_the_other() {
    assert_snapshot!(refusal(&Project::sqlx(&[("1_a.down.sql", "DROP TABLE t;\n")])), @r#"error: "migrations/1_a.down.sql" has no upgrade to go with it: "migrations/1_a.up.sql" is missing"#);
    let diesel =
        Project::new().with("migrations/1_a/up.sql", "SELECT 1;\n").with("migrations/2_b/down.sql", "");
    assert_snapshot!(refusal(&diesel), @r#"error: "migrations/2_b/down.sql" has no upgrade to go with it: "migrations/2_b/up.sql" is missing"#);
    let project = Project::sqlx(&[
        ("1_a.up.sql", "CREATE TABLE t (id INTEGER PRIMARY KEY);\n"),
        ("1_a.down.sql", "DROP TABLE t;\n"),
        ("2_b.up.sql", "ALTER TABLE t ADD COLUMN b TEXT;\n"),
    ]);
    on_sqlite(&project).ends(0).says("warning[missing-downgrade]").says("2_b");
}

#[test]
fn a_name_that_does_not_parse() {
    let named = |name| refusal(&Project::sqlx(&[("1_a.sql", ""), (name, "")]));
    assert_snapshot!(named("2.sql"), @r#"error: the name of "migrations/2.sql" is not one that sqlx takes: it has no underscore, so sqlx passes over it; the form is "<version>_<description>.sql", or the same with ".up.sql" and ".down.sql", the version being a number"#);
    assert_snapshot!(named("v2_b.sql"), @r#"error: the name of "migrations/v2_b.sql" is not one that sqlx takes: "v2" is not a number; the form is "<version>_<description>.sql", or the same with ".up.sql" and ".down.sql", the version being a number"#);
    assert_snapshot!(named("99999999999999999999_b.sql"), @r#"error: the version of "migrations/99999999999999999999_b.sql" is too large: sqlx takes at most 9223372036854775807"#);
}

#[test]
fn a_file_that_is_no_text() {
    let project = migrations("").with("migrations/2_b.sql", b"SELECT 1;\n-- caf\xe9\n");
    assert_snapshot!(refusal(&project), @r#"error: "migrations/2_b.sql" is not text in UTF-8: line 2, byte 16; save it as UTF-8"#);
    // Text of 16 bits, as some editors on Windows write it.
    let project = migrations("").with("migrations/2_b.sql", b"\xff\xfeS\0E\0");
    assert_snapshot!(refusal(&project), @r#"error: "migrations/2_b.sql" is not text in UTF-8: line 1, byte 0; save it as UTF-8"#);
    let project = migrations("").with("migrations/2_b.sql", "SELECT 1;\0SELECT 2;\n");
    assert_snapshot!(refusal(&project), @r#"error: "migrations/2_b.sql" is not text in UTF-8: line 1, byte 9; save it as UTF-8"#);
}

#[test]
fn a_link_that_leads_nowhere_or_in_a_circle() {
    assert_snapshot!(refusal(&migrations("").linking("migrations/2_b.sql", "../nowhere.sql")), @r#"error: "migrations/2_b.sql" cannot be read: no such file or directory"#);
    assert_snapshot!(refusal(&migrations("").linking("migrations/2_b.sql", "2_b.sql")), @r#"error: "migrations/2_b.sql" cannot be read: too many levels of symbolic links"#);
    on_sqlite(&migrations("").linking("migrations/again", "..")).ends(0);
    on_sqlite(&Project::new().with("db/migrations/1_a.sql", "SELECT 1;\n").linking("db/all", "..")).ends(0);
    let diesel = Project::new()
        .with("migrations/1_a/up.sql", "SELECT 1;\n")
        .linking("migrations/2_b", "../migrations");
    assert_snapshot!(refusal(&diesel), @r#"error: "migrations/2_b" cannot be read: it is a symbolic link to a folder that holds it"#);
}

#[rstest]
#[case::blanks("my project")]
#[case::unicode("Prüfung – 試験 🐘")]
#[case::quotes("it's \"quoted\"")]
#[case::percent("50% of ?a=b&c#d")]
fn a_path_with(#[case] name: &'static str) {
    let project = Project::named(name)
        .with("Cargo.toml", "[dependencies]\nsqlx = \"0.8\"\n")
        .with("migrations/1_a.up.sql", "CREATE TABLE t (id INTEGER PRIMARY KEY);\n")
        .with("migrations/1_a.down.sql", "DROP TABLE t;\n");
    let odd = project.root().join("tmp");
    std::fs::create_dir(&odd).unwrap();
    let from_elsewhere =
        project.command("check --backend sqlite").arg(project.root()).within("/").env("TMPDIR", &odd);
    from_elsewhere.run().ends(0).says("clean: 6 steps");
    assert_eq!(std::fs::read_dir(odd).unwrap().count(), 0);
}

#[rstest]
#[case::that_does_not_exist("/nonexistent/tmp")]
#[case::that_cannot_be_written("/proc")]
#[case::that_is_a_file("/dev/null")]
fn a_temporary_folder(#[case] folder: &str) {
    let ran = migrations("").command("check --backend sqlite").env("TMPDIR", folder).run().ends(3);
    ran.says(&format!("cannot make a folder in \"{folder}\""))
        .says("set TMPDIR to a folder that can be written");
}
