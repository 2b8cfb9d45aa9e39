//! `switchback init`: writes down what was recognised.

use std::fs::OpenOptions;
use std::io::{self, Write as _};

use switchback_core::Backend;
use switchback_core::config;
use switchback_db::project::{Project, Seen};

use super::args::ProjectArgs;
use super::print;
use crate::error::{Error, ExitCode};

pub(super) fn main(args: &ProjectArgs) -> Result<ExitCode, Error> {
    let project = args.check().project()?;
    let path = project.root.join(config::FILE);
    let shown = path.display().to_string();
    let failed = |reason: io::Error| {
        let there = || io::Error::other("it is there already; change it by hand, or remove it first");
        let reason = if reason.kind() == io::ErrorKind::AlreadyExists { there() } else { reason };
        Error::Write { file: shown.clone(), reason }
    };
    // One that is there is somebody's work.
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(failed)?;
    file.write_all(config_of(&project).as_bytes()).map_err(failed)?;
    let told: Vec<String> = project
        .histories
        .iter()
        .map(|(backend, history)| {
            let count = history.len();
            let revisions = if count == 1 { "revision" } else { "revisions" };
            format!("{count} {revisions} of {} on {backend}", history.tool().name())
        })
        .collect();
    print(&format!("wrote {shown}: {}\n", told.join(", ")));
    Ok(ExitCode::Clean)
}

/// The config that says what was recognised, so that nothing has to be recognised again.
fn config_of(project: &Project) -> String {
    let mut text = String::from("[history]\n");
    let Some(first) = project.sources.first() else { return text };
    text.push_str(&format!("tool = \"{}\"\n", first.tool));
    let only = |backend: Backend| project.histories.len() == 1 && project.histories.contains_key(&backend);
    let key = |seen: &Seen| match seen.backend {
        Some(backend) => backend.name(),
        None => Backend::ALL.into_iter().find(|one| only(*one)).map_or("path", Backend::name),
    };
    for seen in &project.sources {
        text.push_str(&format!("{} = \"{}\"\n", key(seen), seen.folder));
    }
    for (backend, reason) in &project.not_run {
        text.push_str(&format!("# {backend} is left out: {reason}\n"));
    }
    if let Some(history) = project.histories.get(&Backend::Sqlite) {
        let foreign_keys = history.tool().foreign_keys();
        text.push_str(&format!(
            "\n[sqlite]\n# As {} opens it; say here what the application does.\nforeign_keys = {foreign_keys}\n",
            history.tool().name()
        ));
    }
    text
}
