//! The versions of the databases that Switchback is proven on, from one table.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use crate::Backend;

/// A version in numbers: `17`, `17.2` or `3.51.3`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version(Vec<u32>);

/// A text that is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a version: write numbers with dots between them, such as 17 or 3.46")]
pub struct NoVersion(String);

impl Version {
    /// The first of its numbers.
    pub fn major(&self) -> u32 {
        self.0.first().copied().unwrap_or_default()
    }

    /// Whether the other version is this one, as far as this one says: `3.46` covers `3.46.1`.
    ///
    /// ```
    /// use switchback_core::versions::Version;
    ///
    /// let version = |text: &str| text.parse::<Version>();
    /// assert!(version("3.4")?.covers(&version("3.4.1")?));
    /// assert!(!version("3.4")?.covers(&version("3.40.1")?));
    /// # Ok::<(), switchback_core::versions::NoVersion>(())
    /// ```
    pub fn covers(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }
}

impl FromStr for Version {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let number = |part: &str| part.parse().ok().filter(|_| digits(part));
        let numbers = text.split('.').map(number).collect::<Option<_>>();
        numbers.map(Self).ok_or_else(|| NoVersion(text.to_owned()))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.pad(&numbers.join("."))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The versions that a backend is proven on, oldest first: PostgreSQL's by their major number.
///
/// ```
/// use switchback_core::{Backend, versions};
///
/// assert_eq!(versions::proven(Backend::Postgres)[0].to_string(), "13");
/// ```
pub fn proven(backend: Backend) -> &'static [Version] {
    static TABLE: LazyLock<Vec<(Backend, Vec<Version>)>> = LazyLock::new(|| {
        let table: toml::Table = include_str!("../versions.toml").parse().expect("a test reads the table");
        let of = |backend: Backend| {
            let versions = table[backend.name()].as_table().expect("each backend is a table of it");
            let mut versions: Vec<Version> =
                versions.keys().map(|key| key.parse().expect("its keys are versions")).collect();
            versions.sort();
            (backend, versions)
        };
        Backend::ALL.map(of).into()
    });
    TABLE.iter().find(|(one, _)| *one == backend).map_or(&[], |(_, versions)| versions)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("17", Some(&[17][..]))]
    #[case("3.51.3", Some(&[3, 51, 3][..]))]
    #[case("03.4", Some(&[3, 4][..]))]
    #[case("", None)]
    #[case("3.", None)]
    #[case("+3", None)]
    #[case("17beta1", None)]
    #[case("99999999999", None)]
    fn a_version_is_read(#[case] text: &str, #[case] numbers: Option<&[u32]>) {
        assert_eq!(text.parse::<Version>().ok().map(|version| version.0), numbers.map(<[u32]>::to_vec));
    }

    #[test]
    fn versions_are_in_the_order_of_their_numbers() {
        let mut versions: Vec<Version> =
            ["3.40.1", "3.9", "3.40", "18"].map(|text| text.parse().unwrap()).into();
        versions.sort();
        assert_eq!(
            versions.iter().map(Version::to_string).collect::<Vec<_>>(),
            ["3.9", "3.40", "3.40.1", "18"]
        );
    }

    #[test]
    fn the_table_has_the_range_that_is_promised() {
        let majors: Vec<u32> = proven(Backend::Postgres).iter().map(Version::major).collect();
        assert_eq!(majors, (13..=18).collect::<Vec<_>>());
        let sqlite = proven(Backend::Sqlite);
        assert!(sqlite.len() >= 4 && sqlite[0].to_string() == "3.34.1", "{sqlite:?}");
    }
}
