//! From evidence to a verdict: every selected check judges, then the project has its say.

use std::collections::{BTreeMap, BTreeSet};

use crate::Backend;
use crate::checks::{self, Check, Scope};
use crate::config::{Accept, Level};
use crate::evidence::{Evidence, Walk};
use crate::history::RevisionId;
use crate::report::{Finding, NotRun, Severity};

/// What the project and the command line say about checks and findings.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The checks that run; all of them if there are none here.
    pub only: BTreeSet<String>,
    /// The checks that do not run.
    pub skip: BTreeSet<String>,
    /// How much the project lets the findings of a check weigh.
    pub levels: BTreeMap<String, Level>,
    /// The findings that the project accepts.
    pub accepted: Vec<Accept>,
}

impl Rules {
    /// The checks that run.
    pub fn checks(&self) -> impl Iterator<Item = &'static Check> {
        checks::ALL.iter().copied().filter(|check| {
            (self.only.is_empty() || self.only.contains(check.id))
                && !self.skip.contains(check.id)
                && self.levels.get(check.id) != Some(&Level::Off)
        })
    }

    /// The walks that they need.
    pub fn walks(&self) -> BTreeSet<Walk> {
        let mut walks: BTreeSet<Walk> = self.checks().flat_map(|check| check.walks).copied().collect();
        walks.insert(Walk::Trunk);
        if walks.contains(&Walk::Return) {
            walks.insert(Walk::Probe);
        }
        walks
    }

    /// Judges the evidence. Findings come in the order of backends, then revisions as their history
    /// has them, then checks.
    pub fn judge(&self, evidence: &Evidence) -> (Vec<Finding>, Vec<NotRun>) {
        let mut findings = Vec::new();
        let mut not_run = evidence.not_run.clone();
        for recording in evidence.recordings() {
            not_run.extend(recording.not_run.iter().cloned());
            not_run.extend(recording.uncounted.iter().filter_map(|one| one.told(recording.backend)));
        }
        for check in self.checks() {
            let judgement = check.judge(evidence);
            not_run.extend(judgement.not_run);
            findings
                .extend(judgement.findings.into_iter().map(|finding| self.weigh(check, finding, evidence)));
        }
        settle(&mut findings, |backend, id| evidence.recordings.get(&backend)?.history.position(id));
        self.settle_not_run(&mut not_run);
        (findings, not_run)
    }

    /// Judges the evidence of one of several shards, and says what only counts if the others found a
    /// clean way down to base. What needs the whole history is for the last of them to judge.
    pub fn judge_shard(&self, evidence: &Evidence, is_last: bool) -> (Vec<Finding>, Vec<NotRun>, Vec<usize>) {
        if is_last {
            let (findings, not_run) = self.judge(evidence);
            let mut without = evidence.clone();
            without.recordings.values_mut().for_each(|one| drop(one.walks.remove(&Walk::Return)));
            let mut known = Vec::new();
            let returning = |check: &&Check| check.walks.contains(&Walk::Return);
            for check in self.checks().filter(returning) {
                let judged = check.judge(&without).findings.into_iter();
                known.extend(judged.map(|finding| self.weigh(check, finding, &without)));
            }
            let returning: Vec<&str> = self.checks().filter(returning).map(|check| check.id).collect();
            let is_new = |one: &Finding| returning.contains(&one.check) && !known.contains(one);
            let of_return = (0..findings.len()).filter(|at| is_new(&findings[*at])).collect();
            return (findings, not_run, of_return);
        }
        let mut not_run = evidence.not_run.clone();
        for recording in evidence.recordings() {
            not_run.extend(recording.not_run.iter().cloned());
            not_run.extend(recording.uncounted.iter().filter_map(|one| one.told(recording.backend)));
        }
        let mut findings = Vec::new();
        for check in self.checks().filter(|check| check.scope == Scope::Revision) {
            let judged = check.judge(evidence).findings.into_iter();
            findings.extend(judged.map(|finding| self.weigh(check, finding, evidence)));
        }
        settle(&mut findings, |backend, id| evidence.recordings.get(&backend)?.history.position(id));
        self.settle_not_run(&mut not_run);
        (findings, not_run, Vec::new())
    }

    fn settle_not_run(&self, not_run: &mut Vec<NotRun>) {
        not_run.sort();
        not_run.dedup();
        let selected: BTreeSet<&str> = self.checks().map(|check| check.id).collect();
        not_run.retain(|one| one.check.is_none_or(|check| selected.contains(check)));
    }

    /// The entries about checks that run which none of these findings needs.
    pub fn unmatched<'a>(&'a self, evidence: &Evidence, findings: &[Finding]) -> Vec<&'a Accept> {
        let runs = |entry: &Accept| self.checks().any(|check| check.id == entry.check);
        let uses = |entry: &Accept| findings.iter().any(|finding| accepts(entry, finding, evidence));
        self.accepted.iter().filter(|entry| runs(entry) && !uses(entry)).collect()
    }

    /// The entries that accept nothing any more. Of an entry about something that did not run,
    /// nobody knows.
    pub fn unused<'a>(
        &'a self,
        evidence: &Evidence,
        findings: &[Finding],
        not_run: &[NotRun],
    ) -> Vec<&'a Accept> {
        let ran: BTreeSet<Backend> = evidence.recordings.keys().copied().collect();
        let mut unmatched = self.unmatched(evidence, findings);
        unmatched.retain(|entry| is_known(&entry.check, entry.backend, &ran, not_run));
        unmatched
    }

    fn weigh(&self, check: &Check, mut finding: Finding, evidence: &Evidence) -> Finding {
        // A check may hold a finding to be less than its own severity; the project has the last word.
        finding.severity = finding.severity.min(check.severity);
        match self.levels.get(check.id) {
            Some(Level::Error) => finding.severity = Severity::Error,
            Some(Level::Warning) => finding.severity = Severity::Warning,
            Some(Level::Note) => finding.severity = Severity::Note,
            Some(Level::Off) | None => {}
        }
        let accepted = self.accepted.iter().find(|entry| accepts(entry, &finding, evidence));
        finding.accepted = accepted.map(|accepted| accepted.reason.clone());
        finding
    }
}

