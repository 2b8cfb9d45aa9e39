//! What came of the same checks on several versions, as a grid.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};
use switchback_core::Backend;
use switchback_core::report::Report;
use switchback_core::versions::Version;

use crate::error::ExitCode;

/// Projects by versions.
pub(in crate::cli) struct Grid {
    pub(in crate::cli) columns: Vec<Column>,
    /// The projects, each with a cell for each column.
    pub(in crate::cli) rows: Vec<(String, Vec<Cell>)>,
}

/// A version to run on, beside one of the other backend, so that the two are compared.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Column {
    pub(in crate::cli) backend: Backend,
    pub(in crate::cli) version: Version,
    /// The version of the other backend, if there is any.
    pub(in crate::cli) beside: Option<Version>,
    /// The folder of the SQLite library, unless it is the one in use.
    pub(in crate::cli) library: Option<PathBuf>,
}

/// A project on a version.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Cell {
    pub(in crate::cli) outcome: Outcome,
    pub(in crate::cli) seconds: f64,
}

/// What a check came to.
#[derive(Clone, Debug)]
pub(in crate::cli) enum Outcome {
    /// It ran to its end.
    Judged {
        /// What was found and is not accepted.
        findings: Vec<Value>,
        /// What was not judged.
        not_run: Vec<Value>,
        /// Its whole report.
        report: Value,
    },
    /// The project has nothing for this backend.
    Absent(String),
    /// It could not run.
    Failed(String),
}

impl Outcome {
    /// What must be the same on all versions: which checks found something, where and about what, and
    /// which of them did not run. What databases say of it in words differs from version to version.
    fn essence(&self) -> Option<BTreeSet<String>> {
        let Self::Judged { findings, not_run, .. } = self else { return None };
        Some(findings.iter().chain(not_run).map(key).collect())
    }

    fn is_error(&self) -> bool {
        let Self::Judged { findings, .. } = self else { return false };
        findings.iter().any(|finding| finding["severity"] == "error")
    }

    fn word(&self) -> String {
        match self {
            Self::Judged { findings, .. } if findings.is_empty() => "ok".to_owned(),
            Self::Judged { findings, .. } => format!("{} found", findings.len()),
            Self::Absent(_) | Self::Failed(_) => "not run".to_owned(),
        }
    }
}

impl Grid {
    /// What most cells of a row say; of two that are as many, what comes first.
    fn usual(cells: &[Cell]) -> BTreeSet<String> {
        let essences: Vec<_> = cells.iter().filter_map(|cell| cell.outcome.essence()).collect();
        let count = |one: &BTreeSet<String>| essences.iter().filter(|other| *other == one).count();
        essences.iter().rev().max_by_key(|one| count(one)).cloned().unwrap_or_default()
    }

    /// Whether a cell says something else than most of its row.
    fn differs(cells: &[Cell], at: usize) -> bool {
        cells[at].outcome.essence().is_some_and(|own| own != Self::usual(cells))
    }

    /// Whether a cell is not as it is expected to be.
    fn is_unexpected(cells: &[Cell], at: usize, same: bool) -> bool {
        let outcome = &cells[at].outcome;
        matches!(outcome, Outcome::Failed(_)) || Self::differs(cells, at) || (!same && outcome.is_error())
    }

    pub(in crate::cli) fn exit_code(&self, same: bool) -> ExitCode {
        let failed = |cell: &Cell| matches!(cell.outcome, Outcome::Failed(_));
        let unexpected = |cells: &[Cell]| (0..cells.len()).any(|at| Self::is_unexpected(cells, at, same));
        let judged = |cell: &Cell| matches!(cell.outcome, Outcome::Judged { .. });
        let any = |is: &dyn Fn(&Cell) -> bool| self.rows.iter().any(|(_, cells)| cells.iter().any(is));
        // A grid in which nothing was judged proves nothing.
        if any(&failed) || !any(&judged) {
            ExitCode::CouldNotRun
        } else if self.rows.iter().any(|(_, cells)| unexpected(cells)) {
            ExitCode::Findings
        } else {
            ExitCode::Clean
        }
    }

