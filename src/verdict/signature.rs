//! The signatures of edges: they name the reason of a refusal, and never make a pass.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use serde::Deserialize;

use super::page::body_text;
use crate::error::{Error, Result};
use crate::replay::Answer;

/// What a signature says of an answer, gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureKind {
    /// A CAPTCHA or JavaScript page.
    Challenge,
    /// Refused for its size.
    Size,
    /// Refused.
    Block,
    /// The product is in the path; it need not have refused.
    Presence,
    /// A rule fired without blocking.
    Observed,
}

/// A signature that matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The edge: stable, without anything that changes from answer to answer.
    pub id: String,
    /// What it says.
    pub kind: SignatureKind,
    /// Where it was seen, with a little of the text around.
    pub excerpt: String,
}

/// Signatures, compiled once: the bodies of answers are searched for all of them in one pass.
#[derive(Debug)]
pub struct Signatures {
    entries: Vec<Entry>,
    bodies: RegexSet,
    body_patterns: Vec<Regex>,
}

#[derive(Debug)]
struct Entry {
    id: String,
    kind: SignatureKind,
    all: Vec<Condition>,
    any: Vec<Condition>,
}

#[derive(Debug)]
enum Condition {
    Status(Vec<u16>),
    Reason(Regex),
    Header(String, Regex),
    Cookie(Regex),
    Body(usize),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    signature: Vec<RawEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    id: String,
    kind: SignatureKind,
    /// Where the fact is from; kept in the data for its readers.
    #[serde(rename = "source")]
    _source: String,
    #[serde(default)]
    all: Vec<toml::Spanned<RawCondition>>,
    #[serde(default)]
    any: Vec<toml::Spanned<RawCondition>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCondition {
    status: Option<Vec<u16>>,
    reason: Option<String>,
    header: Option<String>,
    matches: Option<String>,
    cookie: Option<String>,
    body: Option<String>,
}

/// What of an answer a condition looks at.
struct Seen<'a> {
    answer: &'a Answer,
    text: &'a str,
    bodies: regex::SetMatches,
}

impl Signatures {
    /// The signatures that come with the program.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Signatures> = LazyLock::new(|| {
            Signatures::parse(include_str!("signatures.toml"))
                .unwrap_or_else(|error| unreachable!("the embedded signatures are checked by a test: {error}"))
        });
        &BUILTIN
    }

    /// Reads signatures from TOML.
    ///
    /// # Errors
    /// Unknown keys, a condition that is not exactly one of the known ones, an entry without any, a regular
    /// expression that does not compile: with the line.
    pub fn parse(text: &str) -> Result<Self> {
        let file: File = toml::from_str(text).map_err(|error| {
            let wrong = Error::usage(error.message().to_owned());
            error.span().map_or_else(|| wrong.clone(), |span| wrong.clone().span(text, span))
        })?;
        let mut patterns = Vec::new();
        let mut entries = Vec::new();
        for raw in file.signature {
            if raw.all.is_empty() && raw.any.is_empty() {
                return Err(Error::usage(format!("signature `{}` has no condition", raw.id)).key("all"));
            }
            let mut read = |raws: Vec<toml::Spanned<RawCondition>>| -> Result<Vec<Condition>> {
                raws.into_iter().map(|raw| condition(raw, text, &mut patterns)).collect()
            };
            let (all, any) = (read(raw.all)?, read(raw.any)?);
            entries.push(Entry { id: raw.id, kind: raw.kind, all, any });
        }
        // NOTE: a stable sort, so that the order of the file decides within a kind.
        entries.sort_by_key(|entry| entry.kind);
        let wrong = |error: regex::Error| Error::usage(error.to_string());
        Ok(Self {
            entries,
            bodies: RegexSetBuilder::new(&patterns).case_insensitive(true).build().map_err(wrong)?,
            body_patterns: patterns.iter().map(|pattern| regex(pattern)).collect::<Result<_>>()?,
        })
    }

    /// The gravest signature that the answer bears, [`SignatureKind::Observed`] apart.
    #[must_use]
    pub fn matching(&self, answer: &Answer) -> Option<Match> {
        self.matching_text(answer, &body_text(answer))
    }

    /// Like [`Self::matching`], with the body's text at hand.
    pub(super) fn matching_text(&self, answer: &Answer, text: &str) -> Option<Match> {
        let seen = Seen { answer, text, bodies: self.bodies.matches(text) };
        let refusals = self.entries.iter().filter(|entry| entry.kind != SignatureKind::Observed);
        refusals.into_iter().find_map(|entry| entry.matching(&seen, self))
    }

    /// The sign of a rule that fired without blocking.
    #[must_use]
    pub fn observed(&self, answer: &Answer) -> Option<Match> {
        let mut observed = self.entries.iter().filter(|entry| entry.kind == SignatureKind::Observed).peekable();
        observed.peek()?;
        // Such signs are headers: the body is not searched again.
        let seen = Seen { answer, text: "", bodies: self.bodies.matches("") };
        observed.find_map(|entry| entry.matching(&seen, self))
    }

    /// How many signatures there are, and of how many edges.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let edges: std::collections::BTreeSet<_> = self.entries.iter().map(|entry| &entry.id).collect();
        (self.entries.len(), edges.len())
    }
}

