//! PostgreSQL from server binaries on this machine and from URLs, on real servers.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod child;
mod cluster;
#[cfg(feature = "containers")]
mod container;
mod database;
mod stranger;

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Executor, PgConnection};
use switchback_db::server::{Origin, Request, Server, UrlSource, provision, shared};

/// A request that only the machine's binaries can serve.
fn from_binaries() -> Request {
    Request { containers: false, ..Request::default() }
}

/// A request that only this URL can serve.
fn from_url(url: &str, origin: Origin) -> Request {
    let urls = vec![UrlSource::new(url, origin)];
    Request { urls, containers: false, binaries: false, ..Request::default() }
}

async fn private() -> Server {
    provision(&from_binaries()).await.unwrap()
}

/// One server for all tests that do not mind each other.
async fn common() -> Arc<Server> {
    shared(&from_binaries()).await.unwrap()
}

async fn run(on: &mut PgConnection, sql: &str) {
    on.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
}

async fn texts(on: &mut PgConnection, sql: &str) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(on).await.unwrap()
}
