//! What `[history]` says of a layout that its files do not tell.

use std::collections::BTreeMap;

use super::reader::{ConfigError, Problem, Section};
use super::{HistoryConfig, HistoryPlace};
use crate::Backend;
use crate::layout::pattern::FilePattern;
use crate::layout::{self, Layout, Options, Transaction};

pub(super) fn read(section: &mut Section<'_>, config: &mut HistoryConfig) -> Result<(), ConfigError> {
    let layout = config.tool.as_deref().and_then(layout::named);
    if config.tool.is_some() && layout.is_none() {
        return Ok(());
    }
    config.options = options(section, layout)?;
    let Some(layout) = layout.filter(|layout| layout.needs_telling()) else { return Ok(()) };
    // A key that is misspelt is more to the point than the one that is then missing.
    section.refuse_unknown()?;
    match (&config.options.pattern, &config.place) {
        (None, _) => Err(section.missing_for("pattern", layout.name())),
        (_, HistoryPlace::Unsaid) => Err(section.missing_for("path", layout.name())),
        _ => Ok(()),
    }
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
            "preconditions" => options.preconditions_met = section.choice(key, &[("met", ())])?.is_some(),
            "callbacks" => options.callbacks_skipped = section.choice(key, &[("skipped", ())])?.is_some(),
            "mixed" => options.mixed = section.boolean(key)?.unwrap_or_default(),
            "placeholders" => options.placeholders = section.texts(key)?.unwrap_or_default(),
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
