//! The class of a pair of outcomes.

use serde::{Deserialize, Serialize};

/// What changed for one case from baseline to candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A legitimate file that got through and no longer does: the regression.
    NewlyBlocked,
    /// A control that was blocked and now gets in.
    ProtectionLost,
    /// A file that arrived intact and now arrives altered.
    NewlyAltered,
    /// The edge disagrees with itself on the same case.
    Flaky,
    /// One side could not be asked.
    Inconclusive,
    /// In the baseline only: the candidate was not asked.
    OnlyInBaseline,
    /// In the candidate only.
    OnlyInCandidate,
    /// Refused by both, for another reason than before.
    ReasonChanged,
    /// A legitimate file that was refused and now gets through.
    NewlyDelivered,
    /// A control that got in and is now blocked.
    ProtectionGained,
    /// The same on both sides.
    Unchanged,
}

impl Class {
    /// All classes, gravest first.
    pub const ALL: [Self; 11] = [
        Self::NewlyBlocked,
        Self::ProtectionLost,
        Self::NewlyAltered,
        Self::Flaky,
        Self::Inconclusive,
        Self::OnlyInBaseline,
        Self::OnlyInCandidate,
        Self::ReasonChanged,
        Self::NewlyDelivered,
        Self::ProtectionGained,
        Self::Unchanged,
    ];

    /// The name in records and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NewlyBlocked => "newly_blocked",
            Self::ProtectionLost => "protection_lost",
            Self::NewlyAltered => "newly_altered",
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
