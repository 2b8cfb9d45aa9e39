//! PostgreSQL's URLs in the forms that projects write them, and the care for their passwords.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use url::Url;

/// Where a URL was named, which decides how far it is trusted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// `--postgres-url`.
    CommandLine,
    /// `[postgres] url`.
    Config,
    /// An environment variable.
    Environment(String),
    /// A variable in a `.env` file.
    DotEnv {
        /// The variable.
        name: String,
        /// The file.
        path: PathBuf,
        /// The line of the file, from 1.
        line: usize,
    },
}

impl Origin {
    /// Whether somebody named this very server for Switchback. A variable that is meant for the
    /// application names no server that isn't local.
    pub fn is_explicit(&self) -> bool {
        matches!(self, Self::CommandLine | Self::Config)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => f.write_str("URL from the command line"),
            Self::Config => f.write_str("URL from the config"),
            Self::Environment(name) => write!(f, "URL from {name}"),
            Self::DotEnv { name, path, line } => {
                write!(f, "URL from {name} in {}:{line}", path.display())
            }
        }
    }
}

/// A URL as somebody wrote it, and where. It may hold a password, so it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct UrlSource {
    text: String,
    origin: Origin,
}

impl UrlSource {
    /// A URL and where it was named.
    pub fn new(text: impl Into<String>, origin: Origin) -> Self {
        Self { text: text.into(), origin }
    }

    /// Where the URL was named.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl fmt::Debug for UrlSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UrlSource({})", self.origin)
    }
}

/// A URL of a PostgreSQL database. What it shows of itself holds no password.
#[derive(Clone)]
pub struct DatabaseUrl(Url);

/// What connecting needs; the rest that other drivers allow in a URL is theirs.
const PARAMETERS: &[&str] = &[
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

impl DatabaseUrl {
    /// Reads a URL, with SQLAlchemy's `+driver` or JDBC's `jdbc:` or without. The error is a reason
    /// in one line that quotes nothing of the URL but its scheme.
    pub(crate) fn parse(source: &UrlSource) -> Result<Self, String> {
        let text = source.text.trim();
        let text = text.strip_prefix("jdbc:").unwrap_or(text);
        if text.is_empty() {
            return Err("it is empty".to_owned());
        }
        let (scheme, rest) = match text.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (scheme, rest),
            _ => return Err("it is not a URL".to_owned()),
        };
        match scheme.split('+').next() {
            Some("postgres" | "postgresql" | "pgsql") if rest.starts_with("//") => {}
            Some("postgres" | "postgresql" | "pgsql") => return Err("it lacks \"//\"".to_owned()),
            Some(other) => return Err(format!("its scheme is \"{other}\", not \"postgres\"")),
            None => return Err("it is not a URL".to_owned()),
        }
        let mut url = Url::parse(&format!("postgres:{rest}"))
            .map_err(|e| format!("it cannot be read ({e}); {PERCENT}"))?;
        // Where a password holds one of "/?#" bare, the rest of it ends up elsewhere in the URL.
        let stray = url.fragment().is_some()
            || url.path().trim_start_matches('/').contains(['/', '@'])
            || url.query().is_some_and(|query| query.contains('@'));
        if stray {
            return Err(format!("it is ambiguous; {PERCENT}"));
        }
        clean_query(&mut url);
        Ok(Self(url))
    }

    /// A URL that we composed ourselves.
    pub(crate) fn own(text: &str) -> Self {
        Self(Url::parse(text).expect("a URL composed of a host, a port and hexadecimal digits"))
    }

    pub(crate) fn options(&self) -> Result<PgConnectOptions, String> {
        let told = |_| "one of its parameters has a value that cannot be read".to_owned();
        PgConnectOptions::from_url(&self.0).map_err(told)
    }

    /// The same server with another database.
    pub(crate) fn with_database(&self, name: &str) -> Self {
        let mut url = self.0.clone();
        let others = pairs(&url).into_iter().filter(|(key, _)| key != "dbname").collect();
        set_query(&mut url, others);
        url.set_path(&format!("/{name}"));
        Self(url)
    }

    /// The same database with a search path.
    pub(crate) fn with_search_path(&self, schema: &str) -> Self {
        let mut url = self.0.clone();
        let mut pairs = pairs(&url);
        pairs.push(("options".to_owned(), format!("-csearch_path={schema}")));
        set_query(&mut url, pairs);
        Self(url)
    }

    /// The URL with its password, for whoever must connect.
    pub fn reveal(&self) -> &str {
        self.0.as_str()
    }
}

const PERCENT: &str = "percent-encode the special characters of its password";

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if !self.0.username().is_empty() {
            write!(f, "{}@", self.0.username())?;
        }
        f.write_str(self.0.host_str().unwrap_or_default())?;
        if let Some(port) = self.0.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(self.0.path())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// The place of a server in words: `localhost:5432` or the folder of its socket.
pub(crate) fn place(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None if options.get_host().starts_with('/') => options.get_host().to_owned(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}

/// Whether the server is on this machine.
pub(crate) fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    options.get_socket().is_some()
        || host.starts_with('/')
        || host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._".contains(&b))
}

