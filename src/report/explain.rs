//! Explanations for people: one sentence a cause, and the cases that share it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::text::{plural, shorten, visible};
use crate::explain::{Cause, Detail, Explanation, Explanations, Factor, Finding, Part, Place};
use crate::verdict::Outcome;

/// Cases that are listed under a cause.
const LISTED: usize = 10;

/// Writes explanations, grouped by what they say.
///
/// # Errors
/// Those of `out`.
pub fn render_explanations(document: &Explanations, out: &mut dyn Write) -> io::Result<()> {
    let explanations = &document.explanations;
    let mut groups: BTreeMap<String, Vec<&Explanation>> = BTreeMap::new();
    for explanation in explanations {
        groups.entry(sentence(explanation)).or_default().push(explanation);
    }
    let mut groups: Vec<(String, Vec<&Explanation>)> = groups.into_iter().collect();
    groups.sort_by_key(|(_, members)| std::cmp::Reverse(members.len()));
    for (sentence, members) in groups {
        writeln!(out, "{}: {}", plural(members.len(), "case", "cases"), visible(&sentence))?;
        for explanation in members.iter().take(LISTED) {
            writeln!(out, "  {} ({})", explanation.case, plural(explanation.requests as usize, "request", "requests"))?;
            for rule in &explanation.rules {
                writeln!(out, "    rule {}", visible(&shorten(rule, 200)))?;
            }
            let again =
                explanation.script.as_ref().map(|script| format!("the smallest refused request: bash {script}"));
            for line in evidence(&explanation.finding).into_iter().chain(again) {
                writeln!(out, "    {}", visible(&line))?;
            }
        }
        if members.len() > LISTED {
            writeln!(out, "  and {} more", members.len() - LISTED)?;
        }
        writeln!(out)?;
    }
    let requests: u32 = explanations.iter().map(|explanation| explanation.requests).sum();
    let sure = explanations.iter().filter(|explanation| explanation.is_sure()).count();
    writeln!(
        out,
        "{sure} of {} explained with {}",
        plural(explanations.len(), "case", "cases"),
        plural(requests as usize, "request", "requests")
    )
}

/// What is known, in one sentence that is the same for cases with one trigger.
#[must_use]
pub fn sentence(explanation: &Explanation) -> String {
    let became = match explanation.outcome {
        Outcome::Altered => "altered on its way",
        Outcome::Rejected => "rejected behind the edge",
        Outcome::Lost => "lost behind the edge",
        _ => "refused",
    };
    match &explanation.finding {
        Finding::Flaky { refused: 0, of } => format!("not explained: it gets through now, {of} of {of} times"),
        Finding::Flaky { refused, of } => format!("flaky: {became} {refused} of {of} times, so nothing is to blame"),
        Finding::NoReference => "not explained: none of the benign files that were tried is delivered".to_owned(),
        Finding::Unknown { why } => format!("not explained: {why}"),
        Finding::Causes { causes, proven, .. } => {
            let told: Vec<String> = causes.iter().map(cause).collect();
            let all = told.join("; and without that, because of ");
            let unsure =
                if *proven { "" } else { "; not proven: there may be more to it, or answers that came by chance" };
            format!("{became} because of {all}{unsure}")
        }
    }
}

fn cause(cause: &Cause) -> String {
    let page = cause.parts.iter().find_map(|part| match (&part.factor, &part.detail) {
        (Factor::Page, Detail::Whole { value }) => Some(value.as_str()),
        _ => None,
    });
    let named = cause.parts.iter().any(|part| part.factor == Factor::Stem);
    // The page says how the filename is written: one thing, not two.
    let told = cause.parts.iter().filter(|part| !(named && part.factor == Factor::Page));
    told.map(|part| one(part, page)).collect::<Vec<_>>().join(" together with ")
}

