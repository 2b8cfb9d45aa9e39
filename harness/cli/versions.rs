//! `switchback versions`: which versions of both databases can be had here.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;
use switchback_core::Backend;
use switchback_core::report::Report;
use switchback_core::versions::{self, Version};
use switchback_db::server::{self, Available};
use switchback_db::sqlite;

use super::args::VersionsArgs;
use super::render::Format;
use super::{block_on, print};
use crate::error::{Error, ExitCode};

pub(super) fn main(args: &VersionsArgs) -> Result<ExitCode, Error> {
    let versions = block_on(async {
        let library = sqlite::library().await.map_err(|error| Error::CouldNotRun(error.to_string()))?;
        Ok(Versions::new(&server::available().await, sqlite::LIBRARY, &library.number))
    })?;
    print(&match args.format {
        Format::Text => versions.text(),
        Format::Json => versions.json(),
    });
    Ok(ExitCode::Clean)
}

/// What there is, as it is written for programs.
#[derive(Debug, Serialize)]
struct Versions {
    switchback: &'static str,
    format: u32,
    postgres: Vec<Major>,
    /// Why no container can serve, if none can.
    no_containers: Option<String>,
    sqlite: Library,
}

#[derive(Debug, Serialize)]
struct Major {
    version: u32,
    /// Whether Switchback is proven on it.
    proven: bool,
    /// In the order in which they would be taken.
    sources: Vec<Source>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Source {
    Image { name: String },
    Binaries { version: String, folder: String },
}

#[derive(Debug, Serialize)]
struct Library {
    version: String,
    library: &'static str,
    proven: Vec<String>,
}

impl Versions {
    fn new(available: &Available, library: &'static str, version: &str) -> Self {
        let proven: BTreeSet<u32> = versions::proven(Backend::Postgres).iter().map(Version::major).collect();
        let major = |version: u32| Major {
            version,
            proven: proven.contains(&version),
            sources: sources(available, version),
        };
        let sqlite = versions::proven(Backend::Sqlite);
        Self {
            switchback: env!("CARGO_PKG_VERSION"),
            format: Report::FORMAT,
            postgres: proven.union(&available.majors()).copied().map(major).collect(),
            no_containers: available.images.as_ref().err().cloned(),
            sqlite: Library {
                version: version.to_owned(),
                library,
                proven: sqlite.iter().map(Version::to_string).collect(),
            },
        }
    }

    fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a list of versions has nothing that JSON cannot say")
            + "\n"
    }

    fn text(&self) -> String {
        let mut text = String::from("postgres\n");
        for major in &self.postgres {
            let note =
                if major.proven { "" } else { " (not among the versions that Switchback is proven on)" };
            let mut sources: Vec<String> = major.sources.iter().map(Source::to_string).collect();
            if sources.is_empty() {
                sources.push(match &self.no_containers {
                    Some(_) => "not on this machine".to_owned(),
                    None => format!("not on this machine; a container would pull postgres:{}", major.version),
                });
            }
            for (index, source) in sources.iter().enumerate() {
                let version = if index == 0 { major.version.to_string() } else { String::new() };
                // Writing to a string cannot fail.
                let _ = writeln!(text, "  {version:<8} {source}{note}");
            }
        }
        if let Some(reason) = &self.no_containers {
            let _ = writeln!(text, "  no containers: {reason}");
        }
        let Library { version, library, proven } = &self.sqlite;
        let _ = writeln!(text, "sqlite\n  {version:<8} {library}\n  proven on {}", proven.join(", "));
        text
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Image { name } => write!(f, "image {name}"),
            Self::Binaries { version, folder } => write!(f, "server binaries of {version} in {folder}"),
        }
    }
}

fn sources(available: &Available, version: u32) -> Vec<Source> {
    let images = available.images.iter().flatten().filter(|image| image.major == version);
    let images = images.map(|image| Source::Image { name: image.name.clone() });
    let binaries = available.binaries.iter().filter(|binaries| binaries.major == version);
    let binaries = binaries.map(|binaries| Source::Binaries {
        version: format!("{}.{}", binaries.major, binaries.minor),
        folder: binaries.dir.display().to_string(),
    });
    images.chain(binaries).collect()
}

#[cfg(test)]
mod tests {
    use switchback_db::server::{Binaries, Image};

    use super::*;

    #[test]
    fn each_version_has_its_sources() {
        let binaries = |major, minor| Binaries::at(format!("/pg/{major}/bin"), major, minor);
        let image = |major| Image { major, name: format!("postgres:{major}") };
        let mut available = Available {
            binaries: vec![binaries(17, 4), binaries(19, 0)],
            images: Ok(vec![image(17), image(18)]),
        };
        let text = |available: &Available| Versions::new(available, "bundled library", "3.46.1").text();
        insta::assert_snapshot!(text(&available), @"
        postgres
          13       not on this machine; a container would pull postgres:13
          14       not on this machine; a container would pull postgres:14
          15       not on this machine; a container would pull postgres:15
          16       not on this machine; a container would pull postgres:16
          17       image postgres:17
                   server binaries of 17.4 in /pg/17/bin
          18       image postgres:18
          19       server binaries of 19.0 in /pg/19/bin (not among the versions that Switchback is proven on)
        sqlite
          3.46.1   bundled library
          proven on 3.34.1, 3.37.0, 3.39.2, 3.45.0, 3.51.3, 3.54.1
        ");
        available.images = Err("no Docker socket".to_owned());
        let text = text(&available);
        assert!(text.contains("\n  18       not on this machine\n"), "{text}");
        assert!(text.contains("\n  no containers: no Docker socket\nsqlite\n"), "{text}");
    }
}
