//! Whose revisions a folder holds: what its files say of themselves, and what the project's manifests
//! say of the tools that it uses.

use std::collections::BTreeMap;

use super::{Layout, SourceTree, manifest};

/// How sure a layout is that a folder holds revisions of its tool. The surer is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// Nothing there is its tool's.
    Nothing,
    /// There are files with a number, as many tools and projects have them.
    Numbers,
    /// The names are of the tool's form, which other tools may share.
    Names,
    /// A file says whose it is, by an annotation that no other tool has.
    Annotation,
}

impl Claim {
    /// The claim of a tool that is known by the names of its files.
    pub fn by_names(of_its_form: bool) -> Self {
        if of_its_form { Self::Names } else { Self::Nothing }
    }
}

/// Where a project names a tool that it builds into its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Library {
    /// The file: one of [`MANIFESTS`].
    pub manifest: &'static str,
    /// The name that the library has there.
    pub name: &'static str,
}

/// The files in which projects of each language say what they are built from.
pub const MANIFESTS: [&str; 8] = [
    "Cargo.toml",
    "Gemfile",
    "build.gradle",
    "composer.json",
    "go.mod",
    "package.json",
    "pom.xml",
    "pyproject.toml",
];

/// The manifests of the project that a folder belongs to: each file's name and text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifests {
    texts: BTreeMap<String, String>,
}

impl Manifests {
    /// Manifests by the names of their files.
    pub fn new(texts: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { texts: texts.into_iter().collect() }
    }

    /// Whether the project says that it uses a library.
    fn name(&self, library: Library) -> bool {
        let text = self.texts.get(library.manifest);
        text.is_some_and(|text| match library.manifest {
            "Cargo.toml" => manifest::depends_on(text, library.name),
            _ => is_required(text, library.name),
        })
    }

    /// Whether the project is in another language than those that a library is for.
    fn are_foreign_to(&self, library: Library) -> bool {
        !self.texts.is_empty() && !self.texts.contains_key(library.manifest)
    }
}

/// Whether a `go.mod` requires a module, in whichever of its major versions (Go modules reference,
/// "go.mod files").
fn is_required(text: &str, module: &str) -> bool {
    let mut words =
        text.lines().flat_map(|line| line.split("//").next().unwrap_or_default().split_whitespace());
    words.any(|word| word.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("/v")))
}

/// The layouts that a folder's revisions may be of: one if that can be told. An annotation outweighs a
/// manifest, and a manifest the names of files, since several tools share a form.
pub fn recognise(
    folder: &SourceTree,
    manifests: &Manifests,
    among: &[&'static dyn Layout],
) -> Vec<&'static dyn Layout> {
    let claims = among.iter().map(|layout| (layout.claim(folder), *layout));
    let mut found: Vec<_> = claims.filter(|(claim, _)| *claim > Claim::Nothing).collect();
    keep_those(&mut found, |(claim, _)| *claim == Claim::Annotation);
    keep_those(&mut found, |(_, layout)| layout.library().is_some_and(|library| manifests.name(library)));
    // A tool of another language's projects; one that is a program of its own has no language.
    keep_those(&mut found, |(_, layout)| {
        !layout.library().is_some_and(|library| manifests.are_foreign_to(library))
    });
    let surest = found.iter().map(|(claim, _)| *claim).max();
    keep_those(&mut found, |(claim, _)| Some(*claim) == surest);
    found.into_iter().map(|(_, layout)| layout).collect()
}

/// Drops what a condition does not hold for, unless it holds for none.
fn keep_those<T>(list: &mut Vec<T>, holds: impl Fn(&T) -> bool) {
    if list.iter().any(&holds) {
        list.retain(holds);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::{Entry, LAYOUTS};
    use super::*;

    const SQLX: (&str, &str) = ("Cargo.toml", "[dependencies]\nsqlx = \"0.8\"");
    const MIGRATE: (&str, &str) =
        ("go.mod", "module x\n\nrequire (\n\tgithub.com/golang-migrate/migrate/v4 v4.18.1 // indirect\n)");
    const OTHER_RUST: (&str, &str) = ("Cargo.toml", "[dependencies]\nserde = \"1\"");
    const OTHER_GO: (&str, &str) =
        ("go.mod", "module x\n\nrequire github.com/golang-migrate/migrate-tools v1");
    const NODE: (&str, &str) = ("package.json", "{}");
    const PAIR: &[(&str, &str)] = &[("1_a.up.sql", ""), ("1_a.down.sql", "")];
    const ALONE: &[(&str, &str)] = &[("001_a.sql", "")];
    const GOOSE: &[(&str, &str)] = &[("001_a.sql", "-- +goose Up\nSELECT 1;")];
    const DBMATE: &[(&str, &str)] = &[("001_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n")];
    const SPOKEN_OF: &[(&str, &str)] = &[("001_a.sql", "-- as with +goose Up and -- migrate:up\nSELECT 1;")];

    #[rstest]
    #[case::pair_in_rust(PAIR, &[SQLX], &["sqlx"])]
    #[case::pair_in_go(PAIR, &[MIGRATE], &["golang-migrate"])]
    #[case::pair_in_rust_that_names_neither(PAIR, &[OTHER_RUST], &["sqlx"])]
    #[case::pair_in_go_that_names_neither(PAIR, &[OTHER_GO], &["golang-migrate"])]
    #[case::pair_in_both(PAIR, &[OTHER_GO, SQLX], &["sqlx"])]
    #[case::pair_alone(PAIR, &[], &["golang-migrate", "sqlx"])]
    #[case::pair_elsewhere(PAIR, &[NODE], &["golang-migrate", "sqlx"])]
    #[case::number_alone(ALONE, &[], &["sqlx"])]
    #[case::number_in_rust(ALONE, &[OTHER_RUST], &["sqlx"])]
    #[case::number_in_go(ALONE, &[MIGRATE], &["numbered"])]
    #[case::number_elsewhere(ALONE, &[NODE], &["numbered"])]
    #[case::pair_without_an_underscore(&[("1-a.up.sql", ""), ("1-a.down.sql", "")], &[MIGRATE], &["numbered"])]
    #[case::number_without_an_underscore(&[("001-a.sql", "")], &[SQLX], &["numbered"])]
    #[case::goose(GOOSE, &[], &["goose"])]
    #[case::goose_in_rust(GOOSE, &[SQLX], &["goose"])]
    #[case::dbmate(DBMATE, &[MIGRATE, NODE], &["dbmate"])]
    #[case::only_spoken_of(SPOKEN_OF, &[], &["sqlx"])]
    #[case::first_of_several(&[("001_a.sql", ""), ("002_b.sql", "--migrate:up")], &[], &["dbmate"])]
    #[case::foreign_annotation(&[("001_a.sql", "-- +goose Up\n"), ("x/001.sql", "-- migrate:up")], &[], &["goose"])]
    fn a_folder_is_one_tools_if_that_can_be_told(
        #[case] files: &[(&str, &str)],
        #[case] manifests: &[(&str, &str)],
        #[case] expected: &[&str],
    ) {
        let entries = files.iter().map(|(name, text)| ((*name).to_owned(), Entry::Text((*text).into())));
        let manifests = manifests.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let found = recognise(&SourceTree::new("m", entries), &Manifests::new(manifests), LAYOUTS);
        let found: Vec<_> = found.iter().map(|layout| layout.name()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn libraries_are_looked_for_in_manifests_that_are_read() {
        for library in LAYOUTS.iter().filter_map(|layout| layout.library()) {
            assert!(MANIFESTS.contains(&library.manifest), "{library:?}");
        }
    }
}
