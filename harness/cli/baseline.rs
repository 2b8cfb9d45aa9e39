//! `switchback baseline`: accepts what there is now, so that only what is new is found.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use switchback_core::config;
use switchback_core::report::Finding;

use super::args::BaselineArgs;
use super::progress::Bars;
use super::{block_on, failures, print, tell_not_run};
use crate::error::{Error, ExitCode};

pub(super) fn main(args: &BaselineArgs) -> Result<ExitCode, Error> {
    let check = args.server.apply(args.project.check());
    let project = check.project()?;
    let bars = Bars::new();
    let report = block_on(check.run_with(&bars));
    bars.clear();
    let report = report?;
    if let Some(reasons) = failures(&report.not_run) {
        return Err(Error::CouldNotRun(format!("nothing was accepted, since not everything ran: {reasons}")));
    }
    tell_not_run(&report.not_run);
    let entries: String = report.open().map(|finding| entry(finding, &args.reason)).collect();
    let path = project.config_path.unwrap_or_else(|| project.root.join(config::FILE));
    let shown = path.display().to_string();
    if entries.is_empty() {
        print(&format!("nothing to accept; {shown} is as it was\n"));
        return Ok(ExitCode::Clean);
    }
    append(&path, &entries).map_err(|reason| Error::Write { file: shown.clone(), reason })?;
    let count = report.open().count();
    print(&format!("accepted {count} finding{} in {shown}\n", if count == 1 { "" } else { "s" }));
    Ok(ExitCode::Clean)
}

/// Puts the entries at the end, where a table of an array may stand unless the array is written
/// within brackets. What is there stays as it is, comments included.
fn append(path: &Path, entries: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let entries = match text.as_str() {
        "" => entries.trim_start().to_owned(),
        text if text.ends_with('\n') => entries.to_owned(),
        _ => format!("\n{entries}"),
    };
    text.push_str(&entries);
    if text.parse::<toml::Table>().is_err() {
        return Err(io::Error::other("write its `accept = […]` as [[accept]] tables first"));
    }
    let before = file.metadata()?.len();
    file.write_all(entries.as_bytes()).or_else(|reason| {
        // Half an entry, where the disk is full, would make the whole file useless.
        file.set_len(before)?;
        Err(reason)
    })
}

fn entry(finding: &Finding, reason: &str) -> String {
    let mut text = format!("\n[[accept]]\ncheck = {}\n", quoted(finding.check));
    let fields = [
        ("backend", finding.backend.map(|backend| backend.name().to_owned())),
        ("revision", finding.revision.as_ref().map(ToString::to_string)),
        ("object", finding.object.clone()),
        ("reason", Some(reason.to_owned())),
    ];
    for (key, value) in fields {
        if let Some(value) = value {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{key} = {}", quoted(&value));
        }
    }
    text
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
