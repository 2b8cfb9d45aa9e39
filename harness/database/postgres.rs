//! A PostgreSQL database for a test: a copy of one that was migrated before.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak, mpsc};
use std::time::Duration;

use switchback_core::Backend;
use switchback_core::history::RevisionId;
use switchback_db::postgres::Postgres;
use switchback_db::record::{Plan, RecordError, migrate};
use switchback_db::server::{Admin, Database, Isolate, Server, ServerError};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::oneshot::{self, Receiver};

use super::originals::Originals;

/// What this process knows of originals.
static ORIGINALS: Originals<Owned> = Originals::new();

const LABEL: &str = "test";
/// Dropping takes some hundredths of a second.
const PATIENCE: Duration = Duration::from_secs(5);

/// A database on a server, dropped with the value.
#[derive(Debug)]
pub(crate) struct Owned {
    server: Arc<Server>,
    database: Database,
    /// What it was copied from, which may go with the last of its copies.
    _original: Option<Arc<Owned>>,
    /// A copy of it that is made before anybody asks.
    spare: Mutex<Option<Receiver<Database>>>,
}

impl Owned {
    fn new(server: &Arc<Server>, database: Database, original: Option<Arc<Self>>) -> Self {
        Self { server: Arc::clone(server), database, _original: original, spare: Mutex::default() }
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// A copy of this one: the spare one, if there is one or is about to be.
    async fn copy(&self) -> Result<Database, ServerError> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(spare) = spare
            && let Ok(database) = spare.await
        {
            return Ok(database);
        }
        self.server.copy_database(&self.database, LABEL).await
    }

    /// Makes the copy for the next test while this one runs, unless that is done.
    fn make_spare(&self) {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.is_none() {
            let (server, database) = (Arc::clone(&self.server), self.database.clone());
            let (made, receiver) = oneshot::channel();
            *spare = Some(receiver);
            aside(async move {
                let copy = async |admin: &mut Admin| server.copy_database_over(admin, &database, LABEL).await;
                // Where it fails, the next test makes its own, and hears why.
                if let Ok(copy) = over_a_connection(&server, copy).await {
                    // What nobody takes goes with the server, or is removed by the next process there.
                    let _ = made.send(copy);
                }
            });
        }
    }
}

/// Does something on a thread that lasts as long as the process: the caller's runtime may be about to end.
fn aside(work: impl Future<Output = ()> + Send + 'static) {
    static HANDS: OnceLock<Option<Handle>> = OnceLock::new();
    let start = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        let hands = runtime.handle().clone();
        std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
        Some(hands)
    };
    if let Some(hands) = HANDS.get_or_init(start) {
        hands.spawn(work);
    }
}

/// Does something over a connection that the next one takes over, where the server goes with this process:
/// connecting takes about a quarter of the time of all else. It must be called [`aside`], to whose runtime
/// the connections belong.
async fn over_a_connection<T>(
    server: &Arc<Server>,
    act: impl AsyncFnOnce(&mut Admin) -> Result<T, ServerError>,
) -> Result<T, ServerError> {
    static IDLE: Mutex<Vec<(Weak<Server>, Admin)>> = Mutex::new(Vec::new());
    let idle = || IDLE.lock().unwrap_or_else(PoisonError::into_inner);
    let known = {
        let mut idle = idle();
        let place = idle.iter().position(|(of, _)| std::ptr::eq(of.as_ptr(), Arc::as_ptr(server)));
        place.map(|place| idle.swap_remove(place).1)
    };
    let mut admin = match known {
        Some(admin) => admin,
        None => server.admin_connection().await?,
    };
    let done = act(&mut admin).await;
    if done.is_ok() && server.holds_originals() {
        idle().push((Arc::downgrade(server), admin));
    }
    done
}

impl Drop for Owned {
    fn drop(&mut self) {
        if self.server.is_kept() {
            return;
        }
        let (server, database) = (Arc::clone(&self.server), self.database.clone());
        let (dropped, word) = mpsc::channel::<()>();
        aside(async move {
            let gone = async |admin: &mut Admin| server.drop_database_over(admin, database.clone()).await;
            // What is not dropped now goes with the server, or with the next run.
            let _ = over_a_connection(&server, gone).await;
            drop(dropped);
        });
        if self.server.holds_originals() {
            // Nobody has to wait for what goes with the server, at the latest.
            return;
        }
        // The server waits for every session to take note, also for those that are about to connect: those
        // of tasks on this very thread go on when they are let.
        let wait = || word.recv_timeout(PATIENCE);
        // Past that time nobody waits for it any more, and it is dropped all the same.
        let _ = match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
            Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(wait),
            _ => wait(),
        };
    }
}

/// A database as the plan makes it. `key` is that of what it is made from.
pub(crate) async fn database(
    server: Arc<Server>,
    plan: &Plan,
    until: Option<&RevisionId>,
    with_rows: bool,
    key: &str,
) -> Result<Owned, String> {
    if server.isolate() == Isolate::Schema || server.is_kept() {
        // A schema has no copies, and what is kept is to be what was asked for, and nothing else.
        let database = migrated(&server, plan, until, with_rows).await?;
        return Ok(Owned::new(&server, database, None));
    }
    let slot = ORIGINALS.slot(&format!("{server:?} {key}"));
    let mut slot = slot.lock().await;
    // What a tool makes that runs its revisions itself may depend on more than is known here.
    let lasts = server.holds_originals() && plan.driver.is_none();
    let known = slot.get();
    // The second test of a process is hardly the last; on a server of somebody else's a spare one would stay.
    let is_worth_a_spare = lasts && known.is_some();
    let original = match known {
        Some(original) => original,
        None => {
            let database = match lasts {
                true => lasting(&server, plan, until, with_rows, key).await?,
                false => migrated(&server, plan, until, with_rows).await?,
            };
            slot.set(Owned::new(&server, database, None), lasts)
        }
    };
    drop(slot);
    let database = original.copy().await.map_err(|error| server.explain(error.to_string()))?;
    if is_worth_a_spare {
        original.make_spare();
    }
    Ok(Owned::new(&server, database, Some(original)))
}

/// The original that the processes of a server share, made here if no other has made it.
async fn lasting(
    server: &Arc<Server>,
    plan: &Plan,
    until: Option<&RevisionId>,
    with_rows: bool,
    key: &str,
) -> Result<Database, String> {
    let said = |error: ServerError| server.explain(error.to_string());
    match server.original(key).await.map_err(said)? {
        (Some(original), _) => Ok(original),
        (None, making) => {
            let made = migrated(server, plan, until, with_rows).await?;
            server.make_original(key, made, making).await.map_err(said)
        }
    }
}

/// A database on which all revisions are run, and in which nobody is any more.
async fn migrated(
    server: &Arc<Server>,
    plan: &Plan,
    until: Option<&RevisionId>,
    with_rows: bool,
) -> Result<Database, String> {
    let ignore = plan.history.tool().bookkeeping(Backend::Postgres).tables;
    let mut engine = Postgres::new(Arc::clone(server), ignore);
    let made = migrate(&mut engine, plan, until, with_rows).await;
    let made = made.map_err(|error: RecordError| server.explain(error.to_string()))?.release().await;
    if plan.driver.is_some() {
        server.end_sessions(&made).await.map_err(|error| error.to_string())?;
    }
    Ok(made)
}
