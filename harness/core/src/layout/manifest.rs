//! Which databases a Rust project is built for, as its Cargo.toml tells.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::dialect::Dialect;
use crate::Backend;

/// The crates whose features choose a database.
const DRIVERS: &[&str] = &["diesel", "diesel-async", "sqlx", "sqlx-postgres", "sqlx-sqlite"];

/// The databases that a manifest asks its drivers for, in `[dependencies]` or by a feature of its
/// own. A dependency that is the workspace's has what the `workspace` manifest says of it, too. None
/// if the text is no manifest.
pub fn built_for(manifest: &str, workspace: Option<&str>) -> BTreeSet<Backend> {
    let parse = |text: &str| text.parse::<Table>().unwrap_or_default();
    let own = parse(manifest);
    let workspace = workspace.map(parse).unwrap_or_default();
    let shared = table(workspace.get("workspace"), "dependencies");

    let targets = own.get("target").and_then(Value::as_table).into_iter().flatten();
    let targets = targets.filter_map(|(_, target)| table(Some(target), "dependencies"));
    let mut words = BTreeSet::new();
    for (name, dependency) in
        own.get("dependencies").and_then(Value::as_table).into_iter().chain(targets).flatten()
    {
        words.extend(asked(name, dependency));
        let inherits = dependency.get("workspace").and_then(Value::as_bool) == Some(true);
        if let Some(dependency) = shared.and_then(|shared| shared.get(name)).filter(|_| inherits) {
            words.extend(asked(name, dependency));
        }
    }
    // `sqlite = ["diesel/sqlite"]`
    let features = own.get("features").and_then(Value::as_table).into_iter().flatten();
    for item in features.flat_map(|(_, items)| strings(Some(items))) {
        if let Some((name, feature)) = item.split_once('/') {
            let is_driver = DRIVERS.contains(&name.trim_end_matches('?'));
            words.extend(is_driver.then_some(feature));
        }
    }
    words.into_iter().filter_map(backend).collect()
}

/// Whether a `Cargo.toml` names a crate among its dependencies of any kind, or its workspace's.
pub(super) fn depends_on(manifest: &str, name: &str) -> bool {
    let manifest = manifest.parse::<Table>().unwrap_or_default();
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flatten();
    let places = targets.filter_map(|(_, target)| target.as_table());
    let places = places.chain([&manifest]).chain(manifest.get("workspace").and_then(Value::as_table));
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let mut dependencies =
        places.flat_map(|place| kinds.map(|kind| place.get(kind)?.as_table())).flatten().flatten();
    dependencies
        .any(|(key, dependency)| dependency.get("package").and_then(Value::as_str).unwrap_or(key) == name)
}

fn table<'a>(value: Option<&'a Value>, key: &str) -> Option<&'a Table> {
    value?.get(key)?.as_table()
}

fn strings(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str)
}

/// What a dependency asks a driver for, its own name included.
fn asked<'a>(name: &'a str, dependency: &'a Value) -> Vec<&'a str> {
    let name = dependency.get("package").and_then(Value::as_str).unwrap_or(name);
    if !DRIVERS.contains(&name) {
        return Vec::new();
    }
    let own = name.split_once('-').map(|(_, database)| database);
    own.into_iter().chain(strings(dependency.get("features"))).collect()
}

/// The backend of a feature such as `postgres`, `sqlite-unbundled` or `postgres_backend`.
fn backend(feature: &str) -> Option<Backend> {
    let word = feature.split(['-', '_']).next()?;
    match Dialect::named(word)? {
        Dialect::Of(backend) => Some(backend),
        Dialect::Common | Dialect::Foreign => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::one(
        "dependencies.sqlx = { version = \"0.8\", features = [\"runtime-tokio\", \"sqlite\"] }",
        "sqlite"
    )]
    #[case::both("dependencies.sqlx.features = [\"postgres\", \"sqlite-unbundled\"]", "postgres sqlite")]
    #[case::diesel("[dependencies]\ndiesel = { features = [\"postgres_backend\", \"r2d2\"] }", "postgres")]
    #[case::async_alone("dependencies.diesel-async.features = [\"postgres\"]", "postgres")]
    #[case::own_crate("dependencies.sqlx-sqlite = \"0.8\"", "sqlite")]
    #[case::another_name("dependencies.db = { package = \"sqlx\", features = [\"sqlite\"] }", "sqlite")]
    #[case::for_a_target("target.'cfg(unix)'.dependencies.sqlx.features = [\"postgres\"]", "postgres")]
    #[case::own_features(
        "[features]\nsqlite = [\"diesel/sqlite\"]\npg = [\"diesel?/postgres\"]\nx = [\"other/sqlite\"]",
        "postgres sqlite"
    )]
    #[case::inherited("dependencies.sqlx = { workspace = true, features = [\"sqlite\"] }", "postgres sqlite")]
    #[case::neither("dependencies.sqlx = \"0.8\"\ndependencies.rusqlite.features = [\"sqlite\"]", "")]
    #[case::in_tests_alone("dev-dependencies.sqlx.features = [\"sqlite\"]", "")]
    #[case::mysql("dependencies.sqlx.features = [\"mysql\"]", "")]
    #[case::odd("dependencies = 1\nfeatures = [2]\ntarget = \"x\"", "")]
    #[case::no_manifest("{", "")]
    fn a_manifest_tells_its_databases(#[case] manifest: &str, #[case] expected: &str) {
        let workspace = "workspace.dependencies.sqlx = { version = \"0.8\", features = [\"postgres\"] }";
        let found = built_for(manifest, Some(workspace));
        let found: Vec<&str> = found.into_iter().map(Backend::name).collect();
        assert_eq!(found.join(" "), expected);
    }

    #[rstest]
    #[case::plain("dependencies.sqlx = \"0.8\"", true)]
    #[case::in_tests("[dev-dependencies]\nsqlx.version = \"0.8\"", true)]
    #[case::workspace("workspace.dependencies.sqlx = \"0.8\"", true)]
    #[case::for_a_target("target.'cfg(unix)'.build-dependencies.sqlx.version = \"0.8\"", true)]
    #[case::another_name("dependencies.db = { package = \"sqlx\", version = \"0.8\" }", true)]
    #[case::another_crate("dependencies.sqlx = { package = \"other\", version = \"0.8\" }", false)]
    #[case::a_feature("dependencies.sea-orm = { features = [\"sqlx\"] }\nfeatures.sqlx = []", false)]
    #[case::no_manifest("{", false)]
    fn a_manifest_names_its_dependencies(#[case] manifest: &str, #[case] expected: bool) {
        assert_eq!(depends_on(manifest, "sqlx"), expected);
    }
}
