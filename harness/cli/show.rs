//! `switchback history`, `schema` and `diff`: what there is, without judging it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use switchback_core::evidence::{Recording, Walk};
use switchback_core::history::Downgrade;
use switchback_core::schema::Schema;

use super::args::{DiffArgs, ProjectArgs, SchemaArgs, ServerArgs};
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
