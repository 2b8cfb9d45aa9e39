//! `parity-mismatch`: the two backends do not mean the same.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Family, Judge, Judgement, Scope, both_at_head};
use crate::Backend;
use crate::evidence::{Evidence, Recording, Walk};
use crate::history::{RevisionId, Script};
use crate::parity::{Aspect, COMPATIBLE, Comparer, Comparison, Mismatch};
use crate::report::{Finding, Location, NotRun, Severity};
use crate::schema::{ObjectId, Schema};
use crate::sql::{Token, TokenKind, lex};

pub(super) static CHECK: Check = Check {
    id: "parity-mismatch",
    family: Family::Schema,
    severity: Severity::Error,
    problem: "the schemas of the two backends do not mean the same",
    why: "Tables, columns, constraints, indexes, triggers and views are compared by what they mean, not by how \
          they are spelled: a type by its family, an expression by its parsed form, a unique index and a unique \
          constraint as the same promise. Judged is every state that both histories have, and head. A mismatch \
          that a later revision mends is a note; so is what one backend cannot have, such as a GIN index. An \
          index on one side only is a warning, since it is about speed; so is a unique key that waits for the end \
          of the transaction, which SQLite does not have. SQLite passes over MATCH FULL, too, which a CHECK can say. \
          Where an index puts nulls is not compared: each database has an order of its own, and what departs from \
          it on PostgreSQL says what SQLite does anyway. What no parser understands is said to be not run. A \
          finding belongs to the backend that lacks the object, or to sqlite where both have it.",
    example: "id BIGINT PRIMARY KEY",
    mend: "Write a revision that brings the two together, or accept the difference with the reason for it.",
    walks: &[Walk::Trunk],
    scope: Scope::History,
    judge: Judge::Across(judge),
};

/// The types that mean the same, each with the reason.
pub(super) fn table() -> Vec<(String, &'static str)> {
    let rows = COMPATIBLE.iter().map(|row| {
        let families: Vec<&str> = row.postgres.iter().map(|family| family.name()).collect();
        (format!("{} ~ {}", families.join(", "), row.declared), row.why)
    });
    let any = (
        "any type ~ the same name, or no type".to_owned(),
        "such a SQLite column keeps values as they are given",
    );
    std::iter::once(any).chain(rows).collect()
}

fn judge(evidence: &Evidence, judgement: &mut Judgement) {
    let Some((postgres, sqlite)) = both_at_head(&CHECK, evidence, judgement) else { return };
    let mut comparer = Comparer::new();
    let head = comparer.compare(postgres.head(), sqlite.head());
    let at_head = head.mismatches.iter().map(Mismatch::key).collect();
    let mut seen = Seen { at_head, ..Seen::default() };
    for state in common_states(postgres, sqlite) {
        let comparison = comparer.compare(state.postgres, state.sqlite);
        seen.look(state.revision, comparison);
    }
    for unclear in &head.unclear {
        let reason = format!(
            "{} is not understood: {} on postgres, {} on sqlite",
            super::named(&unclear.object),
            unclear.postgres,
            unclear.sqlite
        );
        judgement.not_run.push(NotRun::check(CHECK.id, Backend::Sqlite, reason));
    }
    let sides = Sides { postgres, sqlite };
    for mismatch in &head.mismatches {
        let since = seen.open.remove(&mismatch.key()).map(|(revision, _)| revision);
        judgement.findings.push(sides.finding(mismatch, since));
    }
    seen.look_at_the_end(sqlite.history.revisions().last().map(|last| &last.id));
    judgement.findings.extend(sides.mended(&seen.mended));
}

/// A state that both histories have.
struct Common<'a> {
    revision: &'a RevisionId,
    postgres: &'a Schema,
    sqlite: &'a Schema,
}

/// The states after each revision that both histories have, as far as they have them in the same
/// order. What only one of them has goes with the revision before it.
fn common_states<'a>(postgres: &'a Recording, sqlite: &'a Recording) -> Vec<Common<'a>> {
    let shared = |recording: &'a Recording, other: &Recording| {
        let mut states: Vec<(&'a RevisionId, &'a Schema)> = Vec::new();
        for (revision, _, after) in recording.trunk_changes() {
            match (is_shared(recording, other, revision), states.last_mut()) {
                (true, _) => states.push((revision, after)),
                (false, Some(last)) => last.1 = after,
                (false, None) => {}
            }
        }
        states
    };
    let both = shared(postgres, sqlite).into_iter().zip(shared(sqlite, postgres));
    let same = both.take_while(|((one, _), (other, _))| one == other);
    same.map(|((revision, postgres), (_, sqlite))| Common { revision, postgres, sqlite }).collect()
}

