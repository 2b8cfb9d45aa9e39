//! Reading folders into plain data.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use switchback_core::layout::{Entry, SourceTree};

/// How much of a folder is read before it is taken for something else than migrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many folders deep; 1 is the folder itself.
    pub depth: usize,
    /// How many files and folders.
    pub entries: usize,
    /// How many bytes in one file.
    pub file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 2, entries: 100_000, file_bytes: 1 << 30 }
    }
}

/// Folders in which builds and package managers keep what is not the project's own.
pub(crate) const NOT_OURS: [&str; 2] = ["target", "node_modules"];

/// Reads the folder at `place` below `root`, and the content of those files that `wanted` says yes
/// to, by their path below the folder. Hidden folders are passed over. What cannot be read is an
/// entry that says why.
///
/// # Errors
///
/// If the folder itself cannot be read, or holds more than the limits allow.
pub fn read_tree(
    root: &Path,
    place: &str,
    wanted: &dyn Fn(&str) -> bool,
    limits: Limits,
) -> io::Result<SourceTree> {
    let folder = root.join(place);
    let mut reader = Reader { wanted, limits, ancestors: vec![folder.canonicalize()?], entries: Vec::new() };
    reader.read(&folder, "", 1)?;
    Ok(SourceTree::new(place, reader.entries))
}

/// One file as an entry.
pub fn read_file(path: &Path, limits: Limits) -> Entry {
    let read = || {
        let metadata = fs::metadata(path)?;
        if metadata.is_dir() {
            return Ok(Entry::Folder);
        }
        if !metadata.is_file() {
            // Reading a pipe or a device may never end.
            return Ok(Entry::Unreadable("it is not a regular file".to_owned()));
        }
        if metadata.len() > limits.file_bytes {
            let (size, most) = (metadata.len(), limits.file_bytes);
            let reason = format!("it has {size} bytes, which is more than {most}");
            return Ok(Entry::Unreadable(reason));
        }
        fs::read(path).map(Entry::from_bytes)
    };
    read().unwrap_or_else(|error: io::Error| Entry::Unreadable(plain(&error)))
}

/// What an error of the operating system says, without its number.
pub fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

struct Reader<'a> {
    wanted: &'a dyn Fn(&str) -> bool,
    limits: Limits,
    /// The folders that are being read, by their real paths.
    ancestors: Vec<PathBuf>,
    entries: Vec<(String, Entry)>,
}

