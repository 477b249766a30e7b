//! Which characters of which text field.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::questions::{Questions, Stop};
use super::super::{Detail, search};
use super::{holds, index, other_than, whole};
use crate::corpus::{Beside, Case, Hex};

/// The characters of text fields that are to blame, or all that travels beside the file.
pub(super) async fn look(smallest: &mut Case, questions: &mut Questions) -> Result<Detail, Stop> {
    let case = smallest.clone();
    let values = case.beside.iter().enumerate().filter_map(|(at, beside)| match beside {
        Beside::Text { value, .. } => Some((at, value)),
        Beside::File { .. } | Beside::EmptyFile { .. } => None,
    });
    let texts: Vec<(usize, char)> = values.flat_map(|(at, value)| value.chars().map(move |c| (at, c))).collect();
    let with = |runs: &[Range<u64>]| with(&case, &texts, runs);
    if texts.is_empty() || questions.refuses(&with(&[])).await? {
        return Ok(whole(&beside(&case)));
    }
    let len = texts.len() as u64;
    let runs = search::minimal(len, &mut async |runs: &[Range<u64>]| questions.refuses(&with(runs)).await).await?;
    *smallest = with(&runs);
    let guilty = || runs.iter().flat_map(|run| &texts[index(run.start)..index(run.end)]);
    let names: BTreeSet<&str> = guilty().filter_map(|(at, _)| name(&case.beside[*at])).collect();
    let text: String = guilty().map(|(_, c)| *c).collect();
    let (bytes, _, _) = case.filename.page.0.encode(&text);
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    Ok(Detail::Field { names, wire: Hex(&bytes).to_string(), text })
}

/// `case` with only these characters of its text fields, the others harmless ones.
fn with(case: &Case, texts: &[(usize, char)], runs: &[Range<u64>]) -> Case {
    let mut case = case.clone();
    for beside in &mut case.beside {
        if let Beside::Text { value, .. } = beside {
            value.clear();
        }
    }
    for (position, (at, c)) in texts.iter().enumerate() {
        if let Beside::Text { value, .. } = &mut case.beside[*at] {
            value.push(if holds(runs, position) { *c } else { other_than(*c) });
        }
    }
    case
}

fn name(beside: &Beside) -> Option<&str> {
    match beside {
        Beside::Text { name, .. } | Beside::EmptyFile { name } => Some(name),
        Beside::File { name, .. } => name.as_deref(),
    }
}

/// What travels beside the file, in words.
fn beside(case: &Case) -> String {
    let told = case.beside.iter().map(|beside| match beside {
        Beside::Text { name, value } => format!("{name}={value}"),
        Beside::File { filename, .. } => format!("file {filename}"),
        Beside::EmptyFile { name } => format!("empty {name}"),
    });
    told.collect::<Vec<_>>().join(", ")
}
