//! Each rule is a pure function from the repository's files to the places that break it.

use std::collections::{BTreeMap, BTreeSet};

use switchback::Backend;

/// Every file of the repository: its path, with `/` between folders, and its text.
pub(crate) type Files = BTreeMap<String, String>;

pub(crate) const MOST_LINES: usize = 600;

pub(crate) fn long_files(files: &Files) -> Vec<String> {
    let written = |path: &str| [".rs", ".sql", ".md"].iter().any(|end| path.ends_with(end));
    let long = files.iter().filter(|(path, text)| written(path) && text.lines().count() > MOST_LINES);
    long.map(|(path, text)| format!("{path} has {} lines", text.lines().count())).collect()
}

/// What is true on one machine only. In pieces, so that this file does not break the rule.
fn foreign_names() -> Vec<String> {
    [
        &["/ro", "ot/"],
        &["/tmp", "/wt"],
        &["/wo", "rk/"],
        &["index.crates", ".io"],
        &["static.crates", ".io"],
        &["files.pythonhosted", ".org"],
        &["registry.npmjs", ".org"],
        &["deb.debian", ".org"],
        &["proxy.golang", ".org"],
    ]
    .map(|pieces| pieces.concat())
    .to_vec()
}

pub(crate) fn names_of_machines(files: &Files) -> Vec<String> {
    let names = foreign_names();
    let mut found = Vec::new();
    for (path, text) in files {
        for (number, line) in (1..).zip(text.lines()) {
            let named = names.iter().filter(|name| line.contains(name.as_str()));
            found.extend(named.map(|name| format!("{path}:{number} names \"{name}\"")));
        }
    }
    found
}

/// The folders of `scenarios/` that hold scenarios of one kind, which share no snapshots: a test of their
/// own says what they must come to.
const GROUPS: [&str; 3] = ["alembic", "command", "layouts"];

/// The scenarios: each folder of `scenarios/` and of the groups there, and for each check its bad and its
/// good one.
fn scenarios(files: &Files) -> BTreeSet<String> {
    let scenario = |path: &String| {
        let parts: Vec<&str> = path.strip_prefix("scenarios/")?.split('/').collect();
        match parts.as_slice() {
            ["checks", check, which, _, ..] => Some(format!("checks/{check}/{which}")),
            ["checks", ..] | [_] | [] => None,
            [group, name, _, ..] if GROUPS.contains(group) => Some(format!("{group}/{name}")),
            [group, ..] if GROUPS.contains(group) => None,
            [name, ..] => Some((*name).to_owned()),
        }
    };
    files.keys().filter_map(scenario).collect()
}

pub(crate) fn scenarios_without_config(files: &Files) -> Vec<String> {
    let config = |name: &String| format!("scenarios/{name}/switchback.toml");
    let configs = scenarios(files).iter().map(config).collect::<Vec<_>>();
    configs
        .into_iter()
        .filter(|path| !files.contains_key(path))
        .map(|path| format!("{path} is missing"))
        .collect()
}

pub(crate) fn checks_and_their_scenarios(files: &Files, ids: &[&str]) -> Vec<String> {
    let wanted: BTreeSet<String> =
        ids.iter().flat_map(|id| ["bad", "good"].map(|which| format!("checks/{id}/{which}"))).collect();
    let found = scenarios(files).into_iter().filter(|name| name.starts_with("checks/")).collect();
    differences("scenarios/", &wanted, &found, "belongs to no check")
}

/// What is wanted and not found, and what is found and not wanted.
fn differences(
    folder: &str,
    wanted: &BTreeSet<String>,
    found: &BTreeSet<String>,
    stray: &str,
) -> Vec<String> {
    let missing = wanted.difference(found).map(|name| format!("{folder}{name} is missing"));
    missing.chain(found.difference(wanted).map(|name| format!("{folder}{name} {stray}"))).collect()
}

