//! `behaviour-mismatch`: the two databases do not do the same with the same values.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Family, Judge, Judgement, Scope, both_at_head, is_of_the_clock, shortened};
use crate::Backend;
use crate::evidence::{Evidence, Recording, Walk};
use crate::family::Family as Types;
use crate::parity::{Aspect, Comparer, Mismatch};
use crate::report::{Finding, NotRun, Severity};
use crate::rows::{Datum, foreign_keys, primary_key};
use crate::schema::{Kind, Name, ObjectId, Schema};
use crate::trials::{Action, Answer, Dialect, Promise, Question, Reading, Trial};

pub(super) static CHECK: Check = Check {
    id: "behaviour-mismatch",
    family: Family::Rows,
    severity: Severity::Error,
    problem: "the two databases do not do the same with the same values",
    why: "What both declare alike may still do something else: LIKE in a CHECK minds the case on PostgreSQL only, \
          a foreign key does nothing on SQLite unless the application turns it on. So at head, each NOT NULL, \
          unique key and index, exclusion constraint, foreign key with its actions and whether it waits for the \
          end of the transaction, CHECK, default and collation is tried on both with the same values, those that \
          break it and those at its edge, each in a transaction that is rolled back. Where one refuses and the \
          other accepts, or they keep different values, that is a finding. A COLLATE that orders texts otherwise \
          than the other database is a warning; where nothing is said, a database of this run has the order of \
          bytes, as SQLite does, whatever the application's has. What the declarations themselves differ in is \
          told by parity-mismatch, not here. That SQLite keeps any value in any column (SQLite manual, \
          \"Datatypes In SQLite\") is one note; `types = false` under [rows] leaves it out.",
    example: "CHECK (code LIKE 'A%')",
    mend: "Say it so that both understand the same, such as GLOB for LIKE on SQLite, or refuse it in the \
           application, too.",
    walks: &[Walk::Trunk, Walk::Trials],
    scope: Scope::History,
    judge: Judge::Across(judge),
};

fn judge(evidence: &Evidence, judgement: &mut Judgement) {
    let Some((postgres, sqlite)) = both_at_head(&CHECK, evidence, judgement) else { return };
    let told = Told::of(postgres.head(), sqlite.head());
    let enforces_none = enforces_no_reference(postgres, sqlite, judgement);
    let mut found = BTreeSet::new();
    let mut of_types: BTreeMap<&Name, Vec<&Trial>> = BTreeMap::new();
    let mut not_asked: BTreeMap<(Backend, &Name), Vec<&str>> = BTreeMap::new();
    for (one, other) in postgres.trials.iter().zip(&sqlite.trials) {
        let table = &one.question.object.group;
        if matches!(one.question.promise, Promise::Kept | Promise::Counting) {
            continue;
        }
        match (&one.answer, &other.answer) {
            // A question that neither can be put is none.
            (Answer::NotAsked(_), Answer::NotAsked(_)) => continue,
            (Answer::NotAsked(reason), _) => {
                not_asked.entry((Backend::Postgres, table)).or_default().push(reason);
            }
            (_, Answer::NotAsked(reason)) => {
                not_asked.entry((Backend::Sqlite, table)).or_default().push(reason);
            }
            _ => {}
        }
        let Some(how) = difference(one, other, postgres, sqlite) else { continue };
        if enforces_none
            && is_about_references(one.question.promise)
            && sqlite_declares(one, postgres, sqlite)
        {
            continue;
        }
        if !is_about_references(one.question.promise) && wants_a_parent(one, postgres) {
            continue;
        }
        let object = &one.question.object;
        if one.question.promise.is_of_types() {
            of_types.entry(table).or_default().push(one);
        } else if one.question.promise == Promise::Order && found.contains(&(object, Promise::Equality)) {
            // Texts of which only one takes two for equal are ordered otherwise as well.
        } else if found.insert((object, one.question.promise)) {
            // Another value that tells the same tells nothing new.
            let finding = finding(one, other, how, postgres, sqlite);
            judgement.findings.push(told.repeated(&one.question, finding));
        }
    }
    judgement.findings.extend(note(&of_types, sqlite));
    for ((backend, table), reasons) in not_asked {
        let count = super::counted(reasons.len(), "question", "questions");
        let reason = format!("{count} about table {} could not be put: {}", table.quoted(), reasons[0]);
        judgement.not_run.push(NotRun::check(CHECK.id, backend, reason));
    }
}

