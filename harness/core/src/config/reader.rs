//! Reading TOML so that every complaint names its line and, for a misspelt word, the nearest right
//! one.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong with a config, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct ConfigError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: Box<Problem>,
}

/// What is wrong with a config.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is not TOML.
    #[error("{0}")]
    Syntax(String),
    /// A key, section or check that there is not.
    #[error("unknown {what} \"{key}\"{place}{hint}", hint = Hint(.nearest.as_deref()))]
    Unknown {
        /// What it is: a key, a section, a check.
        what: &'static str,
        /// The key.
        key: String,
        /// Where it stands, such as ` in [sqlite]`.
        place: String,
        /// The known one that is most like it.
        nearest: Option<String>,
    },
    /// A value of the wrong type.
    #[error("\"{key}\" must be {expected}, not {found}")]
    Type {
        /// The key.
        key: String,
        /// The type wanted, with an article.
        expected: &'static str,
        /// The type found, with an article.
        found: &'static str,
    },
    /// A word that is none of the few that the key takes.
    #[error("\"{key}\" cannot be \"{value}\": it is one of {}{hint}", choices.join(", "), hint = Hint(.nearest.as_deref()))]
    Choice {
        /// The key.
        key: String,
        /// The word.
        value: String,
        /// The words that it takes, quoted.
        choices: Vec<String>,
        /// The one that is most like it.
        nearest: Option<String>,
    },
    /// A key that has to be there.
    #[error("{section} has no \"{key}\"")]
    Missing {
        /// The section.
        section: String,
        /// The key.
        key: &'static str,
    },
    /// A key that has to be there for the tool that is named.
    #[error("[history] has no \"{key}\", which tool = \"{tool}\" needs")]
    MissingFor {
        /// The key.
        key: &'static str,
        /// The tool.
        tool: &'static str,
    },
    /// A reason that says nothing.
    #[error("\"reason\" is empty: say why this is accepted")]
    EmptyReason,
    /// A path that is true on one machine only.
    #[error("\"{key}\" is the absolute path \"{path}\": write it relative to this file")]
    AbsolutePath {
        /// The key.
        key: String,
        /// The path.
        path: String,
    },
    /// A path that names nothing.
    #[error("\"{0}\" is an empty path: use \".\" for the folder of this file")]
    EmptyPath(
        /// The key.
        String,
    ),
    /// One folder for both backends, and a folder for one.
    #[error(
        "[history] has \"path\", the folder for both backends, as well as a folder of a backend's \
         own: give either the one or the others"
    )]
    PathAndFolders,
    /// A key of `[history]` that another tool heeds.
    #[error("\"{key}\" in [history] is heeded with tool = {} alone", tools.join(" or "))]
    OtherTool {
        /// The key.
        key: String,
        /// The tools, quoted.
        tools: Vec<String>,
    },
    /// A pattern of file names that is none.
    #[error("\"pattern\" {0}")]
    FilePattern(
        /// What is wrong with it.
        String,
    ),
    /// A function of `[sqlite.functions]` that is none.
    #[error("\"{signature}\" in [sqlite.functions] {why}")]
    Function {
        /// How it is called.
        signature: String,
        /// What is wrong with it.
        why: String,
    },
    /// Revisions that are no group.
    #[error("group \"{name}\" {why}")]
    Group {
        /// What it is called.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// A number that is out of its range.
    #[error("\"{key}\" cannot be {value}: it is a whole number from 0 to {most}")]
    Range {
        /// The key.
        key: String,
        /// The number as it is written.
        value: String,
        /// The largest.
        most: u64,
    },
    /// A value that belongs to no column.
    #[error("\"{0}\" names no column: write \"table.column\"")]
    Column(
        /// The key.
        String,
    ),
    /// A way to hand over a URL that there is not.
    #[error(
        "\"url\" says how the tool learns which database to use: it is \"sqlalchemy.url\", \
         \"redirect\", {{ env = \"NAME\" }} or {{ x = \"NAME\" }}"
    )]
    UrlBy,
    /// A command of a tool that has its own.
    #[error("\"{0}\" is a command, which is for tool = \"command\"")]
    ForCommands(
        /// The key.
        String,
    ),
    /// A backend that there is not.
    #[error("\"{0}\" is no backend: it is postgres or sqlite")]
    NoBackend(
        /// The word.
        String,
    ),
    /// A version that is no number.
    #[error("\"version\" is not a version of PostgreSQL: write a number such as \"17\"")]
    Version,
    /// An oldest version that is none.
    #[error("\"oldest\" is not a version: write numbers with dots between them, such as \"3.35\"")]
    Oldest,
}

