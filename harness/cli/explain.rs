//! `switchback explain`.

use std::fmt::Write as _;

use switchback_core::checks::{self, Check};

use super::args::ExplainArgs;
use super::print;
use crate::error::{Error, ExitCode};

pub(super) fn main(args: &ExplainArgs) -> Result<ExitCode, Error> {
    match &args.check {
        None => print(&list()),
        Some(id) => print(&explain(crate::check::find(id)?)),
    }
    Ok(ExitCode::Clean)
}

fn list() -> String {
    let mut text = String::new();
    let mut family = None;
    for check in checks::ALL {
        if family != Some(check.family) {
            let _ = writeln!(text, "{}{}", if family.is_some() { "\n" } else { "" }, check.family.name());
            family = Some(check.family);
        }
        let _ = writeln!(text, "  {:<24} {:<8} {}", check.id, check.severity, check.problem);
    }
    text
}

fn explain(check: &Check) -> String {
    let mut text = format!("{}[{}]: {}\n", check.severity, check.id, check.problem);
    let _ = write!(text, "\n{}\n", wrapped(check.why));
    let table = check.table();
    if !table.is_empty() {
        text.push_str("\ntypes that mean the same (postgres ~ sqlite), and why:\n\n");
    }
    for (what, why) in table {
        let _ = write!(text, "    {what}\n        {why}\n");
    }
    let _ = write!(text, "\nexample, from scenarios/checks/{}/bad:\n\n    {}\n", check.id, check.example);
    let _ = write!(text, "\nmend: {}\n", wrapped(check.mend));
    let accept = format!("[[accept]]\ncheck = \"{}\"\nreason = \"…\"", check.id);
    let _ = write!(
        text,
        "\nto weigh it otherwise, in switchback.toml:\n\n    [checks]\n    \"{}\" = \"warning\"  # error | warning | note | off\n\
         \nto accept single findings:\n\n    {}\n",
        check.id,
        accept.replace('\n', "\n    ")
    );
    text
}

/// Lines of at most 96 characters, broken between words.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= 96 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}