fn is_about_references(promise: Promise) -> bool {
    matches!(promise, Promise::ForeignKey | Promise::Deferred | Promise::OnDelete | Promise::OnUpdate)
}

/// Whether PostgreSQL refused a value for want of a parent, which is what the foreign key was asked:
/// it tells nothing of another promise. Its messages quote the constraint in whatever language.
fn wants_a_parent(trial: &Trial, postgres: &Recording) -> bool {
    let Answer::Refused(reason) = &trial.answer else { return false };
    let group = postgres.head().table(&trial.question.object.group);
    group.is_some_and(|group| {
        group.parts_of(Kind::ForeignKey).any(|(name, _)| reason.contains(&format!("\"{name}\"")))
    })
}

/// Whether SQLite enforces no foreign key at all, which is one thing to say.
fn enforces_no_reference(postgres: &Recording, sqlite: &Recording, judgement: &mut Judgement) -> bool {
    let refused = |trial: &Trial| matches!(trial.answer, Answer::Refused(_));
    let asked = postgres.trials.iter().zip(&sqlite.trials);
    let asked = asked.filter(|(one, _)| {
        let is_kept = one.question.promise == Promise::ForeignKey && refused(one);
        is_kept && sqlite_declares(one, postgres, sqlite)
    });
    let (kept, broken): (Vec<_>, Vec<_>) = asked.partition(|(_, other)| refused(other));
    let Some((one, other)) = broken.first().filter(|_| kept.is_empty()) else { return false };
    let keys = super::counted(broken.len(), "foreign key", "foreign keys");
    let message = format!("sqlite, as this run opens it, enforces none of {keys} that postgres enforces");
    let finding = Finding::new(CHECK.id, message)
        .quoting(Some(format!("{}\n{}", shown(postgres, one), shown(sqlite, other))))
        .help(
            "if the application opens SQLite with PRAGMA foreign_keys = ON, say foreign_keys = true under \
             [sqlite]; if it does not, it should",
        );
    // How the application opens it is the project's to say.
    judgement.findings.push(finding.weighing(Severity::Warning).on(sqlite.backend));
    true
}

/// Whether SQLite declares the foreign key, too, that a question is about.
fn sqlite_declares(trial: &Trial, postgres: &Recording, sqlite: &Recording) -> bool {
    let table = &trial.question.object.group;
    let keys = |recording: &Recording| {
        let schema = recording.head();
        schema.table(table).map(|group| foreign_keys(schema, group)).unwrap_or_default()
    };
    let (ours, theirs) = (keys(postgres), keys(sqlite));
    let asked = trial.question.object.part.as_ref().map(|(_, name)| name);
    // The question bears the name that the key has where it was found first.
    let key = ours.iter().find(|key| Some(&key.name) == asked);
    theirs.iter().any(|other| match key {
        Some(key) => other.columns == key.columns && other.parent == key.parent,
        None => Some(&other.name) == asked,
    })
}

/// What the declarations already differ in, which is told by another check.
struct Told<'a> {
    mismatches: Vec<Mismatch>,
    heads: [&'a Schema; 2],
}

impl<'a> Told<'a> {
    fn of(postgres: &'a Schema, sqlite: &'a Schema) -> Self {
        let mismatches = Comparer::new().compare(postgres, sqlite).mismatches;
        Self { mismatches, heads: [postgres, sqlite] }
    }

    /// The finding, which may say once more what is declared of the object. That a primary key takes
    /// NULL is declared of its first column, and tried on each; a column that only one of them has makes
    /// its primary key another one.
    fn repeated(&self, question: &Question, finding: Finding) -> Finding {
        let object = &question.object;
        let of_key = |one: &Mismatch, id: &ObjectId| {
            question.promise == Promise::NotNull
                && one.aspect == Aspect::Nullability
                && id.group == object.group
                && one.severity == Severity::Note
        };
        let widens_key = |one: &Mismatch, id: &ObjectId| {
            let one_sided = one.postgres.is_none() || one.sqlite.is_none();
            let is_asked = object.kind() == Kind::PrimaryKey && id.group == object.group;
            let in_key = |schema: &&Schema| {
                let key = schema.table(&object.group).map(|group| primary_key(group)).unwrap_or_default();
                matches!(&id.part, Some((Kind::Column, column)) if key.contains(column))
            };
            one_sided && is_asked && self.heads.iter().any(in_key)
        };
        let about = |one: &&Mismatch| {
            let mut sides = [&one.postgres, &one.sqlite].into_iter().flatten();
            sides.any(|id| id == object || of_key(one, id) || widens_key(one, id))
        };
        let same = self.mismatches.iter().filter(about);
        same.fold(finding, |finding, one| finding.repeating("parity-mismatch", one.object()))
    }
}

