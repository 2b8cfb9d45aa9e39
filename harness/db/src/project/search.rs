//! Looking for migrations where nobody said where they are.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use switchback_core::Backend;
use switchback_core::config;
use switchback_core::layout::{self, Claim, Layout, SourceTree, dialect};

use super::{DiscoverError, Seen, manifest};
use crate::drive;
use crate::files::{Limits, NOT_OURS, plain, read_tree};

/// Where projects keep their migrations.
const USUAL_PLACES: [&str; 4] = [".", "migrations", "db/migrations", "database/migrations"];
/// How deep, and into how many folders, the search goes on where there are none.
const DEPTH: usize = 5;
const FOLDERS: usize = 2_000;
/// How many folders of migrations are more than anybody wants to read about.
const MANY: usize = 12;
/// What is in these is there to be read or tried, not to be run in production.
const ASIDE: [&str; 10] =
    ["docs", "example", "examples", "fixtures", "spec", "test", "testdata", "testing", "tests", "vendor"];
/// How large a file is in which nobody looks for an annotation.
const LARGE: u64 = 1 << 20;

/// A folder to read a history from.
pub(super) struct Source {
    pub(super) folder: String,
    pub(super) backend: Option<Backend>,
    pub(super) layout: &'static dyn Layout,
}

impl Source {
    pub(super) fn seen(&self) -> Seen {
        Seen { folder: self.folder.clone(), tool: self.layout.name(), backend: self.backend }
    }
}

/// The migrations in the usual places of a project.
pub(super) fn usual_places(
    root: &Path,
    layouts: Vec<&'static dyn Layout>,
) -> Result<Vec<Source>, DiscoverError> {
    let mut found = Vec::new();
    let mut empty = true;
    for place in USUAL_PLACES {
        if place != "." && !root.join(place).is_dir() {
            continue;
        }
        let tree = list(root, place)?;
        empty &= is_empty(&tree);
        let sources = sources(root, &tree, &layouts)?;
        if !sources.is_empty() {
            found.push(sources);
        }
    }
    match found.len() {
        0 if empty => Err(DiscoverError::EmptyFolder(root.to_owned())),
        0 => elsewhere(root, &layouts),
        1 => unambiguous(found.remove(0)),
        _ => Err(DiscoverError::Ambiguous(found.iter().flatten().map(Source::seen).collect())),
    }
}

