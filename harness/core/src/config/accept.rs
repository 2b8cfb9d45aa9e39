//! `[[accept]]`: findings that the project has accepted, each with a reason.

use super::reader::{ConfigError, Problem, Section};
use crate::Backend;

/// A text in which each `*` stands for anything, also for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// The pattern of that text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a text is one that the pattern stands for.
    pub fn matches(&self, text: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else {
            return false;
        };
        let Some(last) = parts.next_back() else {
            return rest.is_empty();
        };
        // The first place for each part in between leaves the most to those after it.
        for part in parts {
            let Some(at) = rest.find(part) else {
                return false;
            };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }

    /// The same for something that a finding may lack: only `*` stands for that.
    fn matches_option(pattern: Option<&Self>, text: Option<&str>) -> bool {
        match (pattern, text) {
            (None, _) => true,
            (Some(pattern), Some(text)) => pattern.matches(text),
            (Some(pattern), None) => pattern.matches(""),
        }
    }
}

/// One entry of `[[accept]]`. What it leaves out may be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accept {
    /// The check whose findings are accepted.
    pub check: String,
    /// The backend.
    pub backend: Option<Backend>,
    /// The id or the name of the revision.
    pub revision: Option<Pattern>,
    /// The object.
    pub object: Option<Pattern>,
    /// Why it is accepted.
    pub reason: String,
    /// The line of the config on which it stands, for telling of entries that accept nothing.
    pub line: usize,
}

impl Accept {
    /// Whether a finding is among those accepted.
    pub fn matches(
        &self,
        check: &str,
        backend: Option<Backend>,
        revision: Option<&str>,
        object: Option<&str>,
    ) -> bool {
        self.check == check
            && (self.backend.is_none() || self.backend == backend)
            && Pattern::matches_option(self.revision.as_ref(), revision)
            && Pattern::matches_option(self.object.as_ref(), object)
    }
}

pub(super) fn read(section: &mut Section<'_>, checks: &[&str]) -> Result<Accept, ConfigError> {
    let checks: Vec<_> = checks.iter().map(|check| (*check, *check)).collect();
    let line = section.line();
    let check = section.choice("check", &checks)?.map(str::to_owned);
    let [postgres, sqlite] = Backend::ALL.map(|backend| (backend.name(), Some(backend)));
    let backend = section.choice("backend", &[postgres, sqlite, ("*", None)])?.flatten();
    let revision = section.string("revision")?.map(Pattern::new);
    let object = section.string("object")?.map(Pattern::new);
    let reason = section.string("reason")?;
    if reason.as_ref().is_some_and(|reason| reason.trim().is_empty()) {
        return Err(section.problem_at("reason", Problem::EmptyReason));
    }
    // A key that is misspelt is more to the point than the one that is then missing.
    section.refuse_unknown()?;
    Ok(Accept {
        check: check.ok_or_else(|| section.missing("check"))?,
        backend,
        revision,
        object,
        reason: reason.ok_or_else(|| section.missing("reason"))?,
        line,
    })
}
