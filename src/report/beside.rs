//! What stands beside a comparison in its folder, and helps to understand it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::corpus::CaseId;
use crate::explain::Explanation;
use crate::run::Answers;

/// What stands beside a comparison or a run.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// How the baseline showed itself; nothing of a single run.
    pub baseline: Answers,
    /// How the candidate, or the edge of a single run, showed itself, and what it answered.
    pub candidate: Answers,
    /// Why cases are refused, as `explain` found out.
    pub explanations: BTreeMap<CaseId, Explanation>,
    /// The exclusions that `suggest` wrote last.
    pub suggested: Option<Suggested>,
}

/// The exclusions of a `suggestion.json`, as far as a report shows them.
#[derive(Debug, Clone, Deserialize)]
pub struct Suggested {
    /// The language of the text.
    pub language: String,
    /// The text, and what it opens.
    pub snippet: SuggestedText,
    /// Rounds in which it was tried.
    #[serde(default)]
    pub rounds: Vec<SuggestedRound>,
}

/// Exclusions as text.
#[derive(Debug, Clone, Deserialize)]
pub struct SuggestedText {
    /// The text.
    pub text: String,
    /// What it opens, a sentence for each rule.
    pub opens: Vec<String>,
}

/// What became of regressions and controls in a round of trying.
#[derive(Debug, Clone, Deserialize)]
pub struct SuggestedRound {
    /// Regressions that were sent.
    pub regressions: usize,
    /// Those that get through.
    pub cured: Vec<CaseId>,
    /// Controls that get in.
    pub let_in: Vec<CaseId>,
}
