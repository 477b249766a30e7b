//! What was sent and what was answered, as the record holds it.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::super::compare::{self, CompareArgs};
use crate::compare::ComparedCase;
use crate::error::Result;
use crate::replay::observation::Ending;
use crate::report::repro;
use crate::report::text::{shorten, visible};
use crate::run::{SideName, last_attempt};

/// Bytes of a body that are shown.
const BODY: usize = 1_500;

/// Lines of a body that are shown.
const LINES: usize = 24;

/// Characters of a line of a body that are shown: what is binary has few lines.
const LINE: usize = 240;

/// Bytes of a request that are read to find the end of its head.
const HEAD: u64 = 256 << 10;

/// The request of one of the cases: head first, the body cut.
pub(super) fn request<'a>(dir: &Path, cases: impl Iterator<Item = &'a ComparedCase>) -> (String, Vec<String>) {
    for case in cases {
        let stem = repro::stem(&case.id);
        let path = dir.join(repro::FOLDER).join(format!("{stem}.http"));
        let Ok((start, len)) = start_of(&path) else { continue };
        let at = memchr::memmem::find(&start, b"\r\n\r\n").map_or(start.len(), |at| at + 4);
        let (head, body) = start.split_at(at);
        let head = head.strip_suffix(b"\r\n").unwrap_or(head);
        let mut lines: Vec<String> =
            head.split_inclusive(|byte| *byte == b'\n').map(|line| shown(line.trim_ascii_end())).collect();
        lines.push(String::new());
        lines.extend(cut(body, len.saturating_sub(at as u64), &path.display().to_string()));
        let script = dir.join(repro::FOLDER).join(format!("{stem}.sh"));
        if script.is_file() {
            lines.push(format!("send it again: bash {}", visible(&script.display().to_string())));
        }
        return (format!("request of {}", case.id), lines);
    }
    let why = "none is kept: only those of regressions that were sent with this comparison are, and controls are never written to disk";
    ("request".to_owned(), vec![why.to_owned()])
}

fn start_of(path: &Path) -> io::Result<(Vec<u8>, u64)> {
    let file = File::open(path)?;
    let len = file.metadata()?.len();
    let mut start = Vec::new();
    file.take(HEAD).read_to_end(&mut start)?;
    Ok((start, len))
}

/// The answer that a case got last: the candidate's, or the baseline's where only that one was asked.
pub(super) fn answer(dir: &Path, kept: Option<&CompareArgs>, case: &ComparedCase) -> Result<(String, Vec<String>)> {
    let (side, asked) = match (&case.candidate, &case.baseline) {
        (Some(candidate), _) => (SideName::Candidate, Some(candidate)),
        (None, baseline) => (SideName::Baseline, baseline.as_ref()),
    };
    let record = compare::record(dir, kept, side);
    let side = compare::folder(side);
    let heading = format!("answer of the {side} to {}", case.id);
    let Some(record) = record else {
        return Ok((heading, vec![format!("the {side}'s record is no longer where the comparison found it")]));
    };
    let Some(attempt) = last_attempt(&record, &case.id)? else {
        return Ok((heading, vec!["the record has no attempt of it".to_owned()]));
    };
    let mut lines = Vec::new();
    if let Some(attempts) = asked.map(|side| side.attempts).filter(|attempts| *attempts > 1) {
        lines.push(format!("the last of {attempts} attempts"));
    }
    match &attempt.observation.answer {
        Some(answer) => {
            let reason = answer.reason.as_deref().map(|reason| format!(" {}", visible(reason))).unwrap_or_default();
            lines.push(format!("status {}{reason}", answer.status));
            lines.extend(answer.headers.iter().map(|(name, value)| format!("{}: {}", visible(name), visible(value))));
            lines.push(String::new());
            if answer.body.0.is_empty() && answer.body_bytes > 0 {
                lines.push(format!("a body of {} bytes, which is not kept", answer.body_bytes));
            } else if answer.body.0.is_empty() {
                lines.push("an empty body".to_owned());
            } else {
                let file = record.join(crate::run::journal::ANSWERS).display().to_string();
                lines.extend(cut(&answer.body.0, answer.body.0.len() as u64, &file));
            }
        }
        None => lines.push("no answer".to_owned()),
    }
    lines.extend(how_it_ended(&attempt.observation.ending));
    Ok((heading, lines))
}

fn how_it_ended(ending: &Ending) -> Option<String> {
    let told = match ending {
        Ending::Complete => return None,
        Ending::Truncated { detail } => format!("cut off: {detail}"),
        Ending::Broken { detail, .. } => format!("the connection broke: {detail}"),
        Ending::TimedOut { .. } => "no answer in time".to_owned(),
        Ending::Malformed { detail } => format!("what came is not HTTP: {detail}"),
        Ending::Unreachable { detail, .. } => format!("the edge was not reached: {detail}"),
        Ending::StepFailed { step, detail } => format!("the step `{step}` before it failed: {detail}"),
        Ending::FileError { detail } => format!("the file could not be read: {detail}"),
    };
    Some(visible(&told))
}

/// The start of a body that has `len` bytes.
fn cut(body: &[u8], len: u64, whole: &str) -> Vec<String> {
    let start = &body[..body.len().min(BODY)];
    let all: Vec<&[u8]> = start.split_inclusive(|byte| *byte == b'\n').collect();
    let mut whole_lines = len == start.len() as u64 && all.len() <= LINES;
    let mut lines = Vec::new();
    for line in all.into_iter().take(LINES) {
        let line = shown(line.strip_suffix(b"\n").unwrap_or(line));
        let short = shorten(&line, LINE);
        whole_lines &= short == line;
        lines.push(short);
    }
    if !whole_lines {
        lines.push(format!("… of {len} bytes in all (see {})", visible(whole)));
    }
    lines
}

/// Bytes as text: what a terminal would obey, and what is no text, is written out.
fn shown(line: &[u8]) -> String {
    let mut text = String::new();
    for chunk in line.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_ascii_control() && !matches!(c, '\r' | '\t') {
                text.push_str(&byte(c as u8));
            } else {
                text.push_str(&visible(c.encode_utf8(&mut [0; 4])));
            }
        }
        text.extend(chunk.invalid().iter().copied().map(byte));
    }
    text
}

fn byte(byte: u8) -> String {
    format!("\\x{byte:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_written_out_and_a_body_is_cut() {
        assert_eq!(cut(b"a\x1b[2J\xff\xe5\x87\xba\r\n\xe2\x80\xae", 14, "f"), ["a\\x1b[2J\\xff出\\r", "\\u{202e}"]);
        assert_eq!(cut(b"abc", 3, "f"), ["abc"]);
        for (body, len) in [(vec![b'a'; 2000], 9000), (b"a\n".repeat(30), 60), (vec![b'a'; LINE + 1], LINE as u64 + 1)]
        {
            let lines = cut(&body, len, "f");
            assert!(lines.len() <= LINES + 1 && lines.iter().all(|line| line.chars().count() <= LINE));
            assert_eq!(lines.last().unwrap(), &format!("… of {len} bytes in all (see f)"));
        }
    }
}