fn clean_query(url: &mut Url) {
    let kept = pairs(url)
        .into_iter()
        .filter_map(|(key, value)| match key.as_str() {
            // asyncpg's and JDBC's way to ask for TLS.
            "ssl" => {
                let mode = if value == "true" { "require".to_owned() } else { value };
                let known = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
                known.contains(&mode.as_str()).then(|| ("sslmode".to_owned(), mode))
            }
            known if PARAMETERS.contains(&known) || known.starts_with("options[") => Some((key, value)),
            _ => None,
        })
        .collect();
    set_query(url, kept);
}

fn pairs(url: &Url) -> Vec<(String, String)> {
    url.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned())).collect()
}

fn set_query(url: &mut Url, pairs: Vec<(String, String)>) {
    url.set_query(None);
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
        // A plus means a space in forms only, and drivers other than browsers take it literally.
        let query = url.query().map(|query| query.replace('+', "%20"));
        url.set_query(query.as_deref());
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn read(text: &str) -> Result<DatabaseUrl, String> {
        DatabaseUrl::parse(&UrlSource::new(text, Origin::CommandLine))
    }

    #[rstest]
    #[case("postgres://ada:pw@localhost:5433/app", "postgres://ada@localhost:5433/app")]
    #[case("postgresql://localhost/app", "postgres://localhost/app")]
    #[case("postgresql+asyncpg://ada:pw@db.example/app?ssl=true", "postgres://ada@db.example/app")]
    #[case("postgresql+psycopg2://ada:p%40w@[::1]:5432/app", "postgres://ada@[::1]:5432/app")]
    #[case("jdbc:postgresql://h/app?user=ada&password=pw", "postgres://h/app")]
    #[case("  postgres:///app?host=/run/postgresql \n", "postgres:///app")]
    fn a_postgresql_url_is_read_and_shown_without_its_password(#[case] text: &str, #[case] shown: &str) {
        let url = read(text).unwrap();
        assert_eq!(url.to_string(), shown);
        assert_eq!(format!("{url:?}"), format!("DatabaseUrl({shown})"));
        url.options().unwrap();
    }

    #[rstest]
    #[case("", "it is empty")]
    #[case("app.db", "it is not a URL")]
    #[case("host=localhost password=s3cret", "it is not a URL")]
    #[case("sqlite:///app.db", "its scheme is \"sqlite\", not \"postgres\"")]
    #[case("sqlite+aiosqlite:///app.db", "its scheme is \"sqlite\", not \"postgres\"")]
    #[case("mysql://ada:s3cret@h/app", "its scheme is \"mysql\", not \"postgres\"")]
    #[case("postgres:ada", "it lacks \"//\"")]
    #[case("postgres://ada:s3#cret@h/app", "it cannot be read (invalid port number)")]
    #[case("postgres://ada:1#s3cret@h/app", "it is ambiguous")]
    #[case("postgres://ada:1/s3cret@h/app", "it is ambiguous")]
    #[case("postgres://ada:1?s3cret@h/app", "it is ambiguous")]
    fn what_is_no_postgresql_url_is_refused_without_quoting_it(#[case] text: &str, #[case] reason: &str) {
        let refused = read(text).unwrap_err();
        assert!(refused.starts_with(reason), "{refused}");
        assert!(!refused.contains("cret"), "{refused}");
    }

    #[rstest]
    #[case("postgres://ada:s3cret@h/app")]
    #[case("postgres://ada:s3%63ret@h/app")]
    #[case("postgres://ada@h/app?password=s3cret")]
    #[case("postgres://h/app?user=ada&password=s3%63ret&sslmode=disable")]
    fn a_password_is_used_and_never_shown(#[case] text: &str) {
        let source = UrlSource::new(text, Origin::Environment("DATABASE_URL".to_owned()));
        let url = DatabaseUrl::parse(&source).unwrap();
        assert!(url.options().unwrap().to_url_lossy().as_str().contains("s3cret"));
        for shown in [url.to_string(), format!("{url:?}"), format!("{source:?}")] {
            assert!(!shown.contains("cret") && !shown.contains("%63"), "{shown}");
        }
    }

    #[rstest]
    #[case("postgres://localhost/a", true)]
    #[case("postgres://127.0.0.1/a", true)]
    #[case("postgres://127.8.0.1/a", true)]
    #[case("postgres://[::1]/a", true)]
    #[case("postgres:///a?host=/run/postgresql", true)]
    #[case("postgres://%2Frun%2Fpostgresql/a", true)]
    #[case("postgres://db/a", false)]
    #[case("postgres://localhost.example.org/a", false)]
    #[case("postgres://10.0.0.7/a", false)]
    #[case("postgres://localhost/a?host=db.example", false)]
    #[case("postgres://localhost/a?hostaddr=10.0.0.7", false)]
    fn local_is_what_is_on_this_machine(#[case] text: &str, #[case] local: bool) {
        assert_eq!(is_local(&read(text).unwrap().options().unwrap()), local);
    }

    #[test]
    fn another_database_of_the_same_server() {
        let url = read("postgres://ada:p%40w@h:1/app?sslmode=disable&dbname=other&pool=7").unwrap();
        let other = url.with_database("mine").with_search_path("s");
        assert_eq!(other.reveal(), "postgres://ada:p%40w@h:1/mine?sslmode=disable&options=-csearch_path%3Ds");
    }
}
