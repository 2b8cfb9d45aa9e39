//! `[[history.group]]`: revisions that are only taken back together.

use std::collections::{BTreeMap, BTreeSet};

use super::Pattern;
use super::reader::{ConfigError, Problem, Section};
use crate::Backend;
use crate::history::{Group, History};

/// One entry of `[[history.group]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupConfig {
    /// What the project calls it.
    pub name: String,
    /// Its revisions: each an id, a name, the beginning of one, or either with `*` for several.
    pub revisions: Vec<String>,
    /// The line of the config on which it stands.
    pub line: usize,
}

pub(super) fn read(section: &mut Section<'_>) -> Result<Vec<GroupConfig>, ConfigError> {
    let mut groups: Vec<GroupConfig> = Vec::new();
    for mut section in section.sections("group")? {
        let line = section.line();
        let name = section.string("name")?;
        let revisions = section.strings("revisions")?;
        section.refuse_unknown()?;
        let name = name.ok_or_else(|| section.missing("name"))?;
        let revisions = revisions.ok_or_else(|| section.missing("revisions"))?;
        let group = GroupConfig { name, revisions, line };
        if groups.iter().any(|other| other.name == group.name) {
            return Err(section.problem_on(line, group.problem("is the name of two groups")));
        }
        groups.push(group);
    }
    Ok(groups)
}

impl GroupConfig {
    fn problem(&self, why: impl Into<String>) -> Problem {
        Problem::Group { name: self.name.clone(), why: why.into() }
    }

    /// The positions of its revisions in one history, rising, and the words that name none there.
    fn positions(&self, history: &History) -> Result<(BTreeSet<usize>, BTreeSet<&str>), String> {
        let (mut positions, mut unknown) = (BTreeSet::new(), BTreeSet::new());
        for word in &self.revisions {
            let found = named(history, word)?;
            if found.is_empty() {
                unknown.insert(word.as_str());
            }
            positions.extend(found);
        }
        Ok((positions, unknown))
    }

    /// What the group is in one history.
    fn within(&self, history: &History, positions: &BTreeSet<usize>) -> Result<Option<Group>, String> {
        let (Some(first), Some(last)) = (positions.first(), positions.last()) else { return Ok(None) };
        if let Some(gap) = (*first..*last).find(|position| !positions.contains(position)) {
            let name = |position: usize| &history.revisions()[position].name;
            return Err(format!(
                "leaves out \"{}\", which lies between \"{}\" and \"{}\"",
                name(gap),
                name(*first),
                name(*last)
            ));
        }
        Ok(Some(Group { name: self.name.clone(), positions: *first..*last + 1 }))
    }
}

/// The groups of each history.
///
/// # Errors
///
/// If a word names no revision of any history or several where one is meant, if revisions of a group do
/// not follow one another, are in another one, too, or if there is only one. With `some` a history may
/// be missing here, so that a word that names nothing is none of these.
pub fn grouped(
    groups: &[GroupConfig],
    histories: &BTreeMap<Backend, History>,
    some: bool,
    file: &str,
) -> Result<BTreeMap<Backend, Vec<Group>>, ConfigError> {
    let mut grouped: BTreeMap<Backend, Vec<Group>> = BTreeMap::new();
    for config in groups {
        let refused = |why: String| ConfigError {
            file: file.to_owned(),
            line: config.line,
            problem: Box::new(config.problem(why)),
        };
        let mut unknown: Option<BTreeSet<&str>> = None;
        let mut most = 0;
        for (backend, history) in histories {
            let (positions, strange) = config.positions(history).map_err(refused)?;
            let known_before = unknown.take();
            unknown = Some(match known_before {
                Some(before) => before.intersection(&strange).copied().collect(),
                None => strange,
            });
            most = most.max(positions.len());
            let Some(group) = config.within(history, &positions).map_err(refused)? else { continue };
            let others = grouped.entry(*backend).or_default();
            let shared = |other: &&Group| {
                other.positions.start < group.positions.end && group.positions.start < other.positions.end
            };
            if let Some(other) = others.iter().find(shared) {
                let first = &history.revisions()[group.positions.start.max(other.positions.start)];
                let why = format!("holds \"{}\", which is in group \"{}\", too", first.name, other.name);
                return Err(refused(why));
            }
            others.push(group);
        }
        if let Some(word) = unknown.into_iter().flatten().next().filter(|_| !some) {
            return Err(refused(format!("names \"{word}\", and no history has such a revision")));
        }
        if most < 2 && !some && !histories.is_empty() {
            return Err(refused(
                "holds one revision alone: name all that are taken back together".to_owned(),
            ));
        }
    }
    // One revision is what every other one is, too.
    grouped.values_mut().for_each(|groups| groups.retain(|group| group.positions.len() > 1));
    Ok(grouped)
}