/// In which way two answers differ, if they do.
fn difference(one: &Trial, other: &Trial, postgres: &Recording, sqlite: &Recording) -> Option<&'static str> {
    let is_placed = one.question.promise == Promise::Order;
    match (&one.answer, &other.answer) {
        // Who refuses a text has no place for it; why is a question of its own.
        (Answer::Refused(_), _) | (_, Answer::Refused(_)) if is_placed => None,
        (Answer::Accepted(one), Answer::Accepted(other)) if is_placed => {
            (one != other).then_some("is another on postgres than on sqlite")
        }
        (Answer::Refused(_), Answer::Accepted(_)) => Some("is refused by postgres and accepted by sqlite"),
        (Answer::Accepted(_), Answer::Refused(_)) => Some("is accepted by postgres and refused by sqlite"),
        (Answer::Accepted(one_read), Answer::Accepted(other_read)) => {
            let reading = one.question.reading.as_ref()?;
            let cells = |recording: &Recording, rows| Cells::of(recording, reading, rows);
            let one_cells = cells(postgres, one_read);
            let other_cells = cells(sqlite, other_read);
            let made_up = one.question.promise == Promise::Default;
            let clock = |cells: &Cells, recording| {
                let mut values = cells.0.iter().flatten().peekable();
                values.peek().is_some() && values.all(|(value, _)| is_of_the_clock(recording, value))
            };
            let clocks = clock(&one_cells, postgres) && clock(&other_cells, sqlite);
            let same = one_cells.same(&other_cells, made_up) || made_up && clocks;
            (!same).then_some("leaves other values on postgres than on sqlite")
        }
        _ => None,
    }
}

/// What was read, as values.
struct Cells(Vec<Vec<(Datum, Types)>>);

impl Cells {
    fn of(recording: &Recording, reading: &Reading, rows: &[Vec<Option<String>>]) -> Self {
        let dialect = Dialect { backend: recording.backend, schema: recording.head() };
        let types: Vec<_> =
            reading.columns.iter().map(|column| dialect.column(&reading.table, column)).collect();
        let cell = |(text, column_type): (&Option<String>, _)| {
            (Datum::read(recording.backend, column_type, text.as_deref()), column_type.family)
        };
        Self(rows.iter().map(|row| row.iter().zip(&types).map(cell).collect()).collect())
    }

    /// Whether both hold the same. A default may be the time or made up at random.
    fn same(&self, other: &Self, made_up: bool) -> bool {
        let differs_by_nature = |family: &Types| {
            matches!(family, Types::Timestamp | Types::TimestampTz | Types::Date | Types::Time | Types::Uuid)
        };
        let same = |((one, family), (other, _)): (&(Datum, Types), &(Datum, Types))| {
            let both = *one != Datum::Null && *other != Datum::Null;
            one.same(other) || made_up && both && differs_by_nature(family)
        };
        self.0.len() == other.0.len()
            && self.0.iter().zip(&other.0).all(|(one, other)| one.iter().zip(other).all(same))
    }
}

fn finding(one: &Trial, other: &Trial, how: &str, postgres: &Recording, sqlite: &Recording) -> Finding {
    let question = &one.question;
    let excerpt = format!("{}\n{}", shown(postgres, one), shown(sqlite, other));
    let table = &question.object.group;
    let mut finding = Finding::new(CHECK.id, format!("{} {how}", question.what))
        .about(&question.object)
        .quoting(Some(excerpt))
        .help(help(question.promise, &one.answer));
    let lenient = if matches!(one.answer, Answer::Accepted(_)) { postgres } else { sqlite };
    finding.backend = Some(lenient.backend);
    finding.revision = lenient.latest_change_of(table).cloned();
    // An order decides what comes first, not what is kept.
    if question.promise == Promise::Order { finding.weighing(Severity::Warning) } else { finding }
}

