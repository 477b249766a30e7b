//! What the WAF's log says, in words.

use crate::run::WafEvidence;
use crate::waf_log::RuleHit;

/// Rules of the Core Rule Set that add up what others have found: they decide, and say nothing of why.
const EVALUATIONS: [&str; 5] = ["949100", "949110", "949111", "959100", "959101"];

/// Rules of the Core Rule Set that tell the sum once more when all is over (RESPONSE-980-CORRELATION).
const CORRELATION: &str = "980";

/// A rule, and in how many of the cases it fired.
pub(crate) type RuleCount<'a> = (&'a RuleHit, usize);

/// The rules that fired for the cases of an entry, those that say why before those that only add up.
pub(crate) fn counted<'a>(all: impl Iterator<Item = &'a WafEvidence>) -> Vec<RuleCount<'a>> {
    let mut counts: Vec<RuleCount<'a>> = Vec::new();
    let correlates = |hit: &&RuleHit| hit.id.as_deref().is_some_and(|id| id.starts_with(CORRELATION) && id.len() == 6);
    for hit in all.flat_map(|evidence| &evidence.rules).filter(|hit| !correlates(hit)) {
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
    let words = match &hit.id {
        Some(id) if hit.message.is_empty() => id.clone(),
        Some(id) => format!("{id} {}", hit.message),
        None => hit.message.clone(),
    };
    let data = hit.data.as_ref().map(crate::waf_log::MatchedData::as_str);
    match (hit.variable.as_deref(), data) {
        (Some(variable), Some(data)) => format!("{words} ({variable}: {data})"),
        (Some(only), None) | (None, Some(only)) => format!("{words} ({only})"),
        (None, None) => words,
    }
}

/// The rules of a case in words, without those that only add up.
#[must_use]
pub fn rule_lines(evidence: Option<&WafEvidence>) -> Vec<String> {
    counted(evidence.into_iter())
        .into_iter()
        .filter(|(hit, _)| !is_evaluation(hit))
        .map(|(hit, _)| rule_words(hit))
        .collect()
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

/// The part of an upload that a variable of an engine, or a place that a vendor names, holds.
/// Source: ModSecurity reference manual, "Variables", seen in the logs of versions 2.9.7 and 3.0.9; AWS WAF developer guide,
/// `location`; MicrosoftDocs/azure-docs, `afds/waf-front-door-exclusion.md`.
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
        "REQUEST_HEADERS" | "REQUEST_HEADERS_NAMES" | "HEADER" | "HEADERVALUE" => Some("a header of the request"),
        "ARGS" | "ARGS_POST" | "POSTPARAMVALUE" => Some("a text field"),
        "REQUEST_METHOD" => Some("the method"),
        // Names and content alike: these look at the bytes before they are parsed.
        "BODY" | "INITIALBODYCONTENTS" | "DECODEDINITIALBODYCONTENTS" => Some("the body as it is sent"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::waf_log::{Action, MatchedData};

    fn fired(rules: &[(&str, Option<&str>)]) -> WafEvidence {
        let hit = |(id, variable): &(&str, Option<&str>)| RuleHit {
            id: (!id.is_empty()).then(|| (*id).to_owned()),
            message: if id.is_empty() { "Request body is larger than the configured limit".into() } else { "m".into() },
            phase: Some(2),
            variable: variable.map(str::to_owned),
            data: MatchedData::new(""),
            severity: None,
            crs: true,
            action: Action::NonDisruptive,
        };
        WafEvidence { rules: rules.iter().map(hit).collect(), ..WafEvidence::default() }
    }

    fn decided(cases: &[WafEvidence]) -> Option<String> {
        decided_by(&counted(cases.iter()), cases.len())
    }

    #[test]
    fn what_decides_is_the_variable_of_the_rule_that_fired_for_all() {
        let (score, name) = (("949110", Some("TX:anomaly_score")), ("920120", Some("FILES:file")));
        let body = ("921110", Some("REQUEST_BODY"));
        let content = Some("the content: this file is refused under any other name as well");
        assert_eq!(decided(&[fired(&[name, score])]).as_deref(), Some("the filename"));
        assert_eq!(decided(&[fired(&[body, score]), fired(&[body, name, score])]).as_deref(), content);
        assert_eq!(decided(&[fired(&[name]), fired(&[body])]).as_deref(), Some("the filename and the content"));
        assert_eq!(decided(&[fired(&[("200004", Some("MULTIPART_UNMATCHED_BOUNDARY"))])]).as_deref(), content);
        assert_eq!(decided(&[fired(&[("", None)])]).as_deref(), Some("the size"));
        let raw = fired(&[("SQLi_BODY", Some("BODY"))]);
        assert_eq!(
            decided(&[raw]).as_deref(),
            Some("the body as it is sent"),
            "a name or the content: it can't be told"
        );
        assert_eq!(decided(&[fired(&[score])]), None);
    }

    #[test]
    fn rules_that_only_add_up_stand_last_and_the_correlation_nowhere() {
        let cases = [fired(&[("980130", None), ("949110", None), ("920120", None)]), fired(&[("949110", None)])];
        let told: Vec<_> =
            counted(cases.iter()).into_iter().map(|(hit, count)| (hit.id.clone().unwrap(), count)).collect();
        assert_eq!(told, [("920120".to_owned(), 1), ("949110".to_owned(), 2)]);
    }
}
