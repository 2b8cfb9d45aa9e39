//! What this machine has of PostgreSQL, without starting any of it.

use std::collections::BTreeSet;

use super::Binaries;

/// The sources of PostgreSQL on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Available {
    /// Server binaries, in the order in which they would be taken.
    pub binaries: Vec<Binaries>,
    /// The images that need no pull, or why no engine answers.
    pub images: Result<Vec<Image>, String>,
}

/// An image of PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Image {
    /// The major version that its tag tells.
    pub major: u32,
    /// Its name and tag.
    pub name: String,
}

impl Available {
    /// The major versions that can be had without a download.
    pub fn majors(&self) -> BTreeSet<u32> {
        let images = self.images.iter().flatten().map(|image| image.major);
        self.binaries.iter().map(|binaries| binaries.major).chain(images).collect()
    }
}

/// Looks for server binaries, and asks a container engine for its images.
pub async fn available() -> Available {
    let binaries = tokio::task::spawn_blocking(|| Binaries::find(&[])).await.unwrap_or_default();
    let images = names().await.map(|names| {
        let mut images: Vec<Image> = names.into_iter().filter_map(image).collect();
        images.sort();
        images
    });
    Available { binaries, images }
}

#[cfg(feature = "containers")]
async fn names() -> Result<Vec<String>, String> {
    super::container::images().await
}

#[cfg(not(feature = "containers"))]
async fn names() -> Result<Vec<String>, String> {
    Err("built without the feature \"containers\"".to_owned())
}

/// An image whose tag starts with a version, as the official ones do: `postgres:17-alpine`.
fn image(name: String) -> Option<Image> {
    let major = super::major_of(name.rsplit_once(':')?.1);
    (major > 0).then_some(Image { major, name })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("postgres:17", Some(17))]
    #[case("mirror.example.org:5000/library/postgres:15.4-alpine", Some(15))]
    #[case("postgres:latest", None)]
    #[case("postgres", None)]
    fn a_tag_tells_the_version(#[case] name: &str, #[case] major: Option<u32>) {
        assert_eq!(image(name.to_owned()).map(|image| image.major), major);
    }
}