fn shown(recording: &Recording, trial: &Trial) -> String {
    let answer = match &trial.answer {
        Answer::Accepted(rows) if rows.is_empty() => "accepted".to_owned(),
        Answer::Accepted(rows) => {
            let cell = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "NULL".to_owned());
            let row = |row: &Vec<Option<String>>| row.iter().map(cell).collect::<Vec<_>>().join(", ");
            let then = if trial.question.promise == Promise::Order { "comes" } else { "then there is" };
            format!("accepted, and {then} {}", rows.iter().map(row).collect::<Vec<_>>().join("; "))
        }
        Answer::Refused(reason) => format!("refused: {reason}"),
        Answer::NotAsked(reason) => format!("not asked: {reason}"),
    };
    // What it takes to try it belongs to it: a second row is nothing without the first.
    let question = &trial.question;
    let tried = match &question.action {
        Action::Together(actions) => actions.as_slice(),
        one => std::slice::from_ref(one),
    };
    let dialect = Dialect { backend: recording.backend, schema: recording.head() };
    let statements = question.prepare.iter().chain(tried).map(|action| shortened(&dialect.action(action)));
    let statements = statements.collect::<Vec<_>>().join("\n");
    format!("{statements}\n-- {}: {answer}", recording.backend)
}

fn help(promise: Promise, on_postgres: &Answer) -> String {
    let lenient = if matches!(on_postgres, Answer::Accepted(_)) { "postgres" } else { "sqlite" };
    match promise {
        Promise::ForeignKey | Promise::OnDelete | Promise::OnUpdate if lenient == "sqlite" => {
            "let the application open SQLite with PRAGMA foreign_keys = ON, and say so with foreign_keys = true \
             under [sqlite]"
                .to_owned()
        }
        Promise::Check => "write the condition so that both databases read it the same".to_owned(),
        Promise::UniqueNulls => "say NOT NULL, or make NULL distinct or not on both".to_owned(),
        Promise::UniquePart => "give both the same unique index, in words that mean the same on both".to_owned(),
        Promise::Exclusion if lenient == "sqlite" => {
            "refuse such rows on sqlite by a trigger BEFORE INSERT and BEFORE UPDATE, or accept the difference"
                .to_owned()
        }
        Promise::Deferred => {
            "declare the foreign key DEFERRABLE INITIALLY DEFERRED on both, or write parents before their children"
                .to_owned()
        }
        Promise::Order => "give the column the same collation on both, or sort in the application".to_owned(),
        Promise::UniqueCase | Promise::Equality => {
            "give the column the same collation on both, or keep one case only".to_owned()
        }
        Promise::Default => "write the default so that both give the same value".to_owned(),
        _ => format!("let {lenient} refuse it, too"),
    }
}

