//! `switchback report`.

use std::fs;
use std::path::Path;

use serde_json::Value;
use switchback_core::report::Report;
use switchback_db::files::plain;

use super::args::{Deny, MergeArgs};
use super::print;
use super::render::Style;
use crate::error::{Error, ExitCode};

pub(super) fn merge(args: &MergeArgs) -> Result<ExitCode, Error> {
    let reports = args.reports.iter().map(|file| read(file)).collect::<Result<_, _>>()?;
    let report = crate::merge(reports)?;
    print(&args.format.render(&report, Style { accepted: args.accepted, ..Style::default() }));
    Ok(ExitCode::of_report(&report, args.deny == Some(Deny::Warnings)))
}

fn read(file: &Path) -> Result<Report, Error> {
    let no_report = |reason: String| Error::NoReport { file: file.display().to_string(), reason };
    let text = fs::read_to_string(file).map_err(|error| no_report(plain(&error).to_string()))?;
    let document: Value = serde_json::from_str(&text).map_err(|error| no_report(error.to_string()))?;
    match document.get("format").map(|format| (format, format.as_u64())) {
        None => return Err(no_report("it has no \"format\"".to_owned())),
        Some((_, Some(format))) if format == u64::from(Report::FORMAT) => {}
        Some((format, _)) => {
            let known = Report::FORMAT;
            return Err(no_report(format!("its format is {format}, and only {known} is understood")));
        }
    }
    let report: Report = serde_json::from_value(document).map_err(|error| no_report(error.to_string()))?;
    match &report.shard {
        Some(_) => Ok(report),
        None => Err(no_report("it is that of a whole run, not of a shard".to_owned())),
    }
}
