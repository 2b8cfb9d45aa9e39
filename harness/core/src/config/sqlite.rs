//! `[sqlite]`: how the application uses SQLite, and the functions that it defines there.

use super::reader::{ConfigError, Problem, Section};
use crate::Backend;
use crate::sql::{self, TokenKind};

/// `[sqlite]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqliteConfig {
    /// Whether the application opens it with foreign keys on.
    pub foreign_keys: Option<bool>,
    /// The loadable extensions that the application loads, in that order.
    pub extensions: Vec<String>,
    /// What stands in for functions that the application defines, in the order of the file.
    pub functions: Vec<FunctionConfig>,
}

/// One line of `[sqlite.functions]`: `"name(argument, …)" = "expression"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionConfig {
    /// Its name.
    pub name: String,
    /// The names of its arguments, by which the body calls them.
    pub arguments: Vec<String>,
    /// The expression that it stands for.
    pub body: String,
    /// The line of the config on which it stands.
    pub line: usize,
}

/// SQLite takes no function with more (SQLite manual, "Implementation Limits", 7).
const MOST_ARGUMENTS: usize = 100;

impl FunctionConfig {
    /// How it is called, such as `normalize(text, form)`.
    pub fn signature(&self) -> String {
        format!("{}({})", self.name, self.arguments.join(", "))
    }

    /// What is wrong with it, as an error of the config.
    pub fn refused(&self, file: impl Into<String>, why: impl Into<String>) -> ConfigError {
        let problem = Box::new(Problem::Function { signature: self.signature(), why: why.into() });
        ConfigError { file: file.into(), line: self.line, problem }
    }

    fn is_like(&self, other: &Self) -> bool {
        self.name.eq_ignore_ascii_case(&other.name) && self.arguments.len() == other.arguments.len()
    }
}

pub(super) fn read(section: &mut Section<'_>) -> Result<SqliteConfig, ConfigError> {
    let foreign_keys = section.boolean("foreign_keys")?;
    let extensions = section.paths("extensions")?.unwrap_or_default();
    let mut functions: Vec<FunctionConfig> = Vec::new();
    for (key, body, line) in section.lines("functions")? {
        let refused =
            |why: String| section.problem_on(line, Problem::Function { signature: key.clone(), why });
        let (name, arguments) = signature(&key).map_err(refused)?;
        is_expression(&body).map_err(refused)?;
        let function = FunctionConfig { name, arguments, body, line };
        if let Some(other) = functions.iter().find(|other| other.is_like(&function)) {
            return Err(refused(format!(
                "is there twice, as SQLite sees it: {} is the same",
                other.signature()
            )));
        }
        functions.push(function);
    }
    Ok(SqliteConfig { foreign_keys, extensions, functions })
}

/// The name and the arguments in `name(argument, …)`.
fn signature(key: &str) -> Result<(String, Vec<String>), String> {
    let form = || "is not how a function is called: write \"name(argument, other)\"".to_owned();
    let (name, rest) = key.trim().split_once('(').ok_or_else(form)?;
    let inside = rest.trim_end().strip_suffix(')').ok_or_else(form)?.trim();
    let name = name.trim_end();
    let arguments: Vec<&str> =
        if inside.is_empty() { Vec::new() } else { inside.split(',').map(str::trim).collect() };
    if !std::iter::once(name).chain(arguments.iter().copied()).all(is_name) {
        return Err(form());
    }
    if arguments.len() > MOST_ARGUMENTS {
        return Err(format!("has {} arguments, and SQLite takes at most {MOST_ARGUMENTS}", arguments.len()));
    }
    for (place, argument) in arguments.iter().enumerate() {
        if arguments[..place].iter().any(|other| other.eq_ignore_ascii_case(argument)) {
            return Err(format!("has two arguments that are called \"{argument}\""));
        }
    }
    Ok((name.to_owned(), arguments.into_iter().map(str::to_owned).collect()))
}

fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|one| one.is_ascii_alphanumeric() || one == '_')
}

