//! The command line: what each command prints, and with which exit code it ends.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use insta::assert_snapshot;
use rstest::rstest;
use serde_json::Value;
use support::command::{Project, Ran};

const CREATE: (&str, &str) = ("1_create.up.sql", "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);\n");
const DROP: (&str, &str) = ("1_create.down.sql", "DROP TABLE notes;\n");
const INDEX: (&str, &str) = ("2_index.up.sql", "CREATE INDEX ix_body ON notes (body);\n");
const DROP_INDEX: (&str, &str) = ("2_index.down.sql", "DROP INDEX ix_body;\n");
const FORGET: (&str, &str) = ("2_index.down.sql", "SELECT 1;\n");

/// A history that holds.
fn clean() -> Project {
    Project::sqlx(&[CREATE, DROP, INDEX, DROP_INDEX])
}

/// A history in which a downgrade forgets an index, which is an error.
fn forgetful() -> Project {
    Project::sqlx(&[CREATE, DROP, INDEX, FORGET])
}

/// A history in which a downgrade is missing, which is a warning.
fn one_way() -> Project {
    Project::sqlx(&[CREATE, DROP, ("2_index.sql", INDEX.1)])
}

fn on_sqlite(project: &Project, more: &str) -> Ran {
    project.run(&format!("check --backend sqlite {more}"))
}

#[rstest]
#[case::clean(clean(), "", 0)]
#[case::an_error(forgetful(), "", 1)]
#[case::an_error_of_a_check_that_is_skipped(forgetful(), "--skip downgrade-leaves-trace", 0)]
#[case::an_error_of_another_check_than_the_one_asked_for(forgetful(), "--check upgrade-fails", 0)]
#[case::a_warning(one_way(), "", 0)]
#[case::a_warning_denied(one_way(), "--deny warnings", 1)]
#[case::an_unknown_flag(clean(), "--no-such-flag", 2)]
#[case::an_unknown_backend(clean(), "--backend mysql", 2)]
#[case::an_unknown_format(clean(), "--format yaml", 2)]
#[case::a_version_that_is_none(clean(), "--postgres new", 2)]
fn a_run_ends_with(#[case] project: Project, #[case] more: &str, #[case] code: i32) {
    on_sqlite(&project, more).ends(code);
}

#[test]
fn a_finding_that_the_config_plays_down_does_not_fail_a_run() {
    for (level, deny, code) in [
        ("warning", "", 0),
        ("warning", "--deny warnings", 1),
        ("note", "--deny warnings", 0),
        ("off", "--deny warnings", 0),
        ("error", "", 1),
    ] {
        let severity = format!("\n[checks]\n\"downgrade-leaves-trace\" = \"{level}\"\n");
        let project = forgetful().adding("switchback.toml", &severity);
        let ran = on_sqlite(&project, deny).ends(code);
        assert_eq!(ran.stdout.contains("downgrade-leaves-trace]"), level != "off", "{ran}");
    }
    let project = one_way().adding("switchback.toml", "\n[checks]\n\"missing-downgrade\" = \"error\"\n");
    on_sqlite(&project, "").ends(1).says("error[missing-downgrade]");
}

