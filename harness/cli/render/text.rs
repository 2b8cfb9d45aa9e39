//! A report for people: readable without colour, better with it.

use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style as Ansi};
use switchback_core::Backend;
use switchback_core::report::{Finding, NotRun, Report, Severity};

/// How a text report is decorated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether accepted findings are shown, too.
    pub accepted: bool,
    /// Whether times and sources of servers are left out, so that the same input gives the same bytes.
    pub reproducible: bool,
}

const BOLD: Ansi = Ansi::new().bold();
const DIM: Ansi = Ansi::new().dimmed();
const GREEN: Ansi = AnsiColor::Green.on_default().bold();
const RED: Ansi = AnsiColor::Red.on_default().bold();
const YELLOW: Ansi = AnsiColor::Yellow.on_default().bold();
const CYAN: Ansi = AnsiColor::Cyan.on_default().bold();
const ADDED: Ansi = AnsiColor::Green.on_default();
const REMOVED: Ansi = AnsiColor::Red.on_default();

pub(super) fn render(report: &Report, style: Style) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_report(&mut out, report, style);
    out
}

fn write_report(out: &mut String, report: &Report, style: Style) -> fmt::Result {
    write_heading(out, report, style)?;
    for finding in &report.findings {
        if finding.accepted.is_none() || style.accepted {
            out.push('\n');
            write_finding(out, finding)?;
        }
    }
    if !report.not_run.is_empty() {
        writeln!(out, "\n{BOLD}not run{BOLD:#}")?;
        for omission in omissions(&report.not_run) {
            write_omission(out, &omission)?;
        }
    }
    for entry in &report.unused_accepts {
        writeln!(out, "\n{CYAN}note{CYAN:#}: the [[accept]] at {entry} accepts nothing any more")?;
    }
    out.push('\n');
    write_verdict(out, report, style)
}

fn write_heading(out: &mut String, report: &Report, style: Style) -> fmt::Result {
    let shard = report.shard.as_ref().map(|part| format!(", shard {} of {}", part.index, part.of));
    let shard = shard.unwrap_or_default();
    writeln!(out, "{BOLD}switchback {}{BOLD:#}  {}{shard}", report.version, report.project)?;
    for run in &report.backends {
        let revisions = counted(run.revisions, "revision", "revisions");
        if style.reproducible {
            writeln!(out, "  {:<9} {revisions}", run.backend)?;
            continue;
        }
        writeln!(out, "  {:<9} {:<8} {revisions:<14} {DIM}{}{DIM:#}", run.backend, run.version, run.source)?;
        for passed_over in &run.passed_over {
            writeln!(out, "  {DIM}{:<9} passed over {passed_over}{DIM:#}", "")?;
        }
    }
    Ok(())
}

fn write_finding(out: &mut String, finding: &Finding) -> fmt::Result {
    let colour = match finding.severity {
        Severity::Error => RED,
        Severity::Warning => YELLOW,
        Severity::Note => CYAN,
    };
    let severity = if finding.accepted.is_some() { "accepted" } else { finding.severity.word() };
    writeln!(out, "{colour}{severity}[{}]{colour:#}{BOLD}: {}{BOLD:#}", finding.check, finding.message)?;
    if let Some(location) = &finding.location {
        writeln!(out, "  {DIM}-->{DIM:#} {location}")?;
    }
    if let Some(excerpt) = &finding.excerpt {
        for line in excerpt.lines() {
            writeln!(out, "   {DIM}|{DIM:#} {line}")?;
        }
    }
    if let Some(diff) = &finding.diff {
        for line in diff.lines() {
            let colour = match line.chars().next() {
                Some('+') => ADDED,
                Some('-') => REMOVED,
                _ => Ansi::new(),
            };
            writeln!(out, "   {DIM}|{DIM:#} {colour}{line}{colour:#}")?;
        }
    }
    if let Some(help) = &finding.help {
        writeln!(out, "   {DIM}={DIM:#} {GREEN}help{GREEN:#}: {help}")?;
    }
    if let Some(reason) = &finding.accepted {
        writeln!(out, "   {DIM}={DIM:#} accepted: {reason}")?;
    }
    Ok(())
}

