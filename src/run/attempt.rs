//! One attempt, read back from the record.

use std::path::Path;

use serde::Deserialize;

use super::Attempt;
use super::journal::{ANSWERS, JOURNAL};
use super::read::Lines;
use crate::corpus::CaseId;
use crate::error::Result;

/// The last attempt of a case in the run in `dir`, with as much of the answer's body as is kept: that of a pass is not.
/// `None`: there is none.
///
/// # Errors
/// A journal that can't be read.
pub fn last_attempt(dir: &Path, case: &CaseId) -> Result<Option<Attempt>> {
    #[derive(Deserialize)]
    struct Line {
        case: CaseId,
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
    let path = dir.join(JOURNAL);
    let mut lines = Lines::open(&path)?;
    let mut last = None;
    // As JSON writes it: most lines are of other cases, and reading them whole takes ten times as long.
    let named = serde_json::to_vec(case).unwrap_or_default();
    while lines.next(&path)?.is_some() {
        if !lines.line.starts_with(br#"{"event":"attempt""#) || memchr::memmem::find(&lines.line, &named).is_none() {
            continue;
        }
        let Ok(line) = serde_json::from_slice::<Line>(&lines.line) else { continue };
        if line.case == *case
            && let Ok(attempt) = serde_json::from_slice::<Attempt>(&lines.line)
        {
            last = Some((attempt, line.observation.answer.map(|answer| answer.body)));
        }
    }
    Ok(last.map(|(mut attempt, digest)| {
        // A name that is no digest would lead out of the folder.
        let digest = digest.filter(|digest| digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let body = digest.and_then(|digest| std::fs::read(dir.join(ANSWERS).join(digest)).ok());
        if let (Some(answer), Some(body)) = (&mut attempt.observation.answer, body) {
            answer.body.0 = body.into();
        }
        attempt
    }))
}
