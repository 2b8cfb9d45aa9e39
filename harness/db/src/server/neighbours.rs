//! What a server holds beside the databases of our runs. It is listed before and after a revision,
//! which must not change it; what a revision made all the same is taken back.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, PgConnection};

use super::connect::execute;
use super::{Server, ServerError};

/// An object of the whole server.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Object {
    /// What it is, and its name in quotes.
    pub(crate) name: String,
    /// Its attributes in words.
    pub(crate) attributes: String,
    /// When it is to be undone, among others.
    turn: i32,
    /// The statement that undoes it.
    undo: Option<String>,
    /// Its number, which no other object of its kind has had.
    pub(crate) oid: Option<i64>,
}

impl Server {
    /// Roles, memberships, other databases, tablespaces, settings and what else belongs to the
    /// whole server, each with its attributes in words. No password, nor its hash, is read.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn cluster_objects(&self) -> Result<BTreeMap<String, String>, ServerError> {
        let found = self.listed().await?;
        Ok(found.into_iter().map(|object| (object.name, object.attributes)).collect())
    }

    /// The same, with what else is known of them. Connecting takes longer than the answer, so the
    /// connection stays, unless runs that come and go share the server.
    pub(crate) async fn listed(&self) -> Result<Vec<Object>, ServerError> {
        let mut kept = self.listing.lock().await;
        if let Some(admin) = kept.as_mut() {
            // A revision may have ended every session that it could find.
            match list(admin, self.major).await {
                Ok(found) => return Ok(found),
                Err(_) => *kept = None,
            }
        }
        let mut admin = self.admin().await?;
        let found = list(&mut admin, self.major).await?;
        *kept = Some(admin).filter(|_| !self.shared);
        Ok(found)
    }

    /// Takes objects back that revisions of this run made: the keys that [`Self::cluster_objects`]
    /// had after a revision and not before it. What is gone already is no error. Databases of the
    /// run that use a role must have been dropped.
    ///
    /// # Errors
    /// If something could not be taken back; the rest is.
    pub async fn undo(&self, made: &[String]) -> Result<(), ServerError> {
        if made.is_empty() {
            return Ok(());
        }
        let mut admin = self.admin().await?;
        undo(&mut admin, self.major, |object| made.contains(&object.name)).await
    }
}

/// Takes the objects back that are chosen.
pub(crate) async fn undo(
    on: &mut PgConnection,
    major: u32,
    chosen: impl Fn(&Object) -> bool,
) -> Result<(), ServerError> {
    let mut found = list(on, major).await?;
    found.retain(chosen);
    found.sort_by(|a, b| (a.turn, &a.name).cmp(&(b.turn, &b.name)));
    let mut failed = None;
    for Object { name, undo, .. } in found {
        let Some(undo) = undo else { continue };
        if let Err(e) = execute(on, undo).await {
            let doing = format!("take back {name}, which a revision made");
            failed = failed.or(Some(ServerError::query(doing, &e)));
        }
    }
    failed.map_or(Ok(()), Err)
}

/// All objects of the whole server.
pub(crate) async fn list(on: &mut PgConnection, major: u32) -> Result<Vec<Object>, ServerError> {
    let failed = |e| ServerError::query("list the objects of the whole server", &e);
    let mut sql = include_str!("neighbours.sql").to_owned();
    if major >= 15 {
        sql.push_str(PARAMETER_PRIVILEGES);
    }
    let superuser: bool = sqlx::query_scalar("SELECT current_setting('is_superuser') = 'on'")
        .fetch_one(&mut *on)
        .await
        .map_err(failed)?;
    if superuser {
        sql.push_str(SYSTEM_SETTINGS);
    }
    sqlx::query_as(AssertSqlSafe(sql)).fetch_all(on).await.map_err(failed)
}

const PARAMETER_PRIVILEGES: &str = "
UNION ALL SELECT format('privileges on setting %s', parname), array_to_string(paracl, ' '), 0, NULL, NULL
    FROM pg_parameter_acl";

/// `ALTER SYSTEM` writes a file of its own, whether or not the server has read it yet.
const SYSTEM_SETTINGS: &str = "
UNION ALL SELECT format('setting %s', name), max(setting),
        0, format('ALTER SYSTEM RESET %s', string_agg(DISTINCT quote_ident(name), '')), NULL
    FROM pg_file_settings WHERE sourcefile LIKE '%postgresql.auto.conf' GROUP BY name";
