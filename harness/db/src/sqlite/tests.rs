use std::fs;

use rstest::rstest;

use super::*;
use crate::introspect::sqlite::Reader;

async fn run(connection: &mut SqliteConnection, sql: &str) {
    let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(connection).await;
    done.unwrap_or_else(|error| panic!("{error}\n{sql}"));
}

/// Everything that a query gives, as text.
async fn rows(connection: &mut SqliteConnection, table: &str, columns: &str) -> Vec<String> {
    let sql = format!("SELECT {columns} FROM {table} ORDER BY 1");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(connection).await.unwrap()
}

async fn pragma(connection: &mut SqliteConnection, name: &str) -> String {
    let sql = format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(connection).await.unwrap()
}

const CONTENT: &str = "
    PRAGMA page_size = 8192;
    PRAGMA auto_vacuum = INCREMENTAL;
    PRAGMA encoding = 'UTF-16le';
    CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT COLLATE NOCASE);
    INSERT INTO counted (a) VALUES ('x'), ('ß'), (char(0x1F600));
    DELETE FROM counted WHERE id = 3;
    CREATE TABLE loose (a ANY);
    INSERT INTO loose (rowid, a) VALUES (5, 1), (9, -0.0), (700, x'00ff'), (701, NULL);
    CREATE TABLE child (parent REFERENCES counted (id), CHECK (parent > 0));
    INSERT INTO child VALUES (1);
    CREATE INDEX ix_loose ON loose (a DESC) WHERE a IS NOT NULL;
    CREATE TRIGGER no_delete BEFORE DELETE ON loose BEGIN SELECT RAISE(ABORT, 'no'); END;
    CREATE VIEW broken AS SELECT * FROM nowhere;
    CREATE VIRTUAL TABLE words USING fts5 (word);
    INSERT INTO words VALUES ('hello');
    PRAGMA user_version = 42;
    PRAGMA application_id = 7;
    CREATE TABLE gone (id INTEGER PRIMARY KEY);
    DROP TABLE gone;";

#[rstest]
#[case::as_made("")]
#[case::write_ahead_log("PRAGMA journal_mode = WAL;")]
#[case::dangling("PRAGMA foreign_keys = OFF; INSERT INTO child VALUES (99);")]
#[case::unchecked("PRAGMA ignore_check_constraints = ON; INSERT INTO child VALUES (-1), (1);")]
#[tokio::test]
async fn a_copy_equals_the_original(#[case] more: &str) {
    let workspace = Workspace::new("test", false).unwrap();
    let original = workspace.database("original");
    let mut writer = original.connect(false).await.unwrap();
    run(&mut writer, CONTENT).await;
    run(&mut writer, more).await;

    let copy = original.copy_to(workspace.path().join("it's a copy.sqlite")).await.unwrap();
    let mut one = original.connect(false).await.unwrap();
    let mut other = copy.connect(false).await.unwrap();

    let (mut of_one, mut of_other) = (Reader::new(Vec::new()), Reader::new(Vec::new()));
    let (schema, copied) = (of_one.full(&mut one).await.unwrap(), of_other.full(&mut other).await.unwrap());
    assert!(schema.tables().count() >= 4);
    assert_eq!(schema, copied);
    for name in [
        "user_version",
        "application_id",
        "schema_version",
        "journal_mode",
        "page_size",
        "auto_vacuum",
        "encoding",
    ] {
        assert_eq!(pragma(&mut one, name).await, pragma(&mut other, name).await, "{name}");
    }
    let every = "rowid || ' ' || quote(a) || typeof(a)";
    for (table, columns) in [
        ("counted", "quote(id) || quote(a)"),
        ("loose", every),
        ("child", "rowid || quote(parent)"),
        ("words", "rowid || word"),
        ("sqlite_sequence", "name || seq"),
    ] {
        let before = rows(&mut one, table, columns).await;
        assert!(!before.is_empty(), "{table}");
        assert_eq!(before, rows(&mut other, table, columns).await, "{table}");
    }
    let integrity = rows(&mut other, "pragma_integrity_check", "*").await;
    assert_eq!(integrity, rows(&mut one, "pragma_integrity_check", "*").await);
}

