//! A disk without room: databases say so, but not on which disk.

use std::path::Path;

/// What systems and databases say then, in the one language that our own servers speak.
const WORDS: [&str; 6] = [
    "No space left on device",
    "no space left on device",
    "Disk quota exceeded",
    "File too large",
    "disk is full",
    "disk I/O error",
];

/// Whether a message speaks of a disk that takes no more.
pub(crate) fn is_lacking(message: &str) -> bool {
    WORDS.iter().any(|words| message.contains(words))
}

/// A message, with what to do where it speaks of a disk that takes no more.
pub fn explain(message: String, folder: &Path) -> String {
    match is_lacking(&message) {
        true => format!(
            "{message}; make room for \"{}\", or set TMPDIR to a folder that has more",
            folder.display()
        ),
        false => message,
    }
}
