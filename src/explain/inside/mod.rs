//! What of a guilty property: which characters, which bytes, how many, which line.

mod client;
mod content;
mod fields;
mod form;
mod name;
mod size;

use std::ops::Range;

use super::blend::{Blend, split};
use super::questions::{Questions, Stop};
use super::{Detail, Factor};
use crate::corpus::Case;

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
fn holds(runs: &[Range<u64>], position: usize) -> bool {
    runs.iter().any(|run| run.contains(&(position as u64)))
}

/// A harmless character in place of `c`, and never `c` itself: what is there anyway could not be missed.
fn other_than(c: char) -> char {
    if c == 'a' { 'e' } else { 'a' }
}