/// A revision may be given by its id or by its name.
fn accepts(entry: &Accept, finding: &Finding, evidence: &Evidence) -> bool {
    let recording = finding.backend.and_then(|backend| evidence.recordings.get(&backend));
    let id = finding.revision.as_ref();
    let name = recording.zip(id).map(|(recording, id)| recording.name(id));
    let object = finding.object.as_deref();
    [id.map(RevisionId::as_str), name]
        .iter()
        .any(|revision| entry.matches(finding.check, finding.backend, *revision, object))
}

/// Whether an entry about a check on a backend can be known to accept nothing: all that it is about ran.
pub(crate) fn is_known(
    check: &str,
    backend: Option<Backend>,
    ran: &BTreeSet<Backend>,
    not_run: &[NotRun],
) -> bool {
    let about = |one: &Backend| backend.is_none_or(|backend| backend == *one);
    let excused =
        |one: &NotRun| one.check.is_none_or(|one| one == check) && one.backend.as_ref().is_none_or(about);
    let needs_both = checks::find(check).is_some_and(Check::needs_both);
    let needed = Backend::ALL.iter().filter(|one| about(one) || needs_both);
    needed.into_iter().all(|one| ran.contains(one)) && !not_run.iter().any(excused)
}

/// Leaves out what others tell as well, and brings the rest in order.
pub(crate) fn settle(findings: &mut Vec<Finding>, position: impl Fn(Backend, &RevisionId) -> Option<usize>) {
    let tells = |one: &Finding| Some((one.check, one.object.clone()?));
    let told: BTreeSet<(&str, String)> =
        findings.iter().filter_map(|one| tells(one).filter(|tells| !one.repeats.contains(tells))).collect();
    findings.retain(|one| !one.repeats.iter().any(|repeated| told.contains(repeated)));
    findings.sort_by_key(|finding| {
        let revision = finding.backend.zip(finding.revision.as_ref());
        let place = revision.and_then(|(backend, id)| position(backend, id));
        let check = checks::ALL.iter().position(|check| check.id == finding.check);
        (finding.backend, place.unwrap_or(usize::MAX), check.unwrap_or(usize::MAX))
    });
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::checks::testing::{failed, recording};
    use crate::config::Pattern;

    /// One finding of a check that errs by itself, as these rules weigh it.
    fn weighed(rules: &Rules) -> Finding {
        let history = recording().revisions(1).trunk([failed("1", "no")]);
        let (findings, _) = rules.judge(&history.build());
        let [finding] = findings.try_into().expect("one upgrade fails");
        finding
    }

    #[rstest]
    #[case::anything(None, None, true)]
    #[case::its_id(None, Some("1"), true)]
    #[case::its_name(None, Some("1_one"), true)]
    #[case::a_pattern(None, Some("1_*"), true)]
    #[case::another_revision(None, Some("2"), false)]
    #[case::its_backend(Some(Backend::Sqlite), None, true)]
    #[case::another_backend(Some(Backend::Postgres), None, false)]
    fn a_finding_is_accepted(
        #[case] backend: Option<Backend>,
        #[case] revision: Option<&str>,
        #[case] is_accepted: bool,
    ) {
        let accept = Accept {
            check: "upgrade-fails".to_owned(),
            backend,
            revision: revision.map(Pattern::new),
            object: None,
            reason: "known".to_owned(),
            line: 1,
        };
        let rules = Rules { accepted: vec![accept], ..Rules::default() };
        let reason = is_accepted.then(|| "known".to_owned());
        assert_eq!(weighed(&rules).accepted, reason);
    }

    #[rstest]
    #[case(None, Severity::Error)]
    #[case(Some(Level::Warning), Severity::Warning)]
    #[case(Some(Level::Note), Severity::Note)]
    fn a_project_says_how_much_a_check_weighs(#[case] level: Option<Level>, #[case] severity: Severity) {
        let levels = level.map(|level| ("upgrade-fails".to_owned(), level));
        let rules = Rules { levels: levels.into_iter().collect(), ..Rules::default() };
        assert_eq!(weighed(&rules).severity, severity);
    }

    #[test]
    fn an_entry_about_both_backends_is_not_unused_where_one_did_not_run() {
        let entry = |check: &str| Accept {
            check: check.to_owned(),
            backend: Some(Backend::Sqlite),
            revision: None,
            object: None,
            reason: "known".to_owned(),
            line: 1,
        };
        let accepted = vec![entry("parity-mismatch"), entry("upgrade-fails")];
        let rules = Rules { accepted, ..Rules::default() };
        let evidence = recording().revisions(1).build();
        let unused: Vec<&str> =
            rules.unused(&evidence, &[], &[]).iter().map(|entry| entry.check.as_str()).collect();
        assert_eq!(unused, ["upgrade-fails"]);
    }

    #[test]
    fn a_check_that_is_off_does_not_run() {
        let mut rules = Rules::default();
        rules.levels.insert("rows-lost".to_owned(), Level::Off);
        rules.skip.insert("upgrade-fails".to_owned());
        let ids: Vec<&str> = rules.checks().map(|check| check.id).collect();
        assert!(!ids.contains(&"rows-lost") && !ids.contains(&"upgrade-fails"));
        assert_eq!(ids.len(), checks::ALL.len() - 2);
    }
}
