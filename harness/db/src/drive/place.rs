//! Where a database is, in the words of those who are to connect to it.

use std::path::PathBuf;

use switchback_core::Backend;
use url::Url;

/// A database that this run made.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// The URL of a PostgreSQL database, with its password.
    Postgres(String),
    /// The file of a SQLite database.
    Sqlite(PathBuf),
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Postgres(_) => f.write_str("Postgres(…)"),
            Self::Sqlite(path) => write!(f, "Sqlite({})", path.display()),
        }
    }
}

impl Place {
    /// A database that is nowhere, for those who want one before there is any.
    pub(super) fn nowhere(backend: Backend) -> Self {
        match backend {
            Backend::Postgres => Self::Postgres("postgres://nobody:nothing@127.0.0.1:1/nowhere".to_owned()),
            Backend::Sqlite => Self::Sqlite("/nonexistent/switchback.db".into()),
        }
    }

    /// A text that may be shown: without the password.
    pub(super) fn hidden(&self, text: &str) -> String {
        let Self::Postgres(url) = self else { return text.to_owned() };
        let url = Url::parse(url).ok();
        let password = url.as_ref().and_then(Url::password).unwrap_or_default();
        let decoded = decoded(password);
        let secrets = [password, &decoded];
        // One that is a letter or two would hide more than itself.
        let secrets = secrets.iter().filter(|secret| secret.len() > 2);
        secrets.fold(text.to_owned(), |text, secret| text.replace(*secret, "***"))
    }

    /// Which backend it is of.
    pub fn backend(&self) -> Backend {
        match self {
            Self::Postgres(_) => Backend::Postgres,
            Self::Sqlite(_) => Backend::Sqlite,
        }
    }

    /// Its URL as SQLAlchemy writes one, whose path of a file follows three slashes
    /// (SQLAlchemy documentation, "Database URLs").
    pub(super) fn for_sqlalchemy(&self, scheme: &str) -> String {
        match self {
            Self::Postgres(url) => with_scheme(url, scheme),
            Self::Sqlite(path) => format!("{scheme}:///{}", path.display()),
        }
    }

    /// A text in which `{url}` and the parts of it stand for this database.
    pub(super) fn filled(&self, text: &str) -> String {
        let text = text.replace("{backend}", self.backend().name());
        self.parts().iter().fold(text, |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }

    /// What of a database can be named in a command or an environment variable.
    fn parts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Postgres(text) => {
                let url = Url::parse(text).ok();
                let part = |of: fn(&Url) -> String| url.as_ref().map(of).unwrap_or_default();
                vec![
                    ("url", text.clone()),
                    (
                        "host",
                        part(|url| url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned()),
                    ),
                    ("port", part(|url| url.port().unwrap_or(5432).to_string())),
                    ("user", part(|url| decoded(url.username()))),
                    ("password", part(|url| decoded(url.password().unwrap_or_default()))),
                    ("database", part(|url| decoded(url.path().trim_start_matches('/')))),
                ]
            }
            Self::Sqlite(path) => {
                let path = path.display().to_string();
                vec![("url", format!("sqlite://{path}")), ("path", path.clone()), ("database", path)]
            }
        }
    }
}

/// A part of a URL as it is meant (RFC 3986, 2.1).
fn decoded(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = hex.filter(|_| *first == b'%').and_then(|two| u8::from_str_radix(two, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn with_scheme(url: &str, scheme: &str) -> String {
    url.split_once(':').map_or_else(|| url.to_owned(), |(_, rest)| format!("{scheme}:{rest}"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Place::Postgres("postgres://u:p@127.0.0.1:5433/a".into()), "postgresql+asyncpg", "postgresql+asyncpg://u:p@127.0.0.1:5433/a")]
    #[case(Place::Sqlite("/tmp/a.db".into()), "sqlite", "sqlite:////tmp/a.db")]
    #[case(Place::Sqlite("/tmp/a.db".into()), "sqlite+aiosqlite", "sqlite+aiosqlite:////tmp/a.db")]
    fn sqlalchemy_has_urls_of_its_own(#[case] place: Place, #[case] scheme: &str, #[case] url: &str) {
        assert_eq!(place.for_sqlalchemy(scheme), url);
    }

    #[rstest]
    #[case("is {backend}", "is postgres")]
    #[case("x {url}", "x postgres://u:p@h:1/d")]
    #[case("{user} {password} {host} {port} {database} {other}", "u p h 1 d {other}")]
    fn the_parts_of_a_url_can_be_named(#[case] text: &str, #[case] filled: &str) {
        assert_eq!(Place::Postgres("postgres://u:p@h:1/d".into()).filled(text), filled);
    }

    #[test]
    fn a_file_has_a_path() {
        assert_eq!(Place::Sqlite("/a/b".into()).filled("{path} {url}"), "/a/b sqlite:///a/b");
    }

    #[test]
    fn parts_are_as_they_are_meant_and_can_be_hidden() {
        let place = Place::Postgres("postgres://u:p%40ss@[::1]:1/d".into());
        assert_eq!(place.filled("{password} {host}"), "p@ss ::1");
        assert_eq!(place.hidden("p%40ss and p@ss"), "*** and ***");
    }

    #[test]
    fn no_password_is_shown() {
        assert!(!format!("{:?}", Place::Postgres("postgres://u:secret@h/d".into())).contains("secret"));
    }
}
