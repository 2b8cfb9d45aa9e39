//! A server that somebody else runs, given by a URL. We touch nothing there but databases (or
//! schemas) of our own making.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::sync::oneshot::{Receiver, Sender};

use super::claims::{self, Claims};
use super::connect::{NoConnection, PATIENCE, connect, execute, identifier};
use super::keeper::Keeper;
use super::neighbours::{self, Object};
use super::removal::drop_database;
use super::run::{RunId, UNFINISHED, tagged};
use super::url::{DatabaseUrl, UrlSource, is_local, place};
use super::{Isolate, Request, ServerError};

/// How often the connection that holds the run's lock is seen to.
const BETWEEN_WORDS: Duration = Duration::from_secs(5);

/// How long a server is waited for that was ended in the middle of a run.
const RESTART: Duration = Duration::from_secs(3);

/// A server that was found fit, and the keeper of this run's lock on it.
pub(crate) struct Stranger {
    pub(crate) keeper: Keeper,
    pub(crate) claims: Arc<Claims>,
    pub(crate) url: DatabaseUrl,
    pub(crate) options: PgConnectOptions,
    pub(crate) version: String,
    pub(crate) source: String,
}

/// Why a URL does not serve.
pub(crate) enum Refusal {
    /// It was not meant for this, so the next source may serve.
    PassOver(String),
    /// It was, or should have been, and something is wrong.
    Fails(String),
}

impl From<ServerError> for Refusal {
    fn from(error: ServerError) -> Self {
        Self::Fails(error.to_string())
    }
}

use Refusal::{Fails, PassOver};

/// Connects to the server that a URL names, if it may be used as the request wants to.
pub(crate) async fn serve(source: &UrlSource, request: &Request, run: &RunId) -> Result<Stranger, Refusal> {
    let url = DatabaseUrl::parse(source).map_err(Fails)?;
    let options = url.options().map_err(Fails)?;
    let place = place(&options);
    if !source.origin().is_explicit() && !is_local(&options) {
        return Err(PassOver(format!(
            "{place} is not on this machine, so it must be named by --postgres-url or in the config"
        )));
    }
    let source = format!("{} ({place})", source.origin());
    let Visited { keeper, claims, options, version } = visit(options, request, run).await?;
    Ok(Stranger { keeper, claims, url, options, version, source })
}

/// A server on which this run holds its lock.
pub(crate) struct Visited {
    pub(crate) keeper: Keeper,
    pub(crate) claims: Arc<Claims>,
    pub(crate) options: PgConnectOptions,
    pub(crate) version: String,
}

/// Enters a server on which others are, too, as one of them.
pub(crate) async fn visit(
    options: PgConnectOptions,
    request: &Request,
    run: &RunId,
) -> Result<Visited, Refusal> {
    let visit = Visit {
        options,
        run: run.clone(),
        wanted: request.version,
        isolate: request.isolate,
        keep: request.keep,
        claims: Arc::default(),
    };
    let claims = Arc::clone(&visit.claims);
    let (keeper, (options, version)) =
        Keeper::start(async move |ready, stop| visit.hold(ready, stop).await).await?;
    Ok(Visited { keeper, claims, options, version })
}

type Found = (PgConnectOptions, String);

struct Visit {
    options: PgConnectOptions,
    run: RunId,
    wanted: Option<u32>,
    isolate: Isolate,
    keep: bool,
    claims: Arc<Claims>,
}

impl Visit {
    /// Holds the run's lock until told to stop, and then removes what the run made.
    async fn hold(self, ready: Sender<Result<Found, Refusal>>, mut stop: Receiver<()>) {
        let entered = tokio::select! {
            entered = self.enter() => entered,
            // The caller has given up, and nothing is made yet.
            _ = &mut stop => return,
        };
        let (mut connection, found) = match entered {
            Ok(entered) => entered,
            Err(refusal) => return drop(ready.send(Err(refusal))),
        };
        let (options, major) = (found.0.clone(), super::major_of(&found.1));
        if ready.send(Ok(found)).is_err() {
            return;
        }
        // Often, since runs that see no lock take what it stands for as left behind.
        while tokio::time::timeout(BETWEEN_WORDS, &mut stop).await.is_err() {
            let _ = self.reach(&mut connection, &options).await;
        }
        // A server that says nothing is not waited for: the next run removes what is left there.
        if !self.reach(&mut connection, &options).await {
            return;
        }
        if !self.keep {
            let mine = |_: &str, name: Option<RunId>| name.as_ref() == Some(&self.run);
            let removal = async {
                let _ = remove(&mut connection, &options, self.isolate, mine).await;
                let _ = self.claims.undo(&mut connection, major).await;
                // What a killed run asked for last may have come about after the first sweep.
                let _ = sweep(&mut connection, &options, self.isolate, major).await;
            };
            let _ = tokio::time::timeout(4 * PATIENCE, removal).await;
        }
        let _ = tokio::time::timeout(PATIENCE, connection.close()).await;
    }

