//! What the WAF's log says, in words.

use crate::run::WafEvidence;
use crate::waf_log::RuleHit;

/// Rules of the Core Rule Set that add up what others have found: they decide, and say nothing of why.
const EVALUATIONS: [&str; 8] = ["949100", "949110", "949111", "959100", "959101", "980130", "980140", "980170"];

/// A rule, and in how many of the cases it fired.
pub(crate) type RuleCount<'a> = (&'a RuleHit, usize);

/// The rules that fired for the cases of an entry, those that say why before those that only add up.
pub(crate) fn counted<'a>(all: impl Iterator<Item = &'a WafEvidence>) -> Vec<RuleCount<'a>> {
    let mut counts: Vec<RuleCount<'a>> = Vec::new();
    for hit in all.flat_map(|evidence| &evidence.rules) {
        // A score or a length in the message differs from case to case: the rule is the same.
        let same = |known: &RuleHit| known.id == hit.id && (hit.id.is_some() || known.message == hit.message);
        match counts.iter_mut().find(|(known, _)| same(known)) {
            Some((_, count)) => *count += 1,
            None => counts.push((hit, 1)),
        }
    }
    counts.sort_by_key(|(hit, count)| (is_evaluation(hit), std::cmp::Reverse(*count)));
    counts
}

fn is_evaluation(hit: &RuleHit) -> bool {
    hit.id.as_deref().is_some_and(|id| EVALUATIONS.contains(&id))
}

/// `920120 Attempted multipart/form-data bypass (FILES: a;b=c.pdf)`.
pub(crate) fn rule_words(hit: &RuleHit) -> String {
    let mut words = match &hit.id {
        Some(id) if hit.message.is_empty() => id.clone(),
        Some(id) => format!("{id} {}", hit.message),
        None => hit.message.clone(),
    };
    let data = hit.data.as_ref().map(crate::waf_log::MatchedData::as_str);
    match (&hit.variable, data) {
        (Some(variable), Some(data)) => words.push_str(&format!(" ({variable}: {data})")),
        (Some(only), None) => words.push_str(&format!(" ({only})")),
        (None, Some(only)) => words.push_str(&format!(" ({only})")),
        (None, None) => {}
    }
    words
}

/// The ids of a case's rules: `920120 949110`; a limit, which has none, in words.
pub(crate) fn rule_ids(evidence: Option<&WafEvidence>) -> String {
    let ids = evidence.into_iter().flat_map(|evidence| &evidence.rules);
    ids.map(|hit| hit.id.clone().unwrap_or_else(|| hit.message.clone())).collect::<Vec<_>>().join(" ")
}

/// What of an upload the rules looked at, so that people know what to change: `the filename`, `the content`. A rule that
/// fired for each of the `cases` says why all of them are refused; one that fired for some says it only where none did
/// for all.
pub(crate) fn decided_by(rules: &[RuleCount<'_>], cases: usize) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    let telling = || rules.iter().filter(|(hit, _)| !is_evaluation(hit));
    let of_all = telling().any(|(_, count)| *count == cases);
    let deciding = telling().filter(|(_, count)| !of_all || *count == cases);
    for part in deciding.filter_map(|(hit, _)| part(hit)) {
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    match parts[..] {
        [] => None,
        ["the content"] => Some("the content: this file is refused under any other name as well".to_owned()),
        _ => Some(parts.join(" and ")),
    }
}

/// The part of an upload that a variable of ModSecurity holds.
/// Source: ModSecurity reference manual, "Variables"; seen in the logs of versions 2.9.7 and 3.0.9.
fn part(hit: &RuleHit) -> Option<&'static str> {
    let Some(variable) = &hit.variable else {
        let message = hit.message.to_ascii_lowercase();
        let limit = message.contains("limit") || message.contains("too large");
        return (limit && message.contains("body")).then_some("the size");
    };
    let name = variable.split(':').next().unwrap_or_default().to_ascii_uppercase();
    match name.as_str() {
        "FILES" | "MULTIPART_FILENAME" => Some("the filename"),
        "FILES_NAMES" | "MULTIPART_NAME" | "ARGS_NAMES" => Some("a field's name"),
        "REQUEST_BODY" | "MULTIPART_UNMATCHED_BOUNDARY" | "FILES_TMP_CONTENT" => Some("the content"),
        "MULTIPART_PART_HEADERS" => Some("the headers of the part"),
        "MULTIPART_STRICT_ERROR" | "REQBODY_ERROR" => Some("the way the form is written"),
        "FILES_SIZES" | "FILES_COMBINED_SIZE" | "REQUEST_BODY_LENGTH" => Some("the size"),
        "REQUEST_HEADERS" | "REQUEST_HEADERS_NAMES" => Some("a header of the request"),
        "ARGS" | "ARGS_POST" => Some("a text field"),
        "REQUEST_METHOD" => Some("the method"),
        _ => None,
    }
}
