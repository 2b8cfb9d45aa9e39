//! The layout of sqlx against sqlx itself, on the same folder.

use std::fs;
use std::path::Path;

use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};
use sqlx_sqlite::{SqliteConnectOptions, SqliteConnection};
use switchback_core::Backend;
use switchback_core::history::{Direction, History};
use switchback_core::layout::{Layout as _, sqlx::Layout};
use switchback_db::files::{Limits, read_tree};

const FILES: [(&str, &str); 8] = [
    ("10_last.sql", "CREATE TABLE c (id INTEGER PRIMARY KEY);\r\n"),
    ("0002_add_email.up.sql", "-- no-transaction\nALTER TABLE a ADD COLUMN email TEXT;"),
    ("0002_add_email.down.sql", "ALTER TABLE a DROP COLUMN email;"),
    ("1_init__it's.sql", "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (id INTEGER);"),
    ("3_.up.sql", "\u{feff}-- no-transaction\nSELECT 'ä';"),
    ("4_v2.0.sql", ""),
    ("README.md", "not a migration"),
    ("5_a.sql/6_inner.sql", "not looked at"),
];

fn history(root: &Path) -> History {
    let wanted = |path: &str| Layout.reads(path);
    let tree = read_tree(root, ".", &wanted, Limits::default()).expect("the folder is there");
    Layout.read(&tree, Backend::Sqlite).expect("the files are a history")
}

async fn open(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    SqliteConnection::connect_with(&options).await.expect("the file can be made")
}

async fn texts(connection: &mut SqliteConnection, query: &str) -> Vec<String> {
    let rows = connection.fetch_all(AssertSqlSafe(query.to_owned())).await;
    rows.expect("the table is there").iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn what_is_read_and_recorded_is_what_sqlx_reads_and_records() {
    let root = tempfile::tempdir().expect("a folder for the test");
    let migrations = root.path().join("m");
    for (name, text) in FILES {
        let path = migrations.join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    let history = history(&migrations);
    let migrator = Migrator::new(migrations).await.expect("sqlx takes the files");

    let read: Vec<_> = history
        .revisions()
        .iter()
        .flat_map(|revision| {
            let step = |direction| {
                let text = revision.script(direction)?.text.to_string();
                let id = revision.id.as_str().parse::<i64>().expect("a number");
                Some((id, direction, text, !revision.in_transaction(direction)))
            };
            [Direction::Upgrade, Direction::Downgrade].into_iter().filter_map(step)
        })
        .collect();
    let read_by_sqlx: Vec<_> = migrator
        .iter()
        .map(|migration| {
            let direction = match migration.migration_type.is_down_migration() {
                true => Direction::Downgrade,
                false => Direction::Upgrade,
            };
            (migration.version, direction, migration.sql.as_str().to_owned(), migration.no_tx)
        })
        .collect();
    assert_eq!(read, read_by_sqlx);

    let mut theirs = open(&root.path().join("theirs.db")).await;
    migrator.run_direct(None, &mut theirs, false).await.expect("the migrations run");
    let mut ours = open(&root.path().join("ours.db")).await;
    let tool = history.tool();
    let bookkeeping = tool.bookkeeping(Backend::Sqlite);
    ours.execute(AssertSqlSafe(bookkeeping.create.expect("sqlx has a table")))
        .await
        .expect("the table can be made");
    for revision in history.revisions() {
        let record = tool.record(Backend::Sqlite, revision).expect("sqlx notes it");
        ours.execute(AssertSqlSafe(record)).await.expect("the row can be written");
    }
    let table = "SELECT sql FROM sqlite_schema WHERE name = '_sqlx_migrations'";
    let rows = "SELECT version || ' ' || typeof(version) || ' ' || description || ' ' || success || ' ' \
                || hex(checksum) || ' ' || typeof(checksum) FROM _sqlx_migrations ORDER BY version";
    for query in [table, rows] {
        let found = texts(&mut ours, query).await;
        assert!(!found.is_empty());
        assert_eq!(found, texts(&mut theirs, query).await);
    }

    for revision in history.revisions() {
        let forget = tool.forget(Backend::Sqlite, revision).expect("sqlx notes it");
        ours.execute(AssertSqlSafe(forget)).await.expect("the row can be deleted");
    }
    assert!(texts(&mut ours, rows).await.is_empty());
}
