//! The stairway of an Alembic history against pytest-alembic's.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::measure::{figure, median, run as measured};
use crate::replay::check;
use crate::server::Private;

const REVISIONS: usize = 100;
const RUNS: usize = 3;
/// The checks that the stairway is for.
const STAIRWAY: [&str; 5] = [
    "upgrade-fails",
    "downgrade-fails",
    "downgrade-leaves-trace",
    "upgrade-not-repeatable",
    "missing-downgrade",
];
const ENV: &str = r#"
import os
from alembic import context
from sqlalchemy import create_engine, pool

engine = context.config.attributes.get("connection")
if engine is None:
    engine = create_engine(os.environ["DATABASE_URL"], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, render_as_batch=True, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"#;
const CONFTEST: &str = r#"
import os
import pytest
from sqlalchemy import create_engine

@pytest.fixture
def alembic_engine():
    return create_engine(os.environ["DATABASE_URL"])
"#;

/// The aim: every revision up, down and up again on both databases takes no longer than pytest-alembic's
/// `test_upgrade` and `test_up_down_consistency`, side by side on both.
pub(crate) fn run() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
    let probe = Command::new(&python).args(["-c", "import pytest_alembic, psycopg2"]).status();
    if !probe.is_ok_and(|status| status.success()) {
        println!("alembic  not run: there is no pytest-alembic; `make python` brings it");
        return;
    }
    let server = Private::start();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let folder = folder.path();
    project(folder, &python);

    let (mut ours, mut whole, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let mut stairway = check(folder, &server);
        for id in STAIRWAY {
            stairway.args(["--check", id]);
        }
        ours.push(measured(&mut stairway).wall.as_secs_f64());
        whole.push(measured(&mut check(folder, &server)).wall.as_secs_f64());
        theirs.push(pytest(folder, &python, &server));
    }
    let ratio = |of: &[f64]| median(of.iter().zip(&theirs).map(|(one, other)| one / other).collect());
    let text = |name: &str, of: &[f64]| {
        format!("{name} {:.2} s, pytest-alembic {:.2} s", median(of.to_vec()), median(theirs.clone()))
    };
    figure("alembic", &text("stairway", &ours), ratio(&ours), 1.0);
    figure("alembic", &text("whole check", &whole), ratio(&whole), f64::INFINITY);
}

/// The seconds that pytest-alembic takes on both databases, side by side.
fn pytest(folder: &Path, python: &Path, server: &Private) -> f64 {
    let files = tempfile::tempdir().expect("a temporary folder can be made");
    let urls = [
        server.database().replacen("postgres://", "postgresql+psycopg2://", 1),
        format!("sqlite:///{}", files.path().join("a.db").display()),
    ];
    let started = Instant::now();
    let running = urls.map(|url| -> Child {
        let mut command = Command::new(python);
        command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "test_migrations.py"]);
        command.current_dir(folder).env("DATABASE_URL", url).stdout(Stdio::null());
        command.spawn().expect("it was there a moment ago")
    });
    for mut child in running {
        let status = child.wait().expect("a child can be waited for");
        assert!(status.success(), "pytest-alembic fails on the history");
    }
    started.elapsed().as_secs_f64()
}

fn project(folder: &Path, python: &Path) {
    let write = |file: &str, text: &str| {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    };
    write("alembic.ini", "[alembic]\nscript_location = migrations\n");
    write("migrations/script.py.mako", "");
    write("migrations/env.py", ENV);
    write("conftest.py", CONFTEST);
    write("test_migrations.py", "from pytest_alembic.tests import test_up_down_consistency, test_upgrade\n");
    let python = python.display();
    write("switchback.toml", &format!("[history]\ntool = \"alembic\"\npython = \"{python}\"\n"));
    for number in 0..REVISIONS {
        let down = number.checked_sub(1).map_or("None".to_owned(), |before| format!("\"r{before:03}\""));
        let table = number / 4;
        let (up, back) = match number % 4 {
            0 => (
                format!(
                    "op.create_table(\"t{table}\", sa.Column(\"id\", sa.Integer, primary_key=True), \
                     sa.Column(\"name\", sa.String(40), nullable=False))"
                ),
                format!("op.drop_table(\"t{table}\")"),
            ),
            1 => (
                format!("op.create_index(\"ix_t{table}_name\", \"t{table}\", [\"name\"])"),
                format!("op.drop_index(\"ix_t{table}_name\", table_name=\"t{table}\")"),
            ),
            2 => (
                format!("op.add_column(\"t{table}\", sa.Column(\"note\", sa.Text))"),
                format!(
                    "with op.batch_alter_table(\"t{table}\") as batch:\n        batch.drop_column(\"note\")"
                ),
            ),
            _ => (
                format!("op.execute(\"CREATE VIEW v{table} AS SELECT id, name FROM t{table}\")"),
                format!("op.execute(\"DROP VIEW v{table}\")"),
            ),
        };
        let mut text = String::from("from alembic import op\nimport sqlalchemy as sa\n\n");
        let _ = writeln!(text, "revision = \"r{number:03}\"\ndown_revision = {down}\n\n");
        let _ = writeln!(text, "def upgrade():\n    {up}\n\n\ndef downgrade():\n    {back}");
        write(&format!("migrations/versions/r{number:03}.py"), &text);
    }
}
