//! The files of a folder as plain data, so that reading a layout needs no file system.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::LayoutError;
use crate::history::Script;

/// What stands under a name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A folder. What is in it has entries of its own.
    Folder,
    /// A file whose content nobody asked for.
    File,
    /// A text file.
    Text(Arc<str>),
    /// A file that is not text in UTF-8.
    NotUtf8 {
        /// Where the first byte stands that is not, from 0; a NUL is none.
        offset: usize,
        /// The line it is on, from 1.
        line: usize,
    },
    /// Something that could not be read, and why.
    Unreadable(String),
}

impl Entry {
    /// The entry for a file with that content.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        let (bytes, offset) = match String::from_utf8(bytes) {
            // Text of 16 bits is full of NULs, which no database takes, and may be valid all the same.
            Ok(text) => match text.find('\0') {
                None => return Self::Text(text.into()),
                Some(offset) => (text.into_bytes(), offset),
            },
            Err(error) => {
                let offset = error.utf8_error().valid_up_to();
                (error.into_bytes(), offset)
            }
        };
        let line = 1 + bytes[..offset].iter().filter(|byte| **byte == b'\n').count();
        Self::NotUtf8 { offset, line }
    }
}

/// A folder with everything below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceTree {
    path: String,
    entries: BTreeMap<String, Entry>,
}

impl SourceTree {
    /// A folder at `path`, relative to the project; `""` or `"."` for the project itself. The names
    /// of the entries are relative to the folder. Both have `/` between folders.
    pub fn new(path: impl Into<String>, entries: impl IntoIterator<Item = (String, Entry)>) -> Self {
        Self { path: path.into(), entries: entries.into_iter().collect() }
    }

    /// Where the folder is, relative to the project.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Everything in the folder and below, sorted by name.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(name, entry)| (name.as_str(), entry))
    }

    /// What stands under that name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// What stands in the folder itself, not below.
    pub fn top_level(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries().filter(|(name, _)| !name.contains('/'))
    }

    /// The names of the folders in it, whether or not they have an entry of their own.
    pub fn folders(&self) -> BTreeSet<&str> {
        self.entries
            .iter()
            .filter(|(name, entry)| name.contains('/') || **entry == Entry::Folder)
            .map(|(name, _)| name.split_once('/').map_or(name.as_str(), |(first, _)| first))
            .collect()
    }

    /// Whether there is no file in it or below it.
    pub fn is_empty(&self) -> bool {
        self.entries.values().all(|entry| *entry == Entry::Folder)
    }

    /// The folder of that name in it.
    #[must_use]
    pub fn folder(&self, name: &str) -> Self {
        let prefix = format!("{name}/");
        let below = self.entries.iter();
        let below =
            below.filter_map(|(path, entry)| Some((path.strip_prefix(&prefix)?.to_owned(), entry.clone())));
        Self::new(self.path_of(name), below)
    }

    /// The path of an entry relative to the project, for messages.
    pub fn path_of(&self, name: &str) -> String {
        match self.path.as_str() {
            "" | "." => name.to_owned(),
            path => format!("{path}/{name}"),
        }
    }

    /// A file as a script.
    ///
    /// # Errors
    ///
    /// If it is not there, cannot be read or is not UTF-8.
    pub fn script(&self, name: &str) -> Result<Script, LayoutError> {
        let file = self.path_of(name);
        let unreadable =
            |reason: &str| LayoutError::Unreadable { file: file.clone(), reason: reason.to_owned() };
        match self.get(name) {
            Some(Entry::Text(text)) => Ok(Script::new(file, Arc::clone(text))),
            Some(Entry::NotUtf8 { offset, line }) => {
                Err(LayoutError::NotUtf8 { file, offset: *offset, line: *line })
            }
            Some(Entry::Unreadable(reason)) => Err(unreadable(reason)),
            Some(Entry::Folder) => Err(unreadable("it is a folder")),
            Some(Entry::File) => Err(unreadable("its content was not read")),
            None => Err(unreadable("there is no such file")),
        }
    }
}
