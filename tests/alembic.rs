//! Alembic projects are driven as they are, whichever way their `env.py` learns its URL; and one that
//! does not work is told why in Python's own words.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::path::Path;

use rstest::rstest;
use rustix::process::{Signal, kill_process};
use support::command::{Project, Ran};
use support::processes::{Process, below, wait_for, wait_until_gone};
use support::python::interpreter;
use support::{is_skipped, report, repository};
use switchback::{Backend, Check};

const INI: &str = "[alembic]\nscript_location = migrations\nprepend_sys_path = .\n";
/// How an `env.py` goes on once it knows its URL.
const RUN: &str = r#"
from alembic import context
from sqlalchemy import create_engine, pool
engine = create_engine(URL, poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
"#;
const ASYNC: &str = r#"
import asyncio
from alembic import context
from sqlalchemy import pool
from sqlalchemy.ext.asyncio import create_async_engine

def work(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()

async def main():
    engine = create_async_engine(URL, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(work)
    await engine.dispose()

asyncio.run(main())
"#;
const CREATE: &str = "op.create_table(\"a\", sa.Column(\"id\", sa.Integer, primary_key=True))";

fn revision(id: &str, down: &str, upgrade: &str, downgrade: &str) -> String {
    format!(
        "from alembic import op\nimport sqlalchemy as sa\n\nrevision = \"{id}\"\ndown_revision = {down}\n\n\n\
         def upgrade():\n    {upgrade}\n\n\ndef downgrade():\n    {downgrade}\n"
    )
}

/// A project with one good revision and this `env.py`.
fn project(env: &str) -> Project {
    Project::new()
        .with("alembic.ini", INI)
        .with("migrations/script.py.mako", "")
        .with("migrations/env.py", env)
        .with("migrations/versions/a1.py", revision("a1", "None", CREATE, "op.drop_table(\"a\")"))
}

fn check(project: &Project, python: &Path, more: &str) -> Ran {
    let is_told = more.contains("--backend");
    let both = if is_skipped(Backend::Postgres) && !is_told { "--backend sqlite" } else { "" };
    project.command(&format!("check {both} {more}")).env("VIRTUAL_ENV", environment_of(python)).run()
}

fn environment_of(python: &Path) -> &Path {
    python.parent().unwrap().parent().unwrap()
}

#[test]
fn without_alembic_what_was_tried_is_told() {
    let ran =
        project("").command("check --backend sqlite").env("PATH", "/nowhere").env("VIRTUAL_ENV", "/no").run();
    ran.ends(2)
        .says("no interpreter was found that has alembic: VIRTUAL_ENV in the environment: ")
        .says("help: install the project's requirements, or name its interpreter with [history] python");
}

#[test]
fn an_interpreter_that_is_named_has_to_be_the_one() {
    let project =
        project("").with("switchback.toml", "[history]\ntool = \"alembic\"\npython = \"bin/none\"\n");
    let ran = project.run("check --backend sqlite").ends(2);
    ran.says("error: [history] python: \"bin/none\" cannot run alembic: No such file or directory");
}

#[rstest]
#[case::ini("URL = context.config.get_main_option(\"sqlalchemy.url\")", "")]
#[case::variable("import os\nURL = os.environ[\"DATABASE_URL\"]", "")]
#[case::a_variable_of_its_own("import os\nURL = os.environ[\"SHOP_DB_DSN\"]", "")]
#[case::a_variable_that_is_named("import os\nURL = os.environ[\"SHOP\"]", "url = { env = \"SHOP\" }")]
#[case::argument("URL = context.get_x_argument(as_dictionary=True)[\"url\"]", "")]
#[case::an_argument_that_is_named(
    "URL = context.get_x_argument(as_dictionary=True)[\"where\"]",
    "url = { x = \"where\" }"
)]
#[case::settings_that_are_read_once("from settings import URL", "")]
fn env_py_learns_its_url(#[case] learns: &str, #[case] config: &str, #[values(RUN, ASYNC)] runs: &str) {
    let Some(python) = interpreter() else { return without_alembic_what_was_tried_is_told() };
    let env = format!("from alembic import context\n{learns}\n{runs}");
    let project = project(&env)
        .with("settings.py", "import os\nURL = os.environ[\"DATABASE_URL\"]\n")
        .with("switchback.toml", format!("[history]\ntool = \"alembic\"\n{config}\n"));
    check(&project, &python, "--skip behaviour-mismatch").ends(0).says("clean: ");
}

#[rstest]
#[case::fails_to_import("import nothing_like_it", &["alembic's environment cannot be loaded: migrations/env.py:1: ", "No module named 'nothing_like_it'"])]
#[case::prompts("print('Sure?')\ninput()", &["EOF when reading a line", "Sure?"])]
#[case::exits("import sys\nsys.exit(3)", &["the project's env.py ended the program"])]
#[case::ends_the_process("import os\nprint('bye', flush=True)\nos._exit(7)", &["the process ended (exit status: 7)", "bye"])]
#[case::hangs("import time\ntime.sleep(600)", &["there was no answer within 5 seconds, so the process was killed"])]
#[case::does_nothing("pass", &["env.py ended without running the migrations"])]
#[case::lacks_a_driver("URL = 'postgresql+nothing://h/d'\n#", &["alembic's environment"])]
fn an_environment_that_does_not_work_is_told(#[case] env: &str, #[case] told: &[&str]) {
    let Some(python) = interpreter() else { return without_alembic_what_was_tried_is_told() };
    let env = format!("{env}\n{RUN}");
    let env = if env.starts_with("pass") { "pass\n".to_owned() } else { env };
    let project = project(&env).with("switchback.toml", "[history]\ntool = \"alembic\"\ntime_limit = 5\n");
    let ran = check(&project, &python, "--backend sqlite").ends(3);
    told.iter().fold(ran, |ran, told| ran.says(told));
}

#[test]
fn what_env_py_prints_and_forks_is_no_answer() {
    let Some(python) = interpreter() else { return without_alembic_what_was_tried_is_told() };
    let noise = "import os, sys\nprint('{\"id\": 1, \"ok\": {}}')\nos.system('echo noise')\n\
                 child = os.fork()\nif child == 0:\n    os._exit(0)\nos.waitpid(child, 0)\n\
                 URL = os.environ['DATABASE_URL']\n";
    check(&project(&format!("{noise}{RUN}")), &python, "").ends(0).says("clean: ");
}

#[test]
fn nothing_but_databases_of_the_run_is_connected_to() {
    let Some(python) = interpreter() else { return without_alembic_what_was_tried_is_told() };
    let project = project(&format!("URL = 'sqlite:///precious.db'\n{RUN}")).with("precious.db", "");
    let ran = check(&project, &python, "--backend sqlite").ends(3);
    ran.says("the project would connect to another database").says("url = { env = ");
    assert_eq!(project.read("precious.db"), "");
}

#[test]
fn a_revision_that_fails_is_found_with_its_line() {
    let Some(python) = interpreter() else { return without_alembic_what_was_tried_is_told() };
    let env = format!("import os\nURL = os.environ['DATABASE_URL']\n{RUN}");
    let bad = revision("b2", "\"a1\"", "op.execute(\"SELEKT 1\")", "raise KeyError(\"no way back\")");
    let project = project(&env).with("migrations/versions/b2.py", bad);
    let ran = check(&project, &python, "").ends(1);
    ran.says("error[upgrade-fails]: upgrade of b2 failed (sqlite): near \"SELEKT\": syntax error")
        .says("--> migrations/versions/b2.py:9")
        .says("SELEKT 1");
}

#[test]
fn several_branches_and_bases_are_walked_one_by_one() {
    let Some(python) = interpreter() else { return without_alembic_what_was_tried_is_told() };
    let env = format!("import os\nURL = os.environ['DATABASE_URL']\n{RUN}");
    let table = |name: &str| CREATE.replace("\"a\"", &format!("\"{name}\""));
    let of = |name: &str, down: &str, more: &str| {
        let drop = format!("op.drop_table(\"{name}\")");
        revision(name, down, &table(name), &drop).replace("down_revision", &format!("{more}\ndown_revision"))
    };
    let project = project(&env)
        .with("migrations/versions/b.py", of("b", "\"a1\"", "branch_labels = (\"left\",)"))
        .with("migrations/versions/c.py", of("c", "\"a1\"", ""))
        .with("migrations/versions/d.py", of("d", "(\"b\", \"c\")", ""))
        .with("migrations/versions/e.py", of("e", "\"c\"", ""))
        .with("migrations/versions/x.py", of("x", "None", ""))
        .with("migrations/versions/y.py", of("y", "\"x\"", "depends_on = \"d\""));
    check(&project, &python, "").ends(0).says("7 revisions").says("clean: ");
}

#[test]
fn what_the_models_declare_is_compared() {
    let Some(python) = interpreter() else { return without_alembic_what_was_tried_is_told() };
    let env = format!("import os\nURL = os.environ['DATABASE_URL']\nfrom models import metadata\n{RUN}");
    let env = env.replace("target_metadata=None", "target_metadata=metadata");
    let models = "import sqlalchemy as sa\nmetadata = sa.MetaData()\n\
                  sa.Table('a', metadata, sa.Column('id', sa.Integer, primary_key=True), \
                  sa.Column('name', sa.String(10)))\n";
    let project = project(&env).with("models.py", models);
    check(&project, &python, "")
        .ends(1)
        .says("column \"name\" of table \"a\" is declared but not migrated (sqlite)");
}

/// What Alembic's own autogenerate would not speak of is no finding, be it declared or found.
#[test]
fn what_the_project_leaves_out_of_the_comparison_is_left_out() {
    let Some(python) = interpreter() else { return without_alembic_what_was_tried_is_told() };
    let env =
        format!("import os\nURL = os.environ['DATABASE_URL']\nfrom models import metadata, kept\n{RUN}");
    let filtered = env.replace("target_metadata=None", "target_metadata=metadata, include_object=kept");
    let models = "import sqlalchemy as sa\nmetadata = sa.MetaData()\n\
                  sa.Table('mirror', metadata, sa.Column('id', sa.Integer), info={'skip': True})\n\
                  sa.Table('b', metadata, sa.Column('id', sa.Integer, primary_key=True), sa.Column('x_new', sa.Integer))\n\
                  def kept(found, name, kind, reflected, other):\n    \
                      if kind == 'table' and reflected and other is None:\n        return False\n    \
                      return not found.info.get('skip') and not name.startswith('x_')\n";
    let create =
        "op.create_table('b', sa.Column('id', sa.Integer, primary_key=True), sa.Column('old', sa.Integer))";
    let project = |env: &str| {
        project(env)
            .with("models.py", models)
            .with("migrations/versions/b2.py", revision("b2", "'a1'", create, "op.drop_table('b')"))
    };
    let ran = check(&project(&filtered), &python, "--check metadata-drift").ends(1);
    let ran = ran.says("column \"old\" of table \"b\" is migrated but not declared (sqlite)");
    for left_out in ["table \"a\"", "mirror", "x_new"] {
        assert!(!ran.stdout.contains(left_out), "{ran}");
    }
    let everything = env.replace("target_metadata=None", "target_metadata=metadata");
    let ran = check(&project(&everything), &python, "--check metadata-drift").ends(1);
    ran.says("table \"a\"").says("mirror").says("x_new");
}

const CONFIGURED: &str = "    context.configure(connection=connection, target_metadata=None)\n    with context.begin_transaction():\n";
const ENGINE: &str = "with engine.connect() as connection:\n";

/// However env.py goes about its transactions, each step is kept by itself, and env.py is run once for
/// many steps only where that makes no difference.
#[rstest]
#[case::by_alembic(ENGINE, CONFIGURED, true)]
#[case::one_for_each(ENGINE, &CONFIGURED.replace("None)", "None, transaction_per_migration=True)"), true)]
#[case::begun_before("with engine.begin() as connection:\n", CONFIGURED, false)]
#[case::begun_after(ENGINE, &CONFIGURED.replace("context.begin_transaction", "connection.begin"), false)]
#[case::begun_by_a_question(&format!("{ENGINE}    connection.execute(text('SELECT 1'))\n"), CONFIGURED, false)]
#[case::committed_by_hand(ENGINE, &CONFIGURED.replace("with context.begin_transaction()", "for _ in [1]"), false)]
#[case::asks_what_it_is_for(ENGINE, &format!("    context.config.cmd_opts\n{CONFIGURED}"), false)]
fn each_step_is_kept(#[case] engine: &str, #[case] configured: &str, #[case] is_held: bool) {
    let Some(python) = interpreter() else { return without_alembic_what_was_tried_is_told() };
    let run = RUN.replace(ENGINE, engine).replace(CONFIGURED, configured);
    assert!(run.contains(engine) && run.contains(configured), "each case is an env.py of its own");
    let commit = if engine.contains("begin") { "" } else { "    connection.commit()\n" };
    let env = format!(
        "import os\nfrom sqlalchemy import text\nURL = os.environ['DATABASE_URL']\n\
         with open(os.path.join(os.path.dirname(__file__), 'runs'), 'a') as runs:\n    runs.write('.')\n\
         {run}{commit}"
    );
    let mut project = project(&env);
    for number in 2..12 {
        let (id, down) = (format!("a{number}"), format!("\"a{}\"", number - 1));
        let up = format!("op.create_table(\"t{number}\", sa.Column(\"id\", sa.Integer))");
        let back = format!("op.drop_table(\"t{number}\")");
        project = project.with(&format!("migrations/versions/{id}.py"), revision(&id, &down, &up, &back));
    }
    check(&project, &python, "--skip behaviour-mismatch").ends(0).says("clean: ");
    let runs = || {
        let runs = project.root().join("migrations/runs");
        let count = std::fs::read(&runs).unwrap().len();
        std::fs::remove_file(runs).unwrap();
        count
    };
    let both = runs();
    if !is_skipped(Backend::Postgres) {
        // SQLite has a transaction for each step in any case.
        check(&project, &python, "--backend postgres").ends(0).says("clean: ");
        let runs = runs();
        assert_eq!(runs < 30, is_held, "{runs} runs for 66 steps, {both} on both");
    }
}

/// An env.py that runs the revisions more than once, such as for each tenant, does so for each step.
#[test]
fn every_place_where_env_py_runs_the_revisions_sees_every_step() {
    let Some(python) = interpreter() else { return without_alembic_what_was_tried_is_told() };
    let env = "import os
from alembic import context
from sqlalchemy import create_engine, pool
engine = create_engine(os.environ['DATABASE_URL'], poolclass=pool.NullPool)
with engine.connect() as connection:
    for table in ('books_a', 'books_b'):
        context.configure(connection=connection, version_table=table)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
";
    let mut project = project(env)
        .with("switchback.toml", "[history]\ntool = \"alembic\"\nbookkeeping = [\"books_a\", \"books_b\"]\n");
    let of = "op.get_context().opts['version_table']";
    for number in 1..4 {
        let (id, down) = (format!("a{number}"), format!("\"a{}\"", number - 1));
        let down = if number == 1 { "None" } else { &down };
        let up = format!(
            "op.create_table('t{number}_' + {of}, sa.Column('id', sa.Integer, primary_key=True))\n    \
             with open({:?}, 'a') as seen:\n        seen.write('{id} ' + {of} + '\\n')",
            project.root().join("seen")
        );
        let back = format!("op.drop_table('t{number}_' + {of})");
        project = project.with(&format!("migrations/versions/{id}.py"), revision(&id, down, &up, &back));
    }
    check(&project, &python, "--skip behaviour-mismatch").ends(0).says("clean: ");
    let seen = project.read("seen");
    let steps = |step: &str| seen.lines().filter(|line| *line == step).count();
    for number in 1..4 {
        let both = [steps(&format!("a{number} books_a")), steps(&format!("a{number} books_b"))];
        assert!(both[0] > 0 && both[0] == both[1], "a{number}: {both:?}");
    }
}

/// What env.py sets for the transaction of all revisions holds in each of them.
#[test]
fn what_env_py_sets_for_its_transaction_holds_in_every_step() {
    let Some(python) = interpreter() else { return without_alembic_what_was_tried_is_told() };
    if is_skipped(Backend::Postgres) {
        return;
    }
    let set = "        connection.execute(text('SET LOCAL search_path TO tenant'))\n        context.run";
    let run = RUN.replace("        context.run", set);
    let env = format!("import os\nfrom sqlalchemy import text\nURL = os.environ['DATABASE_URL']\n{run}");
    let mut project = project(&env).with("setup.sql", "CREATE SCHEMA tenant;\n").with(
        "switchback.toml",
        "[history]\ntool = \"alembic\"\nbookkeeping = \"tenant.alembic_version\"\n\n[postgres]\nsetup = \"setup.sql\"\n",
    );
    for number in 2..6 {
        let (id, down) = (format!("a{number}"), format!("\"a{}\"", number - 1));
        let up = format!("op.create_table('t{number}', sa.Column('id', sa.Integer))");
        let back = format!("op.drop_table('t{number}')");
        project = project.with(&format!("migrations/versions/{id}.py"), revision(&id, &down, &up, &back));
    }
    check(&project, &python, "--backend postgres").ends(0).says("5 revisions").says("clean: 30 steps");
}

/// A process that env.py forks keeps what env.py has opened.
#[test]
fn a_worker_that_env_py_forks_has_its_own_files() {
    let Some(python) = interpreter() else { return without_alembic_what_was_tried_is_told() };
    let fork = "import multiprocessing as mp\nfork = mp.get_context('fork')\nqueue = fork.SimpleQueue()\n\
                worker = fork.Process(target=queue.put, args=('word',))\nworker.start()\n\
                assert queue.get() == 'word'\nworker.join()\nassert worker.exitcode == 0\n";
    let env = format!("import os\n{fork}URL = os.environ['DATABASE_URL']\n{RUN}");
    check(&project(&env), &python, "").ends(0).says("clean: ");
}

/// What a step leaves in its session is gone when another direction is taken, as it is in production.
#[rstest]
#[case::a_temporary_table("op.execute('CREATE TEMPORARY TABLE mine (id INT)')")]
#[case::a_setting(
    "assert op.get_bind().dialect.name == 'sqlite' or op.get_bind().exec_driver_sql(\
     \"SELECT set_config('my.own', coalesce(current_setting('my.own', true), '') || 'x', false)\").scalar() == 'x'"
)]
fn a_session_ends_with_what_is_left_in_it(#[case] leaves: &str) {
    let Some(python) = interpreter() else { return without_alembic_what_was_tried_is_told() };
    let env = format!("import os\nURL = os.environ['DATABASE_URL']\n{RUN}");
    let mut project = project(&env);
    for number in 2..5 {
        let (id, down) = (format!("a{number}"), format!("\"a{}\"", number - 1));
        let up = format!("op.create_table('t{number}', sa.Column('id', sa.Integer))\n    {leaves}");
        let back = format!("op.drop_table('t{number}')");
        project = project.with(&format!("migrations/versions/{id}.py"), revision(&id, &down, &up, &back));
    }
    check(&project, &python, "--skip behaviour-mismatch").ends(0).says("clean: ");
}

