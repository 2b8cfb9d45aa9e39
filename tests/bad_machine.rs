//! Machines that are no good: a full disk, no PostgreSQL, files and folders that may not be read or
//! written. None of it is held against the user's migrations.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use insta::assert_snapshot;
use rstest::rstest;
use support::command::{Project, Ran};
use support::{is_skipped, machine};
use switchback::Backend;

const TABLE: (&str, &str) = ("1_a.up.sql", "CREATE TABLE t (id INTEGER PRIMARY KEY);\n");
const DROP: (&str, &str) = ("1_a.down.sql", "DROP TABLE t;\n");

/// A disk that fills: as a small file system, or as a limit on the size of each file.
#[derive(Clone, Copy)]
enum Full {
    Disk,
    File,
}

/// The check on a machine whose folder for temporary files has so many MB.
fn where_there_is_room_for(megabytes: u64, full: Full, project: &Project, words: &str) -> Option<Ran> {
    let command = project.command(words).env("DOCKER_HOST", "unix:///nonexistent");
    let command = match full {
        Full::File => command.by(|command| machine::with_files_up_to(megabytes << 20, command)),
        Full::Disk if machine::can_be_made() => command.by(|command| {
            machine::after(&format!("mount -t tmpfs -o size={megabytes}m none \"$TMPDIR\""), command)
        }),
        Full::Disk => return None,
    };
    Some(command.run())
}

#[rstest]
fn a_disk_fills_under_sqlite(#[values(Full::Disk, Full::File)] full: Full) {
    let fills = "CREATE TABLE big AS WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 16) \
                 SELECT x, randomblob(1000000) AS a FROM n;\n";
    let project = Project::sqlx(&[TABLE, DROP, ("2_b.up.sql", fills), ("2_b.down.sql", "DROP TABLE big;\n")]);
    let Some(ran) = where_there_is_room_for(8, full, &project, "check --backend sqlite") else {
        return;
    };
    let ran = ran
        .ends(3)
        .says("not run")
        .says("running migrations/2_b.up.sql failed: ")
        .keeps_quiet_about("error[");
    ran.says("make room").says("[folder]/tmp/switchback-").says("TMPDIR");
}

#[rstest]
fn a_disk_fills_under_postgres(
    #[values(Full::Disk, Full::File)] full: Full,
    #[values("UNLOGGED", "")] kind: &str,
) {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let fills = format!(
        "CREATE {kind} TABLE big (a TEXT);\nALTER TABLE big ALTER a SET STORAGE EXTERNAL;\n\
         INSERT INTO big SELECT repeat('x', 100000) FROM generate_series(1, 2000);\n"
    );
    let project =
        Project::sqlx(&[TABLE, DROP, ("2_b.up.sql", &fills), ("2_b.down.sql", "DROP TABLE big;\n")]);
    let Some(ran) = where_there_is_room_for(128, full, &project, "check --backend postgres") else {
        return;
    };
    let ran = ran.ends(3).says("not run").says("2_b.up.sql").keeps_quiet_about("error[");
    ran.says("make room").says("[folder]/tmp/switchback-").says("TMPDIR");
}

#[test]
fn a_disk_too_small_for_a_server() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let project = Project::sqlx(&[TABLE, DROP]);
    let command = "check --backend postgres";
    for full in [Full::Disk, Full::File] {
        let Some(ran) = where_there_is_room_for(12, full, &project, command) else {
            continue;
        };
        let ran = ran.ends(3).says("no PostgreSQL serves").says("server binaries: ").says("did not start");
        ran.says("make room").says("[folder]/tmp/switchback-").says("TMPDIR");
    }
}

/// The limit is the migration's own, and the disk has room.
#[test]
fn a_database_full_by_its_own_limit() {
    let fills = "PRAGMA max_page_count = 20;\nCREATE TABLE big (a BLOB);\n\nINSERT INTO big VALUES (randomblob(1000000));\n";
    let project = Project::sqlx(&[TABLE, DROP, ("2_b.up.sql", fills), ("2_b.down.sql", "DROP TABLE big;\n")]);
    let ran = project.run("check --backend sqlite").ends(1);
    ran.says("error[upgrade-fails]: upgrade of 2_b failed (sqlite): database or disk is full")
        .says("--> migrations/2_b.up.sql:4")
        .says("max_page_count");
}

/// Hides the server binaries wherever packages put them.
const WITHOUT_BINARIES: &str = "for folder in /usr/lib/postgresql /usr/pgsql-* /usr/libexec/postgresql* \
    /usr/local/pgsql* /usr/local/opt/postgresql* /opt/homebrew/opt/postgresql*; do \
    if [ -d \"$folder\" ]; then mount -t tmpfs none \"$folder\"; fi; done";

