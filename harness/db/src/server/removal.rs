//! Dropping databases of a run, whatever its revisions have put into their way.

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};

use super::connect::{connect, execute, identifier};
use super::database::is_code;

/// What keeps a database from being dropped: subscriptions, which are first cut off from the slot of their
/// publisher, that may be anybody's, and prepared transactions.
const IN_THE_WAY: &str = "
    SELECT format('ALTER SUBSCRIPTION %1$I DISABLE; ALTER SUBSCRIPTION %1$I SET (slot_name = NONE); \
                   DROP SUBSCRIPTION %1$I', subname)
    FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    UNION ALL SELECT format('ROLLBACK PREPARED %L', gid)
    FROM pg_prepared_xacts WHERE database = current_database()";

/// Drops a database, whoever is connected to it. The options lead to the server.
pub(crate) async fn drop_database(
    on: &mut PgConnection,
    options: &PgConnectOptions,
    name: &str,
) -> Result<(), sqlx::Error> {
    let quoted = identifier(name);
    let drop = format!("DROP DATABASE IF EXISTS {quoted} WITH (FORCE)");
    let Err(refused) = execute(on, drop.clone()).await else { return Ok(()) };
    if is_code(&refused, &["42809"]) {
        // A revision has made a template of it.
        execute(on, format!("ALTER DATABASE {quoted} IS_TEMPLATE false")).await?;
    } else if !is_code(&refused, &["55006"]) || !clear(options, name).await {
        return Err(refused);
    }
    execute(on, drop).await
}

/// Clears the way, and says whether that could be done.
async fn clear(options: &PgConnectOptions, name: &str) -> bool {
    let Ok(mut within) = connect(&options.clone().database(name)).await else { return false };
    let found: Result<Vec<String>, _> = sqlx::query_scalar(IN_THE_WAY).fetch_all(&mut within).await;
    let mut cleared = found.is_ok();
    for statement in found.into_iter().flatten() {
        cleared &= execute(&mut within, statement).await.is_ok();
    }
    cleared && within.close().await.is_ok()
}
