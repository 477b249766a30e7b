//! The page that the user sees: whether it is what the profile's oracle asks for.

use std::borrow::Cow;

use super::signature::excerpt;
use crate::profile::{BodyMatch, HeaderMatch, JsonMatch, Oracle, StatusSet};
use crate::replay::Answer;

/// What the oracle finds in an answer.
pub(super) struct Page<'a> {
    pub(super) answer: &'a Answer,
    /// The start of the body as text.
    pub(super) text: Cow<'a, str>,
    pub(super) status_accepted: bool,
    /// The first condition that does not hold, in words; `None`: all that are set hold.
    pub(super) unmet: Option<String>,
    /// The origin's own words of refusal, where they were found.
    pub(super) rejected: Option<String>,
}

impl<'a> Page<'a> {
    pub(super) fn of(answer: &'a Answer, oracle: &Oracle) -> Self {
        let text = body_text(answer);
        let status_accepted = oracle.status.contains(answer.status);
        let unmet = if status_accepted {
            unmet_marker(answer, &text, oracle)
        } else {
            Some(format!("the profile accepts {}", statuses(&oracle.status)))
        };
        let rejected = oracle.rejected.as_ref().and_then(|wanted| found(wanted, &text));
        Self { answer, text, status_accepted, unmet, rejected }
    }
}

/// Whether the oracle asks for more of the answer than its status.
pub(super) fn has_marker(oracle: &Oracle) -> bool {
    oracle.header.is_some() || oracle.body.is_some() || oracle.json.is_some()
}

/// The start of the body as text: by its byte order mark, else by the `charset` of its `Content-Type`, else UTF-8.
pub(super) fn body_text(answer: &Answer) -> Cow<'_, str> {
    let charset = answer.header("content-type").and_then(charset_of);
    charset.unwrap_or(encoding_rs::UTF_8).decode(&answer.body.0).0
}

fn charset_of(content_type: &str) -> Option<&'static encoding_rs::Encoding> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then_some(())?;
        encoding_rs::Encoding::for_label(value.trim().trim_matches('"').as_bytes())
    })
}

fn unmet_marker(answer: &Answer, text: &str, oracle: &Oracle) -> Option<String> {
    if let Some(wanted) = &oracle.header
        && !header_holds(wanted, answer)
    {
        return Some(format!("no success marker in the header `{}`", wanted.name));
    }
    if let Some(wanted) = &oracle.body
        && found(wanted, text).is_none()
    {
        return Some(if answer.body.0.is_empty() {
            "no success marker: the body is empty".to_owned()
        } else {
            "no success marker in the body".to_owned()
        });
    }
    if let Some(wanted) = &oracle.json
        && !json_holds(wanted, &answer.body.0)
    {
        return Some(format!("no success marker at the JSON pointer `{}`", wanted.pointer));
    }
    None
}

fn header_holds(wanted: &HeaderMatch, answer: &Answer) -> bool {
    answer
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case(&wanted.name))
        .any(|(_, value)| wanted.matches.as_ref().is_none_or(|pattern| pattern.is_match(value)))
}

fn json_holds(wanted: &JsonMatch, body: &[u8]) -> bool {
    let Ok(document) = serde_json::from_slice::<serde_json::Value>(body) else { return false };
    match (document.pointer(&wanted.pointer), &wanted.equals) {
        (None, _) => false,
        (Some(value), Some(equals)) => value == equals,
        (Some(value), None) => !matches!(value, serde_json::Value::Null | serde_json::Value::Bool(false)),
    }
}

/// The text that a matcher finds, if it finds any.
fn found(wanted: &BodyMatch, text: &str) -> Option<String> {
    match wanted {
        // An empty text would be found in an empty page.
        BodyMatch::Contains(needle) if needle.is_empty() => None,
        BodyMatch::Contains(needle) => text.find(needle.as_str()).map(|at| excerpt(text, at..at + needle.len())),
        BodyMatch::Matches(pattern) => {
            pattern.find(text).filter(|found| !found.is_empty()).map(|found| excerpt(text, found.range()))
        }
    }
}

fn statuses(set: &StatusSet) -> String {
    if set.0.is_empty() {
        return "no status at all".to_owned();
    }
    let range = |range: &std::ops::RangeInclusive<u16>| match (range.start(), range.end()) {
        (start, end) if start == end => start.to_string(),
        (start, end) => format!("{start}-{end}"),
    };
    set.0.iter().map(range).collect::<Vec<_>>().join(", ")
}