impl Reader<'_> {
    fn read(&mut self, folder: &Path, prefix: &str, depth: usize) -> io::Result<()> {
        for found in fs::read_dir(folder)? {
            let found = found?;
            if self.entries.len() >= self.limits.entries {
                let most = self.limits.entries;
                let reason = format!("it holds more than {most} files and folders");
                return Err(io::Error::other(reason));
            }
            let name = found.file_name();
            let name = name.to_string_lossy();
            let path = found.path();
            let entry = match fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => {
                    if name.starts_with('.') || NOT_OURS.contains(&&*name) {
                        continue;
                    }
                    self.folder(&path, &format!("{prefix}{name}"), depth)
                }
                Ok(metadata) if !metadata.is_file() => Entry::File,
                Ok(_) if !(self.wanted)(&format!("{prefix}{name}")) => Entry::File,
                Ok(_) => read_file(&path, self.limits),
                Err(error) => Entry::Unreadable(plain(&error)),
            };
            self.entries.push((format!("{prefix}{name}"), entry));
        }
        Ok(())
    }

    fn folder(&mut self, path: &Path, name: &str, depth: usize) -> Entry {
        let real = match path.canonicalize() {
            Ok(real) => real,
            Err(error) => return Entry::Unreadable(plain(&error)),
        };
        if self.ancestors.contains(&real) {
            let reason = "it is a symbolic link to a folder that holds it";
            return Entry::Unreadable(reason.to_owned());
        }
        if depth >= self.limits.depth {
            return Entry::Folder;
        }
        self.ancestors.push(real);
        let read = self.read(path, &format!("{name}/"), depth + 1);
        self.ancestors.pop();
        match read {
            Ok(()) => Entry::Folder,
            Err(error) => Entry::Unreadable(plain(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{create_dir_all, write};
    use std::os::unix::fs::symlink;

    use super::*;

    fn listed(tree: &SourceTree) -> Vec<(&str, &Entry)> {
        tree.entries().collect()
    }

    fn sql(path: &str) -> bool {
        path.ends_with(".sql")
    }

    #[test]
    fn a_folder_is_read_as_deep_as_asked() {
        let root = tempfile::tempdir().unwrap();
        create_dir_all(root.path().join("m/1_a/deep")).unwrap();
        create_dir_all(root.path().join("m/.git")).unwrap();
        write(root.path().join("m/1_a/up.sql"), "SELECT 1;").unwrap();
        write(root.path().join("m/1_a/deep/x.sql"), "SELECT 1;").unwrap();
        write(root.path().join("m/README.md"), "hello").unwrap();

        let tree = read_tree(root.path(), "m", &sql, Limits::default()).unwrap();
        assert_eq!(
            listed(&tree),
            [
                ("1_a", &Entry::Folder),
                ("1_a/deep", &Entry::Folder),
                ("1_a/up.sql", &Entry::Text("SELECT 1;".into())),
                ("README.md", &Entry::File),
            ]
        );
        assert_eq!(tree.path(), "m");
    }

    #[test]
    fn links_that_lead_nowhere_or_in_circles_say_so() {
        let root = tempfile::tempdir().unwrap();
        create_dir_all(root.path().join("m/sub")).unwrap();
        symlink("itself.sql", root.path().join("m/itself.sql")).unwrap();
        symlink("missing.sql", root.path().join("m/nowhere.sql")).unwrap();
        symlink("../..", root.path().join("m/sub/up")).unwrap();

        let limits = Limits { depth: 9, ..Limits::default() };
        let tree = read_tree(root.path(), ".", &sql, limits).unwrap();
        let reasons: Vec<_> = tree
            .entries()
            .filter_map(|(name, entry)| match entry {
                Entry::Unreadable(reason) => Some((name, reason.as_str())),
                _ => None,
            })
            .collect();
        assert_eq!(
            reasons,
            [
                ("m/itself.sql", "too many levels of symbolic links"),
                ("m/nowhere.sql", "no such file or directory"),
                ("m/sub/up", "it is a symbolic link to a folder that holds it"),
            ]
        );
    }

    #[test]
    fn a_link_to_a_folder_elsewhere_is_read() {
        let root = tempfile::tempdir().unwrap();
        create_dir_all(root.path().join("real")).unwrap();
        create_dir_all(root.path().join("m")).unwrap();
        write(root.path().join("real/up.sql"), "SELECT 1;").unwrap();
        symlink("../real", root.path().join("m/1_a")).unwrap();
        let tree = read_tree(root.path(), "m", &sql, Limits::default()).unwrap();
        assert_eq!(tree.get("1_a/up.sql"), Some(&Entry::Text("SELECT 1;".into())));
    }

    #[test]
    fn a_pipe_is_not_opened() {
        let root = tempfile::tempdir().unwrap();
        let pipe = root.path().join("1_a.sql");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        let tree = read_tree(root.path(), "", &sql, Limits::default()).unwrap();
        assert_eq!(listed(&tree), [("1_a.sql", &Entry::File)]);
        let reason = "it is not a regular file".to_owned();
        assert_eq!(read_file(&pipe, Limits::default()), Entry::Unreadable(reason));
    }

    #[test]
    fn a_file_of_50_mb_is_read_and_one_over_the_limit_is_not() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("1_a.sql");
        let text = "-- filler\n".repeat(5 << 20);
        write(&file, &text).unwrap();
        assert_eq!(read_file(&file, Limits::default()), Entry::Text(text.into()));

        let limits = Limits { file_bytes: 1 << 20, ..Limits::default() };
        let reason = "it has 52428800 bytes, which is more than 1048576".to_owned();
        assert_eq!(read_file(&file, limits), Entry::Unreadable(reason));
    }

    #[test]
    fn too_many_files_are_an_error() {
        let root = tempfile::tempdir().unwrap();
        for number in 0..4 {
            write(root.path().join(number.to_string()), "").unwrap();
        }
        let limits = Limits { entries: 3, ..Limits::default() };
        let error = read_tree(root.path(), "", &sql, limits).unwrap_err();
        assert_eq!(plain(&error), "it holds more than 3 files and folders");
    }
}
