//! Databases (or isolated schemas) made in this run.

use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgConnection};

use super::connect::{connect, execute, identifier, literal};
use super::removal::drop_database;
use super::run::{RunId, UNFINISHED, tag};
use super::url::DatabaseUrl;
use super::{Isolate, Server, ServerError};

/// The collation is `C` everywhere, which orders by code point on every system and as SQLite does.
/// The character types should know Unicode, as those of production do, else `lower('É')` is `É`;
/// systems differ in what they call that, and `C` itself is the last resort.
const CTYPES: [&str; 3] = ["C.UTF-8", "en_US.UTF-8", "C"];

/// A database that this run made; with `--isolate schema`, a schema that it made.
#[derive(Clone)]
pub struct Database {
    name: String,
    isolated: bool,
    options: PgConnectOptions,
    url: DatabaseUrl,
}

impl Database {
    /// Its name on the server.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The schema in which unqualified names are made: `public`, or the isolated one.
    pub fn default_namespace(&self) -> &str {
        if self.isolated { &self.name } else { "public" }
    }

    /// How to connect to it; with an isolated schema, that schema is the search path.
    pub fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// Its URL for tools; shown without its password.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// A new connection to it.
    ///
    /// # Errors
    /// If the server does not answer in time or refuses.
    pub async fn connect(&self) -> Result<PgConnection, ServerError> {
        connect(&self.options).await.map_err(|no| ServerError::Query {
            doing: format!("connect to \"{}\"", self.name),
            reason: no.reason,
        })
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Database({})", self.url)
    }
}

/// A connection over which databases are made and dropped.
#[derive(Debug)]
pub struct Admin(PgConnection);

