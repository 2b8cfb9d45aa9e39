//! The manifests that a project's migrations belong to.

use std::fs;
use std::path::Path;

use switchback_core::Backend;
use switchback_core::layout::{MANIFESTS, Manifests, built_for};

/// The one backend that the Rust project at or above a folder is built for.
pub(super) fn only_backend(folder: &Path) -> Option<Backend> {
    let folder = folder.canonicalize().ok()?;
    let mut manifests =
        folder.ancestors().filter_map(|folder| fs::read_to_string(folder.join("Cargo.toml")).ok());
    let own = manifests.next()?;
    let is_workspace = |text: &String| text.lines().any(|line| line.trim_start().starts_with("[workspace"));
    let workspace = if is_workspace(&own) { Some(own.clone()) } else { manifests.find(is_workspace) };
    let backends = built_for(&own, workspace.as_deref());
    backends.first().copied().filter(|_| backends.len() == 1)
}

/// The manifests of the project that a folder belongs to: those in the nearest folder, at or above it,
/// that has any.
pub(super) fn nearest(folder: &Path) -> Manifests {
    let Ok(folder) = folder.canonicalize() else {
        return Manifests::default();
    };
    let read = |folder: &Path| -> Vec<_> {
        let each = MANIFESTS
            .iter()
            .map(|name| Some(((*name).to_owned(), fs::read_to_string(folder.join(name)).ok()?)));
        each.flatten().collect()
    };
    let found = folder.ancestors().map(read).find(|manifests| !manifests.is_empty());
    Manifests::new(found.unwrap_or_default())
}
