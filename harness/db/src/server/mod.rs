//! Where a PostgreSQL comes from, and the databases that are made in it.
//!
//! [`provision`] takes the first source that serves: a URL, a container, server binaries on the
//! machine. Whatever it is given, it drops only what it made itself in this run; however the run
//! ends, the server that it started stops, and what is left on a server of somebody else's the next
//! run removes.

mod aftermath;
mod available;
mod binaries;
mod claims;
mod cluster;
mod connect;
#[cfg(feature = "containers")]
mod container;
mod database;
mod env;
mod error;
mod folder;
mod guardian;
mod keeper;
mod lease;
mod neighbours;
mod original;
mod removal;
mod run;
mod silence;
mod stranger;
mod template;
mod together;
mod url;
mod user;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use switchback_core::{Backend, versions};
use tokio::sync::OnceCell;

pub use self::available::{Available, Image, available};
pub use self::binaries::{Binaries, FOLDERS_ENV};
pub(crate) use self::claims::ends_sessions;
pub use self::database::{Admin, Database};
pub use self::env::url_sources;
pub(crate) use self::error::told;
pub use self::error::{PassedOver, ServerError};
pub use self::neighbours::Standings;
pub use self::original::Making;
pub use self::url::{DatabaseUrl, Origin, UrlSource};

use self::claims::Claims;
use self::cluster::Cluster;
use self::connect::connect;
use self::guardian::Until;
use self::keeper::Keeper;
use self::run::RunId;
use self::stranger::{Refusal, Stranger};
use self::together::Together;
use self::user::ServiceUser;

/// What a server is wanted for, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// URLs in the order they are to be tried.
    pub urls: Vec<UrlSource>,
    /// The major version, if it must be a certain one.
    pub version: Option<u32>,
    /// Whether a container may serve.
    pub containers: bool,
    /// Whether server binaries on this machine may serve.
    pub binaries: bool,
    /// Where to look for server binaries instead of the usual folders.
    pub binary_dirs: Vec<PathBuf>,
    /// What is made on a server given by a URL.
    pub isolate: Isolate,
    /// Whether a private cluster may be one that other processes use, too: those whose programs lie in
    /// the same folder, as the tests of one build do. The last one that ends leaves nothing.
    pub together: bool,
    /// Leave the databases, and the folder of a private cluster, where they are.
    pub keep: bool,
    /// The container's image, instead of `postgres` with the version as its tag.
    pub image: Option<String>,
    /// Where an image that names no registry comes from instead of Docker Hub, such as
    /// `mirror.example/library`.
    pub registry: Option<String>,
    /// The platform of the image, such as `linux/amd64`, if it is not the machine's.
    pub platform: Option<String>,
}

impl Default for Request {
    /// Any version from a container or from binaries.
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            version: None,
            containers: true,
            binaries: true,
            binary_dirs: Vec::new(),
            isolate: Isolate::Database,
            together: false,
            keep: false,
            image: None,
            registry: None,
            platform: None,
        }
    }
}

/// What is made on a server that somebody else runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Isolate {
    /// Databases of our own.
    #[default]
    Database,
    /// Schemas of our own in the URL's database. SQL that names another schema, or makes extensions
    /// or publications, escapes them.
    Schema,
}

/// A PostgreSQL that serves this run.
pub struct Server {
    run: RunId,
    version: String,
    major: u32,
    source: String,
    passed_over: Vec<PassedOver>,
    isolate: Isolate,
    keep: bool,
    /// The database from which others are made; with isolated schemas, the one they are made in.
    options: PgConnectOptions,
    url: DatabaseUrl,
    ctype: OnceCell<&'static str>,
    fsync: OnceCell<String>,
    labels: Mutex<BTreeMap<String, u32>>,
    claims: Arc<Claims>,
    /// Whether other runs of this process use it at the same time.
    shared: bool,
    /// Where the objects of the whole server are listed, again and again.
    listing: tokio::sync::Mutex<Option<PgConnection>>,
    held: Held,
}