/// The migrations in a folder itself, or else in its folders that are named for a dialect.
pub(super) fn sources(
    root: &Path,
    tree: &SourceTree,
    layouts: &[&'static dyn Layout],
) -> Result<Vec<Source>, DiscoverError> {
    let here = recognised(root, tree, layouts);
    if !here.is_empty() {
        return Ok(here);
    }
    let mut found = Vec::new();
    for (backend, folder) in dialect::folders(tree) {
        let tree = list(root, folder.path())?;
        let of_backend = |source| Source { backend: Some(backend), ..source };
        found.extend(recognised(root, &tree, layouts).into_iter().map(of_backend));
    }
    Ok(found)
}

/// What a folder, as [`list`] has it, looks like.
pub(super) fn recognised(root: &Path, tree: &SourceTree, layouts: &[&'static dyn Layout]) -> Vec<Source> {
    if layouts.iter().all(|layout| layout.claim(tree) == Claim::Nothing) {
        return Vec::new();
    }
    let found = layout::recognise(tree, &manifest::nearest(&root.join(tree.path())), layouts);
    let source = |layout| Source { folder: tree.path().to_owned(), backend: None, layout };
    found.into_iter().map(source).collect()
}

/// Refuses two tools in one folder, and two folders for one backend.
pub(super) fn unambiguous(sources: Vec<Source>) -> Result<Vec<Source>, DiscoverError> {
    let backends: BTreeSet<_> = sources.iter().map(|source| source.backend).collect();
    if backends.len() == sources.len() {
        Ok(sources)
    } else {
        Err(DiscoverError::Ambiguous(sources.iter().map(Source::seen).collect()))
    }
}

/// Whether a folder holds no file. A folder as deep as the list goes may hold one.
pub(super) fn is_empty(list: &SourceTree) -> bool {
    list.is_empty() && list.entries().all(|(name, _)| !name.contains('/'))
}

fn list(root: &Path, place: &str) -> Result<SourceTree, DiscoverError> {
    let tree = read_list(root, place);
    tree.map_err(|error| DiscoverError::Unreadable { path: root.join(place), reason: plain(&error) })
}

/// A folder as it is looked at to recognise what it holds: with the texts of its own files.
pub(super) fn read_list(root: &Path, place: &str) -> io::Result<SourceTree> {
    let wanted = |path: &str| !path.contains('/') && path.ends_with(".sql");
    read_tree(root, place, &wanted, Limits { file_bytes: LARGE, ..Limits::default() })
}

/// The migrations that are further down, if they are in one place.
fn elsewhere(root: &Path, layouts: &[&'static dyn Layout]) -> Result<Vec<Source>, DiscoverError> {
    let Found { sources, all } = walk(root, layouts);
    let seen = sources.iter().map(Source::seen).collect();
    let in_use = |source: &Source| !is_aside(&source.folder);
    let found: Vec<_> = sources.into_iter().filter(in_use).collect();
    let place = |source: &Source| match source.backend {
        Some(_) => source.folder.rsplit_once('/').map_or(".", |(above, _)| above).to_owned(),
        None => source.folder.clone(),
    };
    let places: BTreeSet<_> = found.iter().map(place).collect();
    if all && places.len() == 1 {
        unambiguous(found)
    } else {
        Err(DiscoverError::NotRecognised { path: root.to_owned(), elsewhere: seen })
    }
}

/// Whether what is in a folder is there to be read or tried.
pub(super) fn is_aside(folder: &str) -> bool {
    folder.split('/').any(|name| ASIDE.contains(&name))
}

/// Migrations anywhere below a folder, as a hint. `place` is where it is, for messages.
pub(super) fn further_down(folder: &Path, place: &str) -> Vec<Seen> {
    let seen = |source: Source| {
        let path = Path::new(place).join(&source.folder);
        let path = path.strip_prefix(".").unwrap_or(&path).to_string_lossy().into_owned();
        Seen { folder: path, ..source.seen() }
    };
    walk(folder, layout::LAYOUTS).sources.into_iter().map(seen).collect()
}

/// What was found below a folder.
struct Found {
    sources: Vec<Source>,
    /// Whether that is all there is.
    all: bool,
}

fn walk(folder: &Path, layouts: &[&'static dyn Layout]) -> Found {
    let mut found = Found { sources: Vec::new(), all: true };
    let mut left = vec![(String::new(), 0)];
    let mut folders = 0;
    while let Some((name, depth)) = left.pop() {
        folders += 1;
        if folders > FOLDERS || found.sources.len() >= MANY {
            found.all = false;
            break;
        }
        // What cannot be read gives no hint.
        let Ok(tree) = read_list(folder, &name) else {
            continue;
        };
        let here = recognised(folder, &tree, layouts);
        if !here.is_empty() {
            let word = name.rsplit('/').next().unwrap_or_default();
            let backend = match dialect::Dialect::named(word) {
                Some(dialect::Dialect::Foreign) => continue,
                Some(dialect::Dialect::Of(backend)) => Some(backend),
                Some(dialect::Dialect::Common) | None => None,
            };
            found.sources.extend(here.into_iter().map(|source| Source { backend, ..source }));
        } else if depth < DEPTH {
            let below = tree.folders().into_iter().rev();
            let below = below.filter(|one| !one.starts_with('.') && !NOT_OURS.contains(one));
            let join = |one| {
                if name.is_empty() { String::from(one) } else { format!("{name}/{one}") }
            };
            left.extend(below.map(|one| (join(one), depth + 1)));
        }
    }
    found
}

/// What the search looks for, in words.
pub(super) fn looked_for() -> String {
    let tools: Vec<_> = recognisable().collect();
    let places: Vec<_> = USUAL_PLACES.iter().map(|place| format!("\"{place}\"")).collect();
    format!(
        "migrations of {} in {}, folders there that are named for a backend, and further down",
        tools.join(", "),
        places.join(", "),
    )
}

/// The tools whose migrations are recognised.
fn recognisable() -> impl Iterator<Item = &'static str> {
    std::iter::once(drive::ALEMBIC).chain(layout::recognisable().map(Layout::name))
}

/// What the migrations of each tool look like, in words.
fn forms() -> String {
    let form = |layout: &&dyn Layout| format!("  {}: {}\n", layout.name(), layout.form());
    let of_files = layout::LAYOUTS.iter().map(form).collect::<String>();
    format!("  alembic: an \"alembic.ini\", or \"[tool.alembic]\" in pyproject.toml\n{of_files}")
}

/// What was seen, in words.
pub(super) fn listed(seen: &[Seen]) -> String {
    let one = |seen: &Seen| format!("\"{}\" ({})", seen.folder, seen.tool);
    seen.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The config that would settle it, made from what was seen.
pub(super) fn config_to_write(seen: &[Seen]) -> String {
    let mut text = String::new();
    if seen.is_empty() {
        text.push_str(&format!("the migrations of each tool look like this:\n{}", forms()));
    } else {
        text.push_str(&format!("seen: {}\n", listed(seen)));
    }
    text.push_str(&format!("say what to check in {}, such as:\n\n[history]\n", config::FILE));
    let Some(first) = seen.first() else {
        let tools: Vec<_> = recognisable().collect();
        text.push_str(&format!("tool = \"{}\"  # one of {}\n", tools[0], tools.join(", ")));
        text.push_str("postgres = \"path/to/migrations/postgres\"\nsqlite = \"path/to/migrations/sqlite\"");
        return text;
    };
    text.push_str(&format!("tool = \"{}\"", first.tool));
    let others = seen.iter().filter(|one| one.folder == first.folder && one.tool != first.tool);
    let others: Vec<_> = others.map(|one| format!("\"{}\"", one.tool)).collect();
    if !others.is_empty() {
        text.push_str(&format!("  # or {}", others.join(" or ")));
    }
    let same_tool = || seen.iter().filter(|one| one.tool == first.tool);
    let mut named = false;
    for backend in Backend::ALL {
        if let Some(one) = same_tool().find(|one| one.backend == Some(backend)) {
            text.push_str(&format!("\n{backend} = \"{}\"", one.folder));
            named = true;
        }
    }
    if !named {
        text.push_str(&format!("\npath = \"{}\"  # or postgres = \"…\" and sqlite = \"…\"", first.folder));
    }
    text
}
