//! Every check finds what is wrong with its bad scenario, and nothing with the mended one.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;

use support::{is_skipped, report, repository, scenario};
use switchback::cli::render::{Format, Style};
use switchback::report::Report;
use switchback::{Backend, Check, checks};

/// A run of a check's scenario on each backend, or on both where the check compares them.
fn runs(check: &checks::Check, twin: &str) -> Vec<(&'static str, Report)> {
    let name = format!("checks/{}/{twin}", check.id);
    if check.needs_both() {
        let both = || report(&Check::new(repository("scenarios").join(&name)));
        return (!is_skipped(Backend::Postgres)).then(|| ("both", both())).into_iter().collect();
    }
    let backends = Backend::ALL.into_iter().filter(|backend| !is_skipped(*backend));
    backends.map(|backend| (backend.name(), report(&scenario(&name, backend)))).collect()
}

#[test]
fn bad_scenarios_show_their_own_problem_alone() {
    for check in checks::ALL {
        let mut found = 0;
        for (backends, report) in runs(check, "bad") {
            let ids: BTreeSet<&str> = report.findings.iter().map(|finding| finding.check).collect();
            assert!(ids.iter().all(|id| *id == check.id), "{} on {backends} shows {ids:?}", check.id);
            found += report.findings.len();

            let mut settings = insta::Settings::clone_current();
            settings.set_snapshot_path(repository("snapshots/checks").join(check.id));
            settings.set_prepend_module_to_snapshot(false);
            settings.set_omit_expression(true);
            let style = Style { reproducible: true, ..Style::default() };
            let text = Format::Text.render(&report, style);
            settings.bind(|| {
                insta::assert_snapshot!(backends, anstream::adapter::strip_str(&text).to_string());
            });
        }
        if !is_skipped(Backend::Postgres) {
            assert!(found > 0, "{} finds nothing in its bad scenario", check.id);
        }
    }
}

#[test]
fn good_scenarios_show_nothing() {
    for check in checks::ALL {
        for (backends, report) in runs(check, "good") {
            assert_eq!(report.findings, [], "{} on {backends}", check.id);
        }
        if !is_skipped(Backend::Postgres) {
            let report = report(&Check::new(repository("scenarios/checks").join(check.id).join("good")));
            assert_eq!(report.findings, [], "{} on both", check.id);
        }
    }
}

#[test]
fn examples_come_from_the_bad_scenarios() {
    for check in checks::ALL {
        let folder = repository("scenarios/checks").join(check.id).join("bad");
        let told = files(&folder).iter().any(|file| {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let text = std::fs::read_to_string(file).unwrap_or_default();
            name.contains(check.example) || text.contains(check.example)
        });
        assert!(told, "the example of {} is in no file of {}", check.id, folder.display());
    }
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