#[tokio::test]
async fn a_copy_never_overwrites() {
    let workspace = Workspace::new("test", false).unwrap();
    let (one, other) = (workspace.database("one"), workspace.database("other"));
    for database in [&one, &other] {
        run(&mut database.connect(true).await.unwrap(), "CREATE TABLE t (a)").await;
    }
    let error = one.copy_to(other.path()).await.unwrap_err().to_string();
    assert!(error.starts_with("cannot copy the sqlite database"), "{error}");
    assert!(error.contains("already exists"), "{error}");
}

#[rstest]
#[case(true)]
#[case(false)]
#[tokio::test]
async fn foreign_keys_are_as_asked(#[case] enforced: bool) {
    let workspace = Workspace::new("test", false).unwrap();
    let mut connection = workspace.database("main").connect(enforced).await.unwrap();
    run(&mut connection, "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (a REFERENCES p)").await;
    let inserted = sqlx::query("INSERT INTO c VALUES (1)").execute(&mut connection).await;
    assert_eq!(inserted.is_err(), enforced);
}

#[rstest]
#[case::never_set("", "delete")]
#[case::left_alone("PRAGMA journal_mode = WAL", "wal")]
#[tokio::test]
async fn connecting_leaves_no_mark_in_the_file(#[case] sql: &str, #[case] expected: &str) {
    let workspace = Workspace::new("test", false).unwrap();
    let database = workspace.database("main");
    let mut connection = database.connect(true).await.unwrap();
    run(&mut connection, sql).await;
    run(&mut connection, "CREATE TABLE t (a)").await;
    connection.close().await.unwrap();
    database.connect(true).await.unwrap().close().await.unwrap();

    let plain = SqliteConnectOptions::new().filename(database.path());
    let mut connection = plain.connect().await.unwrap();
    assert_eq!(pragma(&mut connection, "journal_mode").await, expected);
    assert_eq!(pragma(&mut connection, "synchronous").await, "2");
}

#[tokio::test]
async fn the_library_says_which_it_is() {
    let workspace = Workspace::new("test", false).unwrap();
    let mut connection = workspace.database("main").connect(true).await.unwrap();
    let version = version(&mut connection).await.unwrap();
    assert!(version.number.starts_with("3."), "{version:?}");
    assert!(version.source.len() > 40, "{version:?}");
}

#[rstest]
#[case("3.33.0", true)]
#[case("3.34.0", false)]
#[case("3.9.2", true)]
#[case("3.100.1", false)]
fn versions_are_compared_by_number(#[case] version: &str, #[case] older: bool) {
    assert_eq!(numbers(version) < numbers(OLDEST_VERSION), older);
}

#[tokio::test]
async fn dangling_rows_are_named() {
    let workspace = Workspace::new("test", false).unwrap();
    let mut connection = workspace.database("main").connect(false).await.unwrap();
    let sql = "CREATE TABLE p (a, b, id INTEGER PRIMARY KEY, UNIQUE (a, b));
        CREATE TABLE c (x, y, p REFERENCES p, FOREIGN KEY (y, x) REFERENCES p (a, b));
        CREATE TABLE k (p PRIMARY KEY REFERENCES p) WITHOUT ROWID;
        INSERT INTO p VALUES (1, 2, 3);
        INSERT INTO c VALUES (2, 1, 3), (1, 2, 3), (2, 1, 4), (NULL, 9, NULL);
        INSERT INTO k VALUES (8), (3);";
    run(&mut connection, sql).await;
    let dangling = |table: &str, rowid, columns: &[&str]| DanglingRow {
        table: table.into(),
        rowid,
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        parent: "p".into(),
    };
    assert_eq!(
        foreign_key_check(&mut connection).await.unwrap(),
        [dangling("c", Some(2), &["y", "x"]), dangling("c", Some(3), &["p"]), dangling("k", None, &["p"])]
    );
}

