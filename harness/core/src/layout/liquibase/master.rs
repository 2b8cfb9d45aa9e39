//! The order of the files: a master changelog that includes others, or their paths.

use crate::layout::{Entry, LayoutError, SourceTree};

/// Whether a file may be a changelog in XML or YAML.
pub(super) fn has_its_name(path: &str) -> bool {
    [".xml", ".yaml", ".yml"].iter().any(|suffix| path.ends_with(suffix))
}

/// Whether a file is, as far as its text is known, a changelog in XML or YAML.
pub(super) fn is_one(folder: &SourceTree, path: &str) -> bool {
    let text = match folder.get(path) {
        Some(Entry::Text(text)) => text,
        Some(Entry::File) => return has_its_name(path),
        _ => return false,
    };
    has_its_name(path) && text.contains("databaseChangeLog")
}

/// The files with SQL, in the order in which Liquibase runs them.
pub(super) fn files(folder: &SourceTree) -> Result<Vec<String>, LayoutError> {
    let changelogs: Vec<_> =
        folder.top_level().map(|(name, _)| name).filter(|name| is_one(folder, name)).collect();
    let is_master =
        |name: &&&str| -> bool { ["master", "root"].iter().any(|word| name.to_lowercase().contains(word)) };
    let masters: Vec<_> = changelogs.iter().filter(is_master).copied().collect();
    let master = match (changelogs.as_slice(), masters.as_slice()) {
        ([], _) => None,
        ([only], _) | (_, [only]) => Some(*only),
        ([first, ..], _) => {
            let problem = format!(
                "{} changelogs stand side by side: name the one that includes the others \"…master…\"",
                changelogs.len()
            );
            return Err(LayoutError::Part { file: folder.path_of(first), line: 1, problem });
        }
    };
    match master {
        Some(master) => {
            let mut walk = Walk { folder, files: Vec::new(), open: Vec::new() };
            walk.include(master)?;
            Ok(walk.files)
        }
        None => {
            let formatted = folder.entries().filter(|(path, entry)| match entry {
                Entry::Text(text) => path.ends_with(".sql") && super::formatted::is_formatted(text),
                _ => false,
            });
            // What cannot be read may be a changelog, so it is left for the reader to tell.
            let unread = folder.entries().filter(|(path, entry)| {
                path.ends_with(".sql") && !matches!(entry, Entry::Text(_) | Entry::Folder | Entry::File)
            });
            let mut files: Vec<_> = formatted.chain(unread).map(|(path, _)| path.to_owned()).collect();
            files.sort();
            Ok(files)
        }
    }
}

struct Walk<'a> {
    folder: &'a SourceTree,
    files: Vec<String>,
    /// The changelogs that are being read, each included by the one before it.
    open: Vec<String>,
}

/// What a changelog includes.
struct Include {
    line: u32,
    all: bool,
    path: String,
    relative: bool,
}

impl Walk<'_> {
    fn include(&mut self, path: &str) -> Result<(), LayoutError> {
        if path.ends_with(".sql") {
            self.files.push(path.to_owned());
            return Ok(());
        }
        let script = self.folder.script(path)?;
        let fault =
            |line: u32, problem: String| LayoutError::Part { file: script.path.clone(), line, problem };
        if self.open.iter().any(|open| open == path) {
            return Err(fault(1, "the changelog includes itself".to_owned()));
        }
        let read = if path.ends_with(".xml") { xml } else { yaml };
        let includes = read(&script.text).map_err(|line| {
            let problem = "only \"include\" with a file and \"includeAll\" with a path are understood here: put \
                           changesets into files of formatted SQL";
            fault(line, problem.to_owned())
        })?;
        self.open.push(path.to_owned());
        for Include { line, all, path: wanted, relative } in includes {
            let found = self
                .find(path, &wanted, relative, all)
                .ok_or_else(|| fault(line, format!("\"{wanted}\" is not in \"{}\"", self.folder.path())))?;
            if !all {
                self.include(&found)?;
                continue;
            }
            let below = self.folder.entries().filter(|(file, entry)| {
                **entry != Entry::Folder
                    && (found.is_empty()
                        || file.strip_prefix(&*found).is_some_and(|rest| rest.starts_with('/')))
                    && (file.ends_with(".sql") || is_one(self.folder, file))
                    && !self.open.iter().any(|open| open == file)
            });
            let mut below: Vec<_> = below.map(|(file, _)| file.to_owned()).collect();
            below.sort();
            for file in below {
                self.include(&file)?;
            }
        }
        self.open.pop();
        Ok(())
    }

    /// Where a path leads that is relative to the changelog, or to a folder somewhere above.
    fn find(&self, from: &str, wanted: &str, relative: bool, all: bool) -> Option<String> {
        let wanted = wanted.strip_prefix("classpath:").unwrap_or(wanted).trim_matches('/');
        let is_there = |path: &str| {
            let below = format!("{path}/");
            if all {
                path.is_empty() || self.folder.entries().any(|(file, _)| file.starts_with(&below))
            } else {
                self.folder.get(path).is_some_and(|entry| *entry != Entry::Folder)
            }
        };
        let holder = from.rsplit_once('/').map_or("", |(holder, _)| holder);
        if relative {
            return normal(&format!("{holder}/{wanted}")).filter(|path| is_there(path));
        }
        let mut rest = normal(wanted)?;
        loop {
            if is_there(&rest) {
                return Some(rest);
            }
            rest = rest.split_once('/')?.1.to_owned();
        }
    }
}

