//! Why: the smallest property of a refused case that makes the candidate refuse it.
//!
//! A benign reference that the candidate delivers takes on the properties of the refused case until it is refused as well;
//! then the guilty property is taken apart: which characters, which bytes, how many.

mod blend;
mod inside;
pub mod limits;
mod questions;
mod reference;
pub mod search;

use std::ops::Range;

use schemars::JsonSchema;
use serde::Serialize;

use blend::Blend;
pub use blend::Factor;
pub use questions::{Questions, Stop};
pub use reference::references;

use crate::corpus::{Case, CaseId};

/// Times that the refused case is sent to see whether it is refused each time.
pub const CONFIRMED: u32 = 3;

/// Causes that are looked for in one case: each hides the next.
const MOST_CAUSES: usize = 3;

/// References that are tried.
pub(crate) const MOST_REFERENCES: usize = 6;

/// What is guilty within a property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Detail {
    /// The property as a whole.
    Whole {
        /// What it is.
        value: String,
    },
    /// These characters of the filename's stem, and what they are on the wire.
    Characters {
        /// The characters, in order.
        text: String,
        /// Their bytes in the request, hex digits.
        wire: String,
        /// The ASCII character among these bytes that is refused by itself.
        byte: Option<char>,
    },
    /// These characters of text fields beside the file.
    Field {
        /// The fields' names.
        names: String,
        /// The characters, in order.
        text: String,
        /// Their bytes in the request, hex digits.
        wire: String,
    },
    /// The number of characters of the filename's stem: so many and more.
    Length {
        /// The smallest number that is refused.
        from: u64,
    },
    /// The number of bytes of the file: so many and more.
    Size {
        /// The smallest number that is refused.
        from: u64,
    },
    /// These bytes of the file.
    Bytes {
        /// Where they stand, and which they are.
        runs: Vec<Run>,
        /// Where else they trip; `None`: it was not tried.
        place: Option<Place>,
    },
    /// What the attachment says of its form: `Name: value` of a part header, `name=value` of a parameter.
    Form {
        /// The guilty ones.
        lines: Vec<String>,
    },
    /// These lines of the request, as one client writes it and another does not.
    Lines {
        /// The client.
        client: String,
        /// `Name: value`, `no Name` for a header that is missing, or lines of the form.
        lines: Vec<String>,
    },
    /// What the file does not hold where a file with such a name does: whatever stands there instead is refused.
    NotAsNamed {
        /// The offset of what is missed.
        offset: u64,
        /// What the delivered reference holds there, hex digits; empty: that is not known.
        hex: String,
    },
}

/// A few bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Run {
    /// Offset of the first.
    pub offset: u64,
    /// How many.
    pub len: u64,
    /// The first of them, hex digits.
    pub hex: String,
}

/// Whether it matters where guilty bytes stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Place {
    /// They trip at the end of the file as well.
    Anywhere,
    /// They trip only when they begin before this offset.
    Before {
        /// The first offset at which they pass.
        offset: u64,
    },
}

/// Properties that are only refused together, and what of them.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Cause {
    /// The properties, and what of each.
    pub parts: Vec<Part>,
    /// The reference with nothing more than these: it is refused.
    #[serde(skip)]
    pub smallest: Case,
}

/// A guilty property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Part {
    /// Which.
    pub factor: Factor,
    /// What of it.
    pub detail: Detail,
}

/// The version of [`Explanations`] that this program writes.
pub const SCHEMA_VERSION: u32 = 1;

/// What was found out about the regressions of a comparison.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Explanations {
    /// The version of this format: 1.
    pub schema_version: u32,
    /// One for each case that was looked at.
    pub explanations: Vec<Explanation>,
}

/// What was found out about a case.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Explanation {
    /// The case.
    #[schemars(with = "String")]
    pub case: CaseId,
    /// What is known.
    #[serde(flatten)]
    pub finding: Finding,
    /// Requests that it took.
    pub requests: u32,
    /// Rules that the WAF's log names for it, as the comparison has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// The script that sends the smallest request that is refused for the first cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
}

impl Explanation {
    /// The smallest upload that is refused for the first cause.
    #[must_use]
    pub fn smallest(&self) -> Option<&Case> {
        match &self.finding {
            Finding::Causes { causes, .. } => causes.first().map(|cause| &cause.smallest),
            Finding::Flaky { .. } | Finding::NoReference | Finding::Unknown { .. } => None,
        }
    }

    /// Whether the causes are known, and that there is no other.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        matches!(self.finding, Finding::Causes { proven: true, .. })
    }
}

/// What is known of why a case is refused.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum Finding {
    /// It is not refused each time.
    Flaky {
        /// How often it was.
        refused: u32,
        /// Of so many.
        of: u32,
    },
    /// None of the benign cases that were tried is delivered, so there is nothing to compare with.
    NoReference,
    /// These are the causes: without all of them it is delivered.
    Causes {
        /// The causes, the one that hides the others first.
        causes: Vec<Cause>,
        /// The benign case that was compared with.
        #[schemars(with = "String")]
        reference: CaseId,
        /// Properties that differ from it and are not to blame.
        ruled_out: Vec<Factor>,
        /// Without the causes it was sent and delivered; `false`: it is still refused then, and more is to be found.
        proven: bool,
    },
    /// It could not be found out.
    Unknown {
        /// Why.
        why: String,
    },
}

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
    let blamed = |factor: &Factor| causes.iter().flat_map(|cause| &cause.parts).any(|part| part.factor == *factor);
    let ruled_out = all.into_iter().filter(|factor| !blamed(factor)).collect();
    Ok(Finding::Causes { causes, reference: blend.reference.id.clone(), ruled_out, proven })
}

/// Under a name without any extension: with another one than its own, a file may be refused for not being such a file.
fn nameless(case: &Case) -> Case {
    let text = case.filename.text.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or("a").to_owned();
    Case { filename: crate::corpus::Filename { text, page: case.filename.page }, ..case.clone() }
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
