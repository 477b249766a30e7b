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
pub use questions::{Questions, Stop, Trip};
pub use reference::references;

use crate::corpus::Case;
use crate::verdict::Outcome;

/// Times that the refused case is sent to see whether it is refused each time.
pub const CONFIRMED: u32 = 3;

/// Times that what was found is sent again.
const AGAIN: u32 = 2;

/// Causes that are looked for in one case: each hides the next.
const MOST_CAUSES: usize = 3;

/// References that are tried.
pub(crate) const MOST_REFERENCES: usize = 6;

/// Finds out why `case` came to `outcome` at the edge, with at most `budget` requests. `references`: benign cases, those that
/// are most like it first.
pub async fn explain(
    case: &Case,
    outcome: Outcome,
    references: &[Case],
    budget: u32,
    questions: &mut Questions,
) -> Explanation {
    questions.begin(budget);
    questions.look_for(Trip::of(outcome));
    let (finding, stopped) = match find(case, references, questions).await {
        Ok(finding) => (finding, false),
        Err(stop) => (Finding::Unknown { why: words(&stop, budget) }, matches!(stop, Stop::Edge(_))),
    };
    let (case, requests) = (case.id.clone(), questions.asked());
    Explanation { case, outcome, finding, requests, rules: Vec::new(), stopped, script: None }
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
        refused += u32::from(questions.surely_refuses(case, 1).await? == Some(true));
    }
    if refused < CONFIRMED {
        return Ok(Finding::Flaky { refused, of: CONFIRMED });
    }
    let finding = look(case, references, questions).await?;
    if !is_unsteady(&finding) {
        return Ok(finding);
    }
    // Some answers came by chance: once more, and slower to believe.
    questions.become_careful();
    look(case, references, questions).await
}

/// Whether causes were found that do not hold when they are tried again.
fn is_unsteady(finding: &Finding) -> bool {
    matches!(finding, Finding::Causes { proven: false, .. })
}

async fn look(case: &Case, references: &[Case], questions: &mut Questions) -> Result<Finding, Stop> {
    for reference in references.iter().take(MOST_REFERENCES) {
        let mut blend = Blend::new(case, reference, questions)?;
        if questions.refuses(&blend.with(&[])).await? {
            continue;
        }
        let finding = causes(&mut blend, references, questions).await?;
        return match surely(&blend, &finding, references, questions).await {
            Ok(None) => Ok(finding),
            Ok(Some(finding)) => Ok(finding),
            // What was found holds next to this reference, and could not be tried next to another.
            Err(Stop::Budget) => Ok(finding.unproven()),
            Err(stop) => Err(stop),
        };
    }
    Ok(Finding::NoReference)
}

/// The causes as they are next to the reference that has the least in common with the case: what a reference shares with it
/// may be guilty together with what is seen, and cannot be seen. `None`: they are the same.
async fn surely(
    blend: &Blend<'_>,
    finding: &Finding,
    references: &[Case],
    questions: &mut Questions,
) -> Result<Option<Finding>, Stop> {
    let Finding::Causes { proven: true, .. } = finding else { return Ok(None) };
    let guilty = finding.guilty();
    let mut furthest = None;
    let mut most = blend.differing().len();
    for other in references.iter().take(MOST_REFERENCES) {
        let other = Blend::new(blend.refused, other, questions)?;
        let differs = other.differing().len();
        if differs > most {
            (furthest, most) = (Some(other), differs);
        }
    }
    let Some(mut other) = furthest else { return Ok(None) };
    if questions.refuses(&other.with(&guilty)).await? || questions.refuses(&other.with(&[])).await? {
        return Ok(None);
    }
    causes(&mut other, references, questions).await.map(Some)
}

async fn causes(blend: &mut Blend<'_>, references: &[Case], questions: &mut Questions) -> Result<Finding, Stop> {
    let mut open = blend.differing();
    let all = open.clone();
    let mut causes: Vec<Cause> = Vec::new();
    let mut delivered = None;
    while causes.len() < MOST_CAUSES {
        // The rest by itself: the first time it is the case, and known to be refused.
        let rest = blend.with(&open);
        if !questions.refuses(&rest).await? {
            delivered = Some(rest);
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
        inside::merge_length(blend, &mut parts, &mut smallest, questions).await?;
        if let [Part { factor: Factor::Extension, .. }] = &parts[..] {
            // The foreign content may be refused for not being such a file: a file of the same extension shows it.
            if let Some(kin) = blend.kin(references, questions).await? {
                let mut next = Blend::new(blend.refused, &kin, questions)?;
                if !questions.refuses(&next.with(&[])).await? {
                    let finding = Box::pin(self::causes(&mut next, references, questions)).await?;
                    let alone = questions.refuses(&blend.with(&finding.guilty())).await?;
                    return Ok(if alone { finding } else { finding.together_with(parts) });
                }
            }
            // And so may the case's own content, under another extension.
            blend.without_extension(questions).await?;
        }
        causes.push(Cause { parts, smallest: Some(smallest) });
    }
    if causes.is_empty() {
        let why = "put together again from its parts it is delivered: what it hangs on is none of them";
        return Ok(Finding::Unknown { why: why.to_owned() });
    }
    let proven = match &delivered {
        Some(delivered) => holds_again(&causes, delivered, questions).await?,
        None => false,
    };
    if questions.surely_refuses(&blend.benign(), 1).await? == Some(true)
        && questions.surely_refuses(&blend.benign(), AGAIN).await? == Some(true)
    {
        let why = "it refuses now what it delivered before, as if it had banned us";
        return Err(Stop::Edge(why.to_owned()));
    }
    let blamed = |factor: &Factor| causes.iter().flat_map(|cause| &cause.parts).any(|part| part.factor == *factor);
    let ruled_out = all.into_iter().filter(|factor| !blamed(factor)).collect();
    Ok(Finding::Causes { causes, reference: blend.reference.id.clone(), ruled_out, proven })
}

/// Whether each cause is refused and the case without them delivered when all of it is sent again: a search rests on single
/// answers.
async fn holds_again(causes: &[Cause], delivered: &Case, questions: &mut Questions) -> Result<bool, Stop> {
    for cause in causes {
        let whole = cause.parts.iter().all(|part| part.detail.is_sure());
        let Some(smallest) = cause.smallest.as_ref().filter(|_| whole) else { return Ok(false) };
        if questions.surely_refuses(smallest, AGAIN).await? != Some(true) {
            return Ok(false);
        }
    }
    Ok(questions.surely_refuses(delivered, AGAIN).await? == Some(false))
}

/// The fewest of the open properties that are refused together.
async fn guilty(blend: &Blend<'_>, open: &[Factor], questions: &mut Questions) -> Result<Vec<Factor>, Stop> {
    let chosen = |runs: &[Range<u64>]| -> Vec<Factor> {
        open.iter().enumerate().filter(|(at, _)| inside::holds(runs, *at)).map(|(_, factor)| *factor).collect()
    };
    let runs = search::minimal(open.len() as u64, &mut async |runs: &[Range<u64>]| {
        questions.refuses(&blend.with(&chosen(runs))).await
    })
    .await?;
    Ok(chosen(&runs))
}
