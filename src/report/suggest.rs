//! Suggested exclusions as a document, and what is said of them beside their text.

use schemars::JsonSchema;
use serde::Serialize;

use super::text::{plural, visible};
use crate::corpus::CaseId;
use crate::suggest::{Language, Round, SCHEMA_VERSION, Snippet, Suggestion};

/// Cases that are named of each kind.
const LISTED: usize = 5;

/// Suggested exclusions, as `suggest --json` writes them: see `schema/suggestion.json`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SuggestionDocument {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The language of the text.
    pub language: String,
    /// The exclusions, and the cases without one.
    #[serde(flatten)]
    pub suggestion: Suggestion,
    /// The text.
    pub snippet: Snippet,
    /// The rounds in which it was tried; none: it was not.
    pub rounds: Vec<Round>,
}

impl SuggestionDocument {
    /// The document of a suggestion in the language of this name.
    #[must_use]
    pub fn new(name: &str, suggestion: Suggestion, language: Language, first_id: u32, rounds: Vec<Round>) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            language: name.to_owned(),
            snippet: suggestion.snippet(language, first_id),
            suggestion,
            rounds,
        }
    }

    /// Whether every case has its exclusions, and all of them are in the text.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.suggestion.unsolved.is_empty() && self.snippet.left_out.is_empty()
    }
}

/// What is said beside the text: what the exclusions open, how the text is used, and what has none.
#[must_use]
pub fn suggestion_lines(document: &SuggestionDocument) -> Vec<String> {
    let mut lines = Vec::new();
    // Text with comments says it itself.
    for opens in document.snippet.opens.iter().filter(|_| !document.snippet.commented) {
        lines.push(format!("opens: {}", visible(opens)));
    }
    for note in &document.snippet.notes {
        lines.push(format!("note: {}", visible(note)));
    }
    for left_out in &document.snippet.left_out {
        lines.push(format!("not written: {}", visible(left_out)));
    }
    let mut whys: Vec<(&str, Vec<&str>)> = Vec::new();
    for unsolved in &document.suggestion.unsolved {
        match whys.iter_mut().find(|(why, _)| *why == unsolved.why) {
            Some((_, cases)) => cases.push(unsolved.case.as_str()),
            None => whys.push((&unsolved.why, vec![unsolved.case.as_str()])),
        }
    }
    for (why, cases) in whys {
        let such = if cases.len() > 1 { "such as " } else { "" };
        let count = plural(cases.len(), "case has", "cases have");
        lines.push(format!("{count} no exclusion ({such}{}): {}", cases[0], visible(why)));
    }
    lines
}

/// What a round of trying showed.
#[must_use]
pub fn trial_lines(round: &Round) -> Vec<String> {
    let mut lines = vec![format!(
        "round {}, with {}: cured {} of {}, {} of {} let in",
        round.number,
        plural(round.exclusions, "exclusion", "exclusions"),
        round.cured.len(),
        round.regressions,
        round.let_in.len(),
        plural(round.kept_out + round.let_in.len(), "control", "controls"),
    )];
    let told = [
        ("still refused", &round.refused),
        ("nothing can be said of", &round.unclear),
        ("LET IN, and the staging WAF still has these exclusions", &round.let_in),
    ];
    for (what, cases) in told.into_iter().filter(|(_, cases)| !cases.is_empty()) {
        let names: Vec<&str> = cases.iter().take(LISTED).map(CaseId::as_str).collect();
        let more =
            if cases.len() > names.len() { format!(" and {} more", cases.len() - names.len()) } else { String::new() };
        lines.push(format!("  {what}: {}{more}", names.join(", ")));
    }
    if round.in_before > 0 {
        lines.push(format!("  {} of these get in on the baseline as well", round.in_before));
    }
    lines
}
