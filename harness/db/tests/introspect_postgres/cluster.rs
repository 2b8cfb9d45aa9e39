//! A private PostgreSQL for one test, from the binaries on the machine.

use sqlx::PgConnection;
use switchback_db::server::{Request, Server, provision};

pub(crate) struct Cluster {
    server: Server,
}

impl Cluster {
    /// Starts a server; none, said aloud, if the environment says so.
    pub(crate) async fn start() -> Option<Self> {
        if std::env::var("SKIP_POSTGRES_TESTS").is_ok_and(|value| value == "1") {
            eprintln!("not run: SKIP_POSTGRES_TESTS=1");
            return None;
        }
        let request = Request { containers: false, ..Request::default() };
        Some(Self { server: provision(&request).await.unwrap() })
    }

    pub(crate) fn version(&self) -> u32 {
        self.server.major()
    }

    /// A connection to a new database.
    pub(crate) async fn database(&self, name: &str) -> PgConnection {
        self.server.create_database(name).await.unwrap().connect().await.unwrap()
    }
}
