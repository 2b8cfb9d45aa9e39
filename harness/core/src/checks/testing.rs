//! Evidence written by hand, so that a check's tests read as a table of cases.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::{Check, Judgement};
use crate::Backend;
use crate::evidence::{
    Attempt, AttemptResult, DanglingRow, Declared, Digest, Escape, Evidence, Failure, Observation, Outcome,
    Recording, Retried, Rows, Step, TableRows, Walk,
};
use crate::history::{Direction, Group, History, RevisionId};
use crate::judge::Rules;
use crate::layout::{self, Entry, Layout as _, SourceTree};
use crate::report::Severity;
use crate::schema::{Kind, Name, Object, ObjectId, Schema};
use crate::trials::{Answer, Question, Trial};

const NAMES: [&str; 6] = ["one", "two", "three", "four", "five", "six"];

/// A recording on SQLite with one revision that has a downgrade.
pub(crate) fn recording() -> Hand {
    Hand { downgrades: vec![Some("DROP TABLE x;")], ..Hand::default() }
}

/// A step that was applied: `"2"` is the upgrade of revision 2, `"-2"` its downgrade.
pub(crate) fn applied(step: &str) -> Seen {
    Seen { step: step.to_owned(), outcome: Outcome::Applied, ..Seen::default() }
}

/// A step that failed with a message.
pub(crate) fn failed(step: &str, message: &str) -> Seen {
    let failure = Failure { message: message.to_owned(), ..Failure::default() };
    Seen { step: step.to_owned(), outcome: Outcome::Failed(failure), ..Seen::default() }
}

/// A schema of tables (`users`), columns (`users.id`), triggers (`users!tr`) and unique keys (`users#uq`).
pub(crate) fn schema(objects: &[&str]) -> Schema {
    let mut schema = Schema::new();
    for object in objects {
        let part = |at: char, kind| {
            let (table, part) = object.split_once(at)?;
            Some(ObjectId::part(Kind::Table, Name::new(table), kind, part))
        };
        let marks = [('.', Kind::Column), ('!', Kind::Trigger), ('#', Kind::Unique)];
        let part = marks.into_iter().find_map(|(at, kind)| part(at, kind));
        let id = part.unwrap_or_else(|| ObjectId::whole(Kind::Table, Name::new(*object)));
        schema.insert(id, Object::new());
    }
    schema
}

#[derive(Clone, Default)]
pub(crate) struct Hand {
    downgrades: Vec<Option<&'static str>>,
    walks: BTreeMap<Walk, Vec<Seen>>,
    metadata: Option<Schema>,
    by_models: bool,
    left_out: BTreeSet<ObjectId>,
    attempts: Vec<Attempt>,
    trials: Vec<Trial>,
    dangling: Vec<DanglingRow>,
    postgres: Option<Box<Hand>>,
    groups: Vec<Group>,
}

#[derive(Clone)]
pub(crate) struct Seen {
    step: String,
    outcome: Outcome,
    schema: Option<Schema>,
    rows: Option<(Rows, Rows)>,
    retried: Option<Retried>,
    escapes: Vec<Escape>,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            step: String::new(),
            outcome: Outcome::Applied,
            schema: None,
            rows: None,
            retried: None,
            escapes: Vec::new(),
        }
    }
}

impl Seen {
    pub(crate) fn seeing(mut self, schema: &Schema) -> Self {
        self.schema = Some(schema.clone());
        self
    }

    pub(crate) fn carrying(mut self, table: &str, before: &[&str], after: &[&str]) -> Self {
        let rows = |ids: &[&str]| TableRows {
            columns: vec!["id".to_owned()],
            key: vec!["id".to_owned()],
            rows: ids.iter().map(|id| vec![Some((*id).to_owned())]).collect(),
            digest: None,
        };
        let all = |ids| Rows { tables: [(Name::new(table), Arc::new(rows(ids)))].into_iter().collect() };
        self.rows = Some((all(before), all(after)));
        self
    }

    /// The table is large, and those are only some of its rows.
    pub(crate) fn among(mut self, before: usize, after: usize) -> Self {
        if let Some((rows_before, rows_after)) = &mut self.rows {
            for (rows, count) in [(rows_before, before), (rows_after, after)] {
                let digest = Some(Digest { rows: count, ..Digest::default() });
                let large = |rows: &Arc<TableRows>| {
                    Arc::new(TableRows { digest: digest.clone(), ..rows.as_ref().clone() })
                };
                rows.tables = rows.tables.iter().map(|(name, rows)| (name.clone(), large(rows))).collect();
            }
        }
        self
    }

    /// It was taken once more with plain rows, and then went like this.
    pub(crate) fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    pub(crate) fn retried(mut self, outcome: Outcome, row: &str) -> Self {
        self.retried = Some(Retried { outcome, row: Some(row.to_owned()), bent: false });
        self
    }

    /// The table is not there any more after the step.
    pub(crate) fn leaving(mut self, table: &str) -> Self {
        if let Some((_, after)) = &mut self.rows {
            after.tables.remove(&Name::new(table));
        }
        self
    }

