use std::os::unix::fs::symlink;

use rstest::rstest;
use tempfile::TempDir;

use super::*;

const CHECKS: [&str; 1] = ["rows-lost"];

/// A folder with files of one statement, unless a name is followed by `=` and a text.
fn project(files: &[&str]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for file in files {
        let (name, text) = file.split_once('=').unwrap_or((file, "SELECT 1;"));
        let path = root.path().join(name);
        if name.ends_with('/') {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
    root
}

fn histories(project: &Project) -> Vec<String> {
    let each = project.histories.iter().map(|(backend, history)| {
        let paths = history.revisions().iter().map(|revision| revision.upgrade.path.as_str());
        let paths: Vec<_> = paths.collect();
        format!("{backend} {} {}", history.tool().name(), paths.join(" ")).trim_end().to_owned()
    });
    each.collect()
}

fn not_run(project: &Project) -> Vec<String> {
    let each = project.not_run.iter();
    each.map(|(backend, reason)| format!("{backend}: {reason}")).collect()
}

#[rstest]
#[case::sqlx_for_both(
    &["migrations/1_a.sql"],
    &["postgres sqlx migrations/1_a.sql", "sqlite sqlx migrations/1_a.sql"], &[],
)]
#[case::folder_of_migrations(&["1_a.sql"], &["postgres sqlx 1_a.sql", "sqlite sqlx 1_a.sql"], &[])]
#[case::sqlx_folders(
    &["db/migrations/pg/1_a.sql", "db/migrations/sqlite/1_a.sql"],
    &["postgres sqlx db/migrations/pg/1_a.sql", "sqlite sqlx db/migrations/sqlite/1_a.sql"], &[],
)]
#[case::diesel_folders_among_others(
    &["migrations/mysql/1_a/up.sql", "migrations/postgresql/1_a/up.sql", "migrations/sqlite/1_a/up.sql", "diesel.toml="],
    &["postgres diesel migrations/postgresql/1_a/up.sql", "sqlite diesel migrations/sqlite/1_a/up.sql"], &[],
)]
#[case::a_tool_for_each(
    &["migrations/postgres/1_a/up.sql", "migrations/sqlite/1_a.sql"],
    &["postgres diesel migrations/postgres/1_a/up.sql", "sqlite sqlx migrations/sqlite/1_a.sql"], &[],
)]
#[case::one_folder_only(
    &["migrations/sqlite/1_a.sql", "migrations/mysql/1_a.sql"],
    &["sqlite sqlx migrations/sqlite/1_a.sql"], &["postgres: \"migrations\" holds no folder for postgres"],
)]
#[case::variants_of_one_only(
    &["migrations/1_a.postgres.sql"],
    &["postgres sqlx migrations/1_a.postgres.sql"], &["sqlite: no revision in \"migrations\" is for sqlite"],
)]
#[case::sql_of_one_only(
    &["migrations/1_a.sql=-- x\nCREATE TABLE a (id BIGSERIAL);"],
    &["postgres sqlx migrations/1_a.sql"],
    &["sqlite: \"BIGSERIAL\" in migrations/1_a.sql:2 is postgres's alone; if \"migrations\" is for sqlite too, say so with [history] path = \"migrations\" in switchback.toml"],
)]
#[case::a_name_is_outweighed_by_the_config(
    &["pg-migrations/1_a.sql", "switchback.toml=history.path = \"pg-migrations\""],
    &["postgres sqlx pg-migrations/1_a.sql", "sqlite sqlx pg-migrations/1_a.sql"], &[],
)]
#[case::variants_for_both(
    &["migrations/1_a.postgres.sql=CREATE TABLE a (id BIGSERIAL);", "migrations/1_a.sqlite.sql"],
    &["postgres sqlx migrations/1_a.postgres.sql", "sqlite sqlx migrations/1_a.sqlite.sql"], &[],
)]
#[case::said_to_be_for_both(
    &["switchback.toml=history.path = \"m\"", "m/1_a.sql=CREATE TABLE a (id BIGSERIAL);"],
    &["postgres sqlx m/1_a.sql", "sqlite sqlx m/1_a.sql"], &[],
)]
#[case::path_of_folders(
    &["switchback.toml=history.path = \"m\"", "m/postgres/1_a.sql", "m/sqlite3/1_a.sql"],
    &["postgres sqlx m/postgres/1_a.sql", "sqlite sqlx m/sqlite3/1_a.sql"], &[],
)]
#[case::named_folders(
    &["switchback.toml=[history]\npostgres = \"x/one\"\nsqlite = \"y\"", "x/one/1_a.sql", "y/1_b/up.sql"],
    &["postgres sqlx x/one/1_a.sql", "sqlite diesel y/1_b/up.sql"], &[],
)]
#[case::one_named_folder(
    &["switchback.toml=[history]\nsqlite = \"migrations\"", "migrations/1_a.sql"],
    &["sqlite sqlx migrations/1_a.sql"], &["postgres: switchback.toml names no history for postgres"],
)]
#[case::the_tool_decides(
    &["switchback.toml=[history]\ntool = \"sqlx\"", "migrations/1_a.sql", "migrations/2_b/up.sql"],
    &["postgres sqlx migrations/1_a.sql", "sqlite sqlx migrations/1_a.sql"], &[],
)]
#[case::golang_migrate_in_go(
    &["backend/go.mod=require github.com/golang-migrate/migrate/v4 v4", "backend/db/migrations/1_a.up.sql"],
    &["postgres golang-migrate backend/db/migrations/1_a.up.sql", "sqlite golang-migrate backend/db/migrations/1_a.up.sql"], &[],
)]
#[case::goose_further_down(
    &["go.mod=", "assets/sql/mysql/1_a.sql=-- +goose Up", "assets/sql/postgres/1_a.sql=-- +goose Up", "assets/sql/sqlite/1_a.sql=-- +goose Up"],
    &["postgres goose assets/sql/postgres/1_a.sql", "sqlite goose assets/sql/sqlite/1_a.sql"], &[],
)]
#[case::what_is_aside_is_not_meant(
    &["a/b/1_a.sql=-- migrate:up\n-- migrate:down", "tests/b/1_a.sql", "docs/sql/1_a.up.sql", "x/testdata/1/up.sql"],
    &["postgres dbmate a/b/1_a.sql", "sqlite dbmate a/b/1_a.sql"], &[],
)]
#[case::usual_places_come_first(
    &["migrations/1_a.sql", "a/b/1_a.sql"],
    &["postgres sqlx migrations/1_a.sql", "sqlite sqlx migrations/1_a.sql"], &[],
)]
#[case::pair_by_config(
    &["switchback.toml=history.tool = \"golang-migrate\"", "migrations/1_a.up.sql"],
    &["postgres golang-migrate migrations/1_a.up.sql", "sqlite golang-migrate migrations/1_a.up.sql"], &[],
)]
#[case::home_made_in_go(
    &["go.mod=module x", "migrations/001_a.sql"],
    &["postgres numbered migrations/001_a.sql", "sqlite numbered migrations/001_a.sql"], &[],
)]
#[case::no_revision_yet(
    &["switchback.toml=[history]\ntool = \"sqlx\"\npath = \"migrations\"", "migrations/.keep"],
    &["postgres sqlx", "sqlite sqlx"], &[],
)]
fn what_is_there_is_found(#[case] files: &[&str], #[case] expected: &[&str], #[case] missing: &[&str]) {
    let root = project(files);
    let found = discover(root.path(), &CHECKS).unwrap();
    assert_eq!(histories(&found), expected);
    assert_eq!(not_run(&found), missing);
}

