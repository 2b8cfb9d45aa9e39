//! What Flyway does to a script before it runs it.

use std::collections::BTreeMap;

use super::books;
use crate::Backend;
use crate::history::Script;
use crate::layout::{LayoutError, Options};
use crate::sql::{Lexer, TokenKind, leading_words, line_of};

/// What stands for placeholders, by their names in lower case.
pub(super) struct Placeholders(BTreeMap<String, String>);

impl Placeholders {
    /// Those of the config, and of `ParsingContext` those that are the same everywhere. Who the user is,
    /// PostgreSQL's own word says wherever a role may stand.
    pub(super) fn new(options: &Options, table: &str, backend: Backend, path: &str) -> Self {
        let file = path.rsplit('/').next().unwrap_or(path);
        let own = [
            ("defaultschema", books::default_schema(backend)),
            ("environment", "default"),
            ("filename", file),
            ("table", table),
            ("timestamp", "1970-01-01 00:00:00"),
            ("user", books::user(backend)),
        ];
        let own = own.map(|(name, value)| (format!("flyway:{name}"), value.to_owned()));
        let given = options.placeholders.iter().map(|(name, value)| (name.to_lowercase(), value.clone()));
        Self(own.into_iter().chain(given).collect())
    }

    /// `PlaceholderReplacingReader`: every `${name}` goes, wherever it stands, also in a comment.
    pub(super) fn replace(&self, text: &str, path: &str) -> Result<String, LayoutError> {
        let mut replaced = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let (before, from) = rest.split_at(start);
            replaced.push_str(before);
            let fault = |problem: String| LayoutError::Part {
                file: path.to_owned(),
                line: line_of(text, text.len() - from.len()),
                problem,
            };
            let Some((name, after)) = from[2..].split_once('}') else {
                return Err(fault("a placeholder begins with \"${\" and does not end".to_owned()));
            };
            let value = self.0.get(&name.to_lowercase()).ok_or_else(|| {
                fault(format!(
                    "nothing says what stands for the placeholder \"${{{name}}}\": give it in [history] \
                     placeholders, or put placeholderReplacement=false into \"{path}.conf\""
                ))
            })?;
            replaced.push_str(value);
            rest = after;
        }
        replaced.push_str(rest);
        Ok(replaced)
    }
}

/// What the `.conf` beside a script says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Conf {
    pub(super) execute_in_transaction: Option<bool>,
    pub(super) placeholder_replacement: bool,
    pub(super) should_execute: bool,
}

impl Default for Conf {
    fn default() -> Self {
        Self { execute_in_transaction: None, placeholder_replacement: true, should_execute: true }
    }
}

impl Conf {
    pub(super) fn read(file: &Script, placeholders: &Placeholders) -> Result<Self, LayoutError> {
        let mut conf = Self::default();
        for (number, line) in (1..).zip(file.text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let fault =
                |problem: String| LayoutError::Part { file: file.path.clone(), line: number, problem };
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            let value = placeholders.replace(value.trim(), &file.path)?;
            let truth = || match value.as_str() {
                "true" => Ok(true),
                "false" => Ok(false),
                _ => Err(fault(format!("\"{}\" is true or false, not \"{value}\"", key.trim()))),
            };
            match key.trim() {
                "executeInTransaction" => conf.execute_in_transaction = Some(truth()?),
                "placeholderReplacement" => conf.placeholder_replacement = truth()?,
                "shouldExecute" => {
                    conf.should_execute = is_so(&value).ok_or_else(|| {
                        fault(format!("\"{value}\" is more than one comparison, which is not understood"))
                    })?
                }
                "encoding" if value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8") => {}
                "encoding" => {
                    return Err(fault("only UTF-8 is understood: save the script as UTF-8".to_owned()));
                }
                key => {
                    return Err(fault(format!("Flyway refuses the key \"{key}\", which it does not know")));
                }
            }
        }
        Ok(conf)
    }
}

/// Whether a condition holds: `true`, `false`, or one comparison of two words.
fn is_so(condition: &str) -> Option<bool> {
    let condition = condition.trim();
    if condition.contains("&&") || condition.contains("||") {
        return None;
    }
    if let Some((left, right)) = condition.split_once("==") {
        return Some(left.trim() == right.trim());
    }
    if let Some((left, right)) = condition.split_once("!=") {
        return Some(left.trim() != right.trim());
    }
    condition.parse().ok()
}

/// `detectCanExecuteInTransaction` of the two parsers. A script in which only some statements cannot be
/// in a transaction is one that Flyway refuses, unless they may be mixed.
pub(super) fn can_be_in_transaction(
    script: &Script,
    backend: Backend,
    mixed: bool,
) -> Result<bool, LayoutError> {
    let statements = script.statements(backend);
    let alone: Vec<_> = statements.iter().map(|statement| must_be_alone(statement.body, backend)).collect();
    let first_other = alone.windows(2).position(|pair| pair[0] != pair[1] && !mixed);
    match first_other {
        Some(before) => Err(LayoutError::Part {
            file: script.path.clone(),
            line: statements[before + 1].line,
            problem:
                "Flyway refuses statements that must be outside a transaction together with others: move \
                      them to a script of their own, or write mixed = true under [history] if Flyway is told so"
                    .to_owned(),
        }),
        None => Ok(!alone.contains(&true)),
    }
}

/// Whether Flyway knows that a statement cannot be in a transaction.
fn must_be_alone(statement: &str, backend: Backend) -> bool {
    let words = leading_words(statement, backend, 4);
    let begins = |phrase: &&[&str]| {
        let fits = |(word, choice): (&String, &&str)| choice.split('|').any(|one| one == word);
        words.len() >= phrase.len() && words.iter().zip(*phrase).all(fits)
    };
    ALONE.iter().any(|(one, phrases)| *one == backend && phrases.iter().any(&begins))
}

/// How such statements begin.
const ALONE: &[(Backend, &[&[&str]])] = &[
    (
        Backend::Postgres,
        &[
            &["CREATE|DROP", "DATABASE|TABLESPACE|SUBSCRIPTION"],
            &["CREATE|DROP", "INDEX", "CONCURRENTLY"],
            &["CREATE|DROP", "UNIQUE", "INDEX", "CONCURRENTLY"],
            &["ALTER", "SYSTEM"],
            &["REINDEX", "SCHEMA|DATABASE|SYSTEM"],
            &["REINDEX", "VERBOSE", "SCHEMA|DATABASE|SYSTEM"],
            &["DISCARD", "ALL"],
            &["VACUUM"],
        ],
    ),
    (Backend::Sqlite, &[&["PRAGMA", "FOREIGN_KEYS"]]),
];

/// Refuses rows that follow a `COPY … FROM STDIN`.
pub(super) fn refuse_rows(script: &Script, backend: Backend) -> Result<(), LayoutError> {
    for statement in script.statements(backend) {
        if !matches!(leading_words(statement.body, backend, 1).as_slice(), [word] if word == "COPY") {
            continue;
        }
        let words = Lexer::new(statement.body, backend).filter(|token| token.kind == TokenKind::Word);
        let words: Vec<_> = words.map(|word| word.text.to_ascii_uppercase()).collect();
        if words.windows(2).any(|pair| pair == ["FROM", "STDIN"]) {
            return Err(LayoutError::Part {
                file: script.path.clone(),
                line: statement.line,
                problem: "rows after COPY … FROM STDIN are not sent here: write them as INSERT".to_owned(),
            });
        }
    }
    Ok(())
}
