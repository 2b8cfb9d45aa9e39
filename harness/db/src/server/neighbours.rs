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
    /// What tells it from one that was made anew under its name, and knows it under another one.
    identity: String,
}

/// What is known of an object of the whole server by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its attributes in words.
    attributes: String,
    /// What it is, whatever it is called.
    identity: String,
}

/// The objects of the whole server by their names.
pub type Standings = BTreeMap<String, Standing>;

impl Object {
    pub(crate) fn standing(self) -> (String, Standing) {
        (self.name, Standing { attributes: self.attributes, identity: self.identity })
    }

    /// Whether it was there before, by its name or under another one.
    pub(crate) fn was_among(&self, before: &Standings) -> bool {
        // A role that was changed is the same one all the same.
        let kin = |identity: &str| identity.split(' ').take(2).map(str::to_owned).collect::<Vec<_>>();
        let same = |known: &Standing| match self.oid {
            Some(_) => kin(&known.identity) == kin(&self.identity),
            None => known.identity == self.identity,
        };
        before.contains_key(&self.name) || before.values().any(same)
    }
}

impl Server {
    /// Roles, memberships, other databases, tablespaces, settings and what else belongs to the
    /// whole server, each with its attributes in words. No password, nor its hash, is read.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn cluster_objects(&self) -> Result<BTreeMap<String, String>, ServerError> {
        let found = self.listed(false).await?;
        Ok(found.into_iter().map(|object| (object.name, object.attributes)).collect())
    }

    /// The same, with what else is known of them, and the sessions of others if they are asked for.
    /// Connecting takes longer than the answer, so the connection stays, unless runs that come and go share
    /// the server.
    pub(crate) async fn listed(&self, sessions: bool) -> Result<Vec<Object>, ServerError> {
        let mut kept = self.listing.lock().await;
        if let Some(admin) = kept.as_mut() {
            // A revision may have ended every session that it could find.
            match list(admin, self.major, sessions).await {
                Ok(found) => return Ok(found),
                Err(_) => *kept = None,
            }
        }
        let mut admin = self.admin().await?;
        let found = list(&mut admin, self.major, sessions).await?;
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
    let mut found = list(on, major, false).await?;
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
async fn list(on: &mut PgConnection, major: u32, sessions: bool) -> Result<Vec<Object>, ServerError> {
    let failed = |e| ServerError::query("list the objects of the whole server", &e);
    let superuser: bool = sqlx::query_scalar("SELECT current_setting('is_superuser') = 'on'")
        .fetch_one(&mut *on)
        .await
        .map_err(failed)?;
    let mut sql = include_str!("neighbours.sql").replace("{roles}", if superuser { WRITTEN } else { ROLES });
    if sessions {
        sql.push_str(SESSIONS);
    }
    if major >= 15 {
        sql.push_str(PARAMETER_PRIVILEGES);
    }
    if superuser {
        sql.push_str(SYSTEM_SETTINGS);
    }
    sqlx::query_as(AssertSqlSafe(sql)).fetch_all(on).await.map_err(failed)
}

const ROLES: &str = "(SELECT *, NULL AS written FROM pg_roles)";

/// A role's password is read by nobody, but whoever changes it writes the role anew.
const WRITTEN: &str = "(SELECT *, xmin AS written FROM pg_authid)";

/// Those of databases that are not of a run, and not our own.
const SESSIONS: &str = "
UNION ALL SELECT format('sessions of \"%s\" in database \"%s\"', usename, datname),
        string_agg(format('%s since %s', pid, backend_start), ', ' ORDER BY pid), 0, NULL, NULL,
        format('sessions %s %s', usesysid, datid)
    FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> 'switchback'
        AND datname !~ '^switchback_[0-9a-f]{12}_' GROUP BY usename, datname, usesysid, datid";

const PARAMETER_PRIVILEGES: &str = "
UNION ALL SELECT format('privileges on setting %s', parname), array_to_string(paracl, ' '), 0, NULL, NULL,
        format('privileges %s', parname)
    FROM pg_parameter_acl";

/// `ALTER SYSTEM` writes a file of its own, whether or not the server has read it yet.
const SYSTEM_SETTINGS: &str = "
UNION ALL SELECT format('setting %s', name), max(setting),
        0, format('ALTER SYSTEM RESET %s', string_agg(DISTINCT quote_ident(name), '')), NULL,
        format('setting %s', name)
    FROM pg_file_settings WHERE sourcefile LIKE '%postgresql.auto.conf' GROUP BY name";