#[rstest]
#[case::pattern(
    &["switchback.toml=history = { tool = \"pattern\", path = \"m\", pattern = '^(?<dialect>\\w+)/(?<version>\\d+)' }", "m/pg/1.sql", "m/sqlite/1.sql", "m/mysql/1.sql"],
    &["postgres pattern m/pg/1.sql", "sqlite pattern m/sqlite/1.sql"],
)]
#[case::flyway_with_what_dialects_share(
    &["switchback.toml=history = { tool = \"flyway\", path = \"db\" }", "db/a/V1__a.sql", "db/b/c/postgresql/V2__b.sql", "db/b/c/sqlite/V2__b.sql"],
    &["postgres flyway db/a/V1__a.sql db/b/c/postgresql/V2__b.sql", "sqlite flyway db/a/V1__a.sql db/b/c/sqlite/V2__b.sql"],
)]
#[case::flyway_by_its_versions(
    &["migrations/V1.1__a.sql"],
    &["postgres flyway migrations/V1.1__a.sql", "sqlite flyway migrations/V1.1__a.sql"],
)]
#[case::refinery_for_one(
    &["switchback.toml=history = { tool = \"refinery\", sqlite = \"m\" }", "m/2024/V1__a.sql", "m/V2__b.sql"],
    &["sqlite refinery m/2024/V1__a.sql m/V2__b.sql"],
)]
#[case::liquibase(
    &["switchback.toml=history = { tool = \"liquibase\", path = \".\" }", "a/b/c/changelog.sql=--liquibase formatted sql\n--changeset a:1\nSELECT 1;\n"],
    &["postgres liquibase a/b/c/changelog.sql", "sqlite liquibase a/b/c/changelog.sql"],
)]
fn what_the_config_tells_is_found(#[case] files: &[&str], #[case] expected: &[&str]) {
    let root = project(files);
    assert_eq!(histories(&discover(root.path(), &CHECKS).unwrap()), expected);
}