/// The revisions that a scenario has on a backend, as its files name them.
fn revisions(files: &Files, scenario: &str, backend: Backend) -> BTreeSet<String> {
    let config = &files[&format!("scenarios/{scenario}/switchback.toml")];
    let config: toml::Table = config.parse().unwrap_or_else(|error| panic!("{scenario}: {error}"));
    let history = |key: &str| config.get("history")?.get(key)?.as_str();
    let Some(folder) = history(backend.name()).or_else(|| history("path")) else {
        return BTreeSet::new();
    };
    let folder = format!("scenarios/{scenario}/{folder}/");
    let names = files.keys().filter_map(|path| path.strip_prefix(&folder)?.split('/').next());
    let ends = [".up.sql", ".down.sql", ".sql"];
    let revision = |name: &str| ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned();
    names.map(revision).collect()
}

/// Each check's scenario has a snapshot for each backend, or one for both if it compares them.
pub(crate) fn snapshots_of_scenarios(files: &Files, checks: &[(&str, bool)]) -> Vec<String> {
    let of_check = |(id, needs_both): &(&str, bool)| {
        let runs = if *needs_both { vec!["both"] } else { Backend::ALL.map(Backend::name).to_vec() };
        runs.into_iter().map(|run| format!("checks/{id}/{run}.snap")).collect::<Vec<_>>()
    };
    let mut wanted: BTreeSet<String> = checks.iter().flat_map(of_check).collect();
    for scenario in scenarios(files).iter().filter(|name| !name.contains('/')) {
        for backend in Backend::ALL {
            let revisions = revisions(files, scenario, backend);
            let head = (!revisions.is_empty()).then(|| "head".to_owned());
            let names = revisions.into_iter().chain(head);
            wanted.extend(names.map(|name| format!("{scenario}/{backend}/{name}.snap")));
        }
    }
    let found = files.keys().filter_map(|path| Some(path.strip_prefix("snapshots/")?.to_owned())).collect();
    differences("snapshots/", &wanted, &found, "belongs to no revision")
}

/// The lines of a section of a Markdown file, without its heading.
fn section<'a>(text: &'a str, heading: &str) -> impl Iterator<Item = &'a str> {
    let lines = text.lines().skip_while(move |line| *line != heading).skip(1);
    lines.take_while(|line| !line.starts_with("## "))
}

/// The folders that ARCHITECTURE.md names in its layout, each on a line of its own.
fn named_folders(files: &Files) -> BTreeSet<String> {
    let block = section(&files["ARCHITECTURE.md"], "## Layout");
    let words = block.skip_while(|line| *line != "```").skip(1).take_while(|line| *line != "```");
    words.filter_map(|line| Some(line.split_whitespace().next()?.trim_end_matches('/').to_owned())).collect()
}

/// The folders that have a job of their own: those at the top, and those with sources down to the
/// modules of each crate. A `src` is its crate, and what is in `tests` is tests.
fn folders(files: &Files) -> BTreeSet<String> {
    let mut folders = BTreeSet::new();
    for path in files.keys() {
        let parents = path.match_indices('/').map(|(end, _)| &path[..end]);
        for (depth, folder) in (1..).zip(parents) {
            let module = depth <= 4 && path.starts_with("harness/") && path.ends_with(".rs");
            if depth == 1 || (module && !folder.ends_with("/src") && !folder.contains("/tests/")) {
                folders.insert(folder.to_owned());
            }
        }
    }
    folders
}

pub(crate) fn untrue_layout(files: &Files) -> Vec<String> {
    let (named, own) = (named_folders(files), folders(files));
    let exists = |name: &&String| !files.keys().any(|path| path.starts_with(&format!("{name}/")));
    let gone = named.iter().filter(exists).map(|name| format!("{name}/ is named and does not exist"));
    gone.chain(own.difference(&named).map(|name| format!("{name}/ is not named"))).collect()
}

/// The crates of others that the workspace depends on.
fn dependencies(files: &Files) -> BTreeSet<String> {
    let manifest: toml::Table = files["Cargo.toml"].parse().expect("cargo has read it");
    let all = manifest["workspace"]["dependencies"].as_table().expect("it is a table");
    let others = all.iter().filter(|(_, what)| what.get("path").is_none());
    others.map(|(name, _)| name.clone()).collect()
}

pub(crate) fn unexplained_dependencies(files: &Files) -> Vec<String> {
    let lines = section(&files["ARCHITECTURE.md"], "## Dependencies");
    let names = lines.filter_map(|line| line.strip_prefix("- `")?.split_once('`'));
    let explained = names.map(|(name, _)| name.to_owned()).collect();
    differences("", &dependencies(files), &explained, "is explained and not depended on")
}

