//! The interpreter that `make python` prepares, with Alembic and the drivers of both databases.

use std::path::PathBuf;
use std::process::Command;

use super::repository;

/// The interpreter, if it is there. Tests that get none assert what a user without Alembic is told.
pub fn interpreter() -> Option<PathBuf> {
    let python = repository(".venv/bin/python");
    let needed = "import alembic, psycopg2, asyncpg, aiosqlite, django";
    let found = Command::new(&python).args(["-c", needed]).output().is_ok_and(|ran| ran.status.success());
    if !found {
        eprintln!("without Alembic: `make python` installs it");
    }
    found.then_some(python)
}
