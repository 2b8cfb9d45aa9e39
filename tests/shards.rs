//! The merged reports of all shards are the report of one run, byte for byte; what is no shard, or not of
//! one run, is refused.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use rstest::rstest;
use support::command::{Project, Ran};
use support::{is_skipped, repository};
use switchback::report::Report;
use switchback::{Backend, Check};

/// A check of that folder on the backends that there are.
fn check(folder: impl AsRef<std::path::Path>) -> Check {
    let backends = Backend::ALL.into_iter().filter(|backend| !is_skipped(*backend));
    backends.fold(Check::new(folder), |check, backend| check.backend(backend))
}

/// A report as it is written and read again.
fn written(report: &Report) -> Report {
    serde_json::from_str(&serde_json::to_string(report).unwrap()).unwrap()
}

fn without_time(report: Report) -> String {
    serde_json::to_string_pretty(&Report { seconds: 0.0, ..report }).unwrap()
}

/// Holds the shards of a check, in the wrong order, against the whole; says what was found.
fn the_same_in_shards(check: &Check, shards: impl IntoIterator<Item = usize>) -> Report {
    let whole = check.run_blocking().unwrap();
    let expected = without_time(whole.clone());
    for of in shards {
        let run = |index| written(&check.clone().shard(index, of).run_blocking().unwrap());
        let merged = switchback::merge((1..=of).rev().map(run).collect()).unwrap();
        assert!(merged.shard.is_none());
        are_equal(&expected, &without_time(merged), of);
    }
    whole
}

fn are_equal(expected: &str, merged: &str, of: usize) {
    let lines = expected.lines().zip(merged.lines()).enumerate();
    let differing = lines.filter(|(_, (one, other))| one != other).take(8).collect::<Vec<_>>();
    assert!(expected == merged, "in {of} shards: {differing:#?}");
}

#[rstest]
fn a_reference_system_is_the_same_in_shards(
    #[values("calista", "entries", "homesec", "queue_jobs", "syfthub")] name: &str,
) {
    the_same_in_shards(&check(repository("scenarios").join(name)), [2, 3]);
}

#[rstest]
#[case("append-only-hole")]
#[case("base-not-empty")]
#[case("behaviour-mismatch")]
#[case("downgrade-fails")]
#[case("downgrade-leaves-trace")]
#[case("escapes-database")]
#[case("invalid-object")]
#[case("metadata-drift")]
#[case("missing-downgrade")]
#[case("parity-mismatch")]
#[case("rows-changed")]
#[case("rows-lost")]
#[case("sequence-behind")]
#[case("upgrade-fails")]
#[case("upgrade-not-repeatable")]
#[case("value-not-kept")]
fn what_a_check_finds_is_the_same_in_shards(#[case] id: &str) {
    let check = check(repository("scenarios/checks").join(id).join("bad"));
    let whole = the_same_in_shards(&check, [2]);
    // More than there are revisions, too.
    let most = whole.backends.iter().map(|run| run.revisions).max().unwrap();
    the_same_in_shards(&check, [most + 1]);
}

const CONFIG: &str = "switchback.toml";

/// Where a downgrade loses rows, one fails and one leaves a trace; a later upgrade fails on carried rows;
/// values are filled in later, which a probe with new rows would not have.
fn troubled() -> Project {
    Project::sqlx(&[
        ("1_users.up.sql", "CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL);"),
        ("1_users.down.sql", "DROP TABLE users;"),
        ("2_purge.up.sql", "CREATE TABLE audit (id INTEGER PRIMARY KEY, note TEXT);"),
        ("2_purge.down.sql", "DELETE FROM users; DROP TABLE audit;"),
        ("3_age.up.sql", "ALTER TABLE users ADD COLUMN age INTEGER;"),
        ("3_age.down.sql", "ALTER TABLE users DROP COLUMN years;"),
        ("4_city.up.sql", "ALTER TABLE users ADD COLUMN city VARCHAR(20); UPDATE users SET city = 'Oslo';"),
        ("4_city.down.sql", "SELECT 1;"),
        ("5_known.up.sql", "CREATE UNIQUE INDEX uq_users_city ON users (city);"),
        ("5_known.down.sql", "DROP INDEX uq_users_city;"),
        ("6_upper.up.sql", "UPDATE users SET name = upper(name);"),
        ("6_upper.down.sql", "SELECT 1;"),
        (
            "7_last.up.sql",
            "CREATE TABLE last (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id));",
        ),
        ("7_last.down.sql", "DROP TABLE last;"),
    ])
    .adding(
        CONFIG,
        "[[accept]]\ncheck = \"downgrade-fails\"\nrevision = \"3\"\nreason = \"known\"\n\
         [[accept]]\ncheck = \"downgrade-fails\"\nrevision = \"6\"\nreason = \"no more\"\n\
         [[accept]]\ncheck = \"base-not-empty\"\nreason = \"nobody knows\"\n",
    )
}

