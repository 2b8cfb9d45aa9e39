//! The Cargo.toml that a project's migrations belong to.

use std::fs;
use std::path::Path;

use switchback_core::Backend;
use switchback_core::layout::built_for;

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
