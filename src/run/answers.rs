//! What an edge answered, as the record keeps it: what people would have seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::Attempt;
use super::journal::{ANSWERS, JOURNAL};
use super::read::Lines;
use crate::corpus::{CaseId, Sha256Digest};
use crate::error::Result;
pub use crate::replay::Answer;
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
        // Nobody wanted: the first answer tells all.
        while (answers.edge.is_empty() || !wanted.is_empty()) && lines.next(&path)?.is_some() {
            let Some(case) = case_of(&lines.line) else { continue };
            // Attempts are most of a journal's bytes, and few of them are wanted.
            if (answers.edge.is_empty() || wanted.contains(&case))
                && let Some(attempt) = attempt(&lines.line, dir)
            {
                answers.take(attempt, wanted);
            }
        }
        Ok(answers)
    }

    fn take(&mut self, attempt: Attempt, wanted: &BTreeSet<CaseId>) {
        let peer = attempt.observation.peer.map(|peer| ("peer".to_owned(), peer.to_string()));
        let Some(answer) = attempt.observation.answer else { return };
        if self.edge.is_empty() {
            let seen = answer.headers.iter().filter(|(name, _)| EDGE.contains(&name.as_str()));
            self.edge = seen.cloned().chain(peer).collect();
        }
        let passed = attempt.verdict.as_ref().is_some_and(|verdict| verdict.outcome.count() == Count::Pass);
        if !passed && wanted.contains(&attempt.case) {
            self.of.insert(attempt.case, answer);
        }
    }
}

/// The last attempt of a case in the run in `dir`, with as much of the answer's body as is kept: that of a pass is not.
/// `None`: there is none.
///
/// # Errors
/// A journal that can't be read.
pub fn last_attempt(dir: &Path, case: &CaseId) -> Result<Option<Attempt>> {
    let path = dir.join(JOURNAL);
    let mut lines = Lines::open(&path)?;
    let mut last = Vec::new();
    while lines.next(&path)?.is_some() {
        if case_of(&lines.line).as_ref() == Some(case) {
            last.clone_from(&lines.line);
        }
    }
    Ok(attempt(&last, dir))
}

/// The case of an attempt's line, without reading all of it. `None`: it is another event's line.
fn case_of(line: &[u8]) -> Option<CaseId> {
    const KEY: &[u8] = br#""case":"#;
    if !line.starts_with(br#"{"event":"attempt""#) {
        return None;
    }
    let start = memchr::memmem::find(line, KEY)? + KEY.len();
    serde_json::Deserializer::from_slice(&line[start..]).into_iter().next()?.ok()
}

/// The attempt of a line, with the body that is kept of its answer.
fn attempt(line: &[u8], dir: &Path) -> Option<Attempt> {
    #[derive(Deserialize)]
    struct Line {
        observation: Observed,
    }
    #[derive(Deserialize)]
    struct Observed {
        answer: Option<Answered>,
    }
    #[derive(Deserialize)]
    struct Answered {
        body: String,
    }
    let mut attempt: Attempt = serde_json::from_slice(line).ok()?;
    if let Some(answer) = &mut attempt.observation.answer {
        let digest = serde_json::from_slice::<Line>(line).ok()?.observation.answer?.body;
        // A name that is no digest would lead out of the folder.
        let digest = Sha256Digest::parse(&digest);
        let body = digest.and_then(|digest| std::fs::read(dir.join(ANSWERS).join(digest.to_string())).ok());
        answer.body.0 = body.unwrap_or_default().into();
    }
    Some(attempt)
}
