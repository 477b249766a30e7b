//! The sentence that ModSecurity writes of a rule that fired, the same in audit logs and error logs:
//! `Warning. Pattern match "…" at FILES:f. [file "…"] [line "…"] [id "…"] …`.

use super::hit::{Action, RuleHit};
use super::redact::{self, MatchedData};

/// What such a sentence says.
#[derive(Debug)]
pub(super) struct RuleText {
    /// The hit.
    pub(super) hit: RuleHit,
    /// `unique_id`; error logs have it in each sentence.
    pub(super) unique_id: Option<String>,
}

/// The bracketed fields after the words of a sentence.
#[derive(Debug, Default)]
struct Fields<'a> {
    id: Option<&'a str>,
    msg: Option<&'a str>,
    data: Option<&'a str>,
    severity: Option<&'a str>,
    ver: Option<&'a str>,
    unique_id: Option<&'a str>,
    owasp_crs: bool,
}

/// Reads the sentence after `ModSecurity: `. `cut`: the server cut its end off.
pub(super) fn rule_text(text: &str, cut: bool) -> RuleText {
    let text = text.trim();
    let (words, fields) = split(text, cut);
    let (refused, phase, words) = verb(words);
    let (variable, value) = words_of_match(words);
    let id = fields.id.filter(|id| !id.is_empty() && *id != "0");
    let message = match fields.msg.filter(|msg| !msg.is_empty()) {
        Some(msg) => redact::message(&unescaped(msg)),
        // Without a message the words stand for it, unless they quote what matched.
        None if id.is_none() && value.is_none() => redact::message(words),
        None => String::new(),
    };
    let crs = fields.owasp_crs || fields.ver.is_some_and(|ver| ver.starts_with("OWASP_CRS")) || id.is_some_and(in_crs);
    let data = fields.data.filter(|data| !data.is_empty()).or(value);
    let variable = variable.filter(|name| !name.is_empty());
    let action = match refused {
        Some(true) => Action::Refused,
        Some(false) => Action::NonDisruptive,
        None => action_of(id, crs, phase, variable),
    };
    RuleText {
        unique_id: fields.unique_id.filter(|id| !id.is_empty()).map(redact::name),
        hit: RuleHit {
            id: id.map(redact::name),
            message,
            phase,
            variable: variable.map(redact::name),
            data: data.and_then(|data| MatchedData::new(&unescaped(data))),
            severity: fields.severity.and_then(severity),
            crs,
            action,
        },
    }
}

/// Whether an id is in the range that is reserved for the CRS.
pub(super) fn in_crs(id: &str) -> bool {
    id.parse().is_ok_and(|id: u32| (900_000..1_000_000).contains(&id))
}

/// What the action of a rule is known to be that was only logged.
///
/// The ids are those of the recommended configuration (2.9.7 and 3.0.9) and of the CRS (3.3 and 4) whose rules for
/// the request `deny` or `drop`; every other rule of the CRS has `pass` or `block`, which scores.
pub(super) fn action_of(id: Option<&str>, crs: bool, phase: Option<u8>, variable: Option<&str>) -> Action {
    const REFUSING: [&str; 11] =
        ["200002", "200003", "200004", "200005", "200007", "901001", "901500", "912120", "949100", "949110", "949111"];
    let of_response = phase.is_some_and(|phase| phase >= 3) || variable.is_some_and(|at| at.starts_with("RESPONSE_"));
    match id {
        Some(id) if REFUSING.contains(&id) => Action::Disruptive,
        Some(_) if crs || of_response => Action::NonDisruptive,
        Some(_) | None => Action::Unknown,
    }
}

/// Severity by number (ModSecurity 3) or name (2). ModSecurity 3 writes 0, which is `EMERGENCY`, for none.
pub(super) fn severity(text: &str) -> Option<String> {
    const NAMES: [&str; 8] = ["EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"];
    match text.parse::<usize>() {
        Ok(0) => None,
        Ok(number) => NAMES.get(number).map(|name| (*name).to_owned()),
        Err(_) if text.is_empty() => None,
        Err(_) => Some(redact::name(text)),
    }
}