    pub(in crate::cli) fn json(&self) -> String {
        let rows = self.rows.iter().map(|(project, cells)| {
            let cells = cells.iter().zip(&self.columns).enumerate().map(|(at, (cell, column))| {
                let (outcome, reason, report) = match &cell.outcome {
                    Outcome::Judged { report, .. } => ("judged", None, Some(report)),
                    Outcome::Absent(reason) => ("absent", Some(reason), None),
                    Outcome::Failed(reason) => ("failed", Some(reason), None),
                };
                json!({
                    "backend": column.backend, "version": column.version.to_string(), "outcome": outcome,
                    "differs": Self::differs(cells, at), "reason": reason,
                    "seconds": (cell.seconds * 1000.0).round() / 1000.0, "report": report,
                })
            });
            json!({"project": project, "cells": cells.collect::<Vec<_>>()})
        });
        let document = json!({
            "switchback": env!("CARGO_PKG_VERSION"), "format": Report::FORMAT, "rows": rows.collect::<Vec<_>>(),
        });
        format!("{document:#}\n")
    }

    pub(in crate::cli) fn text(&self, same: bool) -> String {
        let mut lines = vec![vec![String::new()], vec![String::new()]];
        let mut before = None;
        for Column { backend, version, .. } in &self.columns {
            lines[0].push(if before == Some(backend) { String::new() } else { backend.to_string() });
            lines[1].push(version.to_string());
            before = Some(backend);
        }
        for (project, cells) in &self.rows {
            let told = (0..cells.len()).map(|at| {
                let mark = if Self::is_unexpected(cells, at, same) { "!" } else { "" };
                match &cells[at].outcome {
                    Outcome::Absent(_) => "-".to_owned(),
                    outcome => format!("{mark}{} {:.1}", outcome.word(), cells[at].seconds),
                }
            });
            lines.push(std::iter::once(project.clone()).chain(told).collect());
        }
        let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..=self.columns.len()).map(width).collect();
        let mut text = String::new();
        for line in &lines {
            let padded = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            let line = padded.collect::<Vec<_>>().join("  ");
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}", line.trim_end());
        }
        text.push_str(&self.details(same));
        text.push_str(&self.verdict(same));
        text
    }

    /// What is behind the cells that are not as expected, and why cells are empty.
    fn details(&self, same: bool) -> String {
        let mut text = String::new();
        for (project, cells) in &self.rows {
            for (at, (cell, Column { backend, version, .. })) in cells.iter().zip(&self.columns).enumerate() {
                let mut told: Vec<String> = match &cell.outcome {
                    Outcome::Absent(reason) | Outcome::Failed(reason) => vec![format!("not run: {reason}")],
                    Outcome::Judged { .. } if !Self::is_unexpected(cells, at, same) => continue,
                    Outcome::Judged { findings, .. } => findings.iter().map(told).collect(),
                };
                if Self::differs(cells, at) {
                    let usual = Self::usual(cells);
                    told.extend(not_run(&cell.outcome, &usual));
                    told.push("other versions of this row find or judge something else".to_owned());
                }
                let _ = writeln!(text, "\n{project} on {backend} {version}");
                told.iter().for_each(|line| _ = writeln!(text, "  {line}"));
            }
        }
        text
    }

    fn verdict(&self, same: bool) -> String {
        let ran = |cell: &&Cell| !matches!(cell.outcome, Outcome::Absent(_));
        let cells = || self.rows.iter().flat_map(|(_, cells)| cells);
        let (all, ran) = (cells().count(), cells().filter(ran).count());
        let absent = if ran == all { String::new() } else { format!("; {} did not run", all - ran) };
        let bad =
            |cells: &Vec<Cell>| (0..cells.len()).filter(|at| Self::is_unexpected(cells, *at, same)).count();
        let bad: usize = self.rows.iter().map(|(_, cells)| bad(cells)).sum();
        let expected = if same { "the same on all versions" } else { "clean, and the same on all versions" };
        match bad {
            0 => format!("\nall {ran} cells are {expected}{absent}; times are in seconds\n"),
            _ => {
                format!(
                    "\n{bad} of {ran} cells, those with a !, are not {expected}{absent}; times are in seconds\n"
                )
            }
        }
    }
}

fn told(finding: &Value) -> String {
    let word = |key: &str| finding[key].as_str().unwrap_or_default();
    format!("{}[{}]: {}", word("severity"), word("check"), word("message"))
}

