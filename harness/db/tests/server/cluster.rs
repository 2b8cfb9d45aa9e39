//! A private cluster comes up, and goes away however its owner ends.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use sqlx::Connection;
use switchback_db::server::{Request, ServerError, provision, shared};

use super::child::{CHILD, eventually, told};
use super::{from_binaries, private, run, texts};

#[tokio::test]
async fn it_is_what_it_says() {
    let server = private().await;
    let database = server.create_database("x").await.unwrap();
    let mut on = database.connect().await.unwrap();
    let says = texts(&mut on, "SELECT split_part(current_setting('server_version'), ' ', 1)").await;
    assert_eq!(says, [server.version()]);
    assert!(server.version().starts_with(&format!("{}.", server.major())));
    assert!(server.source().starts_with("server binaries in /"), "{}", server.source());
    let durable = texts(
        &mut on,
        "SELECT name FROM pg_settings WHERE setting = 'on' \
        AND name IN ('fsync', 'full_page_writes', 'synchronous_commit')",
    )
    .await;
    assert!(durable.is_empty(), "{durable:?}");
}

#[tokio::test]
async fn the_network_needs_the_password_and_reaches_the_loopback_only() {
    let server = private().await;
    let database = server.create_database("x").await.unwrap();
    let url = database.url().reveal();
    let mut on = sqlx::PgConnection::connect(url).await.unwrap();
    assert_eq!(texts(&mut on, "SHOW listen_addresses").await, ["127.0.0.1"]);
    let password = url.split([':', '@']).nth(2).unwrap();
    let wrong = url.replace(password, "wrong");
    assert!(sqlx::PgConnection::connect(&wrong).await.is_err());
    let none = url.replace(&format!(":{password}"), "");
    assert!(sqlx::PgConnection::connect(&none).await.is_err());
    for shown in [format!("{server:?}"), format!("{database:?}"), database.url().to_string()] {
        assert!(!shown.contains(password), "{shown}");
    }
}

#[tokio::test]
async fn closing_it_stops_the_server_and_removes_its_folder() {
    let server = private().await;
    let folder = server.folder().unwrap().to_owned();
    let pid = server_in(&folder).unwrap();
    server.close().await.unwrap();
    assert!(!folder.exists());
    assert!(!alive(&pid));
}

#[tokio::test]
async fn what_is_kept_stays_and_is_shut_down_cleanly() {
    let server = provision(&Request { keep: true, ..from_binaries() }).await.unwrap();
    let folder = server.folder().unwrap().to_owned();
    let pid = server_in(&folder).unwrap();
    server.close().await.unwrap();
    drop(private().await);
    let log = std::fs::read_to_string(folder.join("log")).unwrap();
    assert!(log.contains("database system is shut down"), "{log}");
    assert!(!alive(&pid));
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_version_that_is_not_there_is_passed_over_with_what_is() {
    let request = Request { version: Some(9), ..from_binaries() };
    let error = provision(&request).await.unwrap_err();
    let ServerError::NoneServes { tried } = &error else { panic!("{error}") };
    assert_eq!(tried[0].source, "server binaries");
    assert!(tried[0].reason.starts_with("none of version 9, only "), "{error}");
    assert!(error.help().is_some());
}

#[tokio::test]
async fn folders_without_binaries_are_no_source() {
    let request = Request { binary_dirs: vec!["/".into()], ..from_binaries() };
    let error = provision(&request).await.unwrap_err();
    let said = "no PostgreSQL serves: server binaries: none found on this machine";
    assert_eq!(error.to_string(), said);
}

#[test]
fn a_shared_server_outlives_the_runtime_that_started_it() {
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let first = runtime().block_on(shared(&from_binaries())).unwrap();
    let second = runtime().block_on(async {
        let server = shared(&from_binaries()).await.unwrap();
        server.create_database("second").await.unwrap().connect().await.unwrap();
        server
    });
    assert!(std::sync::Arc::ptr_eq(&first, &second));
}

/// Starts the child, which tells the folder of its server.
fn child(test: &str, environment: &[(&str, String)]) -> (Child, PathBuf) {
    let (child, folder) = super::child::child(test, environment);
    (child, folder.into())
}

/// The child's part: starts a server and waits to be killed.
fn start_and_wait() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(private());
    let database = runtime.block_on(server.create_database("left")).unwrap();
    let _open = runtime.block_on(database.connect()).unwrap();
    told(&server.folder().unwrap().display().to_string());
}