#[test]
fn what_one_revision_did_to_rows_does_not_depend_on_the_shard() {
    let project = troubled();
    let whole = the_same_in_shards(&check(project.root()), [2, 3, 7]);
    let found: Vec<&str> = whole.findings.iter().map(|finding| finding.check).collect();
    for expected in
        ["rows-lost", "downgrade-fails", "downgrade-leaves-trace", "upgrade-fails", "rows-changed"]
    {
        assert!(found.contains(&expected), "{expected} is not among {found:?}");
    }
    assert_eq!(whole.unused_accepts.len(), 1, "{:?}", whole.unused_accepts);
    assert!(whole.findings.iter().any(|finding| finding.accepted.is_some()));
}

/// A revision that was split after it was written, so that its downgrades only make sense together.
fn split() -> Project {
    Project::sqlx(&[
        ("1_users.up.sql", "CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL);"),
        ("1_users.down.sql", "DROP TABLE users;"),
        ("2_emails.up.sql", "CREATE TABLE emails (id INTEGER PRIMARY KEY, email VARCHAR(40) NOT NULL);"),
        ("2_emails.down.sql", "DROP TABLE phones;"),
        ("3_phones.up.sql", "CREATE TABLE phones (id INTEGER PRIMARY KEY, phone VARCHAR(40) NOT NULL);"),
        ("3_phones.down.sql", "DROP TABLE emails;"),
        ("4_nicks.up.sql", "ALTER TABLE phones ADD COLUMN nick VARCHAR(40);"),
        ("4_nicks.down.sql", "ALTER TABLE phones DROP COLUMN nick;"),
    ])
}

#[test]
fn revisions_that_only_make_sense_together_are_seen_across_shards() {
    let project = split();
    let whole = the_same_in_shards(&check(project.root()), [2, 4]);
    let help = whole.findings.iter().filter_map(|finding| finding.help.as_deref());
    assert!(
        help.into_iter().any(|help| help.contains("revisions = [\"2\", \"3\"]")),
        "{:#?}",
        whole.findings
    );
}

#[test]
fn a_group_is_in_one_shard() {
    let project = split()
        .adding(CONFIG, "\n[[history.group]]\nname = \"split users\"\nrevisions = [\"2\", \"3\"]\n")
        .with("migrations/3_phones.up.sql", "CREATE TABLE phones (id INTEGER PRIMARY KEY, phone VARCHAR(40)); ALTER TABLE emails ADD COLUMN kind VARCHAR(9); UPDATE emails SET kind = 'home';");
    the_same_in_shards(&check(project.root()), [2, 4]);
}

#[test]
fn histories_of_other_lengths_are_shared_by_what_both_have() {
    let file = |folder: &str, name: &str| format!("migrations/{folder}/{name}.sql");
    let table =
        |name: &str| format!("CREATE TABLE {name} (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL);");
    let mut project = Project::new().with(
        CONFIG,
        "[history]\ntool = \"sqlx\"\npostgres = \"migrations/postgres\"\nsqlite = \"migrations/sqlite\"\n",
    );
    for name in ["1_a", "2_b", "3_c", "5_e", "6_f"] {
        project = project.with(&file("postgres", name), table(&name[2..]));
    }
    for name in ["1_a", "2_b", "4_d", "5_e", "6_f", "7_g", "8_h"] {
        project = project.with(&file("sqlite", name), table(&name[2..]));
    }
    let project = project.with(&file("sqlite", "9_fill"), "UPDATE a SET name = 'x'; DELETE FROM b;");
    the_same_in_shards(&check(project.root()), [2, 3, 5]);
}

/// A shard of a project on SQLite, written to a file beside it.
fn part(project: &Project, words: &str, file: &str) -> Ran {
    let ran = project.run(&format!("check --backend sqlite --format json {words}"));
    std::fs::write(project.root().join(file), &ran.stdout).unwrap();
    ran
}

