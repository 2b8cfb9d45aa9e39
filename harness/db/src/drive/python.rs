//! The interpreter of a project.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where a project keeps its environment.
const FOLDERS: [&str; 4] = [".venv", "venv", "env", ".env"];
/// How many folders above the tool's own are looked into.
const ABOVE: usize = 4;

/// An interpreter that may be the project's own, and how it was come by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) path: PathBuf,
    pub(super) from: String,
}

/// The environments in a folder, or in one above it in the same repository.
pub(super) fn own_environments(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let own = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    for above in own.ancestors().take(ABOVE) {
        let environments = FOLDERS.map(|name| above.join(name));
        found.extend(environments.into_iter().filter(|path| path.join("bin/python").exists()));
        if above.join(".git").exists() {
            break;
        }
    }
    found
}

/// The interpreters that may be meant, the likeliest first.
pub(super) fn candidates(folder: &Path, environment: impl Fn(&str) -> Option<PathBuf>) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = own_environments(folder)
        .into_iter()
        .map(|path| Candidate {
            from: format!("the environment in {}", path.display()),
            path: path.join("bin/python"),
        })
        .collect();
    for variable in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        if let Some(active) = environment(variable) {
            found.push(Candidate {
                path: active.join("bin/python"),
                from: format!("{variable} in the environment"),
            });
        }
    }
    found.extend(poetry(folder));
    for name in ["python3", "python"] {
        found.push(Candidate { path: name.into(), from: format!("\"{name}\" on the PATH") });
    }
    found
}

/// Poetry keeps environments in a place of its own, and tells where.
fn poetry(folder: &Path) -> Option<Candidate> {
    let project = std::fs::read_to_string(folder.join("pyproject.toml")).ok()?;
    if !project.contains("[tool.poetry") {
        return None;
    }
    let told =
        Command::new("poetry").args(["env", "info", "--executable"]).current_dir(folder).output().ok()?;
    let path = String::from_utf8(told.stdout).ok()?;
    let path = path.trim();
    (told.status.success() && !path.is_empty())
        .then(|| Candidate { path: path.into(), from: "poetry".to_owned() })
}

/// Whether an interpreter starts and has Alembic; otherwise why not.
pub(super) fn try_alembic(path: &Path) -> Result<(), String> {
    let find =
        "import importlib.util as u, sys; sys.exit(u.find_spec('alembic') is None and 'it has no alembic')";
    // From elsewhere, since a folder of that name would count as the library.
    let tried = Command::new(path).args(["-c", find]).current_dir("/").output();
    let output = tried.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.trim().lines().last().unwrap_or("it does not start").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projects_own_environment_comes_first() {
        let root = tempfile::tempdir().unwrap();
        let python = root.path().canonicalize().unwrap().join(".venv/bin/python");
        std::fs::create_dir_all(python.parent().unwrap()).unwrap();
        std::fs::write(&python, "").unwrap();
        let folder = root.path().join("backend");
        std::fs::create_dir(&folder).unwrap();
        let active = |name: &str| (name == "VIRTUAL_ENV").then(|| PathBuf::from("/active"));
        let found: Vec<_> = candidates(&folder, active).into_iter().map(|one| one.path).collect();
        let expected = [python, "/active/bin/python".into(), "python3".into(), "python".into()];
        assert_eq!(found, expected);
    }
}