#[test]
fn a_folder_is_for_the_backend_that_it_is_named_for() {
    let root = project(&["server-postgres/migrations/1_a.sql", "migrations/sqlite/1_a.sql"]);
    for (place, expected, missing) in [
        (
            "server-postgres",
            "postgres sqlx migrations/1_a.sql",
            "sqlite: \"server-postgres\" is named for postgres",
        ),
        ("migrations/sqlite", "sqlite sqlx 1_a.sql", "postgres: \"sqlite\" is named for sqlite"),
    ] {
        let found = discover(&root.path().join(place), &CHECKS).unwrap();
        assert_eq!(histories(&found), [expected]);
        assert!(not_run(&found)[0].starts_with(missing), "{:?}", not_run(&found));
    }
}

#[rstest]
#[case::nothing_recognised(
    &["schema.sql", "src/main.rs"],
    "no migrations recognised in \"ROOT\": looked for migrations of alembic, dbmate, ",
)]
#[case::two_tools(
    &["migrations/1_a.sql", "migrations/2_b/up.sql"],
    "cannot tell which migrations to check: found \"migrations\" (diesel), \"migrations\" (sqlx)",
)]
#[case::a_pair_of_nobody_knows_which(
    &["migrations/pg/1_a.up.sql"],
    "cannot tell which migrations to check: found \"migrations/pg\" (golang-migrate), \"migrations/pg\" (sqlx)",
)]
#[case::two_places_further_down(
    &["a/b/1_a.sql", "a/c/1_a.sql"],
    "no migrations recognised in \"ROOT\": looked for ",
)]
#[case::in_go(&["migrations/1_a.sql=-- +goose Up", "migrations/2_b.go="], "\"migrations/2_b.go\" is not SQL, ")]
#[case::two_places(
    &["1_a.sql", "migrations/1_a.sql"],
    "cannot tell which migrations to check: found \".\" (sqlx), \"migrations\" (sqlx)",
)]
#[case::two_folders_for_one_backend(
    &["migrations/pg/1_a.sql", "migrations/postgres/1_a.sql"],
    "cannot tell which migrations to check: found \"migrations/pg\" (sqlx), \"migrations/postgres\" (sqlx)",
)]
#[case::empty(&["migrations/"], "\"ROOT\" is empty")]
#[case::empty_named(&["switchback.toml=history.path = \"m\"", "m/"], "\"ROOT/m\" is empty")]
#[case::named_folder_missing(
    &["switchback.toml=history.sqlite = \"m\""],
    "[history] sqlite in switchback.toml: \"m\" cannot be read: no such file or directory",
)]
#[case::named_folder_unlike_any(
    &["switchback.toml=history.path = \"m\"", "m/a.sql"],
    "no migrations recognised in \"ROOT/m\": looked for ",
)]
#[case::named_tool_judges_names(
    &["switchback.toml=[history]\ntool = \"sqlx\"\npath = \"m\"", "m/foo.sql"],
    "the name of \"m/foo.sql\" is not one that sqlx takes: it has no underscore, so sqlx passes over it; ",
)]
#[case::metadata_missing(
    &["switchback.toml=metadata.sqlite = \"s.sql\"", "migrations/1_a.sql"],
    "[metadata] sqlite in switchback.toml: \"s.sql\" cannot be read: no such file or directory",
)]
#[case::setup_is_a_folder(
    &["switchback.toml=postgres.setup = \"s\"", "s/x.sql", "migrations/1_a.sql"],
    "[postgres] setup in switchback.toml: \"s\" cannot be read: it is a folder",
)]
#[case::config(&["switchback.toml=[sqlite]\nfk = 1"], "switchback.toml:2: unknown key \"fk\" in [sqlite]")]
#[case::layout(&["migrations/1_a.sql", "migrations/01_b.sql"], "\"migrations/01_b.sql\" and \"migrations/1_a.sql\" have the same version 1: ")]
fn what_is_wrong_is_named(#[case] files: &[&str], #[case] message: &str) {
    let root = project(files);
    let error = discover(root.path(), &CHECKS).unwrap_err().to_string();
    let error = error.replace(&root.path().display().to_string(), "ROOT");
    assert!(error.starts_with(message), "{error}");
}

