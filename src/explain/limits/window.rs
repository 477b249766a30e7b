//! How much of an upload is inspected: a run of bytes that is refused at the start of a file, and not further on.

use bytes::Bytes;

use super::bracket::{Bracket, Search, usual_bytes};
use super::probe::{before_file, body_len, largest_file, on_the_wire, plain};
use super::{Amount, Answer, Finding, not_banned, refused, unsteady};
use crate::corpus::{Case, Content, Filename, Piece, Transport};
use crate::explain::{Questions, Stop, search};

/// Harmless bytes that rules for attacks take exception to, the commonest first. Each begins a line.
const RUNS: [&str; 8] = [
    "<script>",
    "<?php ",
    "<%@ page ",
    "GET /index.html HTTP/1.1\r\n",
    "../../../../etc/passwd\n",
    "' OR '1'='1' -- \n",
    "<!ENTITY a \"b\">",
    "$(cat /etc/passwd)\n",
];

/// Files that may hold such bytes and stay what they are, which XML would not: extension, what stands before them, and after.
const FILES: [(&str, &str, &str); 2] =
    [("txt", "attachment\n", "\n"), ("html", "<!DOCTYPE html>\n<title>attachment</title>\n<pre>\n", "\n</pre>\n")];

/// Bytes of a file in which a run is tried.
pub(super) const SMALL: u64 = 4096;

/// Bytes of a file in which the window is looked for, unless fewer are delivered.
pub(super) const LARGE: u64 = 2 << 20;

/// Places between a file's start and its end at which the run is tried: an edge may look at both ends, and not between.
pub(super) const PLACES: u32 = 3;

/// Requests that asking again for each run that is refused, and cutting one to size, may take.
pub(super) const CUTTING: u32 = 40;

/// A run of bytes in a file of text.
#[derive(Debug, Clone)]
struct Planted {
    base: Case,
    before: &'static str,
    after: &'static str,
    run: &'static [u8],
}

impl Planted {
    fn new((extension, before, after): (&str, &'static str, &'static str), transport: Transport) -> Self {
        let plain = plain(transport);
        let filename = Filename { text: format!("attachment.{extension}"), ..plain.filename.clone() };
        Self { base: Case { filename, ..plain }, before, after, run: b"" }
    }

    fn with(&self, run: &'static [u8]) -> Self {
        Self { run, ..self.clone() }
    }

    /// The smallest end of the run.
    fn first(&self) -> u64 {
        (self.before.len() + self.run.len()) as u64
    }

    /// The largest end of the run in a file of `size` bytes.
    fn last(&self, size: u64) -> u64 {
        size - self.after.len() as u64
    }

    /// A file of `size` bytes in which the run ends at offset `end`.
    fn case(&self, size: u64, end: u64) -> Result<Case, Stop> {
        let start = end - self.run.len() as u64;
        // NOTE: a line break before the run, wherever it stands: it begins a line.
        let lead = start - self.before.len() as u64;
        let pieces = vec![
            Piece::Bytes(Bytes::from_static(self.before.as_bytes())),
            lines(lead, true),
            Piece::Bytes(Bytes::from_static(self.run)),
            lines(self.last(size) - end, false),
            Piece::Bytes(Bytes::from_static(self.after.as_bytes())),
        ];
        let content = Content::from_pieces(pieces).map_err(|error| Stop::Variant(error.to_string()))?;
        Ok(Case { content, ..self.base.clone() })
    }

    fn words(&self) -> (String, String) {
        (String::from_utf8_lossy(self.run).into_owned(), self.base.filename.text.clone())
    }
}

/// `len` bytes of lines; `ended`: with a line break at their end, else at their start.
fn lines(len: u64, ended: bool) -> Piece {
    const LINE: usize = 64;
    let mut pattern = vec![b'.'; LINE];
    let into = usize::try_from(len % LINE as u64).unwrap_or(0);
    pattern[if ended { (into + LINE - 1) % LINE } else { 0 }] = b'\n';
    Piece::Fill { pattern: pattern.into(), len }
}