struct Hint<'a>(Option<&'a str>);

impl fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |nearest| write!(f, ": did you mean \"{nearest}\"?"))
    }
}

/// The word that is most like another, if any is like it at all.
pub fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |one: &str| strsim::damerau_levenshtein(&word.to_lowercase(), one);
    let close = |one: &&str| distance(one) <= (word.chars().count() / 3).max(2);
    words.into_iter().filter(close).min_by_key(|one| distance(one))
}

/// The text of a config.
pub(super) struct Document<'d> {
    text: &'d str,
    file: &'d str,
}

impl<'d> Document<'d> {
    pub(super) fn new(text: &'d str, file: &'d str) -> Self {
        Self { text, file }
    }

    pub(super) fn parse(&'d self) -> Result<Section<'d>, ConfigError> {
        let table = DeTable::parse(self.text).map_err(|error| {
            let span = error.span().unwrap_or_default();
            // Its messages may span lines; the first says what is wrong.
            let message = error.message().lines().next().unwrap_or("not valid TOML").to_owned();
            self.error(&span, Problem::Syntax(message))
        })?;
        let span = table.span();
        Ok(Section {
            document: self,
            name: String::new(),
            span,
            table: table.into_inner(),
            known: Vec::new(),
        })
    }

    fn line(&self, span: &Range<usize>) -> usize {
        let before = &self.text.as_bytes()[..span.start.min(self.text.len())];
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }

    fn error(&self, span: &Range<usize>, problem: Problem) -> ConfigError {
        ConfigError { file: self.file.to_owned(), line: self.line(span), problem: Box::new(problem) }
    }
}

/// A table of the config. It remembers which keys were asked for; those are the known ones.
pub(super) struct Section<'d> {
    document: &'d Document<'d>,
    name: String,
    span: Range<usize>,
    table: DeTable<'d>,
    known: Vec<String>,
}

impl<'d> Section<'d> {
    /// The line on which it starts.
    pub(super) fn line(&self) -> usize {
        self.document.line(&self.span)
    }

    /// Where a value of it stands, as `switchback.toml:3`.
    pub(super) fn place_of(&self, key: &str) -> String {
        let span = self.table.get(key).map_or_else(|| self.span.clone(), Spanned::span);
        format!("{}:{}", self.document.file, self.document.line(&span))
    }