/// A path without `.` and `..`; nothing if it leads out of the folder.
fn normal(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop()?;
        } else {
            parts.push(part);
        }
    }
    Some(parts.join("/"))
}

/// What a changelog in XML includes, or the line of the first thing that is something else.
fn xml(text: &str) -> Result<Vec<Include>, u32> {
    let mut includes = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find('<').map(|start| at + start) {
        let line = crate::sql::line_of(text, start);
        let end = if text[start..].starts_with("<!--") { "-->" } else { ">" };
        let length = text[start..].find(end).ok_or(line)? + end.len();
        let tag = &text[start + 1..start + length - 1];
        at = start + length;
        let name =
            tag.split(|letter: char| letter.is_whitespace() || letter == '/').find(|name| !name.is_empty());
        let attribute = |key: &str| {
            let from = tag.split_once(&format!(" {key}="))?.1;
            let quote = from.chars().next().filter(|quote| "\"'".contains(*quote))?;
            from[1..].split_once(quote).map(|(value, _)| value.to_owned())
        };
        let name = match name {
            Some(name) => name.rsplit(':').next().unwrap_or(name),
            None => return Err(line),
        };
        let all = match name {
            _ if tag.starts_with(['?', '!']) || name == "databaseChangeLog" => continue,
            _ if tag.starts_with('/') => continue,
            "include" => false,
            "includeAll" => true,
            _ => return Err(line),
        };
        let tag_line = tag.split_whitespace().collect::<Vec<_>>().join(" ");
        let known = ["file", "path", "relativeToChangelogFile", "errorIfMissingOrEmpty"];
        let keys = tag_line.split(' ').skip(1).filter_map(|pair| pair.split_once('=')).map(|(key, _)| key);
        if keys.into_iter().any(|key| !known.contains(&key)) {
            return Err(line);
        }
        let path = attribute(if all { "path" } else { "file" }).ok_or(line)?;
        let relative = attribute("relativeToChangelogFile").is_some_and(|value| value == "true");
        includes.push(Include { line, all, path, relative });
    }
    Ok(includes)
}

/// The same in YAML, of which only what such a changelog needs is understood.
fn yaml(text: &str) -> Result<Vec<Include>, u32> {
    let mut includes: Vec<Include> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split(" #").next().unwrap_or(line).trim();
        if line.is_empty() || line.starts_with('#') || line == "---" || line == "databaseChangeLog:" {
            continue;
        }
        let is_item = line.starts_with("- ");
        let (key, value) = line.trim_start_matches("- ").split_once(':').ok_or(number)?;
        let value = value.trim().trim_matches(['"', '\'']);
        match (key.trim(), is_item) {
            ("include" | "includeAll", true) if value.is_empty() => {
                let all = key.trim() == "includeAll";
                includes.push(Include { line: number, all, path: String::new(), relative: false });
            }
            ("file", false) => match includes.last_mut().filter(|last| !last.all) {
                Some(last) => last.path = value.to_owned(),
                None => return Err(number),
            },
            ("path", false) => match includes.last_mut().filter(|last| last.all) {
                Some(last) => last.path = value.to_owned(),
                None => return Err(number),
            },
            ("relativeToChangelogFile", false) => {
                includes.last_mut().ok_or(number)?.relative = value == "true";
            }
            ("errorIfMissingOrEmpty", false) => {}
            _ => return Err(number),
        }
    }
    match includes.iter().find(|include| include.path.is_empty()) {
        Some(include) => Err(include.line),
        None => Ok(includes),
    }
}
