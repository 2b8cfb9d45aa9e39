//! README.md is true: its output is real, its table is that of the checks. Its Rust examples are
//! compiled with the documentation tests, and its configs are read.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::process::Command;

use support::{is_skipped, repository};
use switchback::{Backend, checks};
use switchback_core::config::Config;

fn readme() -> String {
    std::fs::read_to_string(repository("README.md")).unwrap()
}

#[test]
fn the_output_is_real() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let readme = readme();
    let blocks: Vec<&str> =
        readme.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 2, "the README shows a clean run and a finding");
    for block in blocks {
        let (command, shown) = block.split_once('\n').unwrap();
        let arguments = command.strip_prefix("$ switchback ").expect("a block starts with a command");
        let output = Command::new(env!("CARGO_BIN_EXE_switchback"))
            .args(arguments.split(' '))
            .current_dir(repository(""))
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            same_everywhere(shown),
            same_everywhere(&printed),
            "{command}: the README shows\n{shown}\nand it prints\n{printed}"
        );
    }
}

/// The output without what differs from machine to machine: versions, times, and where a server
/// came from.
fn same_everywhere(output: &str) -> Vec<String> {
    let lines = output.lines().filter(|line| !line.trim_start().starts_with("passed over"));
    let line = |line: &str| match line.split_whitespace().collect::<Vec<_>>().as_slice() {
        [backend @ ("postgres" | "sqlite"), _, revisions, "revisions", ..] => {
            format!("{backend} {revisions}")
        }
        words => words
            .iter()
            .map(|word| if word.parse::<f64>().is_ok() && word.contains('.') { "N" } else { word })
            .collect::<Vec<_>>()
            .join(" "),
    };
    lines.map(line).collect()
}

#[test]
fn the_table_is_that_of_the_checks() {
    let rows: String = checks::ALL
        .iter()
        .map(|check| format!("| `{}` | {} | {} |\n", check.id, check.severity, check.problem))
        .collect();
    let table = format!("| check | severity | problem |\n|---|---|---|\n{rows}\n");
    assert!(readme().contains(&table), "the table of checks in README.md should be:\n\n{table}");
}

#[test]
fn every_config_is_understood() {
    let ids: Vec<&str> = checks::ALL.iter().map(|check| check.id).collect();
    let text = readme();
    let configs: Vec<&str> =
        text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(configs.len() >= 4, "{configs:#?}");
    for config in configs {
        if let Err(error) = Config::parse(config, "README.md", &ids) {
            panic!("{error} in\n{config}");
        }
    }
}
