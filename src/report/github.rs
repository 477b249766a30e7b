//! What a GitHub Actions step hands on.

use std::fmt::Write as _;

use crate::compare::{Comparison, Decision};

use super::View;
use super::view::exit_code;

/// Lines for `$GITHUB_OUTPUT`: `decision`, `exit_code`, `cases`, the number of cases in each class (`newly_blocked`, …),
/// `findings`, `waived` and `procedures_hit`. Only fixed words and numbers, so that no filename can add a line.
#[must_use]
pub fn github_output(comparison: &Comparison) -> String {
    let view = View::new(comparison);
    let mut lines = github_decision(comparison.decision);
    let _ = writeln!(lines, "cases={}", comparison.cases.len());
    for (class, count) in &view.counts {
        let _ = writeln!(lines, "{}={count}", class.as_str());
    }
    for (key, count) in
        [("findings", view.findings.len()), ("waived", view.waived.len()), ("procedures_hit", view.procedures.len())]
    {
        let _ = writeln!(lines, "{key}={count}");
    }
    lines
}

/// The lines `decision` and `exit_code` of [`github_output`]: all that there is where nothing was compared.
#[must_use]
pub fn github_decision(decision: Decision) -> String {
    let word = match decision {
        Decision::Pass => "pass",
        Decision::Fail => "fail",
        Decision::Inconclusive => "inconclusive",
    };
    format!("decision={word}\nexit_code={}\n", exit_code(decision) as u8)
}