#[test]
fn no_postgres_at_all() {
    if is_skipped(Backend::Postgres) || !machine::can_be_made() {
        // What is said where there is one of another version only, a test of the servers sees to.
        return;
    }
    let project = Project::sqlx(&[TABLE, DROP]).with(".env", "DB_DSN=sqlite://app.db\n").with_folder("bin");
    let run = |words: &str| {
        let command = project.command(words).env("DOCKER_HOST", "unix:///nonexistent/docker.sock");
        let empty = project.root().join("bin");
        let mounts = format!("{WITHOUT_BINARIES}; export PATH={}", empty.display());
        command.by(|command| machine::after(&mounts, command)).run()
    };
    let ran = run("check").ends(3).says("steps on sqlite");
    let told = ran.stdout.lines().find(|line| line.contains("everything (postgres)")).unwrap();
    assert_snapshot!(told.trim(), @r#"everything (postgres): no PostgreSQL serves: URL from DB_DSN in ./.env:1: its scheme is "sqlite", not "postgres"; container: no Docker socket; server binaries: none found on this machine; start Docker, install PostgreSQL's server binaries, or name a server with --postgres-url; SKIP_POSTGRES_TESTS=1 checks SQLite alone"#);
    run("check --format json").ends(3).says("\"backend\": \"postgres\"").says("none found on this machine");
    run("schema").ends(3).says("none found on this machine");
    run("baseline").ends(3).says("nothing was accepted");
    run("check --backend sqlite").ends(0);
}

/// Takes all rights on a path away, or all but those to read and enter.
fn forbid(project: &Project, path: &str, mode: u32) {
    // Without a "." at its end, which would take the right to enter.
    let path: std::path::PathBuf = project.root().join(path).components().collect();
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn files_and_folders_that_may_not_be_read() {
    let fixtures = "[history]\ntool = \"sqlx\"\npath = \"migrations\"\n[rows]\nfixtures = \"rows.json\"\n";
    let told: String = ["switchback.toml", "migrations/1_a.up.sql", "migrations", "rows.json", "."]
        .iter()
        .map(|path| {
            let project =
                Project::sqlx(&[TABLE, DROP]).with("switchback.toml", fixtures).with("rows.json", "{}");
            forbid(&project, path, 0o000);
            // By its full path, since nobody can stand in a folder that may not be entered.
            let command = project.command("check --backend sqlite").arg(project.root()).within("/");
            let ran = command.by(machine::without_rights_of_root).run();
            forbid(&project, path, 0o755);
            ran.ends(2).stderr
        })
        .collect();
    assert_snapshot!(told, @r#"
    error: "[folder]/project/switchback.toml" cannot be read: permission denied
    error: "migrations/1_a.up.sql" cannot be read: permission denied
    error: [history] path in switchback.toml: "migrations" cannot be read: permission denied
    error: [rows] fixtures in switchback.toml: "rows.json" cannot be read: permission denied
    error: "[folder]/project/." cannot be read: permission denied
    "#);
}

#[test]
fn a_file_of_variables_that_may_not_be_read() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let project = Project::sqlx(&[TABLE, DROP]).with(".env", "DATABASE_URL=sqlite://a.db\n");
    forbid(&project, ".env", 0o000);
    let run = |words: &str| project.command(words).by(machine::without_rights_of_root).run();
    assert_snapshot!(run("schema --backend postgres").ends(3).stderr, @r#"error: could not read "./.env": permission denied (postgres)"#);
    run("check --backend sqlite").ends(0);
}

#[test]
fn a_project_that_may_not_be_written() {
    let project = Project::sqlx(&[TABLE, DROP, ("2_b.sql", "CREATE TABLE u (id INTEGER PRIMARY KEY);\n")]);
    ["migrations", "switchback.toml", "."].iter().for_each(|path| forbid(&project, path, 0o555));
    let run = |words: &str| project.command(words).by(machine::without_rights_of_root).run();
    let (checked, noted) = (run("check --backend sqlite"), run("baseline --backend sqlite"));
    ["switchback.toml", "."].iter().for_each(|path| forbid(&project, path, 0o755));
    checked.ends(0).says("warning[missing-downgrade]");
    assert_snapshot!(noted.ends(2).stderr, @"error: cannot write ./switchback.toml: permission denied");
}

#[test]
fn a_disk_fills_while_findings_are_accepted() {
    let limit = 256 << 10;
    let project = Project::sqlx(&[TABLE, ("1_a.down.sql", "SELECT 1;\n")]);
    let room = limit - project.read("switchback.toml").len() - 40;
    let project = project.adding("switchback.toml", &format!("# {}\n", "x".repeat(room)));
    let before = project.read("switchback.toml");
    let command = project.command("baseline --backend sqlite");
    let ran = command.by(|command| machine::with_files_up_to(limit as u64, command)).run();
    assert_snapshot!(ran.ends(2).stderr, @"error: cannot write ./switchback.toml: file too large");
    assert_eq!(project.read("switchback.toml"), before);
}

#[rstest]
fn a_temporary_folder_that_may_not_be_written(
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
    #[values(false, true)] mounted: bool,
) {
    if is_skipped(backend) {
        return;
    }
    let project = Project::sqlx(&[TABLE, DROP]).with_folder("tmp");
    let tmp = project.root().join("tmp");
    forbid(&project, "tmp", 0o555);
    let words = format!("check --keep --backend {backend}");
    let command = project.command(&words).env("TMPDIR", &tmp).env("DOCKER_HOST", "unix:///nonexistent");
    let command = match mounted {
        false => command.by(machine::without_rights_of_root),
        true if machine::can_be_made() => {
            command.by(|command| machine::after("mount -t tmpfs -o ro none \"$TMPDIR\"", command))
        }
        true => return,
    };
    let why = if mounted { "read-only file system" } else { "permission denied" };
    command.run().ends(3).says("[folder]/project/tmp\"").says(why).says("set TMPDIR to a folder that");
}