/// The total inbound score that a rule of the CRS names in its message.
pub(super) fn anomaly_score(id: Option<&str>, message: &str) -> Option<u32> {
    let marks: &[&str] = match id? {
        // CRS 3 and 4: `Inbound Anomaly Score Exceeded (Total Score: 8)`.
        "949110" | "949111" => &["(Total Score: "],
        // CRS 3: `(Total Inbound Score: 8 - SQLI=0,…`; CRS 4: `Anomaly Scores: (Inbound Scores: blocking=8, …`.
        id if id.starts_with("980") => &["(Total Inbound Score: ", "(Inbound Scores: blocking="],
        _ => return None,
    };
    let rest = marks.iter().find_map(|mark| message.split_once(mark))?.1;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Whether the engine refused (`None`: it only logged), the phase, and the words after.
fn verb(words: &str) -> (Option<bool>, Option<u8>, &str) {
    if let Some(rest) = words.strip_prefix("Warning.") {
        return (None, None, rest.trim_start());
    }
    let refused = words.starts_with("Access denied");
    if !refused && !words.starts_with("Access allowed") && !words.starts_with("Access to ") {
        return (None, None, words);
    }
    let phase = words.split_once("(phase ").and_then(|(_, rest)| rest.as_bytes().first()).map(|digit| digit - b'0');
    let rest = words.split_once(". ").map_or("", |(_, rest)| rest);
    (Some(refused), phase.filter(|phase| (1..=5).contains(phase)), rest)
}

/// The variable that `Matched Data: … found within ARGS:a: …` names, the way in which rules of the CRS log what matched.
pub(super) fn found_within(data: &str) -> Option<&str> {
    let (_, place) = data.split_once(" found within ")?;
    let place = place.trim_start_matches('[');
    let end = place
        .match_indices(':')
        .map(|(at, _)| at)
        .find(|at| !place[at + 1..].starts_with(|c: char| c.is_alphanumeric()));
    let place = place[..end.unwrap_or(place.len())].trim_end_matches([']', '}', ' ']);
    place.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(place)
}

/// Variable and value that the words of a match name.
pub(super) fn words_of_match(words: &str) -> (Option<&str>, Option<&str>) {
    // ModSecurity 3: Matched "Operator `Rx' with parameter `…' against variable `FILES:f' (Value: `…' )
    if let Some((_, rest)) = words.split_once("' against variable `") {
        let (variable, rest) = rest.split_once("' (Value: `").unwrap_or((rest.trim_end_matches('\''), ""));
        let value = rest.strip_suffix("' )").unwrap_or(rest);
        return (Some(variable), Some(value).filter(|value| !value.is_empty()));
    }
    // ModSecurity 2: Match of "eq 0" against "REQBODY_ERROR" required.
    if let Some(variable) = words.strip_suffix("\" required.").and_then(|rest| rest.rsplit_once("\" against \"")) {
        return (Some(variable.1), None);
    }
    // ModSecurity 2: Pattern match "…" at FILES:f.
    let sentence = words.strip_suffix('.').and_then(|rest| rest.rsplit_once(" at "));
    let known = ["Pattern match ", "Operator ", "String match ", "Matched phrase ", "Found ", "detected ", "Match of "];
    let variable = sentence.filter(|_| known.iter().any(|start| words.starts_with(start)));
    (variable.map(|(_, at)| at), None)
}

/// Splits a sentence into its words and its bracketed fields.
///
/// NOTE: the words quote what a client sent, so they can hold text that looks like fields. The fields are
/// the first ones that go on to the end of the sentence without anything between.
fn split(text: &str, cut: bool) -> (&str, Fields<'_>) {
    let starts = [" [file \"", " [id \"", " [hostname \"", " [unique_id \""];
    let mut last = None;
    for start in starts {
        for (at, _) in text.match_indices(start) {
            let (fields, rest) = fields(&text[at..]);
            let at_end = rest.is_empty() || rest.starts_with(", ") || rest.starts_with(" while ");
            if at_end || (cut && rest.starts_with(" [") && !rest.contains("\"]")) {
                return (text[..at].trim_end(), fields);
            }
            last = Some((at, fields));
        }
        if last.is_some() {
            break;
        }
    }
    last.map_or((text, Fields::default()), |(at, fields)| (text[..at].trim_end(), fields))
}

/// Reads ` [key "value"]` after ` [key "value"]`, and gives what is left.
fn fields(text: &str) -> (Fields<'_>, &str) {
    let mut fields = Fields::default();
    let mut rest = text;
    while let Some((key, value, after)) = field(rest) {
        match key {
            "id" => fields.id = fields.id.or(Some(value)),
            "msg" => fields.msg = fields.msg.or(Some(value)),
            "data" => fields.data = fields.data.or(Some(value)),
            "severity" => fields.severity = fields.severity.or(Some(value)),
            "ver" => fields.ver = fields.ver.or(Some(value)),
            "unique_id" => fields.unique_id = Some(value),
            "tag" => fields.owasp_crs |= value.starts_with("OWASP_CRS"),
            _ => {}
        }
        rest = after;
    }
    (fields, rest)
}

fn field(text: &str) -> Option<(&str, &str, &str)> {
    let rest = text.strip_prefix(" [")?;
    let (key, rest) = rest.split_once(" \"")?;
    if key.is_empty() || key.len() > 24 || !key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
        return None;
    }
    let end = rest.match_indices("\"]").map(|(at, _)| at).find(|at| !escaped(&rest[..*at]))?;
    Some((key, &rest[..end], &rest[end + 2..]))
}