/// What makes the server ours while it lives, and how it ends when dropped.
enum Held {
    Cluster(Cluster),
    /// A private cluster that other processes use as well, so that they are to each other as strangers.
    Together {
        // What this run made there goes before its part in the server.
        _keeper: Keeper,
        cluster: Cluster,
    },
    #[cfg(feature = "containers")]
    Container {
        _keeper: Keeper,
        id: String,
    },
    Stranger(#[expect(dead_code, reason = "it is there to be dropped")] Keeper),
}

/// Takes the first source that serves.
///
/// # Errors
/// [`ServerError::UrlFails`] if a URL named on the command line or in the config does not serve;
/// [`ServerError::NoneServes`] if nothing does, with the reason for each source.
pub async fn provision(request: &Request) -> Result<Server, ServerError> {
    let mut passed_over = Vec::new();
    let mut pass = |source: String, reason: String| passed_over.push(PassedOver { source, reason });
    let run = RunId::new()?;
    for source in &request.urls {
        let origin = source.origin();
        match stranger::serve(source, request, &run).await {
            Ok(found) => return Ok(Server::of_stranger(found, run, request, passed_over)),
            Err(Refusal::Fails(reason)) if origin.is_explicit() => {
                return Err(ServerError::UrlFails { origin: origin.to_string(), reason });
            }
            Err(Refusal::Fails(reason) | Refusal::PassOver(reason)) => {
                pass(origin.to_string(), reason);
            }
        }
    }
    if request.containers || request.binaries {
        let sweep = || folder::sweep(ServiceUser::to_become().ok().flatten().as_ref());
        // What it cannot remove, it leaves.
        let _ = tokio::task::spawn_blocking(sweep).await;
    }
    if request.containers {
        #[cfg(feature = "containers")]
        match container::serve(request, &run).await {
            Ok(found) => return Ok(Server::of_container(found, run, request, passed_over)),
            Err(container::Reason(reason)) => pass("container".to_owned(), reason),
        }
        #[cfg(not(feature = "containers"))]
        pass("container".to_owned(), "built without the feature \"containers\"".to_owned());
    }
    if request.binaries {
        if request.together && !request.keep {
            // What goes wrong there must not keep this process from a server of its own.
            if let Some(found) = together::serve(&run, request).await {
                return Ok(Server::of_together(found, run, request, passed_over));
            }
        }
        let until = if request.keep { Until::Kept } else { Until::Dropped };
        match private_cluster(&run, request, until).await {
            Ok(cluster) => return Server::of_cluster(cluster, run, request, passed_over).await,
            Err(reason) => pass("server binaries".to_owned(), reason),
        }
    }
    Err(ServerError::NoneServes { tried: passed_over })
}

/// A server for the whole process, started once for each request and shared by all who ask.
///
/// Tests in one process use it, each with a runtime of its own. As a static it is never dropped;
/// when the process ends, a private cluster stops by itself.
///
/// # Errors
/// Those of [`provision`]; the next who asks tries again.
pub async fn shared(request: &Request) -> Result<Arc<Server>, ServerError> {
    type Shared = Vec<(Request, Arc<OnceCell<Arc<Server>>>)>;
    static SERVERS: Mutex<Shared> = Mutex::new(Vec::new());
    let cell = {
        let mut servers = SERVERS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match servers.iter().find(|(known, _)| known == request) {
            Some((_, cell)) => Arc::clone(cell),
            None => {
                let cell = Arc::default();
                servers.push((request.clone(), Arc::clone(&cell)));
                cell
            }
        }
    };
    let start = async || Ok(Arc::new(Server { shared: true, ..provision(request).await? }));
    cell.get_or_try_init(start).await.cloned()
}

/// A started cluster, or why there is none.
async fn private_cluster(run: &RunId, request: &Request, until: Until) -> Result<Cluster, String> {
    let (run, request) = (run.clone(), request.clone());
    // Goes away with this future: nobody waits for the server any more.
    let wanted = Arc::new(());
    let waiter = Arc::downgrade(&wanted);
    let started = tokio::task::spawn_blocking(move || {
        let found = Binaries::find(&request.binary_dirs);
        let fits = |b: &&Binaries| request.version.is_none_or(|wanted| wanted == b.major);
        let Some(binaries) = found.iter().find(fits) else {
            let versions: Vec<String> = found.iter().map(|b| b.major.to_string()).collect();
            return Err(match (request.version, versions.join(", ")) {
                (Some(wanted), found) if !found.is_empty() => {
                    format!("none of version {wanted}, only {found}")
                }
                _ => "none found on this machine".to_owned(),
            });
        };
        Cluster::start(binaries, &run, until, &waiter).map_err(|e| e.to_string())
    });
    let started = started.await;
    drop(wanted);
    started.unwrap_or_else(|e| Err(format!("starting it was cut short: {e}")))
}

/// The oldest major version that introspection understands, and the newest that it is proven on.
pub(crate) fn range() -> (u32, u32) {
    let proven = versions::proven(Backend::Postgres);
    let [oldest, .., newest] = proven else { unreachable!("the table has a range of versions") };
    (oldest.major(), newest.major())
}

/// The major version of one such as `15.18` or `19beta1`.
fn major_of(version: &str) -> u32 {
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version[..digits].parse().unwrap_or_default()
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({} {} run {})", self.version, self.source, self.run)
    }
}

impl Server {
    fn of_stranger(found: Stranger, run: RunId, request: &Request, passed_over: Vec<PassedOver>) -> Self {
        let isolate = request.isolate;
        let Stranger { keeper, claims, url, options, version, source } = found;
        let held = Held::Stranger(keeper);
        let keep = request.keep;
        let server = Self::new(run, version, source, passed_over, isolate, keep, options, url, held);
        Self { claims, ..server }
    }

