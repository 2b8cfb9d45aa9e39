//! Looking for migrations where nobody said where they are.

use std::collections::BTreeSet;
use std::path::Path;

use switchback_core::Backend;
use switchback_core::config;
use switchback_core::layout::{self, Layout, SourceTree, dialect};

use super::{DiscoverError, Seen};
use crate::files::{Limits, NOT_OURS, plain, read_tree};

/// Where projects keep their migrations.
const USUAL_PLACES: [&str; 4] = [".", "migrations", "db/migrations", "database/migrations"];
/// How deep, and into how many folders, the search for a hint goes.
const HINT_DEPTH: usize = 5;
const HINT_FOLDERS: usize = 2_000;
const HINTS: usize = 12;

/// A folder to read a history from.
pub(super) struct Source {
    pub(super) folder: String,
    pub(super) backend: Option<Backend>,
    pub(super) layout: &'static dyn Layout,
}

impl Source {
    fn seen(&self) -> Seen {
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
        0 => Err(DiscoverError::NotRecognised { path: root.to_owned(), elsewhere: further_down(root, ".") }),
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
    let here = recognised(tree, layouts);
    if !here.is_empty() {
        return Ok(here);
    }
    let mut found = Vec::new();
    for (backend, folder) in dialect::folders(tree) {
        let tree = list(root, folder.path())?;
        let of_backend = |source| Source { backend: Some(backend), ..source };
        found.extend(recognised(&tree, layouts).into_iter().map(of_backend));
    }
    Ok(found)
}

/// What a folder looks like.
pub(super) fn recognised(tree: &SourceTree, layouts: &[&'static dyn Layout]) -> Vec<Source> {
    let recognising = layouts.iter().filter(|layout| layout.recognises(tree));
    let source = |layout: &&'static dyn Layout| Source {
        folder: tree.path().to_owned(),
        backend: None,
        layout: *layout,
    };
    recognising.map(source).collect()
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
    let tree = read_tree(root, place, &|_| false, Limits::default());
    tree.map_err(|error| DiscoverError::Unreadable { path: root.join(place), reason: plain(&error) })
}

/// Migrations anywhere below a folder, as a hint. `place` is where it is, for messages.
pub(super) fn further_down(folder: &Path, place: &str) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut left = vec![(String::new(), 0)];
    let mut folders = 0;
    while let Some((name, depth)) = left.pop() {
        folders += 1;
        if folders > HINT_FOLDERS || seen.len() >= HINTS {
            break;
        }
        // What cannot be read gives no hint.
        let Ok(tree) = read_tree(folder, &name, &|_| false, Limits::default()) else {
            continue;
        };
        let found = recognised(&tree, layout::LAYOUTS);
        if !found.is_empty() {
            let path = Path::new(place).join(&name);
            let path = path.strip_prefix(".").unwrap_or(&path).to_string_lossy().into_owned();
            let word = name.rsplit('/').next().unwrap_or_default();
            let backend = match dialect::Dialect::named(word) {
                Some(dialect::Dialect::Of(backend)) => Some(backend),
                _ => None,
            };
            seen.extend(found.iter().map(|source| Seen {
                folder: path.clone(),
                tool: source.layout.name(),
                backend,
            }));
        } else if depth < HINT_DEPTH {
            let below = tree.folders().into_iter().rev();
            let below = below.filter(|one| !one.starts_with('.') && !NOT_OURS.contains(one));
            let join = |one| {
                if name.is_empty() { String::from(one) } else { format!("{name}/{one}") }
            };
            left.extend(below.map(|one| (join(one), depth + 1)));
        }
    }
    seen
}

/// What the search looks for, in words.
pub(super) fn looked_for() -> String {
    let forms: Vec<_> =
        layout::recognisable().map(|layout| format!("{} ({})", layout.name(), layout.form())).collect();
    let places: Vec<_> = USUAL_PLACES.iter().map(|place| format!("\"{place}\"")).collect();
    format!(
        "migrations of {}, in {} and folders there that are named for a backend",
        forms.join(" and "),
        places.join(", "),
    )
}

/// What was seen, in words.
pub(super) fn listed(seen: &[Seen]) -> String {
    let one = |seen: &Seen| format!("\"{}\" ({})", seen.folder, seen.tool);
    seen.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The config that would settle it, made from what was seen.
pub(super) fn config_to_write(seen: &[Seen]) -> String {
    let mut text = String::new();
    if !seen.is_empty() {
        text.push_str(&format!("seen: {}\n", listed(seen)));
    }
    text.push_str(&format!("say what to check in {}, such as:\n\n[history]\n", config::FILE));
    let Some(first) = seen.first() else {
        let tools: Vec<_> = layout::recognisable().map(|layout| layout.name()).collect();
        text.push_str(&format!("tool = \"{}\"  # one of {}\n", tools[0], tools.join(", ")));
        text.push_str("postgres = \"path/to/migrations/postgres\"\nsqlite = \"path/to/migrations/sqlite\"");
        return text;
    };
    text.push_str(&format!("tool = \"{}\"", first.tool));
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
