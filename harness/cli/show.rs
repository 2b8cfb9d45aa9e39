//! `switchback history`, `schema`, `diff` and `sql`: what there is, without judging it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use switchback_core::evidence::{Recording, Walk};
use switchback_core::history::{Direction, Downgrade, History, Revision, RevisionId};
use switchback_core::schema::Schema;

use super::args::{DiffArgs, ProjectArgs, SchemaArgs, ServerArgs, SqlArgs};
use super::progress::Bars;
use super::{block_on, failures, print, tell_not_run};
use crate::error::{Error, ExitCode};
use crate::plan;

pub(super) fn history(args: &ProjectArgs) -> Result<ExitCode, Error> {
    let check = args.check();
    let project = check.project()?;
    check.refuse_absent(&project)?;
    let mut text = String::new();
    for (backend, history) in project.histories.iter().filter(|(backend, _)| check.selects(**backend)) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{backend} ({}, {} revisions)", history.tool().name(), history.len());
        for revision in history.revisions() {
            let downgrade = match &revision.downgrade {
                Downgrade::Missing => "no downgrade",
                Downgrade::Empty(_) => "empty downgrade",
                Downgrade::Explained(..) => "explained downgrade",
                Downgrade::Script(_) => "",
            };
            let line = format!("  {:<60} {downgrade}", revision.name);
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    print(&text);
    Ok(ExitCode::Clean)
}

pub(super) fn schema(args: &SchemaArgs) -> Result<ExitCode, Error> {
    show(&args.project, &args.server, args.at.as_deref(), |_, after| after.to_string())
}

pub(super) fn diff(args: &DiffArgs) -> Result<ExitCode, Error> {
    show(&args.project, &args.server, Some(&args.revision), |before, after| before.diff(after).to_string())
}

pub(super) fn sql(args: &SqlArgs) -> Result<ExitCode, Error> {
    let check = args.project.check();
    let project = check.project()?;
    check.refuse_absent(&project)?;
    let direction = if args.downgrade { Direction::Downgrade } else { Direction::Upgrade };
    let (mut text, mut failed) = (String::new(), None);
    for (backend, history) in project.histories.iter().filter(|(backend, _)| check.selects(**backend)) {
        let wanted = args.at.as_deref().map(|at| plan::revision(*backend, history, at)).transpose()?;
        let _ = writeln!(text, "-- {backend}");
        match project.drivers.get(backend) {
            Some(driver) => {
                let parent = wanted.and_then(|one| one.parents.first());
                let (from, to) = match direction {
                    Direction::Upgrade => {
                        (parent.map(RevisionId::as_str), wanted.map_or("heads", |one| one.id.as_str()))
                    }
                    Direction::Downgrade => (
                        Some(wanted.map_or("heads", |one| one.id.as_str())),
                        parent.map_or("base", RevisionId::as_str),
                    ),
                };
                let told = driver.sql(direction, from, to);
                match told {
                    Ok(told) => {
                        let _ = writeln!(text, "{}", told.trim());
                    }
                    // What the other backend's is, is worth printing all the same.
                    Err(error) => {
                        failed = failed.or(Some(Error::NoSql { backend: *backend, reason: error.told() }));
                    }
                }
            }
            None => scripts(&mut text, history, wanted, direction),
        }
    }
    print(&text);
    failed.map_or(Ok(ExitCode::Clean), Err)
}

/// The scripts of one revision or of all, in the order in which they run.
fn scripts(text: &mut String, history: &History, wanted: Option<&Revision>, direction: Direction) {
    let mut revisions: Vec<&Revision> = match wanted {
        Some(wanted) => vec![wanted],
        None => history.revisions().iter().collect(),
    };
    if direction == Direction::Downgrade {
        revisions.reverse();
    }
    for revision in revisions {
        let script = match direction {
            Direction::Upgrade => Some(&revision.upgrade),
            Direction::Downgrade => revision.downgrade.script(),
        };
        let _ = match script {
            Some(script) => writeln!(text, "-- {}\n{}", script.path, script.text.trim_end()),
            None => writeln!(text, "-- {}: no downgrade", revision.name),
        };
    }
}

/// Walks the trunk and prints what `of` says of the schemas before and after a revision on each
/// backend. The revision is given by its id or its full name, and is head without it.
fn show(
    project: &ProjectArgs,
    server: &ServerArgs,
    wanted: Option<&str>,
    of: impl Fn(&Schema, &Schema) -> String,
) -> Result<ExitCode, Error> {
    let check = server.apply(project.check());
    let found = check.project()?;
    for (backend, history) in found.histories.iter().filter(|(backend, _)| check.selects(**backend)) {
        wanted.map(|wanted| plan::revision(*backend, history, wanted)).transpose()?;
    }
    let bars = Bars::new();
    let evidence = block_on(check.record_project(&found, BTreeSet::from([Walk::Trunk]), &bars));
    bars.clear();
    let evidence = evidence?;
    tell_not_run(&evidence.not_run);
    let mut text = String::new();
    for recording in evidence.recordings() {
        let (before, after) = around(recording, wanted)?;
        let _ = writeln!(text, "-- {}", recording.backend);
        text.push_str(&of(&before, &after));
    }
    print(&text);
    match failures(&evidence.not_run) {
        Some(reasons) => Err(Error::CouldNotRun(reasons)),
        None => Ok(ExitCode::Clean),
    }
}

/// The schemas before and after a revision.
fn around(recording: &Recording, wanted: Option<&str>) -> Result<(Arc<Schema>, Arc<Schema>), Error> {
    let history = &recording.history;
    let named = wanted.map(|wanted| plan::revision(recording.backend, history, wanted)).transpose()?;
    let Some(revision) = named.or_else(|| history.revisions().last()) else {
        return Ok((Arc::clone(&recording.base), Arc::clone(&recording.base)));
    };
    if let Some((_, before, after)) = recording.trunk_changes().find(|(id, ..)| **id == revision.id) {
        return Ok((Arc::clone(before), Arc::clone(after)));
    }
    let failed = recording.walk(Walk::Trunk).iter().find_map(|seen| Some((seen, seen.outcome.failure()?)));
    let (seen, failure) = failed.expect("a walk that does not reach a revision of its history has failed");
    let place = failure.location.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
    let (name, backend) = (recording.name(&seen.step.revision), recording.backend);
    Err(Error::CouldNotRun(format!("{place}upgrade of {name} failed ({backend}): {}", failure.message)))
}