fn regex(pattern: &str) -> Result<Regex> {
    RegexBuilder::new(pattern).case_insensitive(true).build().map_err(|error| Error::usage(error.to_string()))
}

fn condition(raw: toml::Spanned<RawCondition>, text: &str, patterns: &mut Vec<String>) -> Result<Condition> {
    let span = raw.span();
    let compiled = |pattern: &str| regex(pattern).map_err(|error| error.span(text, span.clone()));
    match raw.into_inner() {
        RawCondition { status: Some(set), reason: None, header: None, matches: None, cookie: None, body: None } => {
            Ok(Condition::Status(set))
        }
        RawCondition { status: None, reason: Some(at), header: None, matches: None, cookie: None, body: None } => {
            Ok(Condition::Reason(compiled(&at)?))
        }
        RawCondition {
            status: None,
            reason: None,
            header: Some(name),
            matches: Some(at),
            cookie: None,
            body: None,
        } => Ok(Condition::Header(name.to_ascii_lowercase(), compiled(&at)?)),
        RawCondition { status: None, reason: None, header: None, matches: None, cookie: Some(at), body: None } => {
            Ok(Condition::Cookie(compiled(&at)?))
        }
        RawCondition { status: None, reason: None, header: None, matches: None, cookie: None, body: Some(at) } => {
            compiled(&at)?;
            patterns.push(at);
            Ok(Condition::Body(patterns.len() - 1))
        }
        RawCondition { .. } => Err(Error::usage("a condition is exactly one kind of thing")
            .span(text, span)
            .help("write one of `status`, `reason`, `header` with `matches`, `cookie`, `body`")),
    }
}

impl Entry {
    fn matching(&self, seen: &Seen<'_>, signatures: &Signatures) -> Option<Match> {
        let mut excerpts = Vec::with_capacity(self.all.len() + 1);
        for condition in &self.all {
            excerpts.push(condition.seen(seen, signatures)?);
        }
        if !self.any.is_empty() {
            excerpts.push(self.any.iter().find_map(|condition| condition.seen(seen, signatures))?);
        }
        // The last condition is the narrowest; a bare status says the least.
        let excerpt = excerpts.iter().rev().find(|excerpt| !excerpt.is_empty()).cloned().unwrap_or_default();
        Some(Match { id: self.id.clone(), kind: self.kind, excerpt })
    }
}

impl Condition {
    /// Whether it holds, with what was seen.
    fn seen(&self, seen: &Seen<'_>, signatures: &Signatures) -> Option<String> {
        let headers = &seen.answer.headers;
        match self {
            Self::Status(statuses) => statuses.contains(&seen.answer.status).then(String::new),
            Self::Reason(pattern) => {
                let reason = seen.answer.reason.as_deref()?;
                pattern.is_match(reason).then(|| format!("reason phrase `{}`", excerpt(reason, 0..reason.len())))
            }
            Self::Header(wanted, pattern) => headers
                .iter()
                .find(|(name, value)| name == wanted && pattern.is_match(value))
                .map(|(name, value)| format!("{name}: {}", excerpt(value, 0..value.len()))),
            Self::Cookie(pattern) => headers
                .iter()
                .filter(|(name, _)| name == "set-cookie")
                .filter_map(|(_, value)| value.split('=').next())
                .map(str::trim)
                .find(|name| pattern.is_match(name))
                .map(|name| format!("cookie {}", excerpt(name, 0..name.len()))),
            Self::Body(index) => {
                if !seen.bodies.matched(*index) {
                    return None;
                }
                let found = signatures.body_patterns.get(*index)?.find(seen.text)?;
                Some(excerpt(seen.text, found.range()))
            }
        }
    }
}

/// The text at `range` on one line, with a little around it, 80 characters at most.
pub(super) fn excerpt(text: &str, range: Range<usize>) -> String {
    const MOST: usize = 80;
    let found = &text[range];
    let mut line: String = found.split_whitespace().collect::<Vec<_>>().join(" ");
    line.retain(|c| !c.is_control() && c != '`');
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_signatures_are_sound_and_cover_forty_edges() {
        let signatures = Signatures::parse(include_str!("signatures.toml")).expect("sound");
        let (entries, edges) = signatures.size();
        assert!(entries >= edges, "{entries} entries for {edges} edges");
        assert!(edges >= 40, "{edges} edges");
    }

    #[test]
    fn a_condition_of_two_kinds_is_refused_with_its_line() {
        let text =
            "[[signature]]\nid = \"a\"\nkind = \"block\"\nsource = \"x\"\nall = [{ status = [403], body = 'x' }]\n";
        let error = Signatures::parse(text).expect_err("two kinds");
        assert_eq!(error.line(), Some(5));
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let text = "[[signature]]\nid = \"a\"\nkind = \"block\"\nsource = \"x\"\ncolour = \"red\"\n";
        assert_eq!(Signatures::parse(text).expect_err("unknown key").line(), Some(5));
    }

    #[test]
    fn an_entry_without_conditions_is_refused() {
        let text = "[[signature]]\nid = \"a\"\nkind = \"block\"\nsource = \"x\"\n";
        assert!(Signatures::parse(text).is_err(), "it would match every answer");
    }
}