pub(crate) fn unused_dependencies(files: &Files) -> Vec<String> {
    let mut unused = Vec::new();
    // A scenario may be a project of its own.
    let ours = |path: &str| path.ends_with("Cargo.toml") && !path.starts_with("scenarios/");
    for (path, text) in files.iter().filter(|(path, _)| ours(path)) {
        let manifest: toml::Table = text.parse().expect("cargo has read it");
        let folder = path.trim_end_matches("Cargo.toml");
        let sources: Vec<&String> = files
            .iter()
            .filter(|(path, _)| path.ends_with(".rs") && crate_of(path) == folder)
            .map(|(_, text)| text)
            .collect();
        for kind in ["dependencies", "dev-dependencies"] {
            let names = manifest
                .get(kind)
                .and_then(|table| table.as_table())
                .into_iter()
                .flat_map(|table| table.keys());
            let used = |name: &str| {
                let name = name.replace('-', "_");
                let forms = [format!("{name}::"), format!("use {name} "), format!("use {name};")];
                sources.iter().any(|text| forms.iter().any(|form| text.contains(form)))
            };
            unused.extend(names.filter(|name| !used(name)).map(|name| format!("{path} lists {name}")));
        }
    }
    unused
}

/// The folder of the crate to which a source file belongs.
fn crate_of(path: &str) -> &str {
    let members = ["harness/core/", "harness/db/"];
    members.into_iter().find(|member| path.starts_with(member)).unwrap_or("")
}

/// The one file that may hold unsafe code.
pub(crate) const UNSAFE: &str = "harness/db/src/sqlite/handle.rs";

/// Where the lint that denies unsafe code is lifted.
pub(crate) fn unsafe_code(files: &Files) -> Vec<String> {
    // The compiler refuses the code itself wherever the lint stands.
    let lifted = |text: &str| {
        ["allow", "expect", "warn"].iter().any(|level| text.contains(&format!("{level}(unsafe_code")))
    };
    let sources = files.iter().filter(|(path, _)| path.ends_with(".rs") && *path != UNSAFE);
    sources.filter(|(_, text)| lifted(text)).map(|(path, _)| format!("{path} lifts the lint")).collect()
}