/// What SQLite's columns take by nature, told once.
fn note(of_types: &BTreeMap<&Name, Vec<&Trial>>, sqlite: &Recording) -> Option<Finding> {
    let columns = |trials: &[&Trial]| {
        let column = |trial: &&Trial| Some(trial.question.object.part.as_ref()?.1.clone());
        trials
            .iter()
            .filter_map(column)
            .collect::<BTreeSet<String>>()
            .into_iter()
            .collect::<Vec<_>>()
            .join(", ")
    };
    let lines = of_types.iter().map(|(table, trials)| format!("{}: {}\n", table.quoted(), columns(trials)));
    let excerpt: String = lines.collect();
    let tables = super::counted(of_types.len(), "table", "tables");
    let message = format!("sqlite takes values that the types of postgres refuse, in {tables}");
    let finding = Finding::new(CHECK.id, message)
        .quoting(Some(excerpt))
        .help("add a CHECK, or make the tables STRICT (SQLite 3.37 and later); `types = false` under [rows] leaves this out");
    (!of_types.is_empty()).then(|| finding.weighing(Severity::Note).on(sqlite.backend))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::CHECK;
    use crate::checks::testing::{Hand, applied, check, recording, schema, situation};
    use crate::report::Severity;
    use crate::rows::Datum;
    use crate::schema::{Attribute, Kind, Name, Object, ObjectId, Schema};
    use crate::trials::{Action, Answer, Promise, Question, Reading, Row};

    const FOREIGN_KEY: &str = "fk_b";
    const FIRST: &str = "INSERT INTO \"b\" (\"a\") ";
    const OVER: &str = "OVERRIDING SYSTEM VALUE ";

    /// Tables `a`, and `b` that refers to it if `declares`.
    fn tables(declares: bool) -> Schema {
        let mut tables = schema(&["a", "a.id", "b", "b.a", "b.at"]);
        let key = Object::new()
            .with(Attribute::Columns, vec!["a".to_owned()])
            .with(Attribute::References, "a (id)");
        let part = |kind, name| ObjectId::part(Kind::Table, Name::new("b"), kind, name);
        tables.insert(part(Kind::Column, "at"), Object::new().with(Attribute::Type, "text"));
        if declares {
            tables.insert(part(Kind::ForeignKey, FOREIGN_KEY), key);
        }
        tables
    }

    /// The same about the place of a text among others.
    fn placed(promise: Promise) -> Question {
        let mut question = question(promise, Kind::Column, "at");
        let mut reading = Reading::of(&Name::new("b"), vec!["at".to_owned()], Row::new());
        reading.beside = vec!["B".to_owned()];
        question.reading = Some(reading);
        question
    }

    fn place(place: &str) -> Answer {
        Answer::Accepted(vec![vec![Some(format!("{place} \"B\""))]])
    }

    fn question(promise: Promise, kind: Kind, part: &str) -> Question {
        let reading = Reading::of(&Name::new("b"), vec!["at".to_owned()], Row::new());
        Question {
            promise,
            object: ObjectId::part(Kind::Table, Name::new("b"), kind, part),
            what: "it".to_owned(),
            prepare: Vec::new(),
            action: Action::Insert {
                table: Name::new("b"),
                row: Row::from_iter([("a".to_owned(), Datum::Null)]),
            },
            reading: (promise == Promise::Default).then_some(reading),
        }
    }

    fn history(declares: bool) -> Hand {
        recording().up_only(1).trunk([applied("1").seeing(&tables(declares))])
    }

    fn answered(question: &Question, postgres: Answer, sqlite: Answer, declares: bool) -> Hand {
        let postgres = history(true).trial(question.clone(), postgres);
        history(declares).trial(question.clone(), sqlite).beside(postgres)
    }

    #[test]
    fn a_foreign_key_that_sqlite_does_not_declare_is_none_that_it_does_not_enforce() {
        let question = question(Promise::ForeignKey, Kind::ForeignKey, FOREIGN_KEY);
        let answers = || (Answer::Refused("no".to_owned()), Answer::Accepted(Vec::new()));
        let (refused, accepted) = answers();
        check(&CHECK, answered(&question, refused, accepted, true))
            .finds(["sqlite, as this run opens it, enforces none of 1 foreign key that postgres enforces"]);
        let (refused, accepted) = answers();
        check(&CHECK, answered(&question, refused, accepted, false))
            .finds(["it is refused by postgres and accepted by sqlite"]);
    }

    #[test]
    fn a_value_without_a_parent_tells_nothing_of_the_check_that_it_was_tried_for() {
        let question = question(Promise::Check, Kind::Check, "ck_a");
        let answers = |constraint: &str| {
            let reason = format!("insert on table \"b\" violates constraint \"{constraint}\"");
            answered(&question, Answer::Refused(reason), Answer::Accepted(Vec::new()), true)
        };
        check(&CHECK, answers(FOREIGN_KEY)).finds([]);
        check(&CHECK, answers("ck_a")).finds(["it is refused by postgres and accepted by sqlite"]);
    }

    #[test]
    fn a_key_with_a_column_that_the_other_lacks_is_told_with_the_column() {
        let key = ObjectId::part(Kind::Table, Name::new("b"), Kind::PrimaryKey, "pk_b");
        let keyed = |columns: &[&str], extra: &str| {
            let columns = columns.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
            let mut tables = schema(&["b", "b.at", extra]);
            let column = ObjectId::part(Kind::Table, Name::new("b"), Kind::Column, "a");
            tables.insert(column, Object::new().flag(Attribute::NotNull));
            tables.insert(key.clone(), Object::new().with(Attribute::Columns, columns));
            recording().up_only(1).trunk([applied("1").seeing(&tables)])
        };
        let question = question(Promise::Unique, Kind::PrimaryKey, "pk_b");
        let judged = |wide: &[&str]| {
            let postgres = keyed(wide, "b.kind").trial(question.clone(), Answer::Accepted(Vec::new()));
            let refused = Answer::Refused("no".to_owned());
            situation(keyed(&["a"], "b").trial(question.clone(), refused).beside(postgres))
        };
        let lacks = "parity-mismatch: column \"kind\" of table \"b\" is there on postgres but not on sqlite";
        judged(&["a", "kind"]).amounts_to([lacks]);
        let differs = "behaviour-mismatch: it is accepted by postgres and refused by sqlite";
        judged(&["a"]).amounts_to([differs, lacks]);
    }

    #[test]
    fn a_row_that_is_gone_has_no_value_of_the_clock() {
        let question = question(Promise::Default, Kind::Column, "at");
        let read = |cells: &[&str]| {
            Answer::Accepted(cells.iter().map(|cell| vec![Some((*cell).to_owned())]).collect())
        };
        let postgres = || read(&["1970-01-01 00:00:00"]);
        check(&CHECK, answered(&question, postgres(), read(&["'1970-01-01 00:00:01'"]), true)).finds([]);
        check(&CHECK, answered(&question, postgres(), read(&[]), true))
            .finds(["it leaves other values on postgres than on sqlite"]);
    }

    #[test]
    fn another_order_is_a_warning_where_something_is_said_about_it() {
        let question = placed(Promise::Order);
        check(&CHECK, answered(&question, place("before"), place("before"), true)).finds([]);
        let refused = Answer::Refused("no such parent".to_owned());
        check(&CHECK, answered(&question, refused, place("before"), true)).finds([]);
        check(&CHECK, answered(&question, place("before"), place("after"), true))
            .finds(["it is another on postgres than on sqlite"])
            .weighs(Severity::Warning)
            .helps("give the column the same collation on both, or sort in the application");
    }

    #[test]
    fn texts_that_only_one_takes_for_equal_are_told_once() {
        let equal = {
            let reading = Reading::of(&Name::new("b"), vec!["at".to_owned()], Row::new());
            Question { reading: Some(reading), ..question(Promise::Equality, Kind::Column, "at") }
        };
        let hand = |rows: &[&str], place: Answer| {
            let rows = rows.iter().map(|cell| vec![Some((*cell).to_owned())]).collect();
            history(true).trial(equal.clone(), Answer::Accepted(rows)).trial(placed(Promise::Order), place)
        };
        let postgres = hand(&[], place("after"));
        check(&CHECK, hand(&["'B'"], place("level with")).beside(postgres))
            .finds(["it leaves other values on postgres than on sqlite"])
            .weighs(Severity::Error);
    }

    #[test]
    fn a_child_before_its_parent_is_a_finding_where_foreign_keys_are_enforced() {
        let key = |promise| question(promise, Kind::ForeignKey, FOREIGN_KEY);
        let refused = || Answer::Refused("no".to_owned());
        let accepted = || Answer::Accepted(Vec::new());
        check(&CHECK, answered(&key(Promise::Deferred), accepted(), refused(), true))
            .finds(["it is accepted by postgres and refused by sqlite"])
            .helps("declare the foreign key DEFERRABLE INITIALLY DEFERRED on both, or write parents before their children");
        // What is not enforced at all cannot be deferred.
        let hand = |kept: Answer, deferred: Answer| {
            let hand = history(true).trial(key(Promise::ForeignKey), kept);
            hand.trial(key(Promise::Deferred), deferred)
        };
        check(&CHECK, hand(accepted(), accepted()).beside(hand(refused(), refused())))
            .finds(["sqlite, as this run opens it, enforces none of 1 foreign key that postgres enforces"]);
    }

    #[rstest]
    #[case(
        Promise::Exclusion,
        "refuse such rows on sqlite by a trigger BEFORE INSERT and BEFORE UPDATE, or accept the difference"
    )]
    #[case(Promise::UniquePart, "give both the same unique index, in words that mean the same on both")]
    fn what_one_refuses_and_the_other_accepts_is_told_once(#[case] promise: Promise, #[case] help: &str) {
        let mut question = question(promise, Kind::Index, "ix");
        question.prepare = vec![question.action.clone()];
        let refused = || Answer::Refused("no".to_owned());
        let twice = |answer: fn() -> Answer| {
            history(true).trial(question.clone(), answer()).trial(question.clone(), answer())
        };
        let accepted = || Answer::Accepted(Vec::new());
        check(&CHECK, twice(accepted).beside(twice(refused)))
            .finds(["it is refused by postgres and accepted by sqlite"])
            .quotes(&format!(
                "{FIRST}{OVER}VALUES (NULL)\n{FIRST}{OVER}VALUES (NULL)\n-- postgres: refused: no\n\
                 {FIRST}VALUES (NULL)\n{FIRST}VALUES (NULL)\n-- sqlite: accepted"
            ))
            .helps(help);
        check(&CHECK, twice(refused).beside(twice(refused))).finds([]);
    }
}
