//! Functions that the application defines on its connections, and so do these: loadable extensions, and
//! expressions that stand in for code.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{ToSqlOutput, Value};
use rusqlite::{Connection, Error, Statement};
use sqlx_sqlite::SqliteConnection;
use switchback_core::config::{ConfigError, FunctionConfig, SqliteConfig};

use super::handle;
use crate::record::statement::identifier;

/// The functions of a project, which every connection is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Functions {
    extensions: Vec<PathBuf>,
    stubs: Vec<Stub>,
}

/// Why functions cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum FunctionsError {
    /// SQLite cannot load an extension.
    #[error("[sqlite] extensions in {file}: \"{path}\" cannot be loaded: {reason}")]
    Extension {
        /// The config.
        file: String,
        /// The extension, as the config names it.
        path: String,
        /// SQLite's own words.
        reason: String,
    },
    /// A line of `[sqlite.functions]` is none that SQLite understands.
    #[error(transparent)]
    Stub(ConfigError),
    /// There is no database in which they could be tried.
    #[error("the functions of {file} cannot be tried: {reason}")]
    NotTried {
        /// The config.
        file: String,
        /// SQLite's own words.
        reason: String,
    },
}

/// A function that an expression stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stub {
    name: String,
    signature: String,
    arguments: i32,
    /// Its one value, the arguments being parameters.
    query: String,
    is_deterministic: bool,
}

impl Functions {
    /// The functions of a config, each tried in a database of its own. `root` is what paths are relative
    /// to, and `file` the name of the config.
    ///
    /// # Errors
    ///
    /// If an extension cannot be loaded, or SQLite does not understand a body.
    pub fn new(config: &SqliteConfig, root: &Path, file: &str) -> Result<Self, FunctionsError> {
        let mut functions = Self::default();
        for path in &config.extensions {
            let library = root.join(path);
            functions.extensions.push(std::path::absolute(&library).unwrap_or(library));
            functions.alone().map_err(|error| FunctionsError::Extension {
                file: file.to_owned(),
                path: path.clone(),
                reason: words(error),
            })?;
        }
        let trying = functions
            .alone()
            .map_err(|error| FunctionsError::NotTried { file: file.to_owned(), reason: words(error) })?;
        for function in &config.functions {
            let stub = Stub::new(function, &trying);
            let refused = |error| FunctionsError::Stub(function.refused(file, why(function, error)));
            functions.stubs.push(stub.map_err(refused)?);
        }
        Ok(functions)
    }

    /// Gives the functions to a connection. They go when it is closed.
    pub(super) async fn give_to(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        if self.extensions.is_empty() && self.stubs.is_empty() {
            return Ok(());
        }
        let given = handle::borrowed(connection, |connection| self.register(connection)).await?;
        given.map_err(|error| sqlx::Error::Configuration(words(error).into()))
    }

    fn register(&self, connection: &Connection) -> rusqlite::Result<()> {
        for library in &self.extensions {
            handle::load_extension(connection, library)?;
        }
        if self.stubs.is_empty() {
            return Ok(());
        }
        // A connection cannot be asked while it asks for a function, so the bodies are given to another.
        let alone = Arc::new(Mutex::new(self.alone()?));
        for stub in &self.stubs {
            let (own, alone) = (stub.clone(), Arc::clone(&alone));
            let mut flags = FunctionFlags::SQLITE_UTF8;
            flags.set(FunctionFlags::SQLITE_DETERMINISTIC, stub.is_deterministic);
            connection.create_scalar_function(stub.name.as_str(), stub.arguments, flags, move |call| {
                let alone = alone.lock().unwrap_or_else(PoisonError::into_inner);
                own.value(&alone, call)
            })?;
        }
        Ok(())
    }

    /// A database in memory with SQLite's functions and those of the extensions, but no others: so no
    /// body can lead to itself.
    fn alone(&self) -> rusqlite::Result<Connection> {
        let connection = Connection::open_in_memory()?;
        // Else a word in double quotes that is no argument would be a text (SQLite manual, "Quirks", 8).
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
        for library in &self.extensions {
            handle::load_extension(&connection, library)?;
        }
        Ok(connection)
    }
}

impl Stub {
    fn new(function: &FunctionConfig, trying: &Connection) -> rusqlite::Result<Self> {
        let named = |(place, name): (usize, &String)| format!("?{} AS {}", place + 1, identifier(name));
        let arguments: Vec<String> = function.arguments.iter().enumerate().map(named).collect();
        let from = match arguments.as_slice() {
            [] => String::new(),
            arguments => format!(" FROM (SELECT {})", arguments.join(", ")),
        };
        // A comment at the end of the body ends with its line.
        let query = format!("SELECT ({}\n){from}", function.body);
        value(&mut trying.prepare(&query)?)?;
        Ok(Self {
            name: function.name.clone(),
            signature: function.signature(),
            arguments: i32::try_from(arguments.len()).unwrap_or(i32::MAX),
            query,
            is_deterministic: is_deterministic(function, trying)?,
        })
    }

