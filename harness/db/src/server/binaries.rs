//! PostgreSQL's server binaries on this machine.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use switchback_core::versions::Version;

/// The environment variable with more folders to look into, before all others, each with server
/// binaries, or with folders of some such as `17/bin`.
pub const FOLDERS_ENV: &str = "SWITCHBACK_POSTGRES_BINARIES";

/// A folder with a server's binaries, and their version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// The folder, through links.
    pub dir: PathBuf,
    /// What `postgres --version` prints, the packager's suffix included.
    pub(crate) full_version: String,
    /// The major version.
    pub major: u32,
    /// The minor version; 0 for a beta.
    pub minor: u32,
}

impl Binaries {
    /// All that can be found: those that the environment names, then those on the PATH in its order,
    /// since somebody put them there, then the others, newest first. Folders that were given are the
    /// only ones looked into.
    pub fn find(given: &[PathBuf]) -> Vec<Self> {
        if given.is_empty() {
            let named = std::env::var_os(FOLDERS_ENV).unwrap_or_default();
            let named = std::env::split_paths(&named).flat_map(|folder| with_versions(&folder));
            Self::among(named.chain(on_path()).collect(), usual_folders())
        } else {
            Self::among(given.to_vec(), Vec::new())
        }
    }

    /// Those of a version in a folder, without looking whether they are there.
    pub fn at(dir: impl Into<PathBuf>, major: u32, minor: u32) -> Self {
        Self { dir: dir.into(), full_version: format!("postgres (PostgreSQL) {major}.{minor}"), major, minor }
    }

    fn among(chosen: Vec<PathBuf>, others: Vec<PathBuf>) -> Vec<Self> {
        let mut seen = BTreeSet::new();
        let mut found = |folders: Vec<PathBuf>| -> Vec<Self> {
            let folders = folders.into_iter();
            folders
                // Through links, for the server finds its other files from where it really is.
                .filter_map(|dir| std::fs::canonicalize(dir.join("postgres")).ok())
                .filter_map(|postgres| postgres.parent().map(Path::to_owned))
                .filter(|dir| seen.insert(dir.clone()))
                .filter_map(|dir| Self::in_folder(&dir))
                .collect()
        };
        let mut chosen = found(chosen);
        let mut others = found(others);
        // Stable, so that of two equal versions the one found first is taken.
        others.sort_by_key(|b| std::cmp::Reverse((b.major, b.minor)));
        chosen.append(&mut others);
        chosen
    }

    fn in_folder(dir: &Path) -> Option<Self> {
        if !dir.join("initdb").is_file() {
            return None;
        }
        let full_version = output(&dir.join("postgres"), "--version")?;
        let (major, minor) = parse_version(&full_version)?;
        Some(Self { dir: dir.to_owned(), full_version, major, minor })
    }
}

/// The numbers in `postgres (PostgreSQL) 15.18 (Debian …)`; a beta such as `19beta1` is minor 0.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let version = text.split("(PostgreSQL) ").nth(1)?;
    let digits = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text[..end].parse::<u32>().ok()
    };
    let major = digits(version)?;
    let minor = version.split_once('.').and_then(|(_, rest)| digits(rest)).unwrap_or(0);
    Some((major, minor))
}

/// The folder itself, and the binaries of each version in it, newest first.
fn with_versions(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let version = |entry: std::fs::DirEntry| {
        let version: Version = entry.file_name().to_str()?.parse().ok()?;
        Some((version, entry.path().join("bin")))
    };
    let mut versions: Vec<(Version, PathBuf)> = entries.filter_map(version).collect();
    versions.sort_by(|(one, _), (other, _)| other.cmp(one));
    let versions = versions.into_iter().map(|(_, bin)| bin);
    [folder.to_owned(), folder.join("bin")].into_iter().chain(versions).collect()
}

fn on_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).collect()
}

fn usual_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for dir in on_path() {
        let config = dir.join("pg_config");
        if config.is_file() {
            folders.extend(output(&config, "--bindir").map(PathBuf::from));
        }
    }
    for (parent, prefix) in [
        ("/usr/lib/postgresql", ""),
        ("/usr", "pgsql-"),
        ("/usr/libexec", "postgresql"),
        ("/opt/homebrew/opt", "postgresql"),
        ("/usr/local/opt", "postgresql"),
        ("/usr/local", "pgsql"),
        ("/Applications/Postgres.app/Contents/Versions", ""),
    ] {
        let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> = entries
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
            .map(|entry| entry.path())
            .collect();
        found.sort();
        folders.extend(found.iter().map(|dir| dir.join("bin")));
        // Alpine puts the binaries straight into the folder of the version.
        folders.extend(found);
    }
    folders
}

fn output(program: &Path, argument: &str) -> Option<String> {
    let run = Command::new(program).arg(argument).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(run.stdout).ok()?;
    run.status.success().then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", Some((15, 18)))]
    #[case("postgres (PostgreSQL) 17.2", Some((17, 2)))]
    #[case("postgres (PostgreSQL) 19beta1", Some((19, 0)))]
    #[case("postgres (PostgreSQL) 18devel", Some((18, 0)))]
    #[case("postgres (Greenplum) 6", None)]
    #[case("", None)]
    fn a_version_is_read(#[case] text: &str, #[case] expected: Option<(u32, u32)>) {
        assert_eq!(parse_version(text), expected);
    }

    /// What looks like the binaries of a version.
    fn install(dir: PathBuf, version: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;

        std::fs::create_dir_all(&dir).unwrap();
        let script = format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n");
        for name in ["postgres", "initdb"] {
            let file = dir.join(name);
            std::fs::write(&file, &script).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        dir
    }

    #[test]
    fn a_folder_is_one_of_binaries_or_of_versions() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (dir, version) in [("9.6/bin", "9.6.2"), ("17/bin", "17.4"), ("18/bin", "18.0"), ("own", "15.1")]
        {
            install(root.join(dir), version);
        }
        for (named, expected) in
            [("", vec![(18, 0), (17, 4), (9, 6)]), ("17", vec![(17, 4)]), ("own", vec![(15, 1)])]
        {
            let found = Binaries::among(with_versions(&root.join(named)), Vec::new());
            assert_eq!(found.iter().map(|b| (b.major, b.minor)).collect::<Vec<_>>(), expected, "{named}");
        }
    }

    #[test]
    fn the_path_goes_first_and_the_newest_of_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let install = |version: &str| install(folder.path().join(version), version);
        let chosen = vec![folder.path().join("none"), install("13.23"), install("14.2")];
        let mut others = vec![install("15.1"), install("15.18"), install("9.6.2"), install("18.4")];
        others.push(chosen[1].clone());
        let found = Binaries::among(chosen, others);
        let versions: Vec<(u32, u32)> = found.iter().map(|b| (b.major, b.minor)).collect();
        assert_eq!(versions, [(13, 23), (14, 2), (18, 4), (15, 18), (15, 1), (9, 6)]);
    }
}
