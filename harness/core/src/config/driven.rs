//! What `[history]` says of tools that run their revisions themselves.

use super::reader::{ConfigError, Problem, Section};
use super::{HistoryConfig, per_backend_texts};

/// The names of these tools.
pub const DRIVEN: [&str; 2] = ["alembic", "command"];

/// How a project learns which database to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlBy {
    /// By an environment variable of that name.
    Env(String),
    /// By an argument of that name, as `alembic -x NAME=URL` gives one.
    X(String),
    /// By `sqlalchemy.url` in Alembic's settings.
    Ini,
    /// It cannot be told: whatever it connects to, it is led to the right database of the same backend.
    Redirect,
}

/// The commands of a tool that Switchback does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandsConfig {
    /// Applies the next revision.
    pub up: String,
    /// Takes the last one back.
    pub down: Option<String>,
    /// Lists all revisions, one on a line.
    pub history: String,
    /// Lists those that are applied.
    pub current: Option<String>,
    /// What the tool calls the state before the first revision.
    pub base: String,
}

/// The longest that a step may be allowed to take: a day.
const LONGEST: u64 = 86_400;

pub(super) fn read(section: &mut Section<'_>, config: &mut HistoryConfig) -> Result<(), ConfigError> {
    config.python = section.string("python")?;
    config.ini = section.path("ini")?;
    config.url = url(section)?;
    config.scheme = per_backend_texts(section, "scheme")?;
    config.env = section.texts("env")?.unwrap_or_default();
    config.x = section.strings("x")?.unwrap_or_default();
    config.time_limit = section.number("time_limit", LONGEST)?;
    // The options of other tools have a key of that name, too.
    if config.tool.as_deref().is_some_and(|tool| DRIVEN.contains(&tool)) {
        config.bookkeeping = section.strings("bookkeeping")?.unwrap_or_default();
    }
    config.commands = commands(section, config.tool.as_deref() == Some("command"))?;
    Ok(())
}

fn url(section: &mut Section<'_>) -> Result<Option<UrlBy>, ConfigError> {
    let by = if section.is_string("url") {
        match section.string("url")?.as_deref() {
            Some("sqlalchemy.url") => Some(UrlBy::Ini),
            Some("redirect") => Some(UrlBy::Redirect),
            _ => None,
        }
    } else {
        let Some(mut table) = section.texts("url")? else { return Ok(None) };
        match (table.remove("env"), table.remove("x"), table.is_empty()) {
            (Some(name), None, true) => Some(UrlBy::Env(name)),
            (None, Some(name), true) => Some(UrlBy::X(name)),
            _ => None,
        }
    };
    by.map(Some).ok_or_else(|| section.problem_at("url", Problem::UrlBy))
}

fn commands(section: &mut Section<'_>, wanted: bool) -> Result<Option<CommandsConfig>, ConfigError> {
    let up = section.string("up")?;
    let history = section.string("history")?;
    let (down, current) = (section.string("down")?, section.string("current")?);
    let base = section.string("base")?;
    if !wanted {
        let given = [("up", up.is_some()), ("down", down.is_some()), ("history", history.is_some())];
        return match given.iter().find(|(_, given)| *given) {
            Some((key, _)) => Err(section.problem_at(key, Problem::ForCommands((*key).to_owned()))),
            None => Ok(None),
        };
    }
    let up = up.ok_or_else(|| section.missing("up"))?;
    let history = history.ok_or_else(|| section.missing("history"))?;
    Ok(Some(CommandsConfig { up, down, history, current, base: base.unwrap_or_default() }))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::config::Config;

    fn read(text: &str) -> Result<HistoryConfig, String> {
        let config = Config::parse(&format!("[history]\n{text}"), "switchback.toml", &[]);
        config.map(|config| config.history).map_err(|error| error.to_string())
    }

    #[rstest]
    #[case("url = \"sqlalchemy.url\"", UrlBy::Ini)]
    #[case("url = \"redirect\"", UrlBy::Redirect)]
    #[case("url = { env = \"DB_DSN\" }", UrlBy::Env("DB_DSN".to_owned()))]
    #[case("url = { x = \"url\" }", UrlBy::X("url".to_owned()))]
    fn a_tool_learns_its_url(#[case] text: &str, #[case] by: UrlBy) {
        assert_eq!(read(text).unwrap().url, Some(by));
    }

    #[rstest]
    #[case(
        "url = \"DB_DSN\"",
        "switchback.toml:2: \"url\" says how the tool learns which database to use: it is \"sqlalchemy.url\", \"redirect\", { env = \"NAME\" } or { x = \"NAME\" }"
    )]
    #[case("url = { env = 1 }", "switchback.toml:2: \"env\" must be a string, not an integer")]
    #[case(
        "scheme = { mysql = \"a\" }",
        "switchback.toml:2: \"mysql\" is no backend: it is postgres or sqlite"
    )]
    #[case("up = \"x\"", "switchback.toml:2: \"up\" is a command, which is for tool = \"command\"")]
    #[case("tool = \"command\"\nup = \"x\"", "switchback.toml:1: [history] has no \"history\"")]
    fn what_makes_no_sense_is_refused(#[case] text: &str, #[case] message: &str) {
        assert_eq!(read(text).unwrap_err(), message);
    }

    #[test]
    fn any_tool_is_driven_by_commands() {
        let config =
            read("tool = \"command\"\nup = \"a\"\ndown = \"b\"\nhistory = \"c\"\nbase = \"zero\"").unwrap();
        let commands = config.commands.unwrap();
        assert_eq!(
            (commands.up.as_str(), commands.down.as_deref(), commands.base.as_str()),
            ("a", Some("b"), "zero")
        );
    }
}