    fn value(&self, alone: &Connection, call: &Context<'_>) -> rusqlite::Result<Value> {
        let evaluated = || {
            let mut statement = alone.prepare_cached(&self.query)?;
            for place in 0..call.len() {
                statement.raw_bind_parameter(place + 1, ToSqlOutput::Borrowed(call.get_raw(place)))?;
            }
            value(&mut statement)
        };
        evaluated().map_err(|error| {
            let message = format!("{}, as [sqlite.functions] has it: {}", self.signature, words(error));
            Error::UserFunctionError(message.into())
        })
    }
}

/// The one value of a query; a parameter that nothing is bound to is NULL.
fn value(statement: &mut Statement<'_>) -> rusqlite::Result<Value> {
    let mut rows = statement.raw_query();
    let row = rows.next()?.ok_or(Error::QueryReturnedNoRows)?;
    row.get(0)
}

/// Whether an index may hold what the body gives. A subquery may not be in one, and so tells nothing;
/// it is taken at its word.
fn is_deterministic(function: &FunctionConfig, trying: &Connection) -> rusqlite::Result<bool> {
    let columns: Vec<String> = function.arguments.iter().map(|name| identifier(name)).collect();
    let columns = if columns.is_empty() { "\"none\"".to_owned() } else { columns.join(", ") };
    trying.execute_batch(&format!("CREATE TABLE arguments ({columns})"))?;
    let indexed = trying.execute_batch(&format!("CREATE INDEX value ON arguments (({}\n))", function.body));
    trying.execute_batch("DROP TABLE arguments")?;
    Ok(!indexed.is_err_and(|error| words(error).contains("non-deterministic")))
}

/// Why a function is refused, for whoever wrote it.
fn why(function: &FunctionConfig, error: Error) -> String {
    let words = words(error);
    let help = match (words.starts_with("no such column"), function.arguments.as_slice()) {
        (true, []) => "; it has no arguments".to_owned(),
        (true, arguments) => format!("; its arguments are {}", arguments.join(", ")),
        _ => String::new(),
    };
    format!("stands for what sqlite refuses: {words}{help}")
}