/// Looks for the window with bodies of at most `body` and files of at most `file` bytes; what is found stays in `bracket`.
pub(super) async fn look(
    transport: Transport,
    (body, file): (u64, u64),
    bracket: &mut Bracket,
    questions: &mut Questions,
) -> Result<Finding, Stop> {
    let Some(planted) = plant(transport, questions).await? else {
        return Ok(Finding::Unseen { tried: RUNS.map(|run| run.trim_end().to_owned()).to_vec() });
    };
    let (run, filename) = planted.words();
    let most = largest_file(&planted.case(SMALL, planted.first())?, body, questions)?.min(file).min(LARGE);
    if most < SMALL {
        return Err(Stop::Variant(format!("files of {SMALL} bytes are too large")));
    }
    let most = delivered(&planted, most, questions).await?;
    let amount = |end: u64, questions: &Questions| -> Result<Amount, Stop> {
        let before = before_file(&planted.case(most, planted.first())?, questions)?;
        Ok(Amount { value: end, body: before + on_the_wire(end, transport), no_files: None })
    };
    if !refused(&planted.case(most, planted.first())?, questions).await? {
        let sized = |size: u64, questions: &Questions| -> Result<Amount, Stop> {
            Ok(Amount {
                value: size,
                body: body_len(&planted.case(size, planted.first())?, questions)?,
                no_files: None,
            })
        };
        let envelope = sized(SMALL, questions)?.body - SMALL;
        let search = Search { range: SMALL..=most, usual: less(&usual_bytes(0), envelope), guesses: Vec::new() };
        let case = |size: u64| planted.case(size, planted.first());
        if let Some(why) = close(bracket, &search, case, questions).await? {
            return Ok(Finding::Unsteady { why });
        }
        let (Some(inspected), Some(passes)) = (bracket.passes, bracket.trips) else {
            return Err(Stop::Variant("nothing was closed in on".to_owned()));
        };
        return Ok(Finding::SmallFilesOnly {
            run,
            filename,
            inspected: sized(inspected, questions)?,
            passes: sized(passes, questions)?,
        });
    }
    let (first, last) = (planted.first(), planted.last(most));
    let places: Vec<u64> =
        (0..=u64::from(PLACES) + 1).map(|part| first + (last - first) * part / (u64::from(PLACES) + 1)).collect();
    let mut seen = Vec::new();
    for end in &places {
        seen.push(refused(&planted.case(most, *end)?, questions).await?);
    }
    let otherwise =
        || Finding::Unsteady { why: format!("asked again, a `{filename}` of {most} bytes has another answer") };
    let Some(gap) = seen.iter().position(|seen| !seen) else {
        let benign = planted.with(b"").case(most, first)?;
        if !each_time(&planted.case(most, last)?, questions).await?
            || Answer::of(&questions.ask(&benign).await?) == Answer::Refused
        {
            return Ok(otherwise());
        }
        return Ok(Finding::Everywhere { run, filename, tried: places, up_to: amount(last, questions)? });
    };
    // The first place is known to be seen.
    (bracket.passes, bracket.trips) = (Some(places[gap - 1]), Some(places[gap]));
    let before = before_file(&planted.case(most, first)?, questions)?;
    let search = Search { range: first..=last, usual: less(&usual_bytes(0), before), guesses: Vec::new() };
    if let Some(why) = close(bracket, &search, |end| planted.case(most, end), questions).await? {
        return Ok(Finding::Unsteady { why });
    }
    let again: Vec<u64> = places.iter().zip(&seen).skip(gap).filter(|(_, seen)| **seen).map(|(end, _)| *end).collect();
    for end in &again {
        if !each_time(&planted.case(most, *end)?, questions).await? {
            return Ok(otherwise());
        }
    }
    match bracket.passes {
        Some(inspected) => Ok(Finding::Window { run, filename, inspected: amount(inspected, questions)?, again }),
        None => Err(Stop::Variant("nothing was closed in on".to_owned())),
    }
}

/// The size of a file that is delivered without the run: `most` bytes, or half of that, and so on.
async fn delivered(planted: &Planted, most: u64, questions: &mut Questions) -> Result<u64, Stop> {
    let mut size = most;
    while refused(&planted.with(b"").case(size, planted.first())?, questions).await? {
        if size == SMALL {
            let name = &planted.base.filename.text;
            return Err(Stop::Variant(format!("a benign `{name}` of {size} bytes is refused")));
        }
        size = (size / 2).max(SMALL);
    }
    if size < most {
        not_banned(planted.base.transport, questions).await?;
    }
    Ok(size)
}

