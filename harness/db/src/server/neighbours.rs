//! What a server holds beside the databases of our runs. It is listed before and after a revision,
//! which must not change it; what a revision made all the same is taken back.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, PgConnection};

use super::connect::execute;
use super::{Server, ServerError};

/// Name, attributes, when to undo it among others, and how.
type Object = (String, String, i32, Option<String>);

impl Server {
    /// Roles, memberships, other databases, tablespaces, settings and what else belongs to the
    /// whole server, each with its attributes in words. No password, nor its hash, is read.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn cluster_objects(&self) -> Result<BTreeMap<String, String>, ServerError> {
        let mut admin = self.admin().await?;
        let found = self.list(&mut admin).await?;
        Ok(found.into_iter().map(|(object, attributes, ..)| (object, attributes)).collect())
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
        let mut found = self.list(&mut admin).await?;
        found.retain(|(object, ..)| made.contains(object));
        found.sort_by(|a, b| (a.2, &a.0).cmp(&(b.2, &b.0)));
        let mut failed = None;
        for (object, _, _, undo) in found {
            let Some(undo) = undo else { continue };
            if let Err(e) = execute(&mut admin, undo).await {
                let doing = format!("take back {object}, which a revision made");
                failed = failed.or(Some(ServerError::query(doing, &e)));
            }
        }
        failed.map_or(Ok(()), Err)
    }

    async fn list(&self, on: &mut PgConnection) -> Result<Vec<Object>, ServerError> {
        let failed = |e| ServerError::query("list the objects of the whole server", &e);
        let mut sql = include_str!("neighbours.sql").to_owned();
        if self.major >= 15 {
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
}

const PARAMETER_PRIVILEGES: &str = "
UNION ALL SELECT format('privileges on setting %s', parname), array_to_string(paracl, ' '), 0, NULL
    FROM pg_parameter_acl";

/// `ALTER SYSTEM` writes a file of its own, whether or not the server has read it yet.
const SYSTEM_SETTINGS: &str = "
UNION ALL SELECT format('setting %s', name), max(setting),
        0, format('ALTER SYSTEM RESET %s', string_agg(DISTINCT quote_ident(name), ''))
    FROM pg_file_settings WHERE sourcefile LIKE '%postgresql.auto.conf' GROUP BY name";
