//! `[history]`: where the revisions are, and what a tool cannot tell from its files.

use std::collections::BTreeMap;

use super::per_backend;
use super::reader::{ConfigError, Problem, Section};
use crate::Backend;
use crate::layout::pattern::FilePattern;
use crate::layout::{self, Layout, Met, Options, Transaction};

/// `[history]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryConfig {
    /// The tool, if it is not to be recognised.
    pub tool: Option<String>,
    /// Where the revisions are.
    pub place: HistoryPlace,
    /// What the tool's layout has to know.
    pub options: Options,
}

/// Where a project keeps its revisions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum HistoryPlace {
    /// It does not say.
    #[default]
    Unsaid,
    /// One folder for both backends.
    Shared(String),
    /// A folder each, or one for a backend that is the only one.
    Each(BTreeMap<Backend, String>),
}

pub(super) fn read(section: &mut Section<'_>) -> Result<HistoryConfig, ConfigError> {
    let tools: Vec<_> = layout::LAYOUTS.iter().map(|layout| (layout.name(), *layout)).collect();
    let tool = section.choice("tool", &tools)?;
    let shared = section.path("path")?;
    let each = per_backend(section)?;
    let place = match (shared, each.is_empty()) {
        (Some(path), true) => HistoryPlace::Shared(path),
        (Some(_), false) => {
            return Err(section.problem_at("path", Problem::PathAndFolders));
        }
        (None, true) => HistoryPlace::Unsaid,
        (None, false) => HistoryPlace::Each(each),
    };
    let options = options(section, tool)?;
    if let Some(tool) = tool.filter(|tool| tool.needs_telling()) {
        section.refuse_unknown()?;
        let missing = match (&options.pattern, &place) {
            (None, _) => Some("pattern"),
            (_, HistoryPlace::Unsaid) => Some("path"),
            _ => None,
        };
        if let Some(key) = missing {
            return Err(section.missing_for(key, tool.name()));
        }
    }
    Ok(HistoryConfig { tool: tool.map(|tool| tool.name().to_owned()), place, options })
}

/// The keys that the tool's layout heeds. Another tool's are errors, since nothing would read them.
fn options(section: &mut Section<'_>, tool: Option<&dyn Layout>) -> Result<Options, ConfigError> {
    let heeded = tool.map(Layout::options).unwrap_or_default();
    let heeding = |key: &str| {
        let tools = layout::LAYOUTS.iter().filter(|layout| layout.options().contains(&key));
        tools.map(|layout| format!("\"{}\"", layout.name())).collect::<Vec<_>>()
    };
    let strange = section.keys().find(|key| !heeded.contains(key) && !heeding(key).is_empty());
    if let Some(key) = strange.map(str::to_owned) {
        let tools = heeding(&key);
        return Err(section.problem_at(&key, Problem::OtherTool { key: key.clone(), tools }));
    }

    let mut options = Options::default();
    for key in heeded {
        match *key {
            "pattern" => options.pattern = pattern(section)?,
            "dialects" => options.dialects = dialects(section)?,
            "transaction" => {
                options.transaction = section.choice(key, &Transaction::WORDS)?.unwrap_or_default();
            }
            "bookkeeping" => options.bookkeeping = section.string(key)?,
            "preconditions" => options.preconditions = section.choice(key, &Met::WORDS)?,
            "placeholders" => options.placeholders = section.texts(key)?,
            other => unreachable!("a layout heeds \"{other}\", which nobody reads"),
        }
    }
    Ok(options)
}

fn pattern(section: &mut Section<'_>) -> Result<Option<FilePattern>, ConfigError> {
    let Some(text) = section.string("pattern")? else { return Ok(None) };
    let pattern = FilePattern::new(&text, section.place_of("pattern"));
    pattern.map(Some).map_err(|why| section.problem_at("pattern", Problem::FilePattern(why)))
}

/// For each backend, the words that mean it.
fn dialects(section: &mut Section<'_>) -> Result<BTreeMap<Backend, Vec<String>>, ConfigError> {
    let mut dialects = BTreeMap::new();
    if let Some(mut section) = section.section("dialects")? {
        for backend in Backend::ALL {
            if let Some(words) = section.strings(backend.name())? {
                dialects.insert(backend, words);
            }
        }
        section.refuse_unknown()?;
    }
    Ok(dialects)
}