    #[cfg(feature = "containers")]
    fn of_container(
        found: container::Contained,
        run: RunId,
        request: &Request,
        passed_over: Vec<PassedOver>,
    ) -> Self {
        let container::Contained { keeper, id, url, options, version, source } = found;
        let (isolate, held) = (Isolate::Database, Held::Container { _keeper: keeper, id });
        Self::new(run, version, source, passed_over, isolate, request.keep, options, url, held)
    }

    async fn of_cluster(
        cluster: Cluster,
        run: RunId,
        request: &Request,
        passed_over: Vec<PassedOver>,
    ) -> Result<Self, ServerError> {
        let (options, url, source) = (cluster.options(), DatabaseUrl::own(&cluster.url()), cluster.source());
        let version = cluster.set_up().await?;
        let (isolate, held) = (Isolate::Database, Held::Cluster(cluster));
        Ok(Self::new(run, version, source, passed_over, isolate, request.keep, options, url, held))
    }

    fn of_together(found: Together, run: RunId, request: &Request, passed_over: Vec<PassedOver>) -> Self {
        let Together { cluster, keeper, claims, version } = found;
        let (options, url, source) = (cluster.options(), DatabaseUrl::own(&cluster.url()), cluster.source());
        let (isolate, held) = (Isolate::Database, Held::Together { _keeper: keeper, cluster });
        let server = Self::new(run, version, source, passed_over, isolate, request.keep, options, url, held);
        Self { claims, ..server }
    }

    #[expect(clippy::too_many_arguments, reason = "the one place that puts the parts together")]
    fn new(
        run: RunId,
        version: String,
        source: String,
        passed_over: Vec<PassedOver>,
        isolate: Isolate,
        keep: bool,
        options: PgConnectOptions,
        url: DatabaseUrl,
        held: Held,
    ) -> Self {
        let major = major_of(&version);
        Self {
            run,
            version,
            major,
            source,
            passed_over,
            isolate,
            keep,
            options,
            url,
            ctype: OnceCell::new(),
            fsync: OnceCell::new(),
            labels: Mutex::default(),
            claims: Arc::default(),
            shared: false,
            listing: tokio::sync::Mutex::default(),
            held,
        }
    }

    /// The full version, such as `15.18`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The major version, such as 15.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// Which source serves, such as `server binaries in /usr/lib/postgresql/15/bin`.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The sources before it, and why they were not taken.
    pub fn passed_over(&self) -> &[PassedOver] {
        &self.passed_over
    }

    /// Whether each "database" is a schema of its own in a database of somebody else's.
    pub fn isolate(&self) -> Isolate {
        self.isolate
    }

    /// The folder of a private cluster, with its data and log; it stays there if it is to be kept.
    pub fn folder(&self) -> Option<&Path> {
        match &self.held {
            Held::Cluster(cluster) | Held::Together { cluster, .. } => Some(cluster.folder()),
            _ => None,
        }
    }

    /// Drops what this run made and stops what it started. Dropping the server does the same, but
    /// blocks the thread meanwhile.
    ///
    /// # Errors
    /// If that was cut short.
    pub async fn close(self) -> Result<(), ServerError> {
        tokio::task::spawn_blocking(move || drop(self))
            .await
            .map_err(|e| ServerError::Query { doing: "stop the server".to_owned(), reason: e.to_string() })
    }

    /// Whether we started the server, so that nobody minds what it costs.
    pub(crate) fn is_ours(&self) -> bool {
        !matches!(self.held, Held::Stranger(_) | Held::Together { .. })
    }

    /// Whether it stops, with all that is in it, when the last process that uses it ends.
    pub(crate) fn goes_with_its_users(&self) -> bool {
        !matches!(self.held, Held::Stranger(_))
    }

    /// Whether nobody else makes anything on it meanwhile.
    pub(crate) fn is_alone(&self) -> bool {
        self.is_ours() && !self.shared
    }

    async fn admin(&self) -> Result<PgConnection, ServerError> {
        connect(&self.options)
            .await
            .map_err(|no| ServerError::Query { doing: "connect".to_owned(), reason: no.reason })
    }

    /// A name for a database of this run, which has none of that name yet.
    fn fresh_name(&self, label: &str) -> String {
        let mut labels = self.labels.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut name = self.run.name(label);
        let count = labels.entry(name.clone()).or_insert(0);
        *count += 1;
        if *count > 1 {
            let suffix = format!("_{count}");
            name.truncate(run::LONGEST_NAME - suffix.len());
            name.push_str(&suffix);
            // Somebody may have chosen that label too.
            labels.insert(name.clone(), 1);
        }
        name
    }
}
