//! URLs in the environment and in a project's `.env` file.

use std::collections::BTreeMap;
use std::path::Path;

use super::ServerError;
use super::url::{Origin, UrlSource};

/// The URLs that the named variables hold: each from the environment, or else from the `.env` file
/// in `folder` or the nearest one above it within the same repository.
///
/// # Errors
/// If there is a `.env` file that cannot be read.
pub fn url_sources(
    folder: &Path,
    names: &[&str],
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Vec<UrlSource>, ServerError> {
    let mut sources = Vec::new();
    let mut file = None;
    for folder in folder.ancestors() {
        let path = folder.join(".env");
        if path.is_file() {
            let text = std::fs::read(&path);
            let text = text.map_err(|e| ServerError::file("read", path.clone(), e))?;
            file = Some((path, parse(&String::from_utf8_lossy(&text), &environment)));
            break;
        }
        if folder.join(".git").exists() {
            break;
        }
    }
    for &name in names {
        if let Some(value) = environment(name).filter(|value| !value.trim().is_empty()) {
            sources.push(UrlSource::new(value, Origin::Environment(name.to_owned())));
        } else if let Some((path, variables)) = &file
            && let Some((value, line)) = variables.get(name).filter(|(v, _)| !v.trim().is_empty())
        {
            let (name, path) = (name.to_owned(), path.clone());
            sources.push(UrlSource::new(value, Origin::DotEnv { name, path, line: *line }));
        }
    }
    Ok(sources)
}

/// The variables of a `.env` file with the line of each; a line that sets nothing is skipped, and
/// of two that set the same, the first counts, as with dotenvy.
fn parse(text: &str, environment: &impl Fn(&str) -> Option<String>) -> BTreeMap<String, (String, usize)> {
    let mut variables: BTreeMap<String, (String, usize)> = BTreeMap::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        let name = name.trim();
        if name.is_empty() || name.starts_with('#') {
            continue;
        }
        let lookup = |wanted: &str| {
            environment(wanted).or_else(|| variables.get(wanted).map(|(value, _)| value.clone()))
        };
        let value = unquote(value.trim(), lookup);
        variables.entry(name.to_owned()).or_insert((value, index + 1));
    }
    variables
}

/// The value without its quotes and comment. Variables are replaced except in single quotes.
fn unquote(value: &str, lookup: impl Fn(&str) -> Option<String>) -> String {
    if let Some(rest) = value.strip_prefix('\'') {
        return rest.split('\'').next().unwrap_or_default().to_owned();
    }
    let (quoted, rest) = match value.strip_prefix('"') {
        Some(rest) => (true, rest),
        None => (false, value),
    };
    let mut out = String::new();
    let mut chars = rest.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted => break,
            '#' if !quoted && (out.is_empty() || out.ends_with(char::is_whitespace)) => break,
            '\\' => out.extend(chars.next()),
            '$' => {
                let braced = chars.next_if_eq(&'{').is_some();
                let mut name = String::new();
                while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    name.push(c);
                }
                if braced {
                    chars.next_if_eq(&'}');
                }
                out.push_str(&lookup(&name).unwrap_or_default());
            }
            other => out.push(other),
        }
    }
    if quoted { out } else { out.trim_end().to_owned() }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn from_shell(name: &str) -> Option<String> {
        (name == "HOST_FROM_SHELL").then(|| "shell".to_owned())
    }

    #[rstest]
    #[case("X=postgres://a@h/b", "postgres://a@h/b")]
    #[case("export X = postgres://a@h/b  # comment", "postgres://a@h/b")]
    #[case("X=postgres://a:p#w@h/b", "postgres://a:p#w@h/b")]
    #[case("X=\"postgres://a@h/b\" # comment", "postgres://a@h/b")]
    #[case("X='p$w # x'", "p$w # x")]
    #[case("U=ada\nX=postgres://${U}@$HOST_FROM_SHELL/b", "postgres://ada@shell/b")]
    #[case("X=a\\$b", "a$b")]
    #[case("X=first\nX=second", "first")]
    #[case("\u{feff}X=a\r\n", "a")]
    #[case("# X=a\nX=", "")]
    fn a_variable_is_read(#[case] text: &str, #[case] value: &str) {
        assert_eq!(parse(text, &from_shell)["X"].0, value);
    }

    #[test]
    fn the_environment_goes_before_the_file_and_both_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("crates/app");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        let file = folder.path().join(".env");
        std::fs::write(&file, "\nDB_DSN=postgres://f/b\nDATABASE_URL=postgres://f/a\n").unwrap();
        let shell = |name: &str| (name == "DATABASE_URL").then(|| "postgres://e/a".to_owned());
        let found = url_sources(&inner, &["DATABASE_URL", "DB_DSN", "NONE"], shell).unwrap();
        let origins: Vec<String> = found.iter().map(|s| s.origin().to_string()).collect();
        let dotenv = format!("URL from DB_DSN in {}:2", file.display());
        assert_eq!(origins, ["URL from DATABASE_URL".to_owned(), dotenv]);
    }
}