    /// Whether the server answers, if need be on a new connection with the lock: a revision may have ended
    /// every session that it could find, and the server may have been started anew.
    async fn reach(&self, connection: &mut PgConnection, options: &PgConnectOptions) -> bool {
        match tokio::time::timeout(PATIENCE, connection.ping()).await {
            Ok(Ok(())) => return true,
            // One that says nothing still has the lock, if it goes on.
            Err(_) => return false,
            Ok(Err(_)) => {}
        }
        let since = Instant::now();
        let mut anew = loop {
            match connect(options).await {
                Ok(anew) => break anew,
                // A server that is started anew is back in a moment.
                Err(_) if since.elapsed() < RESTART => tokio::time::sleep(RESTART / 20).await,
                Err(_) => return false,
            }
        };
        let locked = tokio::time::timeout(PATIENCE, execute(&mut anew, self.lock())).await;
        let reached = matches!(locked, Ok(Ok(())));
        if reached {
            *connection = anew;
        }
        reached
    }

    /// Takes the lock that says that this run lives, in a session that may be idle for long.
    fn lock(&self) -> String {
        format!(
            "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'; \
             SELECT pg_advisory_lock({})",
            self.run.lock_key()
        )
    }

    async fn enter(&self) -> Result<(PgConnection, Found), Refusal> {
        let (mut connection, options) = self.connect().await.map_err(|no| Fails(no.reason))?;
        let found = tokio::time::timeout(PATIENCE, self.inspect(&mut connection)).await;
        let late = || Fails(format!("it did not answer within {} seconds", PATIENCE.as_secs()));
        let version = found.map_err(|_| late())??;
        let locked = tokio::time::timeout(PATIENCE, execute(&mut connection, self.lock())).await;
        locked.map_err(|_| late())?.map_err(|e| asking(&e))?;
        // What the sweep cannot remove, say for want of a right, stays for its owner's next run.
        let sweep = sweep(&mut connection, &options, self.isolate, super::major_of(&version));
        let _ = tokio::time::timeout(4 * PATIENCE, sweep).await;
        Ok((connection, (options, version)))
    }

    /// Connects to the database from which others are made: "postgres" where there is one, since
    /// while we are connected to the URL's own nobody could drop or copy that. A schema can only
    /// be made in the URL's own.
    async fn connect(&self) -> Result<(PgConnection, PgConnectOptions), NoConnection> {
        if self.isolate == Isolate::Database {
            let options = self.options.clone().database("postgres");
            match connect(&options).await {
                Ok(connection) => return Ok((connection, options)),
                // There is none, or it is not for us.
                Err(no) if matches!(no.code.as_deref(), Some("3D000" | "42501" | "28000")) => {}
                Err(no) => return Err(no),
            }
        }
        Ok((connect(&self.options).await?, self.options.clone()))
    }

    async fn inspect(&self, on: &mut PgConnection) -> Result<String, Refusal> {
        let (product, version, number): (String, String, i32) = sqlx::query_as(
            "SELECT version(), current_setting('server_version'), \
                    current_setting('server_version_num')::int",
        )
        .fetch_one(&mut *on)
        .await
        .map_err(|e| asking(&e))?;
        let version = version.split_whitespace().next().unwrap_or_default().to_owned();
        if !product.starts_with("PostgreSQL ") {
            return Err(Fails(format!("it is not PostgreSQL but {product}")));
        }
        let major = u32::try_from(number / 10_000).unwrap_or_default();
        let (oldest, _) = super::range();
        if major < oldest {
            return Err(Fails(format!(
                "it is PostgreSQL {version}; {oldest} is the oldest that is understood"
            )));
        }
        if let Some(wanted) = self.wanted.filter(|&wanted| wanted != major) {
            return Err(PassOver(format!("it is PostgreSQL {version}, and {wanted} is asked for")));
        }
        let (role, may_create, standby): (String, bool, bool) = sqlx::query_as(
            "SELECT current_user::text, rolsuper OR rolcreatedb, pg_is_in_recovery() \
             FROM pg_roles WHERE rolname = current_user",
        )
        .fetch_one(&mut *on)
        .await
        .map_err(|e| asking(&e))?;
        if standby {
            return Err(Fails("it is a standby, which is read-only".to_owned()));
        }
        match self.isolate {
            Isolate::Database if !may_create => Err(Fails(format!(
                "role \"{role}\" may not create databases; grant it CREATEDB, or let it work in a \
                 schema of its own with --isolate schema"
            ))),
            Isolate::Database => Ok(version),
            Isolate::Schema => contained(on, &role).await.map(|()| version),
        }
    }
}