#[test]
fn paths_that_are_no_project_say_so() {
    let root = project(&["notes.txt"]);
    let missing = discover(&root.path().join("nowhere"), &CHECKS).unwrap_err();
    assert!(matches!(missing, DiscoverError::NoSuchPath(_)), "{missing}");
    let file = discover(&root.path().join("notes.txt"), &CHECKS).unwrap_err();
    assert!(matches!(file, DiscoverError::NotAFolder(_)), "{file}");
}

#[test]
fn a_config_can_be_named_itself_and_call_itself_otherwise() {
    let root = project(&["other.toml=history.path = \"m\"", "m/1_a.sql"]);
    let found = discover(&root.path().join("other.toml"), &CHECKS).unwrap();
    assert_eq!(found.config_path, Some(root.path().join("other.toml")));
    assert_eq!(found.root, root.path());
    assert_eq!(found.name, root.path().file_name().unwrap().to_string_lossy());
    assert_eq!(found.histories.len(), 2);
}

#[test]
fn a_config_that_cannot_be_read_is_not_passed_over() {
    let root = project(&["migrations/1_a.sql"]);
    symlink("nowhere.toml", root.path().join("switchback.toml")).unwrap();
    let error = discover(root.path(), &CHECKS).unwrap_err();
    assert!(matches!(error, DiscoverError::Unreadable { .. }), "{error}");

    let root = project(&["migrations/1_a.sql"]);
    fs::write(root.path().join("switchback.toml"), b"# \xe4\n").unwrap();
    let error = discover(root.path(), &CHECKS).unwrap_err().to_string();
    assert_eq!(error, "\"switchback.toml\" is not text in UTF-8: line 1, byte 2; save it as UTF-8");
}