#[test]
fn merged_reports_end_as_the_whole_run() {
    let project = troubled();
    part(&project, "--shard 1/2", "a.json").ends(1);
    // It has warnings alone; an error in any shard is one of the whole.
    part(&project, "--shard 2/2", "b.json").ends(0);
    let whole = project.run("check --backend sqlite").ends(1);
    let merged = project.run("report merge b.json a.json").ends(1);
    let findings = |ran: &Ran| {
        let lines = ran.stdout.lines().skip(2).filter(|line| !line.contains(" steps on "));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    assert_eq!(findings(&merged), findings(&whole));

    let clean = Project::sqlx(&[
        ("1_a.sql", "CREATE TABLE a (id INTEGER PRIMARY KEY);"),
        ("2_b.sql", "CREATE TABLE b (id INTEGER PRIMARY KEY);"),
    ]);
    part(&clean, "--shard 1/2", "a.json").ends(0);
    clean.run("check --backend sqlite --shard 1/2").ends(0).says(", shard 1 of 2\n");
    part(&clean, "--shard 2/2", "b.json").ends(0);
    clean.run("report merge a.json b.json").ends(0).says("clean");
    part(&clean, "--shard 2/2 --sqlite 3.1", "b.json").ends(3);
    clean.run("report merge a.json b.json").ends(3).says("the SQLite library in use is");
}

#[rstest]
#[case::none("0/3")]
#[case::too_many("4/3")]
#[case::of_none("1/0")]
#[case::letters("a/b")]
#[case::negative("-1/3")]
#[case::one_number("2")]
fn what_is_no_shard_is_refused(#[case] shard: &str) {
    let project = split();
    let ran = project.command("check").arg(format!("--shard={shard}")).run().ends(2);
    ran.says(&format!("there is no shard \"{shard}\": write which one of how many, from 1/3 to 3/3"));
    let error = Check::new(project.root()).shard(4, 3).run_blocking().unwrap_err();
    assert_eq!(error.to_string(), "there is no shard \"4/3\": write which one of how many, from 1/3 to 3/3");
}

#[test]
fn reports_that_are_not_the_shards_of_one_run_are_refused() {
    let project = split();
    part(&project, "--shard 1/2", "1.json");
    part(&project, "--shard 2/2", "2.json");
    part(&project, "--shard 2/3", "of3.json");
    part(&project, "--shard 2/2 --seed 7", "seed.json");
    part(&project, "--shard 2/2 --skip rows-lost", "checks.json");
    part(&project, "", "whole.json");
    let other = split().with("migrations/5_more.up.sql", "SELECT 1;");
    part(&other, "--shard 2/2", "2.json");
    let project = project
        .with("other.json", other.read("2.json"))
        .with("text.json", "switchback 0.1.0  project\n")
        .with("object.json", "{}")
        .with("newer.json", "{\"format\": 2}")
        .with("half.json", "{\"format\": 1, \"switchback\": \"0.0.0\"}");
    for (files, told) in [
        ("1.json", "shard 2/2 is missing"),
        ("1.json 2.json 1.json", "shard 1/2 is given twice"),
        (
            "1.json of3.json",
            "the shards are not of one run: the number of shards of shard 1/2 is 2, and that of shard 2/3 is 3",
        ),
        ("1.json seed.json", "the seed of shard 1/2 is 1, and that of shard 2/2 is 7"),
        ("1.json checks.json", "the shards are not of one run: the list of checks of shard 1/2 is"),
        (
            "1.json other.json",
            "the shards are not of one run: the list of revisions of shard 1/2 is 1, 2, 3, 4, and",
        ),
        (
            "1.json whole.json",
            "whole.json is no report of switchback that can be merged: it is that of a whole run, not of a shard",
        ),
        ("text.json", "text.json is no report of switchback that can be merged: expected value"),
        ("object.json", "object.json is no report of switchback that can be merged: it has no \"format\""),
        (
            "newer.json",
            "newer.json is no report of switchback that can be merged: its format is 2, and only 1 is understood",
        ),
        (
            "half.json",
            "half.json is no report of switchback that can be merged: it was written by switchback 0.0.0",
        ),
        ("nowhere.json", "nowhere.json is no report of switchback that can be merged: no such file"),
    ] {
        project.run(&format!("report merge {files}")).ends(2).says(told);
    }
    assert!(matches!(switchback::merge(Vec::new()), Err(switchback::Error::Merge(_))));
}
