//! What of a guilty property: which characters, which bytes, how many, which line.

mod client;
mod content;
mod fields;
mod form;
mod name;
mod size;

use std::ops::Range;

use encoding_rs::Encoding;

use super::blend::Blend;
use super::questions::{Questions, Stop};
use super::{Detail, Factor, Part};
use crate::corpus::Case;
use crate::corpus::name::split;

/// Takes `factor` of `case`, which is refused for it, apart. `case` becomes what is refused with nothing more of the factor
/// than that.
pub(super) async fn look(
    blend: &Blend<'_>,
    factor: Factor,
    case: &mut Case,
    questions: &mut Questions,
) -> Result<Detail, Stop> {
    match factor {
        Factor::Stem => name::look(case, questions).await,
        Factor::Size => size::look(blend, case, questions).await,
        Factor::Content => content::look(blend, case, questions).await,
        Factor::Client => client::look(case, blend.reference.client, questions).await,
        Factor::Fields => fields::look(case, questions).await,
        Factor::Form => form::look(case, questions).await,
        Factor::Extension => Ok(whole(split(&case.filename.text).1)),
        Factor::Type => Ok(whole(&questions.request(case)?.content_type.unwrap_or_default())),
        Factor::Page => Ok(whole(case.filename.page.0.name())),
        Factor::Transport => Ok(whole(case.transport.as_str())),
    }
}

fn whole(value: &str) -> Detail {
    Detail::Whole { value: value.to_owned() }
}

fn index(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// Whether a position is in one of the runs.
pub(super) fn holds(runs: &[Range<u64>], position: usize) -> bool {
    runs.iter().any(|run| run.contains(&(position as u64)))
}

/// A harmless character in place of `c` that takes as many bytes on the page, so that a limit on bytes is not passed by it;
/// never `c` itself: what is there anyway could not be missed.
fn other_than(c: char, page: &'static Encoding) -> char {
    const LIKE: [char; 8] = ['a', 'e', '\u{e9}', '\u{e8}', 'あ', 'い', '\u{2000b}', '\u{20089}'];
    let bytes = |c: char| page.encode(c.encode_utf8(&mut [0; 4])).0.len();
    let like = LIKE.into_iter().find(|other| *other != c && bytes(*other) == bytes(c));
    like.unwrap_or_else(|| plain_for(c, page))
}

/// An ASCII letter in place of `c`.
fn plain_for(c: char, _: &'static Encoding) -> char {
    if c == 'a' { 'e' } else { 'a' }
}

/// A length counts the extension: where the two are told together and a longer name under the reference's extension is
/// refused as well, it is the length alone.
pub(super) async fn merge_length(
    blend: &Blend<'_>,
    parts: &mut Vec<Part>,
    smallest: &mut Case,
    questions: &mut Questions,
) -> Result<(), Stop> {
    let length = parts.iter().find_map(|part| match part.detail {
        Detail::Length { from } => Some(from),
        _ => None,
    });
    let (Some(from), true) = (length, parts.iter().any(|part| part.factor == Factor::Extension)) else { return Ok(()) };
    let case = name::of_bytes(smallest, split(&blend.reference.filename.text).1, from);
    if questions.refuses(&case).await? {
        parts.retain(|part| part.factor != Factor::Extension);
        *smallest = case;
    }
    Ok(())
}