#[test]
fn a_killed_process_leaves_neither_server_nor_folder() {
    if std::env::var_os(CHILD).is_some() {
        return start_and_wait();
    }
    let (mut child, folder) = child("cluster::a_killed_process_leaves_neither_server_nor_folder", &[]);
    let pid = server_in(&folder).unwrap();
    assert!(alive(&pid));
    child.kill().unwrap();
    child.wait().unwrap();
    eventually(|| !folder.exists() && !alive(&pid));
}

#[test]
fn the_next_run_removes_what_even_the_guardian_could_not() {
    if std::env::var_os(CHILD).is_some() {
        return start_and_wait();
    }
    let name = "cluster::the_next_run_removes_what_even_the_guardian_could_not";
    let (mut child, folder) = child(name, &[]);
    let pid = server_in(&folder).unwrap();
    // The guardian is the server's parent.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let parent = stat.rsplit(')').next().unwrap().split_whitespace().nth(1).unwrap().to_owned();
    let group = format!("-{parent}");
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
    for process in children.unwrap().split_whitespace().filter(|p| *p != pid) {
        signal("KILL", process);
    }
    signal("KILL", &parent);
    assert!(alive(&pid), "the server should be an orphan now, not {group}");
    let next = || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        drop(runtime.block_on(private()));
    };
    next();
    assert!(folder.exists() && alive(&pid), "its owner is still alive");
    child.kill().unwrap();
    child.wait().unwrap();
    next();
    assert!(!folder.exists());
    assert!(!alive(&pid));
}

#[test]
fn a_damaged_cache_is_made_anew() {
    if std::env::var_os(CHILD).is_some() {
        return start_and_wait();
    }
    let name = "cluster::a_damaged_cache_is_made_anew";
    let cache = tempfile::tempdir().unwrap();
    let environment = [("XDG_CACHE_HOME", cache.path().display().to_string())];
    let start = || {
        let (mut child, folder) = child(name, &environment);
        child.kill().unwrap();
        child.wait().unwrap();
        eventually(|| !folder.exists());
        let templates = std::fs::read_dir(cache.path().join("switchback/initdb")).unwrap();
        let templates: Vec<PathBuf> = templates
            .map(|entry| entry.unwrap().path())
            .filter(|path| !path.ends_with(".draft-new"))
            .collect();
        assert_eq!(templates.len(), 1);
        templates[0].join("global/pg_control")
    };
    let control = start();
    std::fs::remove_file(&control).unwrap();
    let drafts = ["old", "new"].map(|name| {
        let draft = cache.path().join("switchback/initdb").join(format!(".draft-{name}"));
        std::fs::create_dir(&draft).unwrap();
        draft
    });
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(7200);
    std::fs::File::open(&drafts[0]).unwrap().set_modified(long_ago).unwrap();
    let remade = start();
    assert!(!drafts[0].exists() && drafts[1].exists(), "only what was left long ago is removed");
    assert_eq!(remade, control);
    assert!(control.exists());
}

#[tokio::test]
async fn a_revision_may_fill_the_log_with_errors() {
    let server = private().await;
    let database = server.create_database("x").await.unwrap();
    let mut on = database.connect().await.unwrap();
    assert!(sqlx::query("SELECT 1/0").execute(&mut on).await.is_err());
    run(&mut on, "SELECT 1").await;
    let log = std::fs::read_to_string(server.folder().unwrap().join("log")).unwrap();
    assert!(log.contains("division by zero"), "{log}");
}

fn server_in(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("data/postmaster.pid")).ok()?;
    text.lines().next().map(str::to_owned)
}

fn alive(pid: &str) -> bool {
    // A process that has ended stays in the table until its parent asks for it.
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim().starts_with('Z'))
}

fn signal(name: &str, pid: &str) {
    let sent = Command::new("sh").args(["-c", "kill -\"$0\" \"$1\"", name, pid]).status();
    assert!(sent.unwrap().success());
}