    /// The keys that are there.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.table.keys().map(|key| key.get_ref().as_ref())
    }

    pub(super) fn section(&mut self, key: &str) -> Result<Option<Self>, ConfigError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        self.table_of(key, format!("[{key}]"), value).map(Some)
    }

    pub(super) fn sections(&mut self, key: &str) -> Result<Vec<Self>, ConfigError> {
        let Some(value) = self.value(key) else {
            return Ok(Vec::new());
        };
        let within = self.name.trim_matches(['[', ']']);
        let name = if within.is_empty() { format!("[[{key}]]") } else { format!("[[{within}.{key}]]") };
        match value.get_ref() {
            DeValue::Array(tables) => {
                tables.iter().map(|table| self.table_of(key, name.clone(), table.clone())).collect()
            }
            _ => Err(self.wrong_type(key, "an array of tables", &value)),
        }
    }

    pub(super) fn boolean(&mut self, key: &str) -> Result<Option<bool>, ConfigError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let boolean = value.get_ref().as_bool();
        boolean.map(Some).ok_or_else(|| self.wrong_type(key, "true or false", &value))
    }

    pub(super) fn string(&mut self, key: &str) -> Result<Option<String>, ConfigError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let string = value.get_ref().as_str().map(str::to_owned);
        string.map(Some).ok_or_else(|| self.wrong_type(key, "a string", &value))
    }

    /// One string, or several in an array.
    pub(super) fn strings(&mut self, key: &str) -> Result<Option<Vec<String>>, ConfigError> {
        const EXPECTED: &str = "a string or an array of strings";
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let one = |value: &Spanned<DeValue<'_>>| {
            let string = value.get_ref().as_str().map(str::to_owned);
            string.ok_or_else(|| self.wrong_type(key, EXPECTED, value))
        };
        match value.get_ref() {
            DeValue::Array(values) => values.iter().map(one).collect::<Result<_, _>>().map(Some),
            _ => Ok(Some(vec![one(&value)?])),
        }
    }

    /// A whole number from 0 on.
    pub(super) fn number(&mut self, key: &str, most: u64) -> Result<Option<u64>, ConfigError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let DeValue::Integer(integer) = value.get_ref() else {
            return Err(self.wrong_type(key, "an integer", &value));
        };
        let number =
            u64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|number| *number <= most);
        let out = || Problem::Range { key: key.to_owned(), value: integer.to_string(), most };
        number.map(Some).ok_or_else(|| self.problem_at(key, out()))
    }

    /// A table from `table.column` to values, each a string, a number or a boolean.
    pub(super) fn values(&mut self, key: &str) -> Result<Option<BTreeMap<String, Vec<String>>>, ConfigError> {
        const EXPECTED: &str = "an array of strings, numbers and booleans";
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let section = self.table_of(key, format!("[rows.{key}]"), value)?;
        let text = |name: &str, value: &Spanned<DeValue<'_>>| match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            DeValue::Integer(number) => Ok(number.to_string()),
            DeValue::Float(number) => Ok(number.to_string()),
            DeValue::Boolean(truth) => Ok(truth.to_string()),
            _ => Err(section.wrong_type(name, EXPECTED, value)),
        };
        let mut found = BTreeMap::new();
        for (column, value) in &section.table {
            let name = column.get_ref().to_string();
            if !name.contains('.') {
                return Err(self.document.error(&column.span(), Problem::Column(name)));
            }
            let values = match value.get_ref() {
                DeValue::Array(values) => {
                    values.iter().map(|value| text(&name, value)).collect::<Result<_, _>>()?
                }
                _ => vec![text(&name, value)?],
            };
            found.insert(name, values);
        }
        Ok(Some(found))
    }

    /// A table from names to strings.
    pub(super) fn texts(&mut self, key: &str) -> Result<Option<BTreeMap<String, String>>, ConfigError> {
        const EXPECTED: &str = "a table of strings";
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let DeValue::Table(table) = value.get_ref() else {
            return Err(self.wrong_type(key, EXPECTED, &value));
        };
        let text = |(name, value): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
            let text = value.get_ref().as_str().map(str::to_owned);
            let text = text.ok_or_else(|| self.wrong_type(name.get_ref(), "a string", value))?;
            Ok((name.get_ref().to_string(), text))
        };
        table.iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// A table from names to strings, each with its line, in the order of the text.
    pub(super) fn lines(&mut self, key: &str) -> Result<Vec<(String, String, usize)>, ConfigError> {
        let mut texts = self.texts(key)?.unwrap_or_default();
        let spans = self.table.get(key).and_then(|value| value.get_ref().as_table());
        let mut lines: Vec<_> = spans.into_iter().flatten().collect();
        lines.sort_by_key(|(name, _)| name.span().start);
        let line = |(name, _): (&Spanned<Cow<'_, str>>, _)| {
            let text = texts.remove(name.get_ref().as_ref())?;
            Some((name.get_ref().to_string(), text, self.document.line(&name.span())))
        };
        Ok(lines.into_iter().filter_map(line).collect())
    }

    /// A problem on a line.
    pub(super) fn problem_on(&self, line: usize, problem: Problem) -> ConfigError {
        ConfigError { file: self.document.file.to_owned(), line, problem: Box::new(problem) }
    }

    /// Whether a key has a string for its value.
    pub(super) fn is_string(&self, key: &str) -> bool {
        self.table.get(key).is_some_and(|value| value.get_ref().is_str())
    }

    /// A path below or beside the config.
    pub(super) fn path(&mut self, key: &str) -> Result<Option<String>, ConfigError> {
        let path = self.string(key)?;
        path.map(|path| self.relative(key, path)).transpose()
    }

    pub(super) fn paths(&mut self, key: &str) -> Result<Option<Vec<String>>, ConfigError> {
        let paths = self.strings(key)?;
        let relative = |paths: Vec<_>| paths.into_iter().map(|path| self.relative(key, path)).collect();
        paths.map(relative).transpose()
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.string(key)? else {
            return Ok(None);
        };
        if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == value) {
            return Ok(Some(*choice));
        }
        let words = choices.iter().map(|(word, _)| *word);
        let nearest = nearest(&value, words.clone()).map(str::to_owned);
        let choices = words.map(|word| format!("\"{word}\"")).collect();
        Err(self.problem_at(key, Problem::Choice { key: key.to_owned(), value, choices, nearest }))
    }

    /// Refuses keys that nobody asked for.
    pub(super) fn refuse_unknown(&self) -> Result<(), ConfigError> {
        let is_table = |value: &DeValue<'_>| value.is_table() || value.is_array();
        let section =
            |(_, value): (_, &Spanned<DeValue<'_>>)| self.name.is_empty() && is_table(value.get_ref());
        self.refuse_unknown_names(if self.unknown().is_some_and(section) { "section" } else { "key" })
    }

    /// The same, for a table whose keys are the names of something.
    pub(super) fn refuse_unknown_names(&self, what: &'static str) -> Result<(), ConfigError> {
        let Some((key, _)) = self.unknown() else {
            return Ok(());
        };
        let name = key.get_ref().to_string();
        let nearest = nearest(&name, self.known.iter().map(String::as_str)).map(str::to_owned);
        let place = if self.name.is_empty() { String::new() } else { format!(" in {}", self.name) };
        Err(self.document.error(&key.span(), Problem::Unknown { what, key: name, place, nearest }))
    }

    /// The first key, in the order of the text, that nobody asked for.
    fn unknown(&self) -> Option<(&Spanned<Cow<'d, str>>, &Spanned<DeValue<'d>>)> {
        let known = |key: &str| self.known.iter().any(|known| known == key);
        let unknown = self.table.iter().filter(|(key, _)| !known(key.get_ref()));
        unknown.min_by_key(|(key, _)| key.span().start)
    }

    /// A problem with this table as a whole: a key that is missing.
    pub(super) fn missing(&self, key: &'static str) -> ConfigError {
        self.document.error(&self.span, Problem::Missing { section: self.name.clone(), key })
    }

    /// A key that is missing where a tool needs it.
    pub(super) fn missing_for(&self, key: &'static str, tool: &'static str) -> ConfigError {
        self.document.error(&self.span, Problem::MissingFor { key, tool })
    }

    /// A problem with one of its values.
    pub(super) fn problem_at(&self, key: &str, problem: Problem) -> ConfigError {
        let span = self.table.get(key).map_or_else(|| self.span.clone(), Spanned::span);
        self.document.error(&span, problem)
    }

    fn value(&mut self, key: &str) -> Option<Spanned<DeValue<'d>>> {
        self.known.push(key.to_owned());
        self.table.get(key).cloned()
    }

    fn table_of(&self, key: &str, name: String, value: Spanned<DeValue<'d>>) -> Result<Self, ConfigError> {
        let span = value.span();
        match value.get_ref() {
            DeValue::Table(table) => {
                let (document, table) = (self.document, table.clone());
                Ok(Self { document, name, span, table, known: Vec::new() })
            }
            _ => Err(self.wrong_type(key, "a table", &value)),
        }
    }

    fn wrong_type(&self, key: &str, expected: &'static str, value: &Spanned<DeValue<'_>>) -> ConfigError {
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        self.document.error(&value.span(), Problem::Type { key: key.to_owned(), expected, found })
    }

    fn relative(&self, key: &str, path: String) -> Result<String, ConfigError> {
        let bytes = path.as_bytes();
        let drive = bytes.len() >= 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':';
        if path.is_empty() {
            return Err(self.problem_at(key, Problem::EmptyPath(key.to_owned())));
        }
        if drive || path.starts_with(['/', '\\', '~']) {
            let key_name = key.to_owned();
            return Err(self.problem_at(key, Problem::AbsolutePath { key: key_name, path }));
        }
        Ok(path)
    }
}