/// The positions of the revisions that a word means.
fn named(history: &History, word: &str) -> Result<Vec<usize>, String> {
    let all = || history.revisions().iter().enumerate();
    let exactly = all().find(|(_, one)| one.id.as_str() == word || one.name == word);
    if let Some((position, _)) = exactly {
        return Ok(vec![position]);
    }
    if word.contains('*') {
        let pattern = Pattern::new(word);
        let fits = all().filter(|(_, one)| pattern.matches(one.id.as_str()) || pattern.matches(&one.name));
        return Ok(fits.map(|(position, _)| position).collect());
    }
    let begin = |one: &str| !word.is_empty() && one.starts_with(word);
    let fits: Vec<_> = all().filter(|(_, one)| begin(one.id.as_str()) || begin(&one.name)).collect();
    match fits.as_slice() {
        [(_, one), (_, other), ..] => Err(format!(
            "names \"{word}\", with which \"{}\" and \"{}\" begin: write more of the one, or \"{word}*\" for all",
            one.name, other.name
        )),
        fits => Ok(fits.iter().map(|(position, _)| *position).collect()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::config::Config;
    use crate::layout::{self, Entry, Layout as _, SourceTree};

    fn history(names: &[&str]) -> History {
        let files =
            names.iter().map(|name| (format!("{name}.up.sql"), Entry::from_bytes(b"SELECT 1;".to_vec())));
        let folder = SourceTree::new("migrations", files);
        layout::sqlx::Layout.read(&folder, Backend::Sqlite).unwrap()
    }

    /// The groups of a config in a history of both backends and in one of PostgreSQL's own.
    fn read(config: &str) -> Result<BTreeMap<Backend, Vec<Group>>, String> {
        let told = |error: ConfigError| error.to_string();
        let config = Config::parse(config, "switchback.toml", &[]).map_err(told)?;
        let sqlite = history(&["1_a", "2_b", "3_c", "10_d", "11_e"]);
        let postgres = history(&["1_a", "2_b", "3_c", "70_p", "71_q"]);
        let histories = BTreeMap::from([(Backend::Postgres, postgres), (Backend::Sqlite, sqlite)]);
        grouped(&config.history.groups, &histories, false, "switchback.toml").map_err(told)
    }

    fn group(name: &str, revisions: &str) -> String {
        format!("[[history.group]]\nname = \"{name}\"\nrevisions = [{revisions}]\n")
    }

    #[rstest]
    #[case::ids("\"1\", \"2\"", 0..2, 0..2)]
    #[case::any_order("\"3_c\", \"2\"", 1..3, 1..3)]
    #[case::beginnings("\"2_\", \"3_\"", 1..3, 1..3)]
    #[case::pattern("\"1*\", \"2\", \"3\"", 0..3, 0..5)]
    #[case::of_each("\"3\", \"70\", \"10\"", 2..4, 2..4)]
    fn a_group_is_a_stretch_of_each_history(
        #[case] revisions: &str,
        #[case] postgres: std::ops::Range<usize>,
        #[case] sqlite: std::ops::Range<usize>,
    ) {
        let found = read(&group("g", revisions)).unwrap();
        let named = |positions| vec![Group { name: "g".to_owned(), positions }];
        assert_eq!(
            found,
            BTreeMap::from([(Backend::Postgres, named(postgres)), (Backend::Sqlite, named(sqlite))])
        );
    }

    #[test]
    fn a_group_may_be_of_one_backend() {
        let found = read(&group("g", "\"10\", \"11\"")).unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), [&Backend::Sqlite]);
    }

    #[rstest]
    #[case::unknown(&group("g", "\"1\", \"4\""), "1: group \"g\" names \"4\", and no history has such a revision")]
    #[case::gap(&group("g", "\"1\", \"3\""), "1: group \"g\" leaves out \"2_b\", which lies between \"1_a\" and \"3_c\"")]
    #[case::one(&group("g", "\"3\""), "1: group \"g\" holds one revision alone: name all that are taken back together")]
    #[case::several(
        &group("g", "\"7\", \"3\""),
        "1: group \"g\" names \"7\", with which \"70_p\" and \"71_q\" begin: write more of the one, or \"7*\" for all"
    )]
    #[case::overlap(
        &(group("g", "\"1\", \"2\"") + &group("h", "\"2\", \"3\"")),
        "4: group \"h\" holds \"2_b\", which is in group \"g\", too"
    )]
    #[case::same_name(
        &(group("g", "\"1\", \"2\"") + &group("g", "\"3\"")),
        "4: group \"g\" is the name of two groups"
    )]
    #[case::no_name("[[history.group]]\nrevisions = [\"1\"]\n", "1: [[history.group]] has no \"name\"")]
    #[case::no_revisions("[[history.group]]\nname = \"g\"\n", "1: [[history.group]] has no \"revisions\"")]
    #[case::misspelt(
        "[[history.group]]\nname = \"g\"\nrevision = [\"1\"]\n",
        "3: unknown key \"revision\" in [[history.group]]: did you mean \"revisions\"?"
    )]
    fn what_is_no_group_is_told_with_its_line(#[case] config: &str, #[case] message: &str) {
        assert_eq!(read(config).unwrap_err(), format!("switchback.toml:{message}"));
    }
}