#[test]
fn the_files_that_the_config_names_are_read() {
    let root = project(&[
        "switchback.toml=metadata.sqlite = \"s.sql\"\npostgres.setup = \"../x\"\nrows.fixtures = [\"r.json\"]",
        "s.sql=CREATE TABLE a (b INT);",
        "r.json={}",
        "migrations/1_a.sql",
    ]);
    let error = discover(root.path(), &CHECKS).unwrap_err().to_string();
    assert!(error.starts_with("[postgres] setup in switchback.toml: \"../x\""), "{error}");

    fs::create_dir(root.path().join("inner")).unwrap();
    fs::write(root.path().join("x"), "SELECT 1;").unwrap();
    for name in ["switchback.toml", "s.sql", "r.json", "migrations"] {
        fs::rename(root.path().join(name), root.path().join("inner").join(name)).unwrap();
    }
    let found = discover(&root.path().join("inner"), &CHECKS).unwrap();
    assert_eq!(found.setup[&Backend::Postgres], Script::new("../x", "SELECT 1;"));
    assert_eq!(found.metadata[&Backend::Sqlite], Script::new("s.sql", "CREATE TABLE a (b INT);"));
    assert_eq!(found.fixtures, [Script::new("r.json", "{}")]);
}

#[test]
fn help_says_what_to_write() {
    let files = [
        "crates/a/migrations/postgres/1_a.sql",
        "crates/a/migrations/sqlite/1_a.sql",
        "crates/b/1_a.sql",
        "target/migrations/1_a.sql",
    ];
    let error = discover(project(&files).path(), &CHECKS).unwrap_err();
    assert_eq!(
        error.help().unwrap(),
        "seen: \"crates/a/migrations/postgres\" (sqlx), \"crates/a/migrations/sqlite\" (sqlx), \
         \"crates/b\" (sqlx)\n\
         say what to check in switchback.toml, such as:\n\n\
         [history]\ntool = \"sqlx\"\npostgres = \"crates/a/migrations/postgres\"\n\
         sqlite = \"crates/a/migrations/sqlite\""
    );
    let error = discover(project(&["1_a.sql", "2_b/up.sql"]).path(), &CHECKS).unwrap_err();
    assert!(error.help().unwrap().ends_with(
        "[history]\ntool = \"diesel\"  # or \"sqlx\"\npath = \".\"  # or postgres = \"…\" and sqlite = \"…\""
    ));
}

/// What help says to write is a config.
#[rstest]
#[case(&["notes.md"])]
#[case(&["deep/er/1_a.sql", "deep/too/2_b/up.sql"])]
#[case(&["migrations/1_a.up.sql"])]
#[case(&["1_a.sql", "2_b/up.sql"])]
fn help_is_a_config(#[case] files: &[&str]) {
    let help = discover(project(files).path(), &CHECKS).unwrap_err().help().unwrap();
    let (_, config) = help.split_once("\n\n").unwrap();
    Config::parse(config, "help", &CHECKS).unwrap();
}

#[test]
fn the_manifest_tells_where_the_sql_does_not() {
    let root = project(&[
        "Cargo.toml=[workspace.dependencies]\nsqlx = { version = \"0.8\" }",
        "app/Cargo.toml=[dependencies]\nsqlx = { workspace = true, features = [\"sqlite\"] }",
        "app/migrations/1_a.sql=CREATE TABLE a (b INTEGER);",
    ]);
    for folder in ["app", "app/migrations"] {
        let found = discover(&root.path().join(folder), &CHECKS).unwrap();
        assert_eq!(found.histories.keys().copied().collect::<Vec<_>>(), [Backend::Sqlite]);
        let (backend, reason) = &found.not_run[0];
        assert_eq!(*backend, Backend::Postgres);
        assert!(reason.starts_with("Cargo.toml asks for a driver of sqlite alone; if "), "{reason}");
    }
}