    /// The database's code for the failure.
    pub(crate) fn coded(mut self, code: &str) -> Self {
        if let Outcome::Failed(failure) = &mut self.outcome {
            failure.code = Some(code.to_owned());
        }
        self
    }

    pub(crate) fn escaping(mut self, escape: Escape) -> Self {
        self.escapes.push(escape);
        self
    }
}

impl Hand {
    pub(crate) fn revisions(mut self, count: usize) -> Self {
        self.downgrades = vec![Some("DROP TABLE x;"); count];
        self
    }

    /// Revisions that are only taken back together, from one to another.
    pub(crate) fn group(mut self, name: &str, first: usize, last: usize) -> Self {
        self.groups.push(Group { name: name.to_owned(), positions: first - 1..last });
        self
    }

    pub(crate) fn up_only(self, count: usize) -> Self {
        Self { downgrades: vec![None; count], ..self }
    }

    pub(crate) fn downgrades<const N: usize>(self, downgrades: [Option<&'static str>; N]) -> Self {
        Self { downgrades: downgrades.to_vec(), ..self }
    }

    pub(crate) fn trunk<const N: usize>(self, steps: [Seen; N]) -> Self {
        self.walk(Walk::Trunk, steps.to_vec())
    }

    pub(crate) fn probe<const N: usize>(self, steps: [Seen; N]) -> Self {
        self.walk(Walk::Probe, steps.to_vec())
    }

    pub(crate) fn back<const N: usize>(self, steps: [Seen; N]) -> Self {
        self.walk(Walk::Return, steps.to_vec())
    }

    /// What the probe did, in however many steps.
    pub(crate) fn probing(self, steps: Vec<Seen>) -> Self {
        self.walk(Walk::Probe, steps)
    }

    pub(crate) fn descent<const N: usize>(self, steps: [Seen; N]) -> Self {
        self.walk(Walk::Descent, steps.to_vec())
    }

    fn walk(mut self, walk: Walk, steps: Vec<Seen>) -> Self {
        self.walks.insert(walk, steps);
        self
    }

    pub(crate) fn declaring(mut self, schema: &Schema) -> Self {
        self.metadata = Some(schema.clone());
        self
    }

    /// What the project leaves out when it compares what it declares.
    pub(crate) fn leaving_out(mut self, object: ObjectId) -> Self {
        self.left_out.insert(object);
        self
    }

    /// The same, by models.
    pub(crate) fn with_models(self, schema: &Schema) -> Self {
        Self { by_models: true, ..self.declaring(schema) }
    }

    /// Rows of a table whose parent rows are gone.
    pub(crate) fn dangling(mut self, table: &str, parent: &str, rows: u64) -> Self {
        self.dangling.push(DanglingRow { table: Name::new(table), parent: Name::new(parent), rows });
        self
    }

    pub(crate) fn attempt(mut self, table: &str, way: &str, result: AttemptResult) -> Self {
        self.attempts.push(Attempt {
            table: Name::new(table),
            way: way.to_owned(),
            owner_only: false,
            statement: format!("{way} …"),
            result,
        });
        self
    }

    pub(crate) fn owners_attempt(self, table: &str, way: &str, result: AttemptResult) -> Self {
        let mut tried = self.attempt(table, way, result);
        tried.attempts.iter_mut().filter(|attempt| attempt.way == way).for_each(|one| one.owner_only = true);
        tried
    }

    /// A question, and what the database answered.
    pub(crate) fn trial(mut self, question: Question, answer: Answer) -> Self {
        self.trials.push(Trial { question: Arc::new(question), answer });
        self
    }

    /// The same project's recording on PostgreSQL.
    pub(crate) fn beside(self, postgres: Hand) -> Self {
        Self { postgres: Some(Box::new(postgres)), ..self }
    }

    pub(crate) fn build(mut self) -> Evidence {
        let postgres = self.postgres.take().map(|hand| hand.record(Backend::Postgres));
        let both = postgres.into_iter().chain([self.record(Backend::Sqlite)]);
        Evidence {
            recordings: both.map(|recording| (recording.backend, recording)).collect(),
            not_run: Vec::new(),
        }
    }

    fn record(self, backend: Backend) -> Recording {
        let history = Arc::new(history(&self.downgrades).with_groups(self.groups));
        let walks = self.walks.into_iter().map(|(walk, steps)| {
            let observations = steps.into_iter().map(|seen| observe(&history, seen)).collect();
            (walk, observations)
        });
        Recording {
            backend,
            version: "3.45.0".to_owned(),
            source: "bundled library".to_owned(),
            passed_over: Vec::new(),
            trips: 0..history.len(),
            base: Arc::new(Schema::new()),
            walks: walks.collect(),
            seeded: Vec::new(),
            metadata: self.metadata.map(|schema| Declared {
                file: "schema.sql".to_owned(),
                by_models: self.by_models,
                left_out: self.left_out,
                schema: Ok(Arc::new(schema)),
            }),
            counted: Vec::new(),
            uncounted: Vec::new(),
            began: 0,
            trials: self.trials,
            stood_in_for: BTreeSet::new(),
            attempts: self.attempts,
            dangling_rows: self.dangling,
            not_run: Vec::new(),
            history,
        }
    }
}

fn history(downgrades: &[Option<&'static str>]) -> History {
    let files = downgrades.iter().zip(NAMES).enumerate().flat_map(|(index, (downgrade, name))| {
        let file = |direction: &str| format!("{}_{name}.{direction}.sql", index + 1);
        let entry = |text: &str| Entry::from_bytes(text.as_bytes().to_vec());
        let up = Some((file("up"), entry("CREATE TABLE x (id INTEGER);")));
        [up, downgrade.map(|text| (file("down"), entry(text)))].into_iter().flatten().collect::<Vec<_>>()
    });
    let folder = SourceTree::new("migrations", files);
    layout::sqlx::Layout.read(&folder, Backend::Sqlite).expect("the files are a history")
}

fn observe(history: &History, seen: Seen) -> Observation {
    let revision = RevisionId::new(seen.step.trim_start_matches('-'));
    let position = history.position(&revision).expect("a step names a revision of the history");
    let down = seen.step.starts_with('-');
    let state = match (down, seen.outcome.is_applied()) {
        (false, true) | (true, false) => history.state_after(position),
        (true, true) | (false, false) => history.state_before(position),
    };
    let (rows_before, rows_after) = seen.rows.unzip();
    let direction = if down { Direction::Downgrade } else { Direction::Upgrade };
    Observation {
        step: Step { direction, revision },
        outcome: seen.outcome,
        state,
        schema: seen.schema.map(Arc::new),
        rows_before: rows_before.map(Arc::new),
        rows_after: rows_after.map(Arc::new),
        retried: seen.retried,
        escapes: seen.escapes,
        sent: None,
        took: Duration::ZERO,
    }
}

/// Judges evidence and asks what came of it.
pub(crate) fn check(check: &Check, hand: Hand) -> Judged {
    Judged(check.judge(&hand.build()))
}

/// Judges evidence by all checks at once, as a run does.
pub(crate) fn situation(hand: Hand) -> Judged {
    let (findings, not_run) = Rules::default().judge(&hand.build());
    Judged(Judgement { findings, not_run })
}

pub(crate) struct Judged(Judgement);

impl Judged {
    #[track_caller]
    pub(crate) fn finds<const N: usize>(self, messages: [&str; N]) -> Self {
        let found: Vec<&str> = self.0.findings.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(found, messages);
        self
    }

    #[track_caller]
    pub(crate) fn not_run(self, reason: &str) -> Self {
        let reasons: Vec<&str> = self.0.not_run.iter().map(|one| one.reason.as_str()).collect();
        assert_eq!(reasons, [reason]);
        self
    }

    #[track_caller]
    pub(crate) fn not_run_from(self, revision: &str) -> Self {
        let from: Vec<_> = self.0.not_run.iter().filter_map(|one| one.revision.clone()).collect();
        assert_eq!(from, [RevisionId::new(revision)]);
        self
    }

    /// What was found, each as `check: message`.
    #[track_caller]
    pub(crate) fn amounts_to<const N: usize>(self, findings: [&str; N]) -> Self {
        let found: Vec<String> =
            self.0.findings.iter().map(|finding| format!("{}: {}", finding.check, finding.message)).collect();
        assert_eq!(found, findings);
        self
    }

    /// That a check says why it was not run.
    #[track_caller]
    pub(crate) fn leaves_out(self, check: &str, reason: &str) -> Self {
        let reasons: Vec<&str> = self
            .0
            .not_run
            .iter()
            .filter(|one| one.check == Some(check))
            .map(|one| one.reason.as_str())
            .collect();
        assert_eq!(reasons, [reason], "{check}");
        self
    }

    #[track_caller]
    pub(crate) fn helps(self, help: &str) -> Self {
        assert_eq!(self.0.findings[0].help.as_deref(), Some(help));
        self
    }

    /// Which revision the first finding is at.
    #[track_caller]
    pub(crate) fn blames(self, revision: &str) -> Self {
        assert_eq!(self.0.findings[0].revision, Some(RevisionId::new(revision)));
        self
    }

    /// How much each finding weighs.
    #[track_caller]
    pub(crate) fn weighs(self, severity: Severity) -> Self {
        assert!(self.0.findings.iter().all(|finding| finding.severity == severity));
        self
    }

    #[track_caller]
    pub(crate) fn quotes(self, excerpt: &str) -> Self {
        let found: Vec<&str> =
            self.0.findings.iter().filter_map(|finding| finding.excerpt.as_deref()).collect();
        assert_eq!(found, [excerpt]);
        self
    }

    #[track_caller]
    pub(crate) fn shows(self, diff: &str) -> Self {
        assert_eq!(self.0.findings[0].diff.as_deref(), Some(diff));
        self
    }
}