/// A step ends with the run, be it asked to stop or killed.
#[rstest]
#[case::on_ctrl_c(Signal::INT)]
#[case::when_killed(Signal::KILL)]
fn a_step_ends_with_the_run(#[case] signal: Signal) {
    let Some(python) = interpreter() else { return without_alembic_what_was_tried_is_told() };
    let env = format!("import os\nURL = os.environ['DATABASE_URL']\n{RUN}");
    let sleeps = "import subprocess; subprocess.run(['sleep', '600'])";
    let project = project(&env).with("migrations/versions/b2.py", revision("b2", "'a1'", sleeps, "pass"));
    let environment = python.parent().unwrap().parent().unwrap();
    let running = project.command("check --backend sqlite").env("VIRTUAL_ENV", environment).start();
    let asleep = |one: &Process| one.command.starts_with("sleep 600");
    wait_for("the step", || below(running.pid()).into_iter().find(asleep));
    let started = below(running.pid());
    assert!(started.len() >= 3, "a process, its watch and what the step has started: {started:?}");
    let asked = std::time::Instant::now();
    kill_process(running.pid(), signal).unwrap();
    match signal {
        Signal::KILL => assert!(running.was_killed()),
        _ => drop(running.end().ends(130).says("interrupted")),
    }
    assert!(asked.elapsed().as_secs() < 20);
    started.iter().for_each(wait_until_gone);
}

