//! From the verdicts of a case's rounds to one.

use serde::{Deserialize, Serialize};

use super::outcome::{Count, Outcome, Verdict};

/// How far the rounds of a case agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// All rounds have the same outcome.
    Unanimous,
    /// More than half of the rounds have the settled outcome.
    Majority,
    /// No outcome has more than half of the rounds: ask again, or call it flaky.
    Split,
}

/// Settles a case: the outcome of the most rounds, with the verdict of the first round that had it.
///
/// Between outcomes of equally many rounds the one that is furthest from a pass wins: not knowing before a failure,
/// a failure before a pass. No rounds at all are `unreachable`. So a pass needs more than half of the rounds,
/// or all of them to be passes.
#[must_use]
pub fn settle(rounds: &[Verdict]) -> (Verdict, Agreement) {
    let times = |outcome: Outcome| rounds.iter().filter(|round| round.outcome == outcome).count();
    let rank = |outcome: Outcome| match outcome.count() {
        Count::Pass => 0,
        Count::Fail => 1,
        Count::Inconclusive => 2,
    };
    // `max_by_key` takes the last of equals; reversed, that is the first in the order of reports.
    let settled = Outcome::ALL.into_iter().rev().max_by_key(|outcome| (times(*outcome), rank(*outcome)));
    let verdict = settled.and_then(|settled| rounds.iter().find(|round| round.outcome == settled));
    let Some(verdict) = verdict else {
        return (Verdict::plain(Outcome::Unreachable, None, "the case was never asked"), Agreement::Split);
    };
    let agreeing = times(verdict.outcome);
    let agreement = match agreeing {
        all if all == rounds.len() => Agreement::Unanimous,
        most if most * 2 > rounds.len() => Agreement::Majority,
        _ => Agreement::Split,
    };
    (verdict.clone(), agreement)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(outcomes: &[Outcome]) -> (Outcome, Agreement) {
        let rounds: Vec<_> = outcomes.iter().map(|outcome| Verdict::plain(*outcome, None, "x")).collect();
        let (verdict, agreement) = settle(&rounds);
        (verdict.outcome, agreement)
    }

    #[test]
    fn the_majority_of_rounds_settles() {
        use Outcome::{Blocked, Delivered, Dropped, Unreachable};
        assert_eq!(settled(&[Delivered]), (Delivered, Agreement::Unanimous));
        assert_eq!(settled(&[Delivered, Blocked, Delivered]), (Delivered, Agreement::Majority));
        assert_eq!(settled(&[Delivered, Blocked]), (Blocked, Agreement::Split));
        assert_eq!(settled(&[Delivered, Unreachable]), (Unreachable, Agreement::Split));
        assert_eq!(settled(&[Blocked, Unreachable]), (Unreachable, Agreement::Split));
        assert_eq!(settled(&[Dropped, Blocked, Delivered]), (Blocked, Agreement::Split));
    }

    #[test]
    fn no_rounds_are_never_a_pass() {
        assert_eq!(settled(&[]), (Outcome::Unreachable, Agreement::Split));
    }
}