/// What was not run for the same reason, told once: the checks, and the backends that they share.
struct Omission<'a> {
    told: &'a NotRun,
    backends: Vec<Backend>,
    checks: Vec<&'a str>,
}

fn omissions(not_run: &[NotRun]) -> Vec<Omission<'_>> {
    let mut each: Vec<Omission<'_>> = Vec::new();
    for one in not_run {
        let same = |known: &&mut Omission<'_>| {
            (known.told.backend, &known.told.revision, &known.told.reason)
                == (one.backend, &one.revision, &one.reason)
        };
        match each.iter_mut().find(same) {
            Some(known) => known.checks.extend(one.check),
            None => each.push(Omission {
                told: one,
                backends: one.backend.into_iter().collect(),
                checks: one.check.into_iter().collect(),
            }),
        }
    }
    let mut told: Vec<Omission<'_>> = Vec::new();
    for one in each {
        let same = |known: &&mut Omission<'_>| {
            (&known.told.revision, &known.told.reason, &known.checks)
                == (&one.told.revision, &one.told.reason, &one.checks)
        };
        match told.iter_mut().find(same) {
            Some(known) => known.backends.extend(one.backends),
            None => told.push(one),
        }
    }
    told
}

fn write_omission(out: &mut String, omission: &Omission<'_>) -> fmt::Result {
    let NotRun { reason, revision, failed, .. } = omission.told;
    let colour = if *failed { RED } else { Ansi::new() };
    let checks =
        if omission.checks.is_empty() { "everything".to_owned() } else { omission.checks.join(", ") };
    write!(out, "  {colour}{checks}{colour:#}")?;
    if let Some(revision) = revision {
        write!(out, " from {revision} on")?;
    }
    let backends: Vec<&str> = omission.backends.iter().map(|backend| backend.name()).collect();
    if !backends.is_empty() {
        write!(out, " ({})", backends.join(", "))?;
    }
    writeln!(out, ": {reason}")
}

fn write_verdict(out: &mut String, report: &Report, style: Style) -> fmt::Result {
    let (errors, warnings) = (report.count(Severity::Error), report.count(Severity::Warning));
    let notes = report.count(Severity::Note);
    let accepted = report.findings.len() - report.open().count();
    let colour = match (report.is_complete() && errors == 0 && !report.backends.is_empty(), warnings) {
        (true, 0) => GREEN,
        (true, _) => YELLOW,
        (false, _) => RED,
    };
    let verdict = match (report.is_complete(), errors, warnings) {
        (false, ..) => "could not run everything".to_owned(),
        _ if report.backends.is_empty() => "nothing ran".to_owned(),
        (true, 0, 0) if notes == 0 => "clean".to_owned(),
        (true, ..) => {
            let counts =
                [(errors, "error", "errors"), (warnings, "warning", "warnings"), (notes, "note", "notes")];
            let counts = counts.iter().filter(|(count, ..)| *count > 0);
            counts.map(|(count, one, many)| counted(*count, one, many)).collect::<Vec<_>>().join(", ")
        }
    };
    write!(out, "{colour}{verdict}{colour:#}")?;
    if report.backends.is_empty() {
        out.push('\n');
        return Ok(());
    }
    let steps: usize = report.backends.iter().map(|run| run.steps).sum();
    write!(out, ": {} on {}", counted(steps, "step", "steps"), backends(report))?;
    if accepted > 0 {
        write!(out, ", {} accepted", counted(accepted, "finding", "findings"))?;
    }
    if !style.reproducible {
        write!(out, " in {:.1} s", report.seconds)?;
    }
    out.push('\n');
    let mut ids: Vec<&str> = report.open().map(|finding| finding.check).collect();
    ids.sort_unstable();
    ids.dedup();
    if let Some(first) = ids.first() {
        writeln!(out, "{DIM}`switchback explain {first}` says what a check means and how to mend it{DIM:#}")?;
    }
    Ok(())
}

fn backends(report: &Report) -> String {
    let names: Vec<&str> = report.backends.iter().map(|run| run.backend.name()).collect();
    if names.is_empty() { "no backend".to_owned() } else { names.join(" and ") }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