pub(crate) fn impurities_of_core(files: &Files) -> Vec<String> {
    let doors = ["fs", "net", "env", "process", "thread", "io"].map(|module| format!("std::{module}"));
    let clocks = ["Instant", "SystemTime"].map(str::to_owned);
    let words: Vec<String> = doors.into_iter().chain(clocks).collect();
    let mut found = Vec::new();
    for (path, text) in files.iter().filter(|(path, _)| path.starts_with("harness/core/src/")) {
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim_start().starts_with("//"))
        {
            let used = words.iter().filter(|word| line.contains(word.as_str()));
            found.extend(used.map(|word| format!("{path}:{number} uses {word}")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files made up to break a rule.
    fn files<const N: usize>(files: [(&str, &str); N]) -> Files {
        files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()
    }

    #[test]
    fn a_long_file_is_found() {
        let (long, short) = ("x\n".repeat(601), "x\n".repeat(600));
        let broken =
            long_files(&files([("a.rs", &long), ("b.rs", &short), ("Cargo.lock", &long), ("c.snap", &long)]));
        assert_eq!(broken, ["a.rs has 601 lines"]);
    }

    #[test]
    fn the_name_of_a_machine_is_found() {
        for name in foreign_names() {
            let broken = names_of_machines(&files([("a.md", &format!("fine\nsee {name}x\n"))]));
            assert_eq!(broken, [format!("a.md:2 names \"{name}\"")]);
        }
    }

    #[test]
    fn a_scenario_without_config_is_found() {
        let broken = scenarios_without_config(&files([
            ("scenarios/README.md", ""),
            ("scenarios/a/switchback.toml", ""),
            ("scenarios/a/migrations/1_a.sql", ""),
            ("scenarios/b/migrations/1_a.sql", ""),
            ("scenarios/checks/c/bad/1_a.sql", ""),
            ("scenarios/alembic/requirements.txt", ""),
            ("scenarios/alembic/d/alembic.ini", ""),
        ]));
        let missing = ["alembic/d", "b", "checks/c/bad"];
        assert_eq!(broken, missing.map(|name| format!("scenarios/{name}/switchback.toml is missing")));
    }

    #[test]
    fn a_check_without_scenario_is_found_and_a_scenario_without_check() {
        let files = files([
            ("scenarios/checks/known/bad/switchback.toml", ""),
            ("scenarios/checks/gone/good/switchback.toml", ""),
        ]);
        assert_eq!(
            checks_and_their_scenarios(&files, &["known"]),
            ["scenarios/checks/known/good is missing", "scenarios/checks/gone/good belongs to no check"],
        );
    }

    #[test]
    fn snapshots_are_found_missing_and_orphaned() {
        let files = files([
            ("scenarios/a/switchback.toml", "[history]\npostgres = \"p\"\nsqlite = \"s\""),
            ("scenarios/a/p/1_x.up.sql", ""),
            ("scenarios/a/p/1_x.down.sql", ""),
            ("scenarios/a/p/2_y/up.sql", ""),
            ("snapshots/a/postgres/1_x.snap", ""),
            ("snapshots/a/postgres/head.snap", ""),
            ("snapshots/a/sqlite/head.snap", ""),
            ("snapshots/checks/known/postgres.snap", ""),
        ]);
        assert_eq!(
            snapshots_of_scenarios(&files, &[("known", false)]),
            [
                "snapshots/a/postgres/2_y.snap is missing",
                "snapshots/checks/known/sqlite.snap is missing",
                "snapshots/a/sqlite/head.snap belongs to no revision",
            ],
        );
    }

    #[test]
    fn an_untrue_layout_is_found() {
        let architecture = "## Layout\n\nProse.\n\n```\nharness/         the sources\nharness/core/    pure\ngone/            was here\n```\n\n## Next\n";
        let files = files([
            ("ARCHITECTURE.md", architecture),
            ("harness/core/Cargo.toml", ""),
            ("harness/core/src/lib.rs", ""),
            ("harness/core/src/sql/lex.rs", ""),
            ("harness/core/src/sql/lex/deep/deeper.rs", ""),
            ("tests/tidy.rs", ""),
        ]);
        assert_eq!(
            untrue_layout(&files),
            [
                "gone/ is named and does not exist",
                "harness/core/src/sql/ is not named",
                "tests/ is not named"
            ],
        );
    }

    #[test]
    fn a_dependency_without_reason_is_found_and_a_reason_without_dependency() {
        let files = files([
            ("Cargo.toml", "[workspace.dependencies]\nown = { path = \"own\" }\nserde = \"1\"\nurl = \"2\""),
            ("ARCHITECTURE.md", "## Dependencies\n\n- `serde`: writes.\n- `regex`: parses.\n"),
        ]);
        assert_eq!(
            unexplained_dependencies(&files),
            ["url is missing", "regex is explained and not depended on"]
        );
    }

    #[test]
    fn a_dependency_that_nothing_uses_is_found() {
        let files = files([
            ("Cargo.toml", "[dependencies]\nserde.workspace = true\nurl.workspace = true"),
            ("harness/core/Cargo.toml", "[dependencies]\nserde-json = \"1\""),
            ("harness/cli/main.rs", "use serde::Serialize;"),
            ("harness/core/src/lib.rs", "serde_json::json!(url::Url)"),
        ]);
        assert_eq!(unused_dependencies(&files), ["Cargo.toml lists url"]);
    }

    #[test]
    fn unsafe_code_is_found() {
        let lifting = format!("#![expect({}_code, reason = \"fast\")]", "unsafe");
        let files =
            files([("harness/core/src/a.rs", &lifting), (UNSAFE, &lifting), ("tests/a.rs", "// safe")]);
        assert_eq!(unsafe_code(&files), ["harness/core/src/a.rs lifts the lint"]);
    }

    #[test]
    fn an_impure_core_is_found() {
        let files = files([
            ("harness/core/src/a.rs", "// Nothing of std::fs here.\nuse std::fs;\nlet now = Instant::now();"),
            ("harness/db/src/a.rs", "use std::fs;"),
        ]);
        assert_eq!(
            impurities_of_core(&files),
            ["harness/core/src/a.rs:2 uses std::fs", "harness/core/src/a.rs:3 uses Instant"]
        );
    }
}