#[tokio::test]
async fn what_cannot_be_opened_is_said() {
    let workspace = Workspace::new("test", false).unwrap();
    let missing = Database::at(workspace.path().join("no/such/folder.sqlite"));
    let error = missing.connect(true).await.unwrap_err().to_string();
    assert!(error.starts_with("cannot open the sqlite database"), "{error}");
    fs::write(workspace.path().join("text.sqlite"), "not a database, but long enough to be looked at")
        .unwrap();
    assert!(workspace.database("text").connect(true).await.is_err());
}

#[test]
fn a_workspace_goes_with_its_run() {
    let parent = tempfile::tempdir().unwrap();
    let workspace = Workspace::within(parent.path(), "r1", false).unwrap();
    let path = workspace.path().to_owned();
    assert!(path.file_name().unwrap().to_str().unwrap().starts_with("switchback-r1-"));
    fs::write(path.join("main.sqlite"), "").unwrap();
    assert_eq!(Workspace::sweep(parent.path()), Vec::<PathBuf>::new());
    workspace.close().unwrap();
    assert!(!path.exists());
}

#[test]
fn a_kept_workspace_stays() {
    let parent = tempfile::tempdir().unwrap();
    let workspace = Workspace::within(parent.path(), "r1", true).unwrap();
    let path = workspace.path().to_owned();
    drop(workspace);
    assert_eq!(Workspace::sweep(parent.path()), Vec::<PathBuf>::new());
    assert!(path.is_dir());
}

/// Between the making of a folder and its lock there is a moment, too.
#[test]
fn what_a_run_left_that_had_no_lock_yet_is_swept() {
    let parent = tempfile::tempdir().unwrap();
    let folders = ["switchback-1-empty", "switchback-2-unnamed", "switchback-3-alive", "switchback-4-theirs"];
    let [empty, unnamed, alive, theirs] = folders.map(|name| parent.path().join(name));
    for folder in [&empty, &unnamed, &alive, &theirs] {
        fs::create_dir(folder).unwrap();
    }
    fs::write(unnamed.join("lock"), "").unwrap();
    let lock = fs::File::create_new(alive.join("lock")).unwrap();
    lock.try_lock().unwrap();
    fs::write(theirs.join("notes"), "").unwrap();
    assert_eq!(Workspace::sweep(parent.path()), [empty, unnamed]);
    assert!(alive.join("lock").exists() && theirs.join("notes").exists());
}

#[test]
fn only_what_dead_runs_left_is_swept() {
    let parent = tempfile::tempdir().unwrap();
    let alive = Workspace::within(parent.path(), "alive", false).unwrap();
    let folder = |name: &str, locked: bool| {
        let path = parent.path().join(name);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("main.sqlite"), "rows").unwrap();
        if locked {
            fs::write(path.join("switchback.lock"), "").unwrap();
        }
        path
    };
    let dead = folder("switchback-dead-x1", true);
    let foreign = [folder("switchback-notes", false), folder("other-dead", true)];
    let link = parent.path().join("switchback-link");
    std::os::unix::fs::symlink(&foreign[1], &link).unwrap();

    assert_eq!(Workspace::sweep(parent.path()), std::slice::from_ref(&dead));
    assert!(!dead.exists());
    assert!(foreign.iter().all(|path| path.join("main.sqlite").exists()));
    assert!(link.symlink_metadata().is_ok() && alive.path().exists());
}

#[test]
fn a_parent_that_cannot_be_written_is_said() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for parent in [Path::new("/proc"), file.path()] {
        let error = Workspace::within(parent, "r1", false).unwrap_err().to_string();
        assert!(error.contains("set TMPDIR to a folder that can be written"), "{error}");
    }
}