impl Server {
    /// Makes an empty database. Its name holds the label, for whoever looks at the server.
    ///
    /// It is a copy of `template0`, which is the same on every server, where a `template1` may have
    /// been added to; its encoding is UTF-8 and its locale, too, is the same on every server.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn create_database(&self, label: &str) -> Result<Database, ServerError> {
        let name = self.fresh_name(label);
        let quoted = identifier(&name);
        let failed = |e| ServerError::query(format!("create database \"{name}\""), &e);
        let mut admin = self.admin().await?;
        if self.isolate == Isolate::Schema {
            let comment = literal(&tag(&self.run, self.keep));
            let create = format!("CREATE SCHEMA {quoted}; COMMENT ON SCHEMA {quoted} IS {comment}");
            execute(&mut admin, create).await.map_err(failed)?;
            return Ok(self.isolated(name));
        }
        // Version 15 and later may have another provider in its template.
        let provider = if self.major >= 15 { " LOCALE_PROVIDER libc" } else { "" };
        let strategy = self.strategy(&mut admin).await?;
        let create = |ctype: &str| {
            format!(
                "CREATE DATABASE {quoted} TEMPLATE template0 ENCODING 'UTF8' \
                 LC_COLLATE 'C' LC_CTYPE '{ctype}'{provider}{strategy}{}",
                self.unfinished()
            )
        };
        if let Some(ctype) = self.ctype.get() {
            execute(&mut admin, create(ctype)).await.map_err(failed)?;
        } else {
            let mut ctypes = CTYPES.into_iter().peekable();
            while let Some(ctype) = ctypes.next() {
                match execute(&mut admin, create(ctype)).await {
                    Ok(()) => {
                        let _ = self.ctype.set(ctype);
                        break;
                    }
                    Err(e) if ctypes.peek().is_some() && is_code(&e, &["42809", "22023"]) => {}
                    Err(e) => return Err(failed(e)),
                }
            }
        }
        let finish = self.comment(&name).unwrap_or_default();
        execute(&mut admin, finish).await.map_err(failed)?;
        Ok(self.database(name))
    }

    /// A connection over which databases are made and dropped, for who does so again and again: connecting
    /// takes longer than some of it.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn admin_connection(&self) -> Result<Admin, ServerError> {
        self.admin().await.map(Admin)
    }

    /// Makes a copy of a database of this run, to which nobody may be connected. The settings and
    /// grants of the database itself, which PostgreSQL does not copy, are the same too.
    ///
    /// # Errors
    /// [`ServerError::CopyUnsupported`] for an isolated schema, [`ServerError::InUse`] if somebody
    /// is connected to the original, or if the server refuses.
    pub async fn copy_database(&self, from: &Database, label: &str) -> Result<Database, ServerError> {
        self.copy_database_over(&mut self.admin_connection().await?, from, label).await
    }

    /// The same, over a connection that is there already.
    ///
    /// # Errors
    /// Those of [`copy_database`](Self::copy_database).
    pub async fn copy_database_over(
        &self,
        Admin(admin): &mut Admin,
        from: &Database,
        label: &str,
    ) -> Result<Database, ServerError> {
        if self.isolate == Isolate::Schema {
            return Err(ServerError::CopyUnsupported);
        }
        let name = self.fresh_name(label);
        let quoted = identifier(&name);
        let failed = |e| ServerError::query(format!("copy database \"{}\" to \"{name}\"", from.name), &e);
        let strategy = self.strategy(admin).await?;
        let (from_name, unfinished) = (identifier(&from.name), self.unfinished());
        let create = format!("CREATE DATABASE {quoted} TEMPLATE {from_name}{strategy}{unfinished}");
        match execute(admin, create).await {
            Ok(()) => {}
            Err(e) if is_code(&e, &["55006"]) => {
                return Err(ServerError::InUse { database: from.name.clone() });
            }
            Err(e) => return Err(failed(e)),
        }
        let mut finish = Vec::from_iter(self.comment(&name));
        finish.extend(settings(admin, &from.name, &quoted).await.map_err(failed)?);
        finish.extend(grants(admin, &from.name, &quoted).await.map_err(failed)?);
        execute(admin, finish.join(";\n")).await.map_err(failed)?;
        Ok(self.database(name))
    }

    /// Drops a database of this run, whoever is connected to it.
    ///
    /// # Errors
    /// If it is not of this run, or the server refuses.
    pub async fn drop_database(&self, database: Database) -> Result<(), ServerError> {
        self.drop_database_over(&mut self.admin_connection().await?, database).await
    }

    /// The same, over a connection that is there already.
    ///
    /// # Errors
    /// Those of [`drop_database`](Self::drop_database).
    pub async fn drop_database_over(
        &self,
        Admin(admin): &mut Admin,
        database: Database,
    ) -> Result<(), ServerError> {
        let name = &database.name;
        let doing = format!("drop database \"{name}\"");
        if RunId::of(name).as_ref() != Some(&self.run) {
            let reason = "it is not of this run".to_owned();
            return Err(ServerError::Query { doing, reason });
        }
        let dropped = match self.isolate {
            Isolate::Database => drop_database(admin, &self.options, name).await,
            Isolate::Schema => {
                execute(admin, format!("DROP SCHEMA IF EXISTS {} CASCADE", identifier(name))).await
            }
        };
        dropped.map_err(|e| ServerError::query(doing, &e))
    }

    /// Ends the sessions that somebody else still has in a database of this run.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn end_sessions(&self, database: &Database) -> Result<(), ServerError> {
        let name = literal(&database.name);
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {name}");
        let mut admin = self.admin().await?;
        let doing = format!("end the sessions in \"{}\"", database.name);
        execute(&mut admin, end).await.map_err(|e| ServerError::query(doing, &e))
    }

    /// Copying files is three times as quick as writing their contents to the log. It needs a
    /// checkpoint, which is nothing where fsync is off, but much to ask of a server that others
    /// use otherwise: there the server's own choice is better.
    async fn strategy(&self, admin: &mut PgConnection) -> Result<&'static str, ServerError> {
        if self.major < 15 {
            return Ok("");
        }
        let ask = || sqlx::query_scalar::<_, String>("SHOW fsync").fetch_one(admin);
        let fsync = self.fsync.get_or_try_init(ask).await;
        let fsync = fsync.map_err(|e| ServerError::query("ask whether fsync is on", &e))?;
        Ok(if fsync == "off" { " STRATEGY FILE_COPY" } else { "" })
    }

    /// Says whose the database is. A server of our own needs no such words, and must not have
    /// them: a run that is given its URL would take its databases for leftovers.
    fn comment(&self, name: &str) -> Option<String> {
        let (name, comment) = (identifier(name), literal(&tag(&self.run, self.keep)));
        let finish =
            format!("COMMENT ON DATABASE {name} IS {comment};\nALTER DATABASE {name} CONNECTION LIMIT -1");
        (!self.is_ours()).then_some(finish)
    }

    /// The words by which a database is known for ours until its comment says so.
    fn unfinished(&self) -> String {
        if self.is_ours() { String::new() } else { format!(" CONNECTION LIMIT {UNFINISHED}") }
    }

    pub(super) fn database(&self, name: String) -> Database {
        let options = self.options.clone().database(&name);
        let url = self.url.with_database(&name);
        Database { name, isolated: false, options, url }
    }

    fn isolated(&self, name: String) -> Database {
        let options = self.options.clone().options([("search_path", &name)]);
        let url = self.url.with_search_path(&name);
        Database { name, isolated: true, options, url }
    }
}

