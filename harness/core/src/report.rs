//! What a run found, as plain data: findings, what was not run, and the verdict.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::history::RevisionId;
use crate::shard::Part;
use crate::{Backend, checks};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; never a reason to fail.
    Note,
    /// A reason to fail under `--deny warnings`.
    Warning,
    /// A reason to fail.
    Error,
}

impl Severity {
    /// The word for it in output and config.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A place in a file of the project.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// The file, relative to the project.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The id of the check that found it.
    #[serde(deserialize_with = "known")]
    pub check: Word,
    /// How much it matters.
    pub severity: Severity,
    /// The backend it was found on.
    pub backend: Option<Backend>,
    /// The revision that is to blame.
    pub revision: Option<RevisionId>,
    /// The object, as [`crate::schema::ObjectId`] writes it.
    pub object: Option<String>,
    /// Where to look.
    pub location: Option<Location>,
    /// What happened.
    pub message: String,
    /// The statement at fault, where there is one.
    pub excerpt: Option<String>,
    /// The difference between what was expected and what was found.
    pub diff: Option<String>,
    /// The way to mend it.
    pub help: Option<String>,
    /// Why the project accepts it, if it does.
    pub accepted: Option<String>,
    /// The checks and objects whose findings tell the same; where there is one, this one is left out.
    #[serde(skip)]
    pub repeats: Vec<(&'static str, String)>,
}

impl Finding {
    /// A finding of which only the message is known yet. The severity is the check's own, until
    /// the project's config has its say.
    pub fn new(check: &'static str, message: impl Into<String>) -> Self {
        Self {
            check,
            severity: Severity::Error,
            backend: None,
            revision: None,
            object: None,
            location: None,
            message: message.into(),
            excerpt: None,
            diff: None,
            help: None,
            accepted: None,
            repeats: Vec::new(),
        }
    }

    /// Says that a finding of that check about that object tells the same.
    #[must_use]
    pub fn repeating(mut self, check: &'static str, object: impl ToString) -> Self {
        self.repeats.push((check, object.to_string()));
        self
    }

    /// Says how much it matters, where that is less than the check's own severity.
    #[must_use]
    pub fn weighing(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Says on which backend it was found.
    #[must_use]
    pub fn on(mut self, backend: Backend) -> Self {
        self.backend = Some(backend);
        self
    }

    /// Says which revision is to blame.
    #[must_use]
    pub fn at(mut self, revision: &RevisionId) -> Self {
        self.revision = Some(revision.clone());
        self
    }

    /// Says which object it is about.
    #[must_use]
    pub fn about(mut self, object: impl ToString) -> Self {
        self.object = Some(object.to_string());
        self
    }

    /// Says where to look.
    #[must_use]
    pub fn located(mut self, location: Option<Location>) -> Self {
        self.location = location;
        self
    }

    /// Shows the statement at fault.
    #[must_use]
    pub fn quoting(mut self, excerpt: Option<String>) -> Self {
        self.excerpt = excerpt;
        self
    }

    /// Shows the difference; an empty one is left out.
    #[must_use]
    pub fn showing(mut self, diff: impl Into<String>) -> Self {
        self.diff = Some(diff.into()).filter(|diff| !diff.is_empty());
        self
    }

    /// Says how to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A check, revision or backend that could not run. It never counts as passed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NotRun {
    /// The check; nothing if all checks are meant.
    #[serde(deserialize_with = "perhaps_known")]
    pub check: Option<Word>,
    /// The backend; nothing if both are meant.
    pub backend: Option<Backend>,
    /// The first revision that was not judged; nothing if all of them are meant.
    pub revision: Option<RevisionId>,
    /// Why.
    pub reason: String,
    /// Whether it was meant to run and could not: the run as a whole then has not done its work.
    pub failed: bool,
}

impl NotRun {
    /// Nothing at all ran on a backend, and nothing was meant to.
    pub fn backend(backend: Backend, reason: impl Into<String>) -> Self {
        Self { check: None, backend: Some(backend), revision: None, reason: reason.into(), failed: false }
    }

    /// A backend that was meant to run could not.
    pub fn failed(backend: Backend, reason: impl Into<String>) -> Self {
        Self { failed: true, ..Self::backend(backend, reason) }
    }

    /// One check did not run on a backend.
    pub fn check(check: &'static str, backend: Backend, reason: impl Into<String>) -> Self {
        Self { check: Some(check), ..Self::backend(backend, reason) }
    }

    /// Says from which revision on.
    #[must_use]
    pub fn from(mut self, revision: &RevisionId) -> Self {
        self.revision = Some(revision.clone());
        self
    }
}

/// A backend that ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackendRun {
    /// The backend.
    pub backend: Backend,
    /// The server's or library's version.
    pub version: String,
    /// Where the database came from.
    pub source: String,
    /// The sources that were passed over before it, each with its reason.
    pub passed_over: Vec<String>,
    /// How many revisions its history has.
    pub revisions: usize,
    /// How many upgrades and downgrades were run.
    pub steps: usize,
}

/// What a run found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The version of Switchback.
    #[serde(rename = "switchback", deserialize_with = "own_version")]
    pub version: Word,
    /// The version of this document's form.
    pub format: u32,
    /// The project's name.
    pub project: String,
    /// The backends that ran.
    pub backends: Vec<BackendRun>,
    /// What does not hold, accepted findings included.
    pub findings: Vec<Finding>,
    /// What could not be judged.
    pub not_run: Vec<NotRun>,
    /// The entries of `[[accept]]` that accept nothing any more.
    pub unused_accepts: Vec<Location>,
    /// The seed of generated rows.
    pub seed: u64,
    /// How long the run took.
    pub seconds: f64,
    /// What the reports of the other shards need to know of it, if it is about one of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Part>,
}