/// Whether a revision is in the other history as well. Where ids are but counted, the fourth of one
/// folder need not be the fourth of the other, so their names count, too.
fn is_shared(recording: &Recording, other: &Recording, revision: &RevisionId) -> bool {
    let known = other.history.get(revision);
    known.is_some_and(|known| known.name.eq_ignore_ascii_case(recording.name(revision)))
}

/// Which mismatches came at which revision, and which of them went again.
#[derive(Default)]
struct Seen<'a> {
    at_head: BTreeSet<(ObjectId, Aspect)>,
    open: BTreeMap<(ObjectId, Aspect), (&'a RevisionId, Mismatch)>,
    mended: Vec<Mended<'a>>,
}

impl<'a> Seen<'a> {
    fn look(&mut self, revision: &'a RevisionId, comparison: Comparison) {
        let mut open = BTreeMap::new();
        for mismatch in comparison.mismatches {
            // What is worth a note for a while only is worth none.
            if mismatch.severity < Severity::Error && !self.at_head.contains(&mismatch.key()) {
                continue;
            }
            let key = mismatch.key();
            let since = self.open.remove(&key).map_or(revision, |(since, _)| since);
            open.insert(key, (since, mismatch));
        }
        self.close(revision);
        self.open = open;
    }

    /// What is open and not there at head was mended by the last revision.
    fn look_at_the_end(&mut self, last: Option<&'a RevisionId>) {
        if let Some(last) = last {
            self.close(last);
        }
    }

    fn close(&mut self, revision: &'a RevisionId) {
        let gone = std::mem::take(&mut self.open).into_values();
        self.mended.extend(gone.map(|(since, mismatch)| (mismatch, since, revision)));
    }
}

/// A mismatch, the revision that it came with and the one that it went with.
type Mended<'a> = (Mismatch, &'a RevisionId, &'a RevisionId);

struct Sides<'a> {
    postgres: &'a Recording,
    sqlite: &'a Recording,
}

impl Sides<'_> {
    /// One note on all that was mended: published revisions stay as they are, so it is worth knowing
    /// and no more.
    fn mended(&self, mended: &[Mended<'_>]) -> Option<Finding> {
        let (first, from, until) = mended.first()?;
        let told = |(mismatch, from, until): &Mended<'_>| {
            format!("from {} until {}, {}", self.sqlite.name(from), self.sqlite.name(until), mismatch.message)
        };
        let mut finding = self.finding(first, Some(*from));
        finding.severity = Severity::Note;
        finding.message = told(&mended[0]);
        finding.diff = Some(format!("- postgres\n+ sqlite\n{}", first.diff));
        finding.help = Some(format!("{} mends it; nothing is left to do at head", self.sqlite.name(until)));
        if mended.len() > 1 {
            finding.message =
                format!("{} mismatches of earlier states are mended by later ones", mended.len());
            finding.diff = Some(mended.iter().map(|one| told(one) + "\n").collect());
            finding.help = Some("nothing is left to do at head".to_owned());
            finding.object = None;
            finding.location = None;
        }
        Some(finding)
    }

    fn finding(&self, mismatch: &Mismatch, since: Option<&RevisionId>) -> Finding {
        let sides = [(self.postgres, &mismatch.postgres), (self.sqlite, &mismatch.sqlite)];
        let touched = sides.map(|(recording, object)| {
            let object = object.as_ref()?;
            recording.latest_change(|before, after| before.get(object) != after.get(object))
        });
        // What a revision did that only one history has, no state that both have can tell.
        let shared = |side: usize| {
            touched[side].is_none_or(|revision| is_shared(sides[side].0, sides[1 - side].0, revision))
        };
        let since = since.filter(|_| shared(0) && shared(1));
        let mut header = String::new();
        for ((recording, object), (sign, touched)) in sides.iter().zip(["-", "+"].into_iter().zip(touched)) {
            let from = match (object, touched) {
                (Some(_), Some(revision)) => format!(" ({})", recording.name(revision)),
                _ => String::new(),
            };
            header.push_str(&format!("{sign} {}{from}\n", recording.backend));
        }
        let backend = mismatch.backend();
        let (deviating, other) = if backend == Backend::Postgres { (0, 1) } else { (1, 0) };
        let place = |side: usize| {
            let (recording, object) = (sides[side].0, sides[side].1.as_ref().unwrap_or(mismatch.object()));
            place_of(recording, since.or(touched[side])?, object)
        };
        let mut finding = Finding::new(CHECK.id, mismatch.message.clone())
            .on(backend)
            .about(mismatch.object())
            .located(place(deviating).or_else(|| place(other)))
            .showing(header + &mismatch.diff)
            .help(mismatch.help.clone());
        finding.severity = mismatch.severity;
        finding.revision = since.or(touched[deviating]).cloned();
        finding
    }
}

