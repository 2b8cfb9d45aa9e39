//! A file of formatted SQL: its changesets, and what the comments between their statements say.

use std::collections::BTreeMap;

use super::split::Splitting;
use crate::Backend;
use crate::history::Script;
use crate::layout::LayoutError;
use crate::layout::dialect::Dialect;

/// One changeset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Changeset {
    pub(super) author: String,
    pub(super) id: String,
    /// Its statements. What else stands between them is blank here, so that every line has its place.
    pub(super) sql: Script,
    pub(super) splitting: Splitting,
    pub(super) rollback: Rollback,
    pub(super) in_transaction: bool,
    /// `dbms:`, and nothing at all for `ignore:true`.
    dbms: Option<String>,
    ignored: bool,
    pub(super) comment: String,
    /// The line of its first precondition.
    pub(super) precondition: Option<u32>,
}

/// What a changeset says of its way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rollback {
    Missing,
    /// `--rollback not required` or `--rollback empty`: there is nothing to do.
    Nothing(Script, String),
    Sql(Script, Splitting),
}

impl Changeset {
    /// `DatabaseList.definitionMatches`.
    pub(super) fn serves(&self, backend: Backend) -> bool {
        let Some(dbms) = &self.dbms else { return !self.ignored };
        let words: Vec<_> = dbms.split(',').map(|word| word.trim().to_lowercase()).collect();
        let has = |word: &str| words.iter().any(|one| one == word);
        let is_backend = |word: &str| Dialect::named(word) == Some(Dialect::Of(backend));
        let refused = words.iter().filter_map(|word| word.strip_prefix('!')).any(is_backend);
        let mut named = words.iter().filter(|word| !word.starts_with('!')).peekable();
        let served = named.peek().is_none() || named.any(|word| is_backend(word));
        !self.ignored && (has("all") || (!has("none") && !refused && served))
    }
}

/// The changesets of a file. A file without the first line is one changeset, as `includeAll` has it.
pub(super) fn read(
    file: &Script,
    path: &str,
    backend: Backend,
    parameters: &mut BTreeMap<String, String>,
) -> Result<Vec<Changeset>, LayoutError> {
    let text = file.text.strip_prefix('\u{feff}').unwrap_or(&file.text);
    if !is_formatted(text) {
        let splitting = Splitting { split: false, delimiter: None };
        let mut raw = Changeset::new("includeAll", "raw", Script::new(&*file.path, text), splitting);
        raw.comment = path.to_owned();
        return Ok(vec![raw]);
    }
    let mut reader =
        Reader { file, backend, parameters, found: Vec::new(), open: None, ignoring: None, rolling: false };
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        reader.line(number, line)?;
    }
    reader.close()?;
    Ok(reader.found)
}

/// Whether the first line that says anything is `--liquibase formatted sql`.
pub(super) fn is_formatted(text: &str) -> bool {
    let first =
        text.lines().map(|line| line.trim_start_matches('\u{feff}')).find(|line| !line.trim().is_empty());
    let directive = first.and_then(directive);
    directive.is_some_and(|(word, rest)| {
        word == "liquibase"
            && rest.trim_start().get(..9).is_some_and(|word| word.eq_ignore_ascii_case("formatted"))
    })
}

/// The word after `--`, in lower case, and what follows it.
fn directive(line: &str) -> Option<(String, &str)> {
    let line = line.trim_start().strip_prefix("--")?.trim_start();
    let end = line.find(|letter: char| !(letter.is_alphanumeric() || letter == '-')).unwrap_or(line.len());
    Some((line[..end].to_lowercase(), &line[end..]))
}

struct Reader<'a> {
    file: &'a Script,
    backend: Backend,
    parameters: &'a mut BTreeMap<String, String>,
    found: Vec<Changeset>,
    open: Option<Open>,
    /// How many lines are still to be passed over by `--ignoreLines`.
    ignoring: Option<usize>,
    /// Whether a `/* liquibase rollback` is open.
    rolling: bool,
}

/// The changeset that is being read.
struct Open {
    line: u32,
    header: String,
    author: String,
    id: String,
    sql: Lines,
    rollback: Lines,
    comment: String,
    precondition: Option<u32>,
}

/// Lines with their places: those between them are blank.
#[derive(Default)]
struct Lines {
    first: u32,
    text: String,
    next: u32,
}

impl Lines {
    fn push(&mut self, number: u32, line: &str) {
        if self.text.is_empty() && line.trim().is_empty() {
            return;
        }
        if self.text.is_empty() {
            (self.first, self.next) = (number, number);
        }
        while self.next < number {
            self.text.push('\n');
            self.next += 1;
        }
        self.text.push_str(line.trim_end_matches(['\r', '\n']));
        self.text.push('\n');
        self.next += 1;
    }
}