/// A word of this program's own. Its name keeps serde from borrowing such a one from a document.
type Word = &'static str;

fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
    let id = String::deserialize(deserializer)?;
    let unknown = || serde::de::Error::custom(format!("there is no check \"{id}\""));
    checks::find(&id).map(|check| check.id).ok_or_else(unknown)
}

fn perhaps_known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Word>, D::Error> {
    let Some(id) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    known(serde::de::value::StringDeserializer::new(id)).map(Some)
}

/// Only this version's documents are read.
fn own_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
    let own = env!("CARGO_PKG_VERSION");
    match String::deserialize(deserializer)? {
        version if version == own => Ok(own),
        version => Err(serde::de::Error::custom(format!(
            "it was written by switchback {version}, and this is {own}"
        ))),
    }
}

impl Report {
    /// The version of the JSON document's form.
    pub const FORMAT: u32 = 1;

    /// The findings that the project has not accepted.
    pub fn open(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.accepted.is_none())
    }

    /// How many open findings there are at a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.open().filter(|finding| finding.severity == severity).count()
    }

    /// Whether no open finding is as bad as the severity, or worse.
    pub fn is_clean_below(&self, severity: Severity) -> bool {
        self.open().all(|finding| finding.severity < severity)
    }

    /// Whether everything that was meant to run did.
    pub fn is_complete(&self) -> bool {
        self.not_run.iter().all(|one| !one.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let finding = Finding::new(
            "downgrade-leaves-trace",
            "downgrade of 0007_add_email left index \"ix_users_email\" behind (sqlite)",
        )
        .on(Backend::Sqlite)
        .at(&RevisionId::new("0007"))
        .about("users.ix_users_email")
        .located(Some(Location { file: "migrations/0007_add_email.down.sql".to_owned(), line: 3 }))
        .showing("+ index ix_users_email (email)\n")
        .help("drop it");
        Report {
            version: "0.1.0",
            format: Report::FORMAT,
            project: "calista".to_owned(),
            backends: vec![BackendRun {
                backend: Backend::Postgres,
                version: "17.2".to_owned(),
                source: "container postgres:17".to_owned(),
                passed_over: vec!["DATABASE_URL: it is not PostgreSQL's".to_owned()],
                revisions: 2,
                steps: 9,
            }],
            findings: vec![finding],
            not_run: vec![
                NotRun::check("rows-lost", Backend::Sqlite, "no rows").from(&RevisionId::new("0002")),
            ],
            unused_accepts: vec![Location { file: "switchback.toml".to_owned(), line: 12 }],
            seed: 1,
            seconds: 1.2,
            shard: None,
        }
    }

    #[test]
    fn the_document_has_the_keys_that_are_documented() {
        let json = serde_json::to_string_pretty(&report()).expect("a report is JSON");
        insta::assert_snapshot!(json, @r#"
    {
      "switchback": "0.1.0",
      "format": 1,
      "project": "calista",
      "backends": [
        {
          "backend": "postgres",
          "version": "17.2",
          "source": "container postgres:17",
          "passed_over": [
            "DATABASE_URL: it is not PostgreSQL's"
          ],
          "revisions": 2,
          "steps": 9
        }
      ],
      "findings": [
        {
          "check": "downgrade-leaves-trace",
          "severity": "error",
          "backend": "sqlite",
          "revision": "0007",
          "object": "users.ix_users_email",
          "location": {
            "file": "migrations/0007_add_email.down.sql",
            "line": 3
          },
          "message": "downgrade of 0007_add_email left index \"ix_users_email\" behind (sqlite)",
          "excerpt": null,
          "diff": "+ index ix_users_email (email)\n",
          "help": "drop it",
          "accepted": null
        }
      ],
      "not_run": [
        {
          "check": "rows-lost",
          "backend": "sqlite",
          "revision": "0002",
          "reason": "no rows",
          "failed": false
        }
      ],
      "unused_accepts": [
        {
          "file": "switchback.toml",
          "line": 12
        }
      ],
      "seed": 1,
      "seconds": 1.2
    }
    "#);
    }

    #[test]
    fn severities_rise() {
        assert!(Severity::Note < Severity::Warning && Severity::Warning < Severity::Error);
    }

    #[test]
    fn what_is_accepted_is_not_open() {
        let mut report = report();
        assert_eq!(report.count(Severity::Error), 1);
        assert!(!report.is_clean_below(Severity::Error) && report.is_complete());
        report.findings[0].accepted = Some("known".to_owned());
        assert_eq!(report.count(Severity::Error), 0);
        assert!(report.is_clean_below(Severity::Note));
        report.not_run.push(NotRun::failed(Backend::Postgres, "no server"));
        assert!(!report.is_complete());
    }
}