/// Where a revision's upgrade first names an object: where it makes or alters the table of a part, if
/// it does, also under the name that the table has until it takes the old one's place.
fn place_of(recording: &Recording, revision: &RevisionId, object: &ObjectId) -> Option<Location> {
    let script = &recording.history.get(revision)?.upgrade;
    let line = script.line_of(place_in(script, recording.backend, object)?);
    Some(Location { file: script.path.clone(), line })
}

fn place_in(script: &Script, backend: Backend, object: &ObjectId) -> Option<usize> {
    let table = object.group.local();
    let name = match &object.part {
        Some((_, name)) if !name.starts_with('(') => name,
        _ => table,
    };
    let statements = script.statements(backend);
    let statements = statements.iter().map(|one| {
        let tokens = lex(one.body, backend).into_iter().filter(Token::is_significant);
        (one.body_offset, tokens.collect::<Vec<_>>())
    });
    let statements: Vec<(usize, Vec<Token<'_>>)> = statements.collect();
    let renamed = statements.iter().filter_map(|(_, tokens)| {
        let to = tokens.windows(3).find(|three| three[0].is_word("rename") && three[1].is_word("to"))?;
        if is_named(&to[2], table) { table_of(tokens) } else { None }
    });
    let mut tables: Vec<&str> = renamed.collect();
    tables.push(table);
    let found = statements.iter().flat_map(|(start, tokens)| {
        let of_table =
            table_of(tokens).is_some_and(|of| tables.iter().any(|one| of.eq_ignore_ascii_case(one)));
        let mut depth = 0_usize;
        tokens.iter().filter_map(move |token| {
            match token.text {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ => {}
            }
            // Deeper inside, it is the column of another table or of a constraint.
            is_named(token, name).then_some((!of_table, depth > 1, start + token.offset))
        })
    });
    found.min().map(|(.., offset)| offset)
}

fn is_named(token: &Token<'_>, name: &str) -> bool {
    matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdentifier)
        && bare(token.text).eq_ignore_ascii_case(name)
}

/// The table that a statement makes, alters or puts an index on, without its schema.
fn table_of<'a>(tokens: &[Token<'a>]) -> Option<&'a str> {
    if !tokens.first().is_some_and(|token| token.is_word("create") || token.is_word("alter")) {
        return None;
    }
    let is_index = tokens.iter().take(3).any(|token| token.is_word("index"));
    let before = if is_index { "on" } else { "table" };
    let mut place = tokens.iter().position(|token| token.is_word(before))? + 1;
    let passed = ["if", "not", "exists", "only"];
    while tokens.get(place).is_some_and(|token| passed.iter().any(|word| token.is_word(word))) {
        place += 1;
    }
    while tokens.get(place + 1).is_some_and(|token| token.is_mark(".")) {
        place += 2;
    }
    tokens.get(place).map(|token| bare(token.text))
}

fn bare(name: &str) -> &str {
    name.trim_matches(['"', '`', '[', ']'])
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{CHECK, place_in};
    use crate::Backend;
    use crate::checks::testing::{applied, check, failed, recording, schema};
    use crate::history::Script;
    use crate::report::Severity;
    use crate::schema::{Kind, Name, ObjectId};

    const REBUILDS: &str = "\
DELETE FROM logs WHERE id IS NULL;
CREATE TABLE users_new (id TEXT, at TEXT);
INSERT INTO users_new SELECT id, at FROM users;
DROP TABLE users; ALTER TABLE users_new RENAME TO users;
CREATE TABLE IF NOT EXISTS main.\"Logs\" (
    at TEXT REFERENCES users (id), -- id
    id TEXT);