/// SQLite's own words, without the SQL that was made around a body.
fn words(error: Error) -> String {
    match error {
        Error::SqliteFailure(_, Some(message)) => message,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use sqlx::AssertSqlSafe;
    use switchback_core::config::Config;

    use super::*;
    use crate::sqlite::Workspace;

    fn functions(lines: &str) -> Result<Functions, String> {
        let text = format!("[sqlite.functions]\n{lines}\n");
        let config = Config::parse(&text, "switchback.toml", &[]).unwrap();
        let made = Functions::new(&config.sqlite, Path::new("."), "switchback.toml");
        made.map_err(|error| error.to_string())
    }

    /// What a connection with these functions says to each statement, as a text.
    async fn answers(lines: &str, statements: &[&'static str]) -> Vec<String> {
        let functions = Arc::new(functions(lines).unwrap());
        let workspace = Workspace::new("test", false).unwrap();
        let database = workspace.database("main").with_functions(&functions);
        let mut connection = database.connect(true).await.unwrap();
        let mut answers = Vec::new();
        for statement in statements {
            let asked = sqlx::query_scalar::<_, Option<String>>(AssertSqlSafe(*statement));
            answers.push(match asked.fetch_optional(&mut connection).await {
                Ok(value) => value.flatten().unwrap_or_default(),
                Err(sqlx::Error::Database(error)) => format!("error: {}", error.message()),
                Err(error) => panic!("{error}"),
            });
        }
        answers
    }

    const EACH_KIND: &str = "SELECT group_concat(typeof(f(v)), ' ') FROM (SELECT 1 AS v UNION ALL SELECT 1.5 \
                             UNION ALL SELECT NULL UNION ALL SELECT x'00' UNION ALL SELECT 'a')";

    #[rstest]
    #[case::text(r#""f(x)" = "upper(x)""#, "SELECT f('a' || char(0x1F600))", "A\u{1F600}")]
    #[case::any_case(r#""BIN2B64(x)" = "hex(x)""#, "SELECT bin2b64(x'00ff')", "00FF")]
    #[case::each_kind(r#""f(x)" = "x""#, EACH_KIND, "integer real null blob text")]
    #[case::order(r#""f(b, a)" = "a || '-' || b""#, "SELECT f(1, 2)", "2-1")]
    #[case::words_of_sql(r#""f(text, group)" = 'text || "group"'"#, "SELECT f('a', 'b')", "ab")]
    #[case::none(r#""f()" = "'now'""#, "SELECT f()", "now")]
    #[case::by_count("\"f(a)\" = \"'one'\"\n\"f(a, b)\" = \"'two'\"", "SELECT f(1) || f(1, 2)", "onetwo")]
    #[case::comment(r#""f(x)" = "x -- as it is""#, "SELECT f('a')", "a")]
    #[case::subquery(r#""f(x)" = "(SELECT max(atom) FROM json_each(x))""#, "SELECT f('[\"1\",\"3\"]')", "3")]
    #[case::in_place_of_its_own(r#""lower(x)" = "lower(x) || '!'""#, "SELECT lower('A')", "a!")]
    #[case::in_itself(r#""f(x)" = "x || 'f'""#, "SELECT f(f('a'))", "aff")]
    #[case::failing(
        r#""f(x)" = "json(x)""#,
        "SELECT f('{')",
        "error: f(x), as [sqlite.functions] has it: malformed JSON"
    )]
    #[tokio::test]
    async fn a_stub_does_what_its_body_says(
        #[case] lines: &str,
        #[case] query: &'static str,
        #[case] answer: &str,
    ) {
        assert_eq!(answers(lines, &[query]).await, [answer]);
    }

    #[tokio::test]
    async fn what_gives_the_same_for_the_same_may_stand_in_a_schema() {
        let lines = "\"f(x)\" = \"lower(x)\"\n\"chance()\" = \"hex(randomblob(4))\"";
        let (asked, expected): (Vec<_>, Vec<_>) = [
            ("CREATE TABLE t (a TEXT CHECK (f(a) <> 'b'), g TEXT GENERATED ALWAYS AS (f(a)) STORED)", ""),
            ("CREATE UNIQUE INDEX ix ON t (f(a))", ""),
            ("INSERT INTO t (a) VALUES ('A')", ""),
            ("INSERT INTO t (a) VALUES ('a')", "error: UNIQUE constraint failed: index 'ix'"),
            ("INSERT INTO t (a) VALUES ('B')", "error: CHECK constraint failed: f(a) <> 'b'"),
            ("SELECT g FROM t WHERE f(a) = 'a'", "a"),
            (
                "CREATE INDEX no ON t (chance())",
                "error: non-deterministic functions prohibited in index expressions",
            ),
            ("SELECT CAST(chance() <> chance() AS TEXT)", "1"),
        ]
        .into_iter()
        .unzip();
        assert_eq!(answers(lines, &asked).await, expected);
    }

    #[tokio::test]
    async fn a_copy_has_them_too() {
        let functions = Arc::new(functions("\"f(x)\" = \"lower(x)\"").unwrap());
        let workspace = Workspace::new("test", false).unwrap();
        let original = workspace.database("one").with_functions(&functions);
        let mut connection = original.connect(false).await.unwrap();
        let made = "CREATE TABLE t (a); INSERT INTO t VALUES ('A'); CREATE INDEX ix ON t (f(a))";
        sqlx::raw_sql(made).execute(&mut connection).await.unwrap();
        let copy = original.copy_to(workspace.path().join("two.sqlite")).await.unwrap();
        let mut connection = copy.connect(false).await.unwrap();
        let asked = sqlx::query_scalar::<_, String>("SELECT a FROM t WHERE f(a) = 'a'");
        assert_eq!(asked.fetch_one(&mut connection).await.unwrap(), "A");
    }

    #[rstest]
    #[case::grammar(r#""f(x)" = "hex x""#, "near \"x\": syntax error")]
    #[case::argument(r#""f(x)" = "hex(y)""#, "no such column: y; its arguments are x")]
    #[case::no_arguments(r#""f()" = "hex(y)""#, "no such column: y; it has no arguments")]
    #[case::function(r#""f(x)" = "g(x)""#, "no such function: g")]
    #[case::itself(r#""f(x)" = "f(x)""#, "no such function: f")]
    #[case::several(r#""f(x)" = "x, x""#, "row value misused")]
    #[case::failing(r#""f(x)" = "json('{')""#, "malformed JSON")]
    fn what_sqlite_does_not_understand_is_told_with_its_line(#[case] line: &str, #[case] why: &str) {
        let signature = line.split('"').nth(1).unwrap();
        assert_eq!(
            functions(&format!("\"good(x)\" = \"x\"\n{line}")).unwrap_err(),
            format!(
                "switchback.toml:3: \"{signature}\" in [sqlite.functions] stands for what sqlite refuses: {why}"
            )
        );
    }

    #[test]
    fn a_word_in_double_quotes_is_no_text() {
        let told = functions(r#""f(x, z)" = 'hex("y")'"#).unwrap_err();
        assert!(told.contains("no such column") && told.ends_with("; its arguments are x, z"), "{told}");
    }
}
