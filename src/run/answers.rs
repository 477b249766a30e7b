//! What an edge answered, as the record keeps it: what people would have seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::journal::{ANSWERS, JOURNAL};
use super::read::Lines;
use super::{Attempt, Event};
use crate::corpus::{CaseId, Sha256Digest};
use crate::error::Result;
use crate::replay::Answer;
use crate::verdict::Count;

/// Headers by which an edge or a CDN shows itself, lower case.
const EDGE: [&str; 14] = [
    "server",
    "via",
    "x-cache",
    "x-served-by",
    "cf-ray",
    "cf-cache-status",
    "x-amz-cf-pop",
    "x-amz-cf-id",
    "x-amzn-waf-action",
    "x-azure-ref",
    "x-fastly-request-id",
    "x-akamai-request-id",
    "x-iinfo",
    "x-sucuri-id",
];

/// What the record of a run holds of the edge's answers.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// How the edge showed itself in its first answer: headers and values, and `peer`, the address that was sent to.
    pub edge: Vec<(String, String)>,
    /// The last answer that was no pass, of those cases that were asked for, with the start of its body.
    pub of: BTreeMap<CaseId, Answer>,
}

impl Answers {
    /// Reads those of the cases `wanted` from the record in `dir`. A torn end is passed over.
    ///
    /// # Errors
    /// A journal that can't be read.
    pub fn read(dir: &Path, wanted: &BTreeSet<CaseId>) -> Result<Self> {
        let path = dir.join(JOURNAL);
        let mut lines = Lines::open(&path)?;
        let mut answers = Self::default();
        while lines.next(&path)?.is_some() {
            if !lines.line.starts_with(br#"{"event":"attempt""#) {
                continue;
            }
            // Attempts are most of a journal's bytes, and few of them are wanted.
            if !answers.edge.is_empty() && !case_of(&lines.line).is_some_and(|case| wanted.contains(&case)) {
                continue;
            }
            let Ok(Event::Attempt(attempt)) = serde_json::from_slice(&lines.line) else { continue };
            let body = body_digest(&lines.line);
            answers.take(attempt, body, dir, wanted);
        }
        Ok(answers)
    }

    fn take(&mut self, attempt: Attempt, body: Option<Sha256Digest>, dir: &Path, wanted: &BTreeSet<CaseId>) {
        let peer = attempt.observation.peer.map(|peer| ("peer".to_owned(), peer.to_string()));
        let Some(mut answer) = attempt.observation.answer else { return };
        if self.edge.is_empty() {
            let seen = answer.headers.iter().filter(|(name, _)| EDGE.contains(&name.as_str()));
            self.edge = seen.cloned().chain(peer).collect();
        }
        let passed = attempt.verdict.as_ref().is_some_and(|verdict| verdict.outcome.count() == Count::Pass);
        if passed || !wanted.contains(&attempt.case) {
            return;
        }
        let kept = body.and_then(|digest| std::fs::read(dir.join(ANSWERS).join(digest.to_string())).ok());
        answer.body.0 = kept.unwrap_or_default().into();
        self.of.insert(attempt.case, answer);
    }
}

/// The case of an attempt's line, without reading all of it.
fn case_of(line: &[u8]) -> Option<CaseId> {
    const KEY: &[u8] = br#""case":""#;
    let start = memchr::memmem::find(line, KEY)? + KEY.len();
    let len = memchr::memchr(b'"', &line[start..])?;
    CaseId::parse(std::str::from_utf8(&line[start..start + len]).ok()?)
}

/// The digest that stands in the line in place of the body.
fn body_digest(line: &[u8]) -> Option<Sha256Digest> {
    const KEY: &[u8] = br#""body":""#;
    let start = memchr::memmem::find(line, KEY)? + KEY.len();
    let text = std::str::from_utf8(line.get(start..start + 64)?).ok()?;
    Sha256Digest::parse(text)
}
