//! Why: the smallest property of a refused case that makes the candidate refuse it.
//!
//! A benign reference that the candidate delivers takes on the properties of the refused case until it is refused as well;
//! then the guilty property is taken apart: which characters, which bytes, how many.

mod blend;
mod finding;
mod inside;
pub mod limits;
mod questions;
mod reference;
pub mod search;

use std::ops::Range;

use blend::Blend;
pub use blend::Factor;
pub use finding::{Cause, Detail, Explanation, Explanations, Finding, Part, Place, Run, SCHEMA_VERSION};
pub use questions::{Questions, Stop};
pub use reference::references;

use crate::corpus::{Case, Filename};

/// Times that the refused case is sent to see whether it is refused each time.
pub const CONFIRMED: u32 = 3;

/// Causes that are looked for in one case: each hides the next.
const MOST_CAUSES: usize = 3;

/// References that are tried.
pub(crate) const MOST_REFERENCES: usize = 6;

/// Finds out why the edge refuses `case`, with at most `budget` requests. `references`: benign cases, those that are most
/// like it first.
pub async fn explain(case: &Case, references: &[Case], budget: u32, questions: &mut Questions) -> Explanation {
    questions.begin(budget);
    let finding = match find(case, references, questions).await {
        Ok(finding) => finding,
        Err(stop) => Finding::Unknown { why: words(&stop, budget) },
    };
    Explanation { case: case.id.clone(), finding, requests: questions.asked(), rules: Vec::new(), script: None }
}

fn words(stop: &Stop, budget: u32) -> String {
    match stop {
        Stop::Budget => format!("the budget of {budget} requests is spent"),
        Stop::Edge(why) => format!("the edge can't be asked: {why}"),
        Stop::Variant(why) => format!("a variant can't be sent: {why}"),
    }
}

async fn find(case: &Case, references: &[Case], questions: &mut Questions) -> Result<Finding, Stop> {
    let mut refused = 0;
    for _ in 0..CONFIRMED {
        refused += u32::from(!questions.ask(case).await?.outcome.is_past_edge());
    }
    if refused < CONFIRMED {
        return Ok(Finding::Flaky { refused, of: CONFIRMED });
    }
    for reference in references.iter().take(MOST_REFERENCES) {
        let blend = Blend::new(case, reference, questions)?;
        if !questions.refuses(&blend.with(&[])).await? {
            return surely(blend, references, questions).await;
        }
    }
    Ok(Finding::NoReference)
}

/// The causes, as they are next to the reference that has the least in common with the case: what a reference shares with it
/// may be guilty together with what is seen, and cannot be seen.
async fn surely(mut blend: Blend<'_>, references: &[Case], questions: &mut Questions) -> Result<Finding, Stop> {
    let finding = causes(&mut blend, questions).await?;
    let Finding::Causes { causes: told, proven: true, .. } = &finding else { return Ok(finding) };
    let guilty: Vec<Factor> = told.iter().flat_map(|cause| &cause.parts).map(|part| part.factor).collect();
    let (refused, differing) = (blend.refused, blend.differing().len());
    let mut furthest = None;
    let mut most = differing;
    for other in references.iter().take(MOST_REFERENCES) {
        let other = Blend::new(refused, other, questions)?;
        let differs = other.differing().len();
        if differs > most {
            (furthest, most) = (Some(other), differs);
        }
    }
    let Some(mut other) = furthest else { return Ok(finding) };
    if questions.refuses(&other.with(&guilty)).await? || questions.refuses(&other.with(&[])).await? {
        return Ok(finding);
    }
    causes(&mut other, questions).await
}

async fn causes(blend: &mut Blend<'_>, questions: &mut Questions) -> Result<Finding, Stop> {
    let mut open = blend.differing();
    let all = open.clone();
    let mut causes: Vec<Cause> = Vec::new();
    let mut proven = false;
    while causes.len() < MOST_CAUSES {
        // The rest by itself: the first time it is the case, and known to be refused.
        let rest = blend.with(&open);
        let swapped = causes.iter().flat_map(|cause| &cause.parts).any(|part| part.factor == Factor::Extension);
        if !questions.refuses(&rest).await? || swapped && !questions.refuses(&nameless(&rest)).await? {
            proven = true;
            break;
        }
        let guilty = guilty(blend, &open, questions).await?;
        open.retain(|factor| !guilty.contains(factor));
        let mut parts = Vec::new();
        let mut smallest = blend.with(&guilty);
        for factor in guilty {
            let detail = inside::look(blend, factor, &mut smallest, questions).await?;
            if let Detail::Size { from } = &detail {
                blend.most = Some(from - 1);
            }
            parts.push(Part { factor, detail });
        }
        causes.push(Cause { parts, smallest });
    }
    if causes.is_empty() {
        let why = "put together again from its parts it is delivered: what it hangs on is none of them";
        return Ok(Finding::Unknown { why: why.to_owned() });
    }
    let blamed = |factor: &Factor| causes.iter().flat_map(|cause| &cause.parts).any(|part| part.factor == *factor);
    let ruled_out = all.into_iter().filter(|factor| !blamed(factor)).collect();
    Ok(Finding::Causes { causes, reference: blend.reference.id.clone(), ruled_out, proven })
}

/// Under a name without any extension: with another one than its own, a file may be refused for not being such a file.
fn nameless(case: &Case) -> Case {
    let text = case.filename.text.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or("a").to_owned();
    Case { filename: Filename { text, page: case.filename.page }, ..case.clone() }
}

/// The fewest of the open properties that are refused together.
async fn guilty(blend: &Blend<'_>, open: &[Factor], questions: &mut Questions) -> Result<Vec<Factor>, Stop> {
    let chosen = |runs: &[Range<u64>]| -> Vec<Factor> {
        let taken = |at: usize| runs.iter().any(|run| run.contains(&(at as u64)));
        open.iter().enumerate().filter(|(at, _)| taken(*at)).map(|(_, factor)| *factor).collect()
    };
    let runs = search::minimal(open.len() as u64, &mut async |runs: &[Range<u64>]| {
        questions.refuses(&blend.with(&chosen(runs))).await
    })
    .await?;
    Ok(chosen(&runs))
}