/// Whether what follows `text` is escaped by an odd number of backslashes.
fn escaped(text: &str) -> bool {
    text.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

/// Quotes without the backslash that the log puts before them, and `\\xe3\\x80\\x90`, as ModSecurity 2 writes what is not
/// ASCII (Apache's error log doubles its backslashes), as the character that it is.
fn unescaped(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains(['\\']) {
        return text.into();
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("\\\"") {
            out.push(b'"');
            rest = after;
        } else if let Some((byte, after)) = hex_escape(rest) {
            out.push(byte);
            rest = after;
        } else {
            out.extend_from_slice(first.encode_utf8(&mut [0; 4]).as_bytes());
            rest = &rest[first.len_utf8()..];
        }
    }
    // What is no UTF-8, a name in Shift_JIS say, stays as it was written.
    match String::from_utf8(out) {
        Ok(read) => read.into(),
        Err(_) => text.replace("\\\"", "\"").into(),
    }
}

/// The byte above ASCII that an escape stands for, and the text after it.
fn hex_escape(text: &str) -> Option<(u8, &str)> {
    let digits = text.strip_prefix("\\\\x").or_else(|| text.strip_prefix("\\x"))?;
    let byte = u8::from_str_radix(digits.get(..2)?, 16).ok().filter(|byte| !byte.is_ascii())?;
    Some((byte, &digits[2..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_look_like_fields_are_not_taken_for_them() {
        let text = "Warning. Matched \"Operator `Rx' with parameter `x' against variable `FILES:f' (Value: `a' ) [file \"f\"] \
                    [id \"949110\"] .txt' ) [file \"/r.conf\"] [line \"7\"] [id \"10007\"] [msg \"site\"] [unique_id \"u\"] [ref \"v1\"]";
        let read = rule_text(text, false);
        assert_eq!(read.hit.id.as_deref(), Some("10007"));
        assert_eq!(read.hit.action, Action::Unknown);
    }

    #[test]
    fn an_escaped_quote_does_not_end_a_field() {
        let text = r#"Warning. Pattern match "x" at FILES:f. [file "r"] [line "1"] [id "10007"] [msg "m"] [data "a\"] [id \"949110"] [severity "CRITICAL"]"#;
        let hit = rule_text(text, false).hit;
        assert_eq!(hit.id.as_deref(), Some("10007"));
        assert_eq!(hit.data.as_ref().map(MatchedData::as_str), Some(r#"a"] [id "949110"#));
        assert_eq!(hit.severity.as_deref(), Some("CRITICAL"));
    }

    #[test]
    fn a_name_that_modsecurity_2_wrote_in_hex_is_read_as_it_is() {
        assert_eq!(unescaped(r"O'Brien-\xe8\xa1\xa8.pdf"), "O'Brien-表.pdf");
        assert_eq!(unescaped(r"O'Brien-\\xe8\\xa1\\xa8.pdf"), "O'Brien-表.pdf");
        assert_eq!(unescaped(r"\x95\x5c.pdf"), r"\x95\x5c.pdf", "Shift_JIS");
        assert_eq!(unescaped(r#"a\"b\x0a\xzz"#), r#"a"b\x0a\xzz"#);
    }

    #[test]
    fn a_score_is_read_from_crs_3_and_4() {
        let three = "Inbound Anomaly Score Exceeded (Total Inbound Score: 8 - SQLI=0,XSS=0): individual";
        assert_eq!(anomaly_score(Some("980130"), three), Some(8));
        let four = "Anomaly Scores: (Inbound Scores: blocking=15, detection=15, per_pl=15-0-0-0, threshold=5) - (Outbound Scores: blocking=3";
        assert_eq!(anomaly_score(Some("980170"), four), Some(15));
        assert_eq!(anomaly_score(Some("949110"), "Inbound Anomaly Score Exceeded (Total Score: 5)"), Some(5));
        assert_eq!(anomaly_score(Some("980140"), "Outbound Anomaly Score Exceeded (score 4)"), None);
    }

    #[test]
    fn a_response_rule_says_nothing_of_the_upload() {
        let text = "Warning. Operator GE matched 4 at TX:outbound_anomaly_score. [file \"r\"] [line \"1\"] [id \"959100\"] [msg \"Outbound Anomaly Score Exceeded (Total Score: 4)\"]";
        assert_eq!(rule_text(text, false).hit.action, Action::NonDisruptive);
    }
}