/// Whether a text can be nothing but one expression where it stands between brackets. What it means,
/// the database alone can tell.
fn is_expression(body: &str) -> Result<(), String> {
    let mut depth = 0_usize;
    let mut is_blank = true;
    for token in sql::lex(body, Backend::Sqlite).iter().filter(|token| token.is_significant()) {
        is_blank = false;
        match (token.kind, token.text) {
            (TokenKind::Punctuation, "(") => depth += 1,
            (TokenKind::Punctuation, ")") => {
                depth = depth.checked_sub(1).ok_or("closes a bracket that it has not opened")?;
            }
            (TokenKind::Punctuation, ";") => {
                return Err("is more than one expression: there is a \";\" in it".to_owned());
            }
            (TokenKind::Parameter, text) => {
                return Err(format!("holds the parameter \"{text}\": call an argument by its name alone"));
            }
            _ => {}
        }
    }
    match (is_blank, depth) {
        (true, _) => Err("stands for nothing: write an expression, such as NULL".to_owned()),
        (_, 0) => Ok(()),
        _ => Err("opens a bracket that it does not close".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::config::Config;

    fn parse(functions: &str) -> Result<Config, String> {
        let text = format!("[sqlite.functions]\n{functions}\n");
        Config::parse(&text, "switchback.toml", &[]).map_err(|error| error.to_string())
    }

    #[test]
    fn functions_are_read_in_the_order_of_the_file() {
        let config = parse(
            "\"normalize(text, form)\" = \"lower(text)\"\n\"BIN2B64( x )\" = \"hex(x)\"\n\"now()\" = \"0\"\n\
             \"normalize(text)\" = \"(text) -- as it is\"",
        )
        .unwrap();
        let found: Vec<_> = config
            .sqlite
            .functions
            .iter()
            .map(|one| (one.signature(), one.body.as_str(), one.line))
            .collect();
        let expected = [
            ("normalize(text, form)", "lower(text)", 2),
            ("BIN2B64(x)", "hex(x)", 3),
            ("now()", "0", 4),
            ("normalize(text)", "(text) -- as it is", 5),
        ];
        assert_eq!(found, expected.map(|(signature, body, line)| (signature.to_owned(), body, line)));
    }

    #[test]
    fn extensions_are_paths_beside_the_config() {
        let read = |value: &str| {
            let config = Config::parse(&format!("[sqlite]\nextensions = {value}\n"), "switchback.toml", &[]);
            config.map(|config| config.sqlite.extensions).map_err(|error| error.to_string())
        };
        assert_eq!(read("[\"ext/a\", \"../b.so\"]").unwrap(), ["ext/a", "../b.so"]);
        assert_eq!(read("\"ext/a\"").unwrap(), ["ext/a"]);
        assert_eq!(
            read("[\"/usr/lib/a.so\"]").unwrap_err(),
            "switchback.toml:2: \"extensions\" is the absolute path \"/usr/lib/a.so\": write it relative to this \
             file"
        );
    }

    #[rstest]
    #[case::no_brackets("normalize", "1", "is not how a function is called: write \"name(argument, other)\"")]
    #[case::unclosed("f(x", "x", "is not how a function is called: write \"name(argument, other)\"")]
    #[case::empty_argument("f(x,)", "x", "is not how a function is called: write \"name(argument, other)\"")]
    #[case::no_name("(x)", "x", "is not how a function is called: write \"name(argument, other)\"")]
    #[case::number("f(1)", "x", "is not how a function is called: write \"name(argument, other)\"")]
    #[case::twice("f(x, X)", "x", "has two arguments that are called \"X\"")]
    #[case::nothing("f(x)", " -- later", "stands for nothing: write an expression, such as NULL")]
    #[case::two("f(x)", "x; DROP TABLE t", "is more than one expression: there is a \";\" in it")]
    #[case::out("f(x)", "x) FROM (SELECT 1", "closes a bracket that it has not opened")]
    #[case::open("f(x)", "hex(x", "opens a bracket that it does not close")]
    #[case::parameter("f(x)", "hex(:x)", "holds the parameter \":x\": call an argument by its name alone")]
    fn what_is_wrong_is_told_with_its_line(#[case] key: &str, #[case] body: &str, #[case] why: &str) {
        let error = parse(&format!("\"good(x)\" = \"x\"\n\"{key}\" = \"{body}\"")).unwrap_err();
        assert_eq!(error, format!("switchback.toml:3: \"{key}\" in [sqlite.functions] {why}"));
    }

    #[test]
    fn a_function_is_there_once() {
        let error = parse("\"f(a, b)\" = \"a\"\n\"F(x, y)\" = \"y\"").unwrap_err();
        assert_eq!(
            error,
            "switchback.toml:3: \"F(x, y)\" in [sqlite.functions] is there twice, as SQLite sees it: f(a, b) is the \
             same"
        );
    }

    #[test]
    fn a_body_is_a_text() {
        assert_eq!(
            parse("\"f(x)\" = 1").unwrap_err(),
            "switchback.toml:2: \"f(x)\" must be a string, not an integer"
        );
    }
}