/// Sizes of a body as those of what it holds beside `envelope` bytes; files may be what is counted, too.
fn less(usual: &[u64], envelope: u64) -> Vec<u64> {
    let within = usual.iter().filter_map(|bytes| bytes.checked_sub(envelope));
    let mut all: Vec<u64> = within.chain(usual.iter().copied()).collect();
    all.sort_unstable();
    all
}

/// Closes in on the first number that is delivered. Gives why the answers are not steady, if they are not.
async fn close(
    bracket: &mut Bracket,
    search: &Search,
    case: impl Fn(u64) -> Result<Case, Stop>,
    questions: &mut Questions,
) -> Result<Option<String>, Stop> {
    bracket.close(search, &mut async |number| Ok(!refused(&case(number)?, questions).await?)).await?;
    unsteady(bracket, *search.range.start(), Answer::Refused, case, questions).await
}

/// Whether a case that was refused is refused twice more.
async fn each_time(case: &Case, questions: &mut Questions) -> Result<bool, Stop> {
    for _ in 0..2 {
        if Answer::of(&questions.ask(case).await?) == Answer::Delivered {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Every small file that is sent where none is refused.
pub(super) fn trials(transport: Transport) -> Result<Vec<Case>, Stop> {
    let files = FILES.into_iter().map(|file| Planted::new(file, transport));
    let runs = std::iter::once("").chain(RUNS);
    files
        .flat_map(|planted| runs.clone().map(move |run| planted.with(run.as_bytes())))
        .map(|planted| planted.case(SMALL, planted.first()))
        .collect()
}

/// A run that is refused at the start of a small file, where the same file without it is delivered, cut to what is needed.
async fn plant(transport: Transport, questions: &mut Questions) -> Result<Option<Planted>, Stop> {
    let mut delivered = false;
    for file in FILES {
        let planted = Planted::new(file, transport);
        if refused(&planted.case(SMALL, planted.first())?, questions).await? {
            continue;
        }
        delivered = true;
        for run in RUNS {
            let planted = planted.with(run.as_bytes());
            if !refused(&planted.case(SMALL, planted.first())?, questions).await? {
                continue;
            }
            if !each_time(&planted.case(SMALL, planted.first())?, questions).await? {
                continue;
            }
            // Where the window ends depends on the last byte that is needed.
            let len = search::threshold(0, run.len() as u64, &mut async |len| {
                let shorter = planted.with(&run.as_bytes()[..usize::try_from(len).unwrap_or(run.len())]);
                refused(&shorter.case(SMALL, shorter.first())?, questions).await
            })
            .await?;
            return Ok(Some(planted.with(&run.as_bytes()[..usize::try_from(len).unwrap_or(run.len())])));
        }
    }
    if delivered {
        Ok(None)
    } else {
        Err(Stop::Variant(format!("no benign file of text of {SMALL} bytes is delivered")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_are_refused_take_no_more_requests_than_are_planned() {
        let again = u32::try_from(2 * FILES.len() * RUNS.len()).unwrap();
        assert!(RUNS.iter().all(|run| again + run.len().ilog2() < CUTTING));
    }

    #[test]
    fn the_run_ends_where_it_is_told_to_and_begins_a_line() {
        let planted = Planted::new(FILES[1], Transport::Multipart).with(b"<script>");
        for end in (planted.first()..=planted.last(SMALL)).step_by(37).chain([planted.last(SMALL)]) {
            let content = planted.case(SMALL, end).unwrap().content;
            let bytes = content.read_range(0..content.len()).unwrap();
            let end = usize::try_from(end).unwrap();
            assert_eq!(bytes.len() as u64, SMALL);
            assert_eq!(&bytes[end - 9..end], b"\n<script>", "{end}");
            assert!(bytes[end] == b'\n' && bytes.starts_with(b"<!DOCTYPE html>") && bytes.ends_with(b"</pre>\n"));
            assert_eq!(memchr::memmem::find_iter(&bytes, b"<script>").count(), 1);
        }
    }
}
