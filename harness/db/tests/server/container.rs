//! A container, where there is an engine and the image; and why there is none, where there isn't.

use std::collections::BTreeSet;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::time::Instant;

use switchback_db::server::{Request, ServerError, provision};

use super::child::{CHILD, child, eventually, told};
use super::texts;

/// Tells a child which version to start.
const VERSION: &str = "SWITCHBACK_TEST_VERSION";

fn from_container(version: u32) -> Request {
    Request { version: Some(version), binaries: false, ..Request::default() }
}

fn docker(arguments: &[&str]) -> Option<String> {
    let run = Command::new("docker").args(arguments).output().ok()?;
    run.status.success().then(|| String::from_utf8(run.stdout).unwrap().trim().to_owned())
}

/// The versions whose images are on this machine.
fn local_images() -> BTreeSet<u32> {
    let found = docker(&["images", "--format", "{{.Tag}}", "postgres"]).unwrap_or_default();
    found.lines().filter_map(|tag| tag.parse().ok()).collect()
}

/// The newest of them.
fn local_image() -> Option<u32> {
    local_images().pop_last()
}

#[tokio::test]
async fn it_serves_where_there_is_an_image_and_is_gone_when_closed() {
    let versions = local_images();
    if versions.is_empty() {
        // Without an engine, or with one that finds no such image, that is the reason.
        let request = Request { image: Some("localhost:1/none:1".to_owned()), ..from_container(1) };
        let error = provision(&request).await.unwrap_err();
        assert!(error.to_string().starts_with("no PostgreSQL serves: container: "), "{error}");
    }
    for version in versions {
        let server = provision(&from_container(version)).await.unwrap();
        assert_eq!(server.source(), format!("container postgres:{version}"));
        assert_eq!(server.major(), version);
        let trunk = server.create_database("trunk").await.unwrap();
        let probe = server.copy_database(&trunk, "probe").await.unwrap();
        let mut on = probe.connect().await.unwrap();
        assert_eq!(texts(&mut on, "SHOW fsync").await, ["off"]);
        let run = trunk.name().split('_').nth(1).unwrap().to_owned();
        assert_eq!(containers_of(&run).lines().count(), 1);
        server.close().await.unwrap();
        assert_eq!(containers_of(&run), "");
    }
}

#[tokio::test]
async fn what_is_kept_stays_and_the_way_to_it_is_told() {
    // Images of bare server binaries have no psql, unlike the official ones.
    let has_psql = |version: &u32| {
        let image = format!("postgres:{version}");
        docker(&["run", "--rm", "--entrypoint", "psql", &image, "--version"]).is_some()
    };
    let Some(version) = local_images().into_iter().rev().find(has_psql) else {
        assert!(docker(&["image", "inspect", "postgres"]).is_none());
        return;
    };
    let server = provision(&Request { keep: true, ..from_container(version) }).await.unwrap();
    let trunk = server.create_database("trunk").await.unwrap();
    let told = server.kept().unwrap();
    server.close().await.unwrap();
    provision(&from_container(version)).await.unwrap().close().await.unwrap();
    let commands: Vec<Vec<&str>> =
        told.split('`').skip(1).step_by(2).map(|text| text.split(' ').skip(1).collect()).collect();
    assert!(told.contains("start it with `docker start ") && commands.len() == 2, "{told}");
    docker(&commands[0]).expect("the container is there");
    eventually(|| docker(&commands[1]).is_some_and(|found| found.contains(trunk.name())));
    docker(&["rm", "-fv", commands[0][1]]).unwrap();
}

#[tokio::test]
async fn an_image_that_cannot_be_had_is_passed_over() {
    let request = Request { image: Some("localhost:1/none:1".to_owned()), ..from_container(17) };
    let error = provision(&request).await.unwrap_err();
    let ServerError::NoneServes { tried } = &error else { panic!("{error}") };
    assert_eq!(tried[0].source, "container");
    assert!(!tried[0].reason.contains('\n') && !tried[0].reason.is_empty(), "{error}");
}

#[test]
fn a_killed_process_leaves_no_container() {
    if std::env::var_os(CHILD).is_some() {
        return serve_and_wait();
    }
    let Some(version) = local_image() else {
        assert!(docker(&["image", "inspect", "postgres"]).is_none());
        return;
    };
    let environment = [(VERSION, version.to_string())];
    let (mut child, name) = child("container::a_killed_process_leaves_no_container", &environment);
    let run = name.split('_').nth(1).unwrap();
    assert_eq!(containers_of(run).lines().count(), 1);
    child.kill().unwrap();
    child.wait().unwrap();
    eventually(|| containers_of(run).is_empty());
}

#[test]
fn the_next_run_removes_a_container_that_was_left() {
    let name = "container::the_next_run_removes_a_container_that_was_left";
    if std::env::var_os(CHILD).is_some() {
        return serve_and_wait();
    }
    let Some(version) = local_image() else {
        assert!(docker(&["image", "inspect", "postgres"]).is_none());
        return;
    };
    // Without Docker's command line nothing removes it when its owner is killed.
    let (mut child, name) = child(name, &[("PATH", "/none".to_owned()), (VERSION, version.to_string())]);
    let run = name.split('_').nth(1).unwrap();
    let next = || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let server = runtime.block_on(provision(&from_container(version))).unwrap();
        runtime.block_on(server.close()).unwrap();
    };
    next();
    assert_eq!(containers_of(run).lines().count(), 1, "its owner is still alive");
    child.kill().unwrap();
    child.wait().unwrap();
    next();
    assert_eq!(containers_of(run), "");
}

#[test]
fn an_engine_that_does_not_answer_is_given_up() {
    refused("container::an_engine_that_does_not_answer_is_given_up", true, |reason| {
        assert_eq!(reason, "container: Docker did not answer within 5 seconds");
    });
}

#[test]
fn without_an_engine_there_is_no_waiting() {
    refused("container::without_an_engine_there_is_no_waiting", false, |reason| {
        assert_eq!(reason, "container: no Docker socket");
    });
}

/// Asks for a container in a process whose engine is a socket where nobody answers, or none at all.
fn refused(test: &str, socket: bool, check: impl Fn(&str)) {
    if std::env::var_os(CHILD).is_some() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let error = runtime.block_on(provision(&from_container(17))).unwrap_err();
        let ServerError::NoneServes { tried } = &error else { panic!("{error}") };
        return told(&tried[0].to_string());
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    let _listener = socket.then(|| UnixListener::bind(&path).unwrap());
    let host = format!("unix://{}", path.display());
    let started = Instant::now();
    let (mut child, reason) = child(test, &[("DOCKER_HOST", host)]);
    child.kill().unwrap();
    child.wait().unwrap();
    check(&reason);
    assert!(started.elapsed().as_secs() < if socket { 9 } else { 3 });
}

/// The child's part: a version that the parent has found to be there.
fn serve_and_wait() {
    let version = std::env::var(VERSION).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(provision(&from_container(version))).unwrap();
    let trunk = runtime.block_on(server.create_database("trunk")).unwrap();
    told(trunk.name());
}

fn containers_of(run: &str) -> String {
    docker(&["ps", "-aq", "--filter", &format!("label=switchback.run={run}")]).unwrap()
}