#[test]
fn the_scenario_holds() {
    let Some(python) = interpreter() else { return without_alembic_what_was_tried_is_told() };
    let _ = python;
    let mut check = Check::new(repository("scenarios/alembic/journal"));
    if is_skipped(Backend::Postgres) {
        check = check.backend(Backend::Sqlite).skip("parity-mismatch").skip("behaviour-mismatch");
    }
    let report = report(&check);
    let open: Vec<_> =
        report.open().filter(|finding| finding.severity > switchback::report::Severity::Note).collect();
    assert!(open.is_empty(), "{open:#?}");
}

/// What a revision does, as Alembic itself writes it without a database.
#[test]
fn the_sql_of_a_revision_is_alembics_own() {
    let Some(python) = interpreter() else { return without_alembic_what_was_tried_is_told() };
    let env = "from alembic import context\ncontext.configure(url=context.config.get_main_option('sqlalchemy.url'), \
               literal_binds=True)\nwith context.begin_transaction():\n    context.run_migrations()\n";
    let add = "op.add_column('a', sa.Column('at', sa.DateTime(timezone=True)))";
    let project = project(env)
        .with("migrations/versions/b2.py", revision("b2", "'a1'", add, "op.drop_column('a', 'at')"))
        .with(
            "migrations/versions/c3.py",
            revision("c3", "'b2'", "op.get_bind().scalar(sa.text('SELECT 1'))", "pass"),
        );
    let run = |more: &str| {
        project.command(&format!("sql {more}")).env("VIRTUAL_ENV", environment_of(&python)).run()
    };
    let up = run("--at b2").ends(0).stdout;
    assert!(up.contains("-- postgres\nBEGIN;"), "{up}");
    assert!(up.contains("ALTER TABLE a ADD COLUMN at TIMESTAMP WITH TIME ZONE;"), "{up}");
    assert!(up.contains("-- sqlite\n") && up.contains("ALTER TABLE a ADD COLUMN at DATETIME;"), "{up}");
    assert!(up.contains("alembic_version SET version_num='b2'") && !up.contains("CREATE TABLE a "), "{up}");
    let down = run("--at b2 --downgrade --backend sqlite").ends(0).stdout;
    assert!(down.contains("ALTER TABLE a DROP COLUMN at;") && down.contains("version_num='a1'"), "{down}");
    // A revision that looks into the database has none, and is told with its line.
    run("--backend sqlite").ends(3).says("there is no SQL to print (sqlite): migrations/versions/c3.py:");
}
