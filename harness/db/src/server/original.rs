//! Databases that others are copied from, one for each key, on a server of ours.

use super::connect::{execute, identifier};
use super::database::Database;
use super::{Isolate, Server, ServerError};

/// The first number of the locks under which originals are made: "SB".
const LOCKS: i32 = 0x5342;

impl Server {
    /// Whether databases can be copied here, and go with the server when nobody removes them.
    pub fn holds_originals(&self) -> bool {
        self.goes_with_its_users() && self.isolate == Isolate::Database && !self.keep
    }

    /// The original of that key, if there is one. Until what is returned with it is dropped, no other
    /// process makes one, so whoever finds none may do so.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn original(&self, key: &str) -> Result<(Option<Database>, Making), ServerError> {
        let name = name(key);
        let mut admin = self.admin().await?;
        let failed = |e| ServerError::query(format!("look for database \"{name}\""), &e);
        let number = key.bytes().fold(0_i32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        execute(&mut admin, format!("SELECT pg_advisory_lock({LOCKS}, {number})")).await.map_err(failed)?;
        let there = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)");
        let there: bool = there.bind(&name).fetch_one(&mut admin).await.map_err(failed)?;
        Ok((there.then(|| self.database(name)), Making(admin)))
    }

    /// Makes a database of this run the original of that key, whole at once. Nobody may be connected.
    ///
    /// # Errors
    /// If somebody is, or the server refuses.
    pub async fn make_original(
        &self,
        key: &str,
        of: Database,
        mut making: Making,
    ) -> Result<Database, ServerError> {
        let name = name(key);
        self.end_sessions(&of).await?;
        let rename = format!("ALTER DATABASE {} RENAME TO {}", identifier(of.name()), identifier(&name));
        let renamed = execute(&mut making.0, rename).await;
        renamed.map_err(|e| ServerError::query(format!("make database \"{name}\""), &e))?;
        Ok(self.database(name))
    }
}

/// The right to make an original, which other processes wait for.
#[derive(Debug)]
pub struct Making(sqlx::PgConnection);

/// A name in the form of a run's, so that nothing takes the database for somebody else's; but no run's.
fn name(key: &str) -> String {
    let digits: String = key.chars().filter(char::is_ascii_hexdigit).take(12).collect();
    format!("switchback_{digits:0<12}_original_{key}").chars().take(super::run::LONGEST_NAME).collect()
}