/// Whether SQL run as this role could reach anything outside a schema of its own.
async fn contained(on: &mut PgConnection, role: &str) -> Result<(), Refusal> {
    let holes: Vec<String> =
        sqlx::query_scalar(include_str!("containment.sql")).fetch_all(on).await.map_err(|e| asking(&e))?;
    match holes.first() {
        None => Ok(()),
        Some(hole) => Err(PassOver(format!(
            "an isolated schema needs a role that can reach nothing else, and role \"{role}\" {hole}"
        ))),
    }
}

/// Removes what dead runs left: what has a name and a comment of ours, of a run whose lock nobody
/// holds. Locks of all databases are seen from each.
async fn sweep(
    on: &mut PgConnection,
    options: &PgConnectOptions,
    isolate: Isolate,
    major: u32,
) -> Result<(), sqlx::Error> {
    // A run locks before it makes anything, so whatever was seen before the locks has its owner's
    // lock among them, if the owner lives.
    let before = tagged_names(on, isolate).await?;
    let alive: Vec<i64> = sqlx::query_scalar(
        "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks \
         WHERE locktype = 'advisory' AND objsubid = 1",
    )
    .fetch_all(&mut *on)
    .await?;
    let dead = |name: &str, run: Option<RunId>| {
        before.iter().any(|known| known == name) && run.is_some_and(|run| !alive.contains(&run.lock_key()))
    };
    let noted = match isolate {
        Isolate::Database => claims::of_the_dead(on, |name, run| dead(name, Some(run.clone()))).await?,
        // A role that is confined to a schema makes nothing of the whole server.
        Isolate::Schema => BTreeSet::new(),
    };
    remove(on, options, isolate, dead).await?;
    if !noted.is_empty() {
        let theirs =
            |object: &Object| object.oid.is_some_and(|oid| noted.contains(&(object.name.clone(), oid)));
        // What cannot be taken back by now, its new users will tell of.
        let _ = neighbours::undo(on, major, theirs).await;
    }
    Ok(())
}

/// The names whose comment says the same run as they do.
async fn tagged_names(on: &mut PgConnection, isolate: Isolate) -> Result<Vec<String>, sqlx::Error> {
    let found: Vec<(String, String)> = sqlx::query_as(match isolate {
        Isolate::Database => {
            "SELECT datname::text, shobj_description(oid, 'pg_database') FROM pg_database \
             WHERE shobj_description(oid, 'pg_database') IS NOT NULL"
        }
        Isolate::Schema => {
            "SELECT nspname::text, obj_description(oid, 'pg_namespace') FROM pg_namespace \
             WHERE obj_description(oid, 'pg_namespace') IS NOT NULL"
        }
    })
    .fetch_all(&mut *on)
    .await?;
    let ours = found
        .into_iter()
        .filter(|(name, comment)| tagged(comment).is_some_and(|run| RunId::of(name) == Some(run)));
    let mut ours: Vec<String> = ours.map(|(name, _)| name).collect();
    if isolate == Isolate::Database {
        let unfinished: Vec<String> = sqlx::query_scalar(
            "SELECT datname::text FROM pg_database WHERE datconnlimit = $1 \
             AND shobj_description(oid, 'pg_database') IS NULL AND pg_get_userbyid(datdba) = current_user",
        )
        .bind(UNFINISHED)
        .fetch_all(on)
        .await?;
        ours.extend(unfinished.into_iter().filter(|name| RunId::of(name).is_some()));
    }
    Ok(ours)
}

/// Drops each database or schema with a name of ours that is chosen.
async fn remove(
    on: &mut PgConnection,
    options: &PgConnectOptions,
    isolate: Isolate,
    chosen: impl Fn(&str, Option<RunId>) -> bool,
) -> Result<(), sqlx::Error> {
    let names: Vec<String> = sqlx::query_scalar(match isolate {
        Isolate::Database => "SELECT datname::text FROM pg_database ORDER BY 1",
        Isolate::Schema => "SELECT nspname::text FROM pg_namespace ORDER BY 1",
    })
    .fetch_all(&mut *on)
    .await?;
    for name in names.iter().filter(|name| chosen(name, RunId::of(name))) {
        // Another run may be sweeping too, and one that cannot be dropped must not save the rest.
        let _ = match isolate {
            Isolate::Database => drop_database(on, options, name).await,
            Isolate::Schema => {
                execute(on, format!("DROP SCHEMA IF EXISTS {} CASCADE", identifier(name))).await
            }
        };
    }
    Ok(())
}

fn asking(error: &sqlx::Error) -> Refusal {
    Fails(format!("it did not tell what it is: {}", super::error::told(error)))
}