/// What was not judged, but for what is usual.
fn not_run(outcome: &Outcome, usual: &BTreeSet<String>) -> Vec<String> {
    let Outcome::Judged { not_run, .. } = outcome else { return Vec::new() };
    let told = |one: &Value| {
        let word = |key: &str| one[key].as_str().unwrap_or_default();
        format!("not run: {} ({}): {}", word("check"), word("backend"), word("reason"))
    };
    not_run.iter().filter(|one| !usual.contains(&key(one))).map(told).collect()
}

/// What a finding is about, or something that was not run, without the words in which that is said.
fn key(one: &Value) -> String {
    let keys = ["check", "severity", "backend", "revision", "object"];
    keys.map(|key| one[key].to_string()).join(" ")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn judged(findings: &[(&str, &str)], not_run: &[&str]) -> Outcome {
        let finding = |(check, message): &(&str, &str)| json!({"check": check, "severity": "error", "backend": "sqlite", "message": message});
        let omission = |check: &&str| json!({"check": check, "backend": "sqlite", "reason": "no rows"});
        Outcome::Judged {
            findings: findings.iter().map(finding).collect(),
            not_run: not_run.iter().map(omission).collect(),
            report: Value::Null,
        }
    }

    fn failed() -> Outcome {
        Outcome::Failed("no PostgreSQL serves".to_owned())
    }

    fn grid<const N: usize>(rows: [(&str, [Outcome; 3]); N]) -> Grid {
        let version = |text: &str| text.parse().unwrap();
        let column = |backend, text| Column { backend, version: version(text), beside: None, library: None };
        let cells = |outcomes: [Outcome; 3]| outcomes.map(|outcome| Cell { outcome, seconds: 1.25 }).into();
        Grid {
            columns: vec![
                column(Backend::Postgres, "13"),
                column(Backend::Postgres, "18"),
                column(Backend::Sqlite, "3.46.0"),
            ],
            rows: rows.into_iter().map(|(project, outcomes)| (project.to_owned(), cells(outcomes))).collect(),
        }
    }

    #[rstest]
    #[case::clean([judged(&[], &[]), judged(&[], &[]), judged(&[], &[])], 0, 0)]
    #[case::found_on_all([judged(&[("a", "x")], &[]), judged(&[("a", "y")], &[]), judged(&[("a", "x")], &[])], 1, 0)]
    #[case::found_on_one([judged(&[("a", "x")], &[]), judged(&[], &[]), judged(&[], &[])], 1, 1)]
    #[case::not_judged_on_one([judged(&[], &[]), judged(&[], &["a"]), judged(&[], &[])], 1, 1)]
    #[case::no_history([judged(&[], &[]), judged(&[], &[]), Outcome::Absent("none".to_owned())], 0, 0)]
    #[case::nothing_at_all(["1", "2", "3"].map(|reason| Outcome::Absent(reason.to_owned())), 3, 3)]
    #[case::failed([judged(&[], &[]), failed(), judged(&[], &[])], 3, 3)]
    fn a_grid_ends_with(#[case] row: [Outcome; 3], #[case] code: u8, #[case] same: u8) {
        let grid = grid([("calista", row)]);
        assert_eq!([grid.exit_code(false) as u8, grid.exit_code(true) as u8], [code, same]);
    }

    #[test]
    fn it_is_read_at_a_glance() {
        let bad = || judged(&[("rows-lost", "rows are gone")], &[]);
        let grid = grid([
            ("scenarios/calista", [judged(&[], &[]), judged(&[], &["rows-lost"]), judged(&[], &[])]),
            ("bad", [bad(), bad(), failed()]),
            ("half", [judged(&[], &[]), judged(&[], &[]), Outcome::Absent("no history".to_owned())]),
        ]);
        insta::assert_snapshot!(grid.text(true), @"
                           postgres                  sqlite
                           13           18           3.46.0
        scenarios/calista  ok 1.2       !ok 1.2      ok 1.2
        bad                1 found 1.2  1 found 1.2  !not run 1.2
        half               ok 1.2       ok 1.2       -

        scenarios/calista on postgres 18
          not run: rows-lost (sqlite): no rows
          other versions of this row find or judge something else

        bad on sqlite 3.46.0
          not run: no PostgreSQL serves

        half on sqlite 3.46.0
          not run: no history

        2 of 8 cells, those with a !, are not the same on all versions; 1 did not run; times are in seconds
        ");
        assert!(grid.text(false).contains("\nbad on postgres 13\n  error[rows-lost]: rows are gone\n"));
    }
}