pub(crate) fn is_code(error: &sqlx::Error, codes: &[&str]) -> bool {
    let code = error.as_database_error().and_then(|e| e.code());
    code.is_some_and(|code| codes.contains(&&*code))
}

/// Settings whose stored value is a list of quoted names, which `SET` would quote once more.
const LISTS: [&str; 6] = [
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// Statements that give a copy the settings of `ALTER DATABASE … SET` and `ALTER ROLE … IN
/// DATABASE … SET`, its owner and its connection limit.
async fn settings(on: &mut PgConnection, from: &str, to: &str) -> Result<Vec<String>, sqlx::Error> {
    let mut statements = Vec::new();
    let found = sqlx::query(
        "SELECT r.rolname::text AS owner, r.rolname = current_user AS mine, d.datconnlimit \
         FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba WHERE d.datname = $1",
    )
    .bind(from)
    .fetch_one(&mut *on)
    .await?;
    let limit: i32 = found.try_get("datconnlimit")?;
    if limit != -1 {
        statements.push(format!("ALTER DATABASE {to} CONNECTION LIMIT {limit}"));
    }
    if !found.try_get::<bool, _>("mine")? {
        let owner = identifier(found.try_get("owner")?);
        statements.push(format!("ALTER DATABASE {to} OWNER TO {owner}"));
    }
    let found: Vec<(Option<String>, String)> = sqlx::query_as(
        // In the order of the original, so that the copy's catalog row is the same.
        "SELECT r.rolname::text, c.setting FROM pg_db_role_setting s \
         CROSS JOIN unnest(s.setconfig) WITH ORDINALITY AS c (setting, place) \
         JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_roles r ON r.oid = s.setrole \
         WHERE d.datname = $1 ORDER BY r.rolname NULLS FIRST, c.place",
    )
    .bind(from)
    .fetch_all(on)
    .await?;
    for (role, setting) in found {
        let Some((name, value)) = setting.split_once('=') else {
            continue;
        };
        let target = match role {
            Some(role) => format!("ROLE {} IN DATABASE {to}", identifier(&role)),
            None => format!("DATABASE {to}"),
        };
        // A custom setting has a qualified name, each part of which is an identifier.
        let quoted: Vec<String> = name.split('.').map(identifier).collect();
        let (quoted, value) = (quoted.join("."), literal(value));
        if LISTS.contains(&name) {
            let name = literal(name);
            statements.push(format!("SELECT set_config({name}, {value}, true)"));
            statements.push(format!("ALTER {target} SET {quoted} FROM CURRENT"));
        } else {
            statements.push(format!("ALTER {target} SET {quoted} TO {value}"));
        }
    }
    Ok(statements)
}

/// Statements that give a copy the privileges of the original.
async fn grants(on: &mut PgConnection, from: &str, to: &str) -> Result<Vec<String>, sqlx::Error> {
    let changed: bool = sqlx::query_scalar("SELECT datacl IS NOT NULL FROM pg_database WHERE datname = $1")
        .bind(from)
        .fetch_one(&mut *on)
        .await?;
    if !changed {
        return Ok(Vec::new());
    }
    let found: Vec<(Option<String>, String, bool)> = sqlx::query_as(
        "SELECT r.rolname::text, a.privilege_type, a.is_grantable \
         FROM pg_database d CROSS JOIN aclexplode(d.datacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee \
         WHERE d.datname = $1 ORDER BY 1 NULLS FIRST, 2",
    )
    .bind(from)
    .fetch_all(&mut *on)
    .await?;
    let owner: String =
        sqlx::query_scalar("SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = $1")
            .bind(from)
            .fetch_one(on)
            .await?;
    let mut statements = vec![format!("REVOKE ALL ON DATABASE {to} FROM PUBLIC, {}", identifier(&owner))];
    for (grantee, privilege, grantable) in found {
        let grantee = grantee.map_or("PUBLIC".to_owned(), |role| identifier(&role));
        let option = if grantable { " WITH GRANT OPTION" } else { "" };
        statements.push(format!("GRANT {privilege} ON DATABASE {to} TO {grantee}{option}"));
    }
    Ok(statements)
}
