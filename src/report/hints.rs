//! Advice computed from what was seen.

use std::collections::BTreeSet;

use super::RunView;
use super::view::{View, sides};
use crate::verdict::Outcome;

/// What to do about a comparison's outcomes, each hint once.
pub(crate) fn for_comparison(view: &View<'_>) -> Vec<String> {
    let sides = sides(view.comparison);
    let seen = sides.iter().flat_map(|(_, _, outcomes)| outcomes.keys().copied()).collect();
    let mut hints = for_outcomes(&seen);
    if view.counts.get(&crate::compare::Class::Flaky).is_some_and(|count| *count > 0) {
        hints.push("flaky cases: more rounds tell chance from a rule".into());
    }
    let weak = sides.iter().any(|(_, side, _)| side.run.proof == crate::profile::Proof::Status);
    hints.extend(weak.then(weak_proof));
    hints
}

/// What to do about a run's outcomes, each hint once.
pub(crate) fn for_run(view: &RunView<'_>) -> Vec<String> {
    let mut hints = for_outcomes(&view.outcomes.keys().copied().collect());
    hints.extend((view.run.manifest.proof == crate::profile::Proof::Status).then(weak_proof));
    hints
}

fn weak_proof() -> String {
    "`proof = \"status\"`: let the origin give a receipt, or name a success marker, so that a pass is proven".into()
}

fn for_outcomes(seen: &BTreeSet<Outcome>) -> Vec<String> {
    seen.iter().filter_map(|outcome| for_outcome(*outcome)).map(ToOwned::to_owned).collect()
}

fn for_outcome(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Delivered | Outcome::Blocked => None,
        Outcome::Altered => {
            Some("altered: compare the receipt's digest, filename and type with the sent ones; the edge rewrites")
        }
        Outcome::TooLarge => Some("too_large: compare the body size limits of the two plans and of the origin"),
        Outcome::Challenged => {
            Some("challenged: people may solve a CAPTCHA, a form's background upload cannot; exempt the upload path")
        }
        Outcome::Dropped => {
            Some("dropped: users see a broken network, and the origin's log has nothing; look at the edge's log")
        }
        Outcome::Rejected => Some("rejected: the application refused the file itself; no change of the edge will help"),
        Outcome::Lost => Some("lost: the upload was accepted and is gone; look behind the edge, at the store"),
        Outcome::Throttled => Some("throttled: lower `pace.rate` in the profile, or have the edge allow this address"),
        Outcome::Unreachable => Some("unreachable: check address, proxy, certificates and credentials of the profile"),
    }
}