#[test]
fn text_is_for_people_and_plain_when_piped() {
    let ran = on_sqlite(&forgetful(), "--check downgrade-leaves-trace").ends(1).keeps_quiet_about("\x1b");
    assert_eq!(ran.stderr, "");
    let version = sqlite_version();
    assert_snapshot!(ran.stdout.replace(&version, "[version]"), @r#"
    switchback 0.1.0  project
      sqlite    [version]   2 revisions    bundled library

    error[downgrade-leaves-trace]: downgrade of 2_index left index "ix_body" behind (sqlite)
      --> migrations/2_index.down.sql:1
       |   table notes
       | +   index ix_body (body)
       = help: drop index "ix_body" in migrations/2_index.down.sql; as it is, the second upgrade fails: index ix_body already exists

    1 error: 8 steps on sqlite in [time]
    `switchback explain downgrade-leaves-trace` says what a check means and how to mend it
    "#);
}

#[test]
fn colour_is_there_for_who_asks() {
    let project = forgetful();
    let ran = project.command("check --backend sqlite").env("CLICOLOR_FORCE", "1").run().ends(1);
    assert!(ran.stdout.contains("\x1b[1m\x1b[31merror["), "{ran}");
}

fn sqlite_version() -> String {
    json(&on_sqlite(&clean(), "--format json"))["backends"][0]["version"].as_str().unwrap().to_owned()
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"))
}

#[test]
fn json_is_a_document_with_these_keys() {
    let project = forgetful();
    let ran = on_sqlite(&project, "--format json").ends(1);
    let mut report = json(&ran);
    report["seconds"] = "[time]".into();
    report["backends"][0]["version"] = "[version]".into();
    assert_snapshot!(serde_json::to_string_pretty(&report).unwrap(), @r#"
    {
      "switchback": "0.1.0",
      "format": 1,
      "project": "project",
      "backends": [
        {
          "backend": "sqlite",
          "version": "[version]",
          "source": "bundled library",
          "passed_over": [],
          "revisions": 2,
          "steps": 8
        }
      ],
      "findings": [
        {
          "check": "downgrade-leaves-trace",
          "severity": "error",
          "backend": "sqlite",
          "revision": "2",
          "object": "notes.ix_body",
          "location": {
            "file": "migrations/2_index.down.sql",
            "line": 1
          },
          "message": "downgrade of 2_index left index \"ix_body\" behind (sqlite)",
          "excerpt": null,
          "diff": "  table notes\n+   index ix_body (body)\n",
          "help": "drop index \"ix_body\" in migrations/2_index.down.sql; as it is, the second upgrade fails: index ix_body already exists",
          "accepted": null
        }
      ],
      "not_run": [
        {
          "check": "base-not-empty",
          "backend": "sqlite",
          "revision": null,
          "reason": "there is no clean way down to base: the upgrade of 2_index fails",
          "failed": false
        },
        {
          "check": "behaviour-mismatch",
          "backend": "postgres",
          "revision": null,
          "reason": "it compares both backends, and postgres was not selected",
          "failed": false
        },
        {
          "check": "metadata-drift",
          "backend": "sqlite",
          "revision": null,
          "reason": "the project declares no metadata for this backend",
          "failed": false
        },
        {
          "check": "parity-mismatch",
          "backend": "postgres",
          "revision": null,
          "reason": "it compares both backends, and postgres was not selected",
          "failed": false
        },
        {
          "check": "rows-changed",
          "backend": "postgres",
          "revision": null,
          "reason": "it compares both backends, and postgres was not selected",
          "failed": false
        },
        {
          "check": "sequence-behind",
          "backend": "postgres",
          "revision": null,
          "reason": "it compares both backends, and postgres was not selected",
          "failed": false
        }
      ],
      "unused_accepts": [],
      "seed": 1,
      "seconds": "[time]"
    }
    "#);

    let again = json(&on_sqlite(&project, "--format json").ends(1));
    let same = |mut report: Value| {
        report["seconds"].take();
        report.to_string()
    };
    assert_eq!(same(json(&ran)), same(again));
}

#[test]
fn a_check_that_does_not_exist_is_named_with_the_nearest_that_does() {
    let project = clean();
    for option in ["--check", "--skip"] {
        let ran = on_sqlite(&project, &format!("{option} rows-lots")).ends(2);
        assert_eq!(ran.stderr, "error: there is no check \"rows-lots\": did you mean \"rows-lost\"?\n");
        assert_eq!(ran.stdout, "");
    }
    assert_snapshot!(project.run("explain zebra").ends(2).stderr, @r#"error: there is no check "zebra": `switchback explain` lists them all"#);
}

#[test]
fn explain_lists_all_checks_and_tells_of_each() {
    let project = Project::new();
    let list = project.run("explain").ends(0);
    for check in switchback::checks::ALL {
        assert!(list.stdout.contains(&format!("\n  {} ", check.id)), "{list}");
        let told = project.run(&format!("explain {}", check.id)).ends(0);
        assert!(
            told.stdout.starts_with(&format!("{}[{}]: {}\n", check.severity, check.id, check.problem)),
            "{told}"
        );
        assert!(told.stdout.contains("mend: "), "{told}");
    }
}

#[test]
fn history_lists_revisions_without_a_database() {
    let project = Project::sqlx(&[
        CREATE,
        DROP,
        ("2_index.up.sql", INDEX.1),
        ("2_index.down.sql", "-- The index does no harm.\n"),
        ("3_more.up.sql", "SELECT 1;\n"),
        ("3_more.down.sql", ""),
        ("4_last.sql", "SELECT 1;\n"),
    ]);
    let command = project.command("history").env("TMPDIR", "/nonexistent");
    assert_snapshot!(command.run().ends(0).stdout, @"
    postgres (sqlx, 4 revisions)
      1_create
      2_index                                                      explained downgrade
      3_more                                                       empty downgrade
      4_last                                                       no downgrade
    sqlite (sqlx, 4 revisions)
      1_create
      2_index                                                      explained downgrade
      3_more                                                       empty downgrade
      4_last                                                       no downgrade
    ");
    assert_snapshot!(project.run("history --backend sqlite").ends(0).stdout.lines().next().unwrap(), @"sqlite (sqlx, 4 revisions)");
}

#[test]
fn schema_and_diff_show_what_there_is() {
    let project = clean();
    let run = |words: &str| project.run(&format!("{words} --backend sqlite"));
    assert_snapshot!(run("schema").ends(0).stdout, @"
    -- sqlite
    table notes
      id: INTEGER
      body: TEXT
      primary key (id)
      index ix_body (body)
    ");
    assert_snapshot!(run("schema --at 1").ends(0).stdout, @"
    -- sqlite
    table notes
      id: INTEGER
      body: TEXT
      primary key (id)
    ");
    assert_snapshot!(run("diff 2").ends(0).stdout, @"
    -- sqlite
      table notes
    +   index ix_body (body)
    ");
    assert_eq!(run("diff 2_index").stdout, run("diff 2").stdout);
    assert_snapshot!(run("diff 3").ends(2).stderr, @r#"error: the sqlite history has no revision "3": `switchback history` lists them"#);
    assert_snapshot!(run("schema --at 3").ends(2).stderr, @r#"error: the sqlite history has no revision "3": `switchback history` lists them"#);
}

#[test]
fn schema_and_diff_of_a_history_that_fails_say_so() {
    let project =
        Project::sqlx(&[CREATE, DROP, ("2_index.up.sql", "CREATE INDEX ix ON nots (body);\n"), DROP_INDEX]);
    let run = |words: &str| project.run(&format!("{words} --backend sqlite"));
    assert_snapshot!(run("schema").ends(3).stderr, @"error: migrations/2_index.up.sql:1: upgrade of 2_index failed (sqlite): no such table: main.nots");
    assert_snapshot!(run("schema --at 2").ends(3).stderr, @"error: migrations/2_index.up.sql:1: upgrade of 2_index failed (sqlite): no such table: main.nots");
    assert_snapshot!(run("diff 2").ends(3).stderr, @"error: migrations/2_index.up.sql:1: upgrade of 2_index failed (sqlite): no such table: main.nots");
    run("schema --at 1").ends(0).says("notes");
}

#[test]
fn a_baseline_accepts_what_there_is_and_keeps_what_was_written() {
    let config = "# Ours.\n[history]\ntool = \"sqlx\"  # as in production\npath = \"migrations\"\n# The end.";
    let project = forgetful().with("switchback.toml", config);
    let words = "baseline --backend sqlite";
    let ran = project.command(words).arg("--reason").arg("a \"debt\"\nof old").run().ends(0);
    assert_snapshot!(ran.stdout, @"accepted 1 finding in ./switchback.toml");
    assert_snapshot!(project.read("switchback.toml"), @r#"
    # Ours.
    [history]
    tool = "sqlx"  # as in production
    path = "migrations"
    # The end.

    [[accept]]
    check = "downgrade-leaves-trace"
    backend = "sqlite"
    revision = "2"
    object = "notes.ix_body"
    reason = """
    a "debt"
    of old"""
    "#);
    on_sqlite(&project, "").ends(0).says("clean").says("1 finding accepted").keeps_quiet_about("left index");
    on_sqlite(&project, "--accepted").ends(0).says("left index");

    let before = project.read("switchback.toml");
    assert_snapshot!(project.run(words).ends(0).stdout, @"nothing to accept; ./switchback.toml is as it was");
    assert_eq!(project.read("switchback.toml"), before);
}

#[test]
fn a_baseline_makes_a_config_where_there_is_none() {
    let project = forgetful().with("Cargo.toml", "[dependencies]\nsqlx = \"0.8\"\n");
    std::fs::remove_file(project.root().join("switchback.toml")).unwrap();
    project.run("baseline --backend sqlite").ends(0);
    assert_snapshot!(project.read("switchback.toml"), @r#"
    [[accept]]
    check = "downgrade-leaves-trace"
    backend = "sqlite"
    revision = "2"
    object = "notes.ix_body"
    reason = "was there when Switchback was adopted"
    "#);
    on_sqlite(&project, "").ends(0);
}

#[test]
fn a_baseline_does_not_break_a_config_that_it_cannot_add_to() {
    let entry = "accept = [{ check = \"rows-lost\", reason = \"known\" }]\n[history]\ntool = \"sqlx\"\n";
    let project = forgetful().with("switchback.toml", entry);
    assert_snapshot!(project.run("baseline --backend sqlite").ends(2).stderr, @"error: cannot write ./switchback.toml: write its `accept = […]` as [[accept]] tables first");
    assert_eq!(project.read("switchback.toml"), entry);
}

#[test]
fn a_baseline_of_what_could_not_run_accepts_nothing() {
    let project = forgetful();
    let before = project.read("switchback.toml");
    project
        .command("baseline --backend sqlite")
        .env("TMPDIR", "/nonexistent")
        .run()
        .ends(3)
        .says("nothing was accepted");
    assert_eq!(project.read("switchback.toml"), before);
}

#[rstest]
#[case::all_of_a_check("", 0)]
#[case::by_backend("backend = \"sqlite\"", 0)]
#[case::of_any_backend("backend = \"*\"", 0)]
#[case::of_another_backend("backend = \"postgres\"", 1)]
#[case::by_object("object = \"notes.ix_body\"", 0)]
#[case::by_part_of_an_object("object = \"notes.*\"", 0)]
#[case::of_another_object("object = \"users.*\"", 1)]
#[case::by_the_id_of_a_revision("revision = \"2\"", 0)]
#[case::by_the_name_of_a_revision("revision = \"2_index\"", 0)]
#[case::by_part_of_the_name("revision = \"*_index\"", 0)]
#[case::of_another_revision("revision = \"1\"", 1)]
fn findings_are_accepted(#[case] which: &str, #[case] code: i32) {
    let entry = format!("\n[[accept]]\ncheck = \"downgrade-leaves-trace\"\n{which}\nreason = \"known\"\n");
    on_sqlite(&forgetful().adding("switchback.toml", &entry), "").ends(code);
}

#[test]
fn an_entry_that_accepts_nothing_is_told() {
    let entry =
        "\n[[accept]]\ncheck = \"upgrade-fails\"\nbackend = \"sqlite\"\nreason = \"mended long ago\"\n";
    let project = clean().adding("switchback.toml", entry);
    on_sqlite(&project, "").ends(0).says("switchback.toml:5");
    // Of what did not run, nobody knows.
    on_sqlite(&project, "--skip upgrade-fails").ends(0).keeps_quiet_about("switchback.toml:5");
}

#[test]
fn a_backend_is_skipped_aloud() {
    let project = clean();
    let skipping = |words: &str| project.command(words).env("SKIP_POSTGRES_TESTS", "1").run();
    skipping("check").ends(0).says("everything (postgres): SKIP_POSTGRES_TESTS is set").says("on sqlite in");
    skipping("schema").ends(0).says("SKIP_POSTGRES_TESTS is set").says("notes");
    skipping("diff 1").ends(0).says("SKIP_POSTGRES_TESTS is set").says("notes");
    skipping("baseline").ends(0).says("SKIP_POSTGRES_TESTS is set");
    let report = json(&skipping("check --format json"));
    assert_eq!(report["not_run"][0]["reason"], "SKIP_POSTGRES_TESTS is set");
    assert_eq!(report["not_run"][0]["failed"], false);
}

#[test]
fn a_backend_without_a_history_cannot_be_asked_for() {
    let project = Project::new()
        .with("switchback.toml", "[history]\nsqlite = \"lite\"\n")
        .with("lite/1_a.sql", CREATE.1);
    for words in ["check", "schema", "diff 1", "history", "baseline"] {
        project.run(&format!("{words} --backend postgres")).ends(2).says(
            "error: there is no postgres history to check: switchback.toml names no history for postgres\n",
        );
    }
    project.run("check").ends(0).says("names no history for postgres");
}

#[test]
fn help_tells_the_commands_and_exit_codes() {
    let project = Project::new();
    project.run("--help").ends(0).says("check ").says("explain ").says("130  interrupted");
    project.run("check --help").ends(0).says("--postgres-url <URL>").says("--deny");
    project.run("--version").ends(0).says(env!("CARGO_PKG_VERSION"));
    project.run("").ends(2).says("Usage:");
    project.run("chek").ends(2).says("check");
}

#[test]
fn rows_without_parents_are_looked_for_when_that_check_alone_runs() {
    let parent = "CREATE TABLE teams (id INTEGER PRIMARY KEY);\n\
                  CREATE TABLE users (id INTEGER PRIMARY KEY, team INTEGER REFERENCES teams (id));\n";
    let emptied = "DELETE FROM teams;\n";
    let project = Project::sqlx(&[("1_teams.sql", parent), ("2_emptied.sql", emptied)])
        .adding("switchback.toml", "[sqlite]\nforeign_keys = false\n[rows]\nfixtures = \"rows.json\"\n")
        .with("rows.json", r#"{"teams": [{"id": 1}], "users": [{"id": 1, "team": 1}]}"#);
    let ran = project.run("check --backend sqlite --check invalid-object");
    ran.ends(1).says("table \"users\"").says("\"teams\"");
}

#[test]
fn init_writes_down_what_is_recognised() {
    let table = "CREATE TABLE t (id INTEGER PRIMARY KEY);\n";
    let project = Project::new()
        .with("migrations/postgres/1_a.sql", table)
        .with("migrations/sqlite/1_a.sql", table)
        .with("migrations/sqlite/2_b.sql", "SELECT 1;\n");
    let ran = project.run("init").ends(0);
    ran.says("wrote ./switchback.toml: 1 revision of sqlx on postgres, 2 revisions of sqlx on sqlite");
    assert_eq!(
        project.read("switchback.toml"),
        "[history]\ntool = \"sqlx\"\npostgres = \"migrations/postgres\"\nsqlite = \"migrations/sqlite\"\n\n\
         [sqlite]\n# As sqlx opens it; say here what the application does.\nforeign_keys = true\n"
    );
    project.run("history").ends(0).says("2_b");
    project
        .run("init")
        .ends(2)
        .says("cannot write ./switchback.toml: it is there already; change it by hand");
}

#[test]
fn init_writes_nothing_that_it_is_not_sure_of() {
    let project = Project::new().with("one/1_a.sql", "SELECT 1;\n").with("other/1_a.sql", "SELECT 1;\n");
    project.run("init").ends(2).says("one").says("other");
    assert!(!project.root().join("switchback.toml").exists());
}

#[test]
fn sql_prints_the_scripts_in_the_order_they_run() {
    let project = one_way();
    let run = |more: &str| {
        project.command(&format!("sql --backend sqlite {more}")).env("TMPDIR", "/nonexistent").run()
    };
    assert_snapshot!(run("--at 2").ends(0).stdout, @"
    -- sqlite
    -- migrations/2_index.sql
    CREATE INDEX ix_body ON notes (body);
    ");
    assert_snapshot!(run("--downgrade").ends(0).stdout, @"
    -- sqlite
    -- 2_index: no downgrade
    -- migrations/1_create.down.sql
    DROP TABLE notes;
    ");
    let (up, both) = (run("").ends(0).stdout, project.command("sql").run().ends(0).stdout);
    assert_eq!(both.matches(up.trim_start_matches("-- sqlite\n")).count(), 2, "{both}");
    assert_snapshot!(run("--at 3").ends(2).stderr, @r#"error: the sqlite history has no revision "3": `switchback history` lists them"#);
}