CREATE INDEX ix ON users (at);
INSERT INTO kinds (id) SELECT id FROM logs;";

    #[rstest]
    #[case("users", Kind::Column, "id", 2)]
    #[case("users", Kind::Column, "at", 2)]
    #[case("users", Kind::Index, "ix", 8)]
    #[case("logs", Kind::Column, "at", 6)]
    #[case("logs", Kind::Column, "id", 7)]
    #[case("kinds", Kind::Column, "id", 1)]
    #[case("logs", Kind::PrimaryKey, "(id)", 5)]
    fn a_part_is_found_where_its_table_is_made(
        #[case] table: &str,
        #[case] kind: Kind,
        #[case] part: &str,
        #[case] line: u32,
    ) {
        let script = Script::new("up.sql", REBUILDS);
        let object = ObjectId::part(Kind::Table, Name::new(table), kind, part);
        let place = place_in(&script, Backend::Sqlite, &object);
        assert_eq!(place.map(|offset| script.line_of(offset)), Some(line));
    }

    #[test]
    fn a_mismatch_is_laid_at_the_revision_that_brought_it() {
        let (one, two) = (schema(&["users"]), schema(&["users", "posts"]));
        let postgres = recording().revisions(3).trunk([
            applied("1").seeing(&one),
            applied("2").seeing(&two),
            applied("3").seeing(&two),
        ]);
        let sqlite = recording().revisions(3).trunk([
            applied("1").seeing(&one),
            applied("2").seeing(&one),
            applied("3").seeing(&one),
        ]);
        check(&CHECK, sqlite.beside(postgres))
            .finds(["table \"posts\" is there on postgres but not on sqlite"])
            .blames("2")
            .shows("- postgres (2_two)\n+ sqlite\n- table posts\n")
            .helps("create it in a new revision on sqlite, or drop it in one on postgres");
    }

    #[test]
    fn what_a_later_revision_mends_is_a_note() {
        let (none, one, two) = (schema(&[]), schema(&["users"]), schema(&["users", "posts"]));
        let postgres = recording().revisions(2).trunk([applied("1").seeing(&two), applied("2").seeing(&two)]);
        let sqlite = recording().revisions(2).trunk([applied("1").seeing(&one), applied("2").seeing(&two)]);
        check(&CHECK, sqlite.clone().beside(postgres.clone()))
            .finds(["from 1_one until 2_two, table \"posts\" is there on postgres but not on sqlite"])
            .weighs(Severity::Note)
            .blames("1");
        // What goes again on the other side is mended as well.
        let gone = recording().revisions(2).trunk([applied("1").seeing(&none), applied("2").seeing(&none)]);
        let postgres =
            recording().revisions(2).trunk([applied("1").seeing(&one), applied("2").seeing(&none)]);
        check(&CHECK, gone.beside(postgres))
            .finds(["from 1_one until 2_two, table \"users\" is there on postgres but not on sqlite"]);
    }

    #[test]
    fn histories_of_other_lengths_are_judged_at_head() {
        let (one, two) = (schema(&["users"]), schema(&["users", "posts"]));
        let postgres = recording().revisions(2).trunk([applied("1").seeing(&one), applied("2").seeing(&two)]);
        let sqlite = recording().revisions(1).trunk([applied("1").seeing(&one)]);
        check(&CHECK, sqlite.clone().beside(postgres.clone()))
            .finds(["table \"posts\" is there on postgres but not on sqlite"]);
        let whole = recording().revisions(1).trunk([applied("1").seeing(&two)]);
        check(&CHECK, whole.beside(postgres)).finds([]);
    }

    #[test]
    fn is_not_run_with_one_backend_or_short_of_head() {
        let one = recording().revisions(1).trunk([applied("1").seeing(&schema(&["users"]))]);
        check(&CHECK, one.clone())
            .finds([])
            .not_run("it compares both backends, and postgres was not selected");
        let short = recording().revisions(1).trunk([failed("1", "no")]);
        check(&CHECK, short.beside(one)).finds([]).not_run("the history did not reach head");
    }
}