fn one(Part { factor, detail }: &Part, page: Option<&str>) -> String {
    match detail {
        Detail::Whole { value } if value.is_empty() => format!("no {factor}"),
        // What a rule says of extensions, it says in either case.
        Detail::Whole { value } if *factor == Factor::Extension => format!("the {factor} `{}`", value.to_lowercase()),
        Detail::Whole { value } => format!("the {factor} `{}`", shorten(value, 80)),
        Detail::Unclear => format!("the {factor}, and it could not be seen what of it"),
        Detail::Characters { text, wire, byte } => {
            let from = page.map_or_else(String::new, |page| format!(", sent from a {page} page,"));
            let byte = byte.map_or_else(String::new, |byte| {
                format!(": its byte {:02x}, `{byte}`, does it alone", u32::from(byte))
            });
            format!("`{text}` (bytes {wire}) in the filename{from}{byte}")
        }
        Detail::Field { names, text, wire } => format!("`{text}` (bytes {wire}) in the text field `{names}`"),
        Detail::Length { from } => format!("a filename of {from} bytes or more"),
        Detail::Size { from } => format!("a size of {from} bytes or more"),
        Detail::TooSmall { up_to } => format!("a size of {up_to} bytes or fewer"),
        Detail::Bytes { runs, place, others, more } => {
            let told: Vec<String> = runs.iter().map(|run| bytes(&run.hex, run.len)).collect();
            let such = if *others { ", or others like them," } else { "" };
            let at = match (place, &runs[..]) {
                (Some(Place::Only), [run]) => format!(" at offset {}", run.offset),
                _ => String::new(),
            };
            let more = if *more { ", and more of the kind elsewhere in it" } else { "" };
            format!("the bytes {}{such}{at} in the content{more}", told.join(" and "))
        }
        Detail::Form { lines } => {
            let lines: Vec<String> = lines.iter().map(|line| format!("`{}`", shorten(line, 120))).collect();
            format!("{} in the form", lines.join(" and "))
        }
        Detail::Lines { client, lines } => {
            let lines: Vec<String> = lines.iter().map(|line| format!("`{}`", shorten(line, 120))).collect();
            format!("{}, as `{client}` writes it", lines.join(" and "))
        }
        Detail::NotAsNamed { offset, hex } if !hex.is_empty() => {
            format!("content that is not what the name says: at offset {offset} a delivered file has {}", bytes(hex, 0))
        }
        Detail::NotAsNamed { .. } => "content that is not what the name says".to_owned(),
    }
}

/// `3c736372` (`<scr`), cut where there is more.
pub(crate) fn bytes(hex: &str, len: u64) -> String {
    let pairs =
        hex.as_bytes().chunks(2).filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    let bytes: Vec<u8> = pairs.collect();
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) if text.chars().all(|c| !c.is_control() || c.is_ascii_whitespace()) => format!(" (`{text}`)"),
        Ok(_) | Err(_) => String::new(),
    };
    let more = if len > bytes.len() as u64 { format!("… ({len} in all)") } else { String::new() };
    format!("{hex}{more}{text}")
}

/// What differs between cases of one sentence.
fn evidence(finding: &Finding) -> Vec<String> {
    let Finding::Causes { causes, reference, ruled_out, proven } = finding else { return Vec::new() };
    let mut lines = Vec::new();
    for part in causes.iter().flat_map(|cause| &cause.parts) {
        if let Detail::Bytes { runs, place, .. } = &part.detail {
            let offsets: Vec<String> = runs.iter().map(|run| run.offset.to_string()).collect();
            let place = match place {
                None => "; whether they are elsewhere was not tried".to_owned(),
                Some(Place::Anywhere) => "; they are refused at the end of the file as well".to_owned(),
                Some(Place::Only) => "; one byte further on they pass".to_owned(),
                Some(Place::Before { offset }) => format!("; they pass from offset {offset} on"),
            };
            lines.push(format!("at offset {}{place}", offsets.join(" and ")));
        }
    }
    if *proven {
        lines.push(format!("delivered without it, as in `{reference}`"));
    } else {
        lines.push(format!("compared with `{reference}`"));
    }
    if !ruled_out.is_empty() {
        let names: Vec<&str> = ruled_out.iter().map(|factor| factor.words()).collect();
        lines.push(format!("not to blame: {}", names.join(", ")));
    }
    lines
}
