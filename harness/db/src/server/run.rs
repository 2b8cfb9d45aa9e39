//! The name tag of one run: everything that it makes carries it, so that a later run can tell what
//! was left behind, by whom, and whether the owner still lives.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};

use super::ServerError;

const PREFIX: &str = "switchback_";
const TAG: &str = "made by switchback run=";
const DIGITS: usize = 12;
/// PostgreSQL cuts identifiers after 63 bytes.
pub(crate) const LONGEST_NAME: usize = 63;

/// A random name for one run, twelve hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunId(String);

impl RunId {
    pub(crate) fn new() -> Result<Self, ServerError> {
        random_hex(DIGITS / 2).map(Self)
    }

    /// The name of a database or schema of this run.
    pub(crate) fn name(&self, label: &str) -> String {
        let mut name = format!("{PREFIX}{}_", self.0);
        let label = label.chars().map(|c| match c {
            'a'..='z' | '0'..='9' => c,
            'A'..='Z' => c.to_ascii_lowercase(),
            _ => '_',
        });
        name.extend(label.take(LONGEST_NAME - name.len()));
        name
    }

    /// The run that a name belongs to, if it has the form of ours.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let rest = name.strip_prefix(PREFIX)?;
        let (id, label) = (rest.get(..DIGITS)?, rest.get(DIGITS..)?);
        let hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        (id.bytes().all(hex) && label.starts_with('_')).then(|| Self(id.to_owned()))
    }

    /// The key of the advisory lock that the run holds while it lives: "SW" and its 48 bits.
    pub(crate) fn lock_key(&self) -> i64 {
        let bits = i64::from_str_radix(&self.0, 16).expect("a run id is twelve hexadecimal digits");
        0x5357 << 48 | bits
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The comment on a database or schema that says whose it is. One that its user wants to keep says
/// so, and is nobody's leftover.
pub(crate) fn tag(run: &RunId, keep: bool) -> String {
    let kept = if keep { "kept, " } else { "" };
    format!("{kept}{TAG}{run} pid={} host={}", std::process::id(), host())
}

/// The limit of connections, which no server can reach, of a database that is being made: a run that is
/// killed just then leaves one that has no comment yet.
pub(crate) const UNFINISHED: i32 = 1_937_204_579;

/// The run that a comment names as the owner; none if the comment is not ours, word for word.
pub(crate) fn tagged(comment: &str) -> Option<RunId> {
    let (run, rest) = comment.strip_prefix(TAG)?.split_once(" pid=")?;
    let (pid, _host) = rest.split_once(" host=")?;
    pid.parse::<u32>().ok()?;
    RunId::of(&format!("{PREFIX}{run}_"))
}

/// The machine's name, so that a person can find the owner of what was left.
pub(crate) fn host() -> String {
    ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .iter()
        .find_map(|file| std::fs::read_to_string(file).ok())
        .map(|name| name.trim().replace(char::is_whitespace, "-"))
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}

/// Random bytes from the system, in hexadecimal.
pub(crate) fn random_hex(bytes: usize) -> Result<String, ServerError> {
    let mut buffer = vec![0_u8; bytes];
    let read: io::Result<()> = File::open("/dev/urandom").and_then(|mut f| f.read_exact(&mut buffer));
    read.map_err(|e| ServerError::file("read", "/dev/urandom", e))?;
    Ok(buffer.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("switchback_0123456789ab_trunk", true)]
    #[case("switchback_0123456789ab_", true)]
    #[case("switchback_0123456789ab", false)]
    #[case("switchback_0123456789AB_trunk", false)]
    #[case("switchback_production", false)]
    #[case("switchback_ÄÄÄÄÄÄ_x", false)]
    #[case("app", false)]
    fn only_names_of_our_form_belong_to_a_run(#[case] name: &str, #[case] ours: bool) {
        assert_eq!(RunId::of(name).is_some(), ours);
    }

    #[test]
    fn a_long_label_with_odd_characters_makes_a_valid_name() {
        let run = RunId("0123456789ab".to_owned());
        let name = run.name(&"Ünï-Code ".repeat(20));
        assert_eq!(name.len(), LONGEST_NAME);
        assert_eq!(RunId::of(&name), Some(run));
    }

    #[test]
    fn a_tag_names_its_run_unless_it_is_kept() {
        let run = RunId("0123456789ab".to_owned());
        assert_eq!(tagged(&tag(&run, false)), Some(run.clone()));
        assert_eq!(tagged(&tag(&run, true)), None);
    }

    #[rstest]
    #[case("")]
    #[case("made by switchback")]
    #[case("made by switchback run=production pid=1 host=a")]
    #[case("made by switchback run=0123456789ab pid=x host=a")]
    fn a_comment_that_is_not_ours_is_nobodys(#[case] comment: &str) {
        assert_eq!(tagged(comment), None);
    }
}