impl Reader<'_> {
    fn fault(&self, line: u32, problem: impl Into<String>) -> LayoutError {
        LayoutError::Part { file: self.file.path.clone(), line, problem: problem.into() }
    }

    fn line(&mut self, number: u32, line: &str) -> Result<(), LayoutError> {
        let line = line.trim_end_matches(['\r', '\n']);
        if self.rolling {
            self.rolling = !line.trim_end().ends_with("*/");
            let sql = line.trim_end();
            let sql = if self.rolling { line } else { sql.strip_suffix("*/").unwrap_or(sql) };
            if let Some(open) = &mut self.open {
                open.rollback.push(number, sql);
            }
            return Ok(());
        }
        let (word, rest) = directive(line).unwrap_or_default();
        if let Some(left) = self.ignoring.take() {
            let ends = word == "ignorelines" && rest.trim().eq_ignore_ascii_case(":end");
            self.ignoring = left.checked_sub(1).filter(|left| *left > 0 && !ends);
            return Ok(());
        }
        // Liquibase refuses the same with one dash, since it takes it for a slip.
        if let Some(one_dash) = line.strip_prefix('-').filter(|rest| !rest.starts_with('-')) {
            let (word, _) = directive(&format!("--{one_dash}")).unwrap_or_default();
            if ["changeset", "rollback", "comment", "preconditions", "property", "ignorelines"]
                .contains(&word.as_str())
            {
                return Err(self.fault(number, format!("Liquibase refuses \"-{word}\": write \"--{word}\"")));
            }
        }
        match word.as_str() {
            "property" => self.property(number, rest)?,
            "ignorelines" => match rest.strip_prefix(':').map(str::trim) {
                Some("start") => self.ignoring = Some(usize::MAX),
                Some(count) if count.parse::<usize>().is_ok() => {
                    self.ignoring = count.parse().ok().filter(|count| *count > 0);
                }
                _ => {
                    return Err(self.fault(number, "\"ignoreLines\" is followed by a number or by \"start\""));
                }
            },
            "changeset" => {
                self.close()?;
                self.open = Some(self.header(number, line, rest)?);
            }
            _ => self.within(number, line, &word, rest)?,
        }
        Ok(())
    }

    /// A line of a changeset.
    fn within(&mut self, number: u32, line: &str, word: &str, rest: &str) -> Result<(), LayoutError> {
        let is_rollback_block = {
            let start =
                line.trim_start().strip_prefix("/*").map(|rest| rest.split_whitespace().collect::<Vec<_>>());
            start.is_some_and(|words| {
                matches!(words.as_slice(), [one, two] if one.eq_ignore_ascii_case("liquibase") && two.eq_ignore_ascii_case("rollback"))
            })
        };
        let Some(open) = &mut self.open else { return Ok(()) };
        match word {
            _ if is_rollback_block => self.rolling = true,
            "comment" if rest.starts_with([':', ' ']) => {
                open.comment = rest.trim_start_matches(':').trim().to_owned();
            }
            "comments" => {
                return Err(self.fault(number, "Liquibase refuses \"--comments\": write \"--comment\""));
            }
            "validchecksum" => {}
            "rollback" if rest.starts_with(' ') => open.rollback.push(number, &rest[1..]),
            "preconditions" => open.precondition = open.precondition.or(Some(number)),
            word if word.starts_with("precondition-") => {
                open.precondition = open.precondition.or(Some(number));
            }
            _ => open.sql.push(number, line),
        }
        Ok(())
    }

    /// `--property name:x value:y`, of which the first that is for this database counts.
    fn property(&mut self, number: u32, rest: &str) -> Result<(), LayoutError> {
        let (Some(name), Some(value)) = (attribute(rest, "name"), attribute(rest, "value")) else {
            return Err(self.fault(number, "a property is written \"--property name:… value:…\""));
        };
        let mut probe = Changeset::new("", "", Script::new("", ""), Splitting::default());
        probe.dbms = attribute(rest, "dbms");
        if probe.serves(self.backend) {
            let value = self.expanded(&value);
            self.parameters.entry(name).or_insert(value);
        }
        Ok(())
    }

    /// `--changeset author:id attribute:value …`
    fn header(&self, number: u32, line: &str, rest: &str) -> Result<Open, LayoutError> {
        let form =
            "Liquibase refuses this line: write \"--changeset author:id\" without a blank around the colon";
        let rest = rest.trim_start();
        let (author, rest) = word(rest, |letter| letter == ':').ok_or_else(|| self.fault(number, form))?;
        let rest = rest.strip_prefix(':').ok_or_else(|| self.fault(number, form))?;
        let (id, _) = word(rest, char::is_whitespace).ok_or_else(|| self.fault(number, form))?;
        if id.replace([':', ' '], "").is_empty() || author.is_empty() {
            return Err(self.fault(number, form));
        }
        Ok(Open {
            line: number,
            header: line.to_owned(),
            author: self.expanded(author),
            id: self.expanded(id),
            sql: Lines::default(),
            rollback: Lines::default(),
            comment: String::new(),
            precondition: None,
        })
    }

    /// Ends the changeset that is being read.
    fn close(&mut self) -> Result<(), LayoutError> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let number = open.line;
        if self.rolling {
            return Err(
                self.fault(number, "a rollback of this changeset begins with \"/*\" and does not end")
            );
        }
        if open.sql.text.is_empty() {
            return Err(self.fault(number, "the changeset has no SQL, which makes Liquibase refuse the file"));
        }
        let header = self.expanded(&open.header);
        let said = |name: &str| attribute(&header, name);
        let truth = |name: &str| said(name).map(|value| value.eq_ignore_ascii_case("true"));
        if let Some(key) = ["runWith", "failOnError"].into_iter().find(|key| match truth(key) {
            Some(is_true) => *key == "runWith" || !is_true,
            None => false,
        }) {
            return Err(self.fault(number, format!("\"{key}\" is not understood here: leave it out")));
        }
        let script =
            |lines: &Lines| Script::new(&*self.file.path, self.expanded(&lines.text)).from_line(lines.first);
        let splitting = |split: &str, delimiter: &str| Splitting {
            split: truth(split).unwrap_or(true),
            delimiter: said(delimiter).filter(|delimiter| !delimiter.is_empty()),
        };
        let way_back = open.rollback.text.trim().to_lowercase();
        let rollback = if way_back.is_empty() {
            Rollback::Missing
        } else if way_back.starts_with("not required") || way_back.starts_with("empty") {
            Rollback::Nothing(Script::new(&*self.file.path, "").from_line(open.rollback.first), way_back)
        } else if way_back.contains("changesetid") {
            self.changeset_again(&open)?
        } else {
            let splitting = splitting("rollbackSplitStatements", "rollbackEndDelimiter");
            Rollback::Sql(script(&open.rollback), splitting)
        };
        let splitting = splitting("splitStatements", "endDelimiter");
        let changeset = Changeset {
            rollback,
            in_transaction: truth("runInTransaction").unwrap_or(true),
            dbms: said("dbms"),
            ignored: truth("ignore").unwrap_or(false),
            comment: open.comment,
            precondition: open.precondition,
            ..Changeset::new(&open.author, &open.id, script(&open.sql), splitting)
        };
        let same = |one: &&Changeset| {
            (&one.author, &one.id, &one.dbms) == (&changeset.author, &changeset.id, &changeset.dbms)
        };
        if self.found.iter().find(same).is_some() {
            let problem = format!("\"{}:{}\" is a changeset of this file already", open.author, open.id);
            return Err(self.fault(number, problem));
        }
        self.found.push(changeset);
        Ok(())
    }

    /// `--rollback changesetId:… changesetAuthor:…`: what another changeset of the file does.
    fn changeset_again(&self, open: &Open) -> Result<Rollback, LayoutError> {
        let text = &open.rollback.text;
        let (id, author) = (attribute(text, "changesetId"), attribute(text, "changesetAuthor"));
        let wanted = |one: &&Changeset| (Some(&one.id), Some(&one.author)) == (id.as_ref(), author.as_ref());
        match self.found.iter().find(wanted) {
            Some(other) if attribute(text, "changesetPath").is_none() => {
                Ok(Rollback::Sql(other.sql.clone(), other.splitting.clone()))
            }
            _ => Err(self.fault(
                open.rollback.first,
                "the rollback is no changeset that stands before it in this file: write its SQL here",
            )),
        }
    }

    /// The text with what is known for its `${name}`; others stay, as Liquibase leaves them.
    fn expanded(&self, text: &str) -> String {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, from)) = rest.split_once("${") {
            let known =
                from.split_once('}').and_then(|(name, after)| Some((self.parameters.get(name)?, after)));
            expanded.push_str(before);
            rest = match known {
                Some((value, after)) => {
                    expanded.push_str(value);
                    after
                }
                None => {
                    expanded.push_str("${");
                    from
                }
            };
        }
        expanded + rest
    }
}

impl Changeset {
    fn new(author: &str, id: &str, sql: Script, splitting: Splitting) -> Self {
        Self {
            author: author.to_owned(),
            id: id.to_owned(),
            sql,
            splitting,
            rollback: Rollback::Missing,
            in_transaction: true,
            dbms: None,
            ignored: false,
            comment: String::new(),
            precondition: None,
        }
    }
}

/// A word that may be quoted, and what follows it.
fn word(text: &str, ends: impl Fn(char) -> bool) -> Option<(&str, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted.split_once('"');
    }
    let end = text.find(ends).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// The value of the last `name:value` in a line.
fn attribute(line: &str, name: &str) -> Option<String> {
    let lower = line.to_ascii_lowercase();
    let key = format!("{}:", name.to_ascii_lowercase());
    let starts = lower.match_indices(&key).map(|(at, _)| at);
    let is_word = |at: &usize| !lower[..*at].ends_with(|letter: char| letter.is_alphanumeric());
    let at = starts.filter(is_word).last()?;
    let value = line[at + key.len()..].trim_start_matches(' ');
    word(value, char::is_whitespace).map(|(value, _)| value.to_owned())
}
