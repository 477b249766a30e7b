//! The class of a pair of outcomes.

use serde::{Deserialize, Serialize};

use crate::corpus::Intent;
use crate::verdict::Outcome;

/// What changed for one case from baseline to candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A legitimate file that got through and no longer does: the regression.
    NewlyBlocked,
    /// A control that was kept out, or changed on its way, and now gets further.
    ProtectionLost,
    /// A file that now arrives altered and did not before: it arrived intact, or was visibly refused.
    NewlyAltered,
    /// Still gets through, and only because the candidate's rules log (count or detection mode) what they would refuse.
    WouldBlock,
    /// The edge disagrees with itself on the same case.
    Flaky,
    /// One side could not be asked.
    Inconclusive,
    /// In the baseline only: the candidate was not asked.
    OnlyInBaseline,
    /// In the candidate only.
    OnlyInCandidate,
    /// Neither better nor worse, but for another reason than before.
    ReasonChanged,
    /// A legitimate file that was refused and now gets through.
    NewlyDelivered,
    /// A control that got further before.
    ProtectionGained,
    /// The same on both sides.
    Unchanged,
}

impl Class {
    /// All classes, gravest first.
    pub const ALL: [Self; 12] = [
        Self::NewlyBlocked,
        Self::ProtectionLost,
        Self::NewlyAltered,
        Self::WouldBlock,
        Self::Flaky,
        Self::Inconclusive,
        Self::OnlyInBaseline,
        Self::OnlyInCandidate,
        Self::ReasonChanged,
        Self::NewlyDelivered,
        Self::ProtectionGained,
        Self::Unchanged,
    ];

    /// The classes of which it can't be said that what got through still does, and what was kept out still is.
    pub const DOUBTFUL: [Self; 7] = [
        Self::NewlyBlocked,
        Self::ProtectionLost,
        Self::NewlyAltered,
        Self::WouldBlock,
        Self::Flaky,
        Self::Inconclusive,
        Self::OnlyInBaseline,
    ];

    /// Whether something is worse for sure: it is lost, changed or let in, or is as soon as the candidate blocks.
    #[must_use]
    pub fn is_grave(self) -> bool {
        match self {
            Self::NewlyBlocked | Self::ProtectionLost | Self::NewlyAltered | Self::WouldBlock => true,
            Self::Flaky
            | Self::Inconclusive
            | Self::OnlyInBaseline
            | Self::OnlyInCandidate
            | Self::ReasonChanged
            | Self::NewlyDelivered
            | Self::ProtectionGained
            | Self::Unchanged => false,
        }
    }

    /// The name in records and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NewlyBlocked => "newly_blocked",
            Self::ProtectionLost => "protection_lost",
            Self::NewlyAltered => "newly_altered",
            Self::WouldBlock => "would_block",
            Self::Flaky => "flaky",
            Self::Inconclusive => "inconclusive",
            Self::OnlyInBaseline => "only_in_baseline",
            Self::OnlyInCandidate => "only_in_candidate",
            Self::ReasonChanged => "reason_changed",
            Self::NewlyDelivered => "newly_delivered",
            Self::ProtectionGained => "protection_gained",
            Self::Unchanged => "unchanged",
        }
    }
}

/// How far an upload got: what the classes look at of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Not known.
    Unknown,
    /// Kept out by the edge.
    Edge,
    /// Past the edge, and refused by the origin.
    Origin,
    /// Arrived, with something changed.
    Altered,
    /// Arrived intact, and gone later.
    Lost,
    /// Arrived intact.
    Whole,
}

impl Reach {
    fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Delivered => Self::Whole,
            Outcome::Altered => Self::Altered,
            Outcome::Blocked | Outcome::TooLarge | Outcome::Challenged | Outcome::Dropped => Self::Edge,
            Outcome::Rejected => Self::Origin,
            Outcome::Lost => Self::Lost,
            Outcome::Throttled | Outcome::Unreachable => Self::Unknown,
        }
    }
}

impl Class {
    /// The class of a case that both edges were asked, each of which agrees with itself.
    ///
    /// A legitimate file is worth what arrives intact. One that was refused and now arrives altered is
    /// `newly_altered`: silent damage is graver than a refusal that its sender sees.
    ///
    /// A control is worth being kept out *by the edge*. One that arrives altered may still carry its attack (only the
    /// filename may have changed), and one that the origin refuses has passed the edge: so kept out, refused by the
    /// origin, altered, whole are steps inwards, and a step inwards is a lost protection.
    ///
    /// Refusals of both that differ in kind are `reason_changed`; those of one kind are compared further by
    /// signature and status, outside this table.
    #[must_use]
    pub fn of(intent: Intent, baseline: Outcome, candidate: Outcome) -> Self {
        use Reach::{Altered, Edge, Lost, Origin, Unknown, Whole};
        let other_reason = if baseline == candidate { Self::Unchanged } else { Self::ReasonChanged };
        match (intent, Reach::of(baseline), Reach::of(candidate)) {
            (_, Unknown, Unknown | Edge | Origin | Altered | Lost | Whole)
            | (_, Edge | Origin | Altered | Lost | Whole, Unknown) => Self::Inconclusive,

            (Intent::Legit, Whole, Whole) | (Intent::Legit, Altered, Altered) => Self::Unchanged,
            (Intent::Legit, Whole | Edge | Origin | Lost, Altered) => Self::NewlyAltered,
            (Intent::Legit, Whole | Altered, Edge | Origin | Lost) => Self::NewlyBlocked,
            (Intent::Legit, Edge | Origin | Altered | Lost, Whole) => Self::NewlyDelivered,
            (Intent::Legit, Edge | Origin | Lost, Edge | Origin | Lost)
            | (Intent::Control, Edge, Edge)
            | (Intent::Control, Origin, Origin)
            | (Intent::Control, Altered, Altered)
            | (Intent::Control, Whole | Lost, Whole | Lost) => other_reason,
            (Intent::Control, Edge, Origin | Altered | Lost | Whole)
            | (Intent::Control, Origin, Altered | Lost | Whole)
            | (Intent::Control, Altered, Lost | Whole) => Self::ProtectionLost,
            (Intent::Control, Origin | Altered | Lost | Whole, Edge)
            | (Intent::Control, Altered | Lost | Whole, Origin)
            | (Intent::Control, Lost | Whole, Altered) => Self::ProtectionGained,
        }
    }
}
