//! What became of one upload, in a sentence that stands for itself: in an alert, nothing else is around it.

use super::group::without_peer;
use super::run_view::Mark;
use super::terminal::{evidence, from_to, waiver_words};
use super::terminal_run::outcome;
use super::view::{class_words, waf};
use super::waf::rule_ids;
use crate::compare::{Class, ComparedCase, Finding};
use crate::run::CaseRecord;

/// A compared case: its file, what happened, what was seen, whom it hits.
pub(crate) fn of_case(case: &ComparedCase) -> String {
    let (file, change) = (&case.filename, from_to(case));
    let what = match case.class {
        Class::NewlyBlocked => format!("`{file}` got through and no longer does"),
        Class::ProtectionLost => format!("`{file}` must be blocked, and now gets further than before"),
        Class::NewlyAltered => format!("`{file}` now arrives altered"),
        Class::WouldBlock => format!("`{file}` gets through only because the candidate's rules log and do not block"),
        Class::Flaky => format!("`{file}` is answered now in one way and now in another"),
        Class::Inconclusive => format!("`{file}` could not be asked on both sides"),
        Class::OnlyInBaseline => format!("`{file}` was not sent to the candidate"),
        Class::ReasonChanged => format!("`{file}` is refused for another reason than before"),
        Class::OnlyInCandidate | Class::NewlyDelivered | Class::ProtectionGained | Class::Unchanged => {
            format!("`{file}` is {}", class_words(case.class))
        }
    };
    let mut parts = vec![format!("{what}: {change}")];
    let seen = evidence(case).iter().map(|seen| without_peer(seen).to_owned()).collect::<Vec<_>>().join(" / ");
    parts.extend((!seen.is_empty()).then(|| format!("Seen: {seen}")));
    parts.extend(rules(&rule_ids(waf(case))));
    parts.extend(hits(&case.procedures));
    if case.finding != Finding::Open && case.finding != Finding::None {
        parts.push(waiver_words(&case.finding));
    }
    parts.join(". ") + "."
}

/// A case of a run, for what it is worth a look.
pub(crate) fn of_record(mark: Mark, case: &CaseRecord) -> String {
    let file = &case.filename;
    let what = match mark {
        Mark::NotDelivered => format!("`{file}` does not get through"),
        Mark::ControlDelivered => format!("`{file}` must be blocked, and gets past the edge"),
        Mark::Flaky => format!("`{file}` is answered now in one way and now in another"),
        Mark::WouldBlock => format!("`{file}` gets through only because rules log and do not block"),
        Mark::Inconclusive => format!("`{file}` could not be asked"),
    };
    let mut parts = vec![format!("{what}: {}", outcome(case))];
    let seen = without_peer(&case.verdict.evidence);
    parts.extend((!seen.is_empty()).then(|| format!("Seen: {seen}")));
    parts.extend(rules(&rule_ids(case.waf.as_deref())));
    parts.extend(hits(&case.procedures));
    parts.join(". ") + "."
}

fn rules(ids: &str) -> Option<String> {
    (!ids.is_empty()).then(|| format!("WAF rules: {ids}"))
}

fn hits(procedures: &[crate::verdict::Text]) -> Option<String> {
    let names: Vec<&str> = procedures.iter().map(|name| &**name).collect();
    (!names.is_empty()).then(|| format!("Hits: {}", names.join(" · ")))
}
