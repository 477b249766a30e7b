//! Which characters of a filename, or how many bytes.

use std::ops::Range;

use super::super::questions::{Questions, Stop};
use super::super::{Detail, search};
use super::{holds, index, other_than, plain_for, whole};
use crate::corpus::name::split;
use crate::corpus::{Case, Filename, Hex};

/// A filename taken apart.
struct Name<'a> {
    case: &'a Case,
    stem: Vec<char>,
    extension: &'a str,
    /// What stands in for a character.
    other: fn(char, &'static encoding_rs::Encoding) -> char,
}

impl Name<'_> {
    fn called(&self, stem: &str) -> Case {
        let filename = Filename { text: format!("{stem}{}", self.extension), page: self.case.filename.page };
        Case { filename, ..self.case.clone() }
    }

    /// The filename with only these characters of its stem, the others harmless ones.
    fn with(&self, runs: &[Range<u64>]) -> Case {
        let page = self.case.filename.page.0;
        let kept = |(at, c): (usize, &char)| if holds(runs, at) { *c } else { (self.other)(*c, page) };
        self.called(&self.stem.iter().enumerate().map(kept).collect::<String>())
    }

    /// A harmless stem of so many bytes.
    fn of_length(&self, bytes: u64) -> Case {
        self.called(&"a".repeat(index(bytes)))
    }

    fn bytes(&self, text: &str) -> u64 {
        self.case.filename.page.0.encode(text).0.len() as u64
    }
}

/// `case` under a harmless name of so many bytes, `extension` included.
pub(super) fn of_bytes(case: &Case, extension: &str, bytes: u64) -> Case {
    let name = Name { case, stem: Vec::new(), extension, other: other_than };
    name.of_length(bytes.saturating_sub(name.bytes(extension)))
}

pub(super) async fn look(smallest: &mut Case, questions: &mut Questions) -> Result<Detail, Stop> {
    let case = smallest.clone();
    let (text, extension) = split(&case.filename.text);
    let mut name = Name { case: &case, stem: text.chars().collect(), extension, other: other_than };
    if questions.refuses(&name.with(&[])).await? {
        let bytes = name.bytes(text);
        if questions.refuses(&name.of_length(bytes)).await? {
            if bytes < 2 || questions.refuses(&name.of_length(1)).await? {
                return Ok(whole(text));
            }
            let stem =
                search::threshold(1, bytes, &mut async |bytes| questions.refuses(&name.of_length(bytes)).await).await?;
            *smallest = name.of_length(stem);
            return Ok(Detail::Length { from: stem + name.bytes(extension) });
        }
        // Characters like these are refused in their place as well: plain ones are not.
        name.other = plain_for;
        if questions.refuses(&name.with(&[])).await? {
            return Ok(whole(text));
        }
    }
    let len = name.stem.len() as u64;
    let runs = search::minimal(len, &mut async |runs: &[Range<u64>]| questions.refuses(&name.with(runs)).await).await?;
    *smallest = name.with(&runs);
    let text: String = runs.iter().flat_map(|run| &name.stem[index(run.start)..index(run.end)]).collect();
    let (bytes, _, _) = case.filename.page.0.encode(&text);
    let byte = byte(&name, &runs, &bytes, questions).await?;
    Ok(Detail::Characters { wire: Hex(&bytes).to_string(), text, byte })
}

/// Of one character that is several bytes: the ASCII byte among them that is refused as a character of its own.
async fn byte(
    name: &Name<'_>,
    runs: &[Range<u64>],
    bytes: &[u8],
    questions: &mut Questions,
) -> Result<Option<char>, Stop> {
    let [run] = runs else { return Ok(None) };
    if run.end - run.start != 1 || bytes.len() < 2 {
        return Ok(None);
    }
    for byte in bytes.iter().filter(|byte| byte.is_ascii_graphic()) {
        let mut stem = name.stem.clone();
        stem[index(run.start)] = char::from(*byte);
        let alone = Name { case: name.case, stem, extension: name.extension, other: name.other };
        if questions.refuses(&alone.with(runs)).await? {
            return Ok(Some(char::from(*byte)));
        }
    }
    Ok(None)
}
