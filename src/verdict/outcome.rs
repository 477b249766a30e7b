//! What an observation means.

use serde::{Deserialize, Serialize};

use super::Text;

/// What became of one case. A pass is proven delivery; anything else is not a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The profile's proof holds.
    Delivered,
    /// It arrived, but bytes, filename or type differ.
    Altered,
    /// Refused, or no proof of delivery.
    Blocked,
    /// Refused for its size.
    TooLarge,
    /// A CAPTCHA or JavaScript challenge.
    Challenged,
    /// The connection broke, or no answer in time, after the request began, and again on retry.
    Dropped,
    /// The origin itself refused it.
    Rejected,
    /// Delivered once, and no longer there.
    Lost,
    /// 429, or a ban seen through the canary control.
    Throttled,
    /// DNS, connect, TLS, proxy, credentials: the edge was never asked. Also a file that could not be read.
    Unreachable,
}

/// What an outcome counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Count {
    /// Proven delivery.
    Pass,
    /// Not delivered, and we know it.
    Fail,
    /// We don't know.
    Inconclusive,
}

impl Outcome {
    /// All outcomes, in the order of reports.
    pub const ALL: [Self; 10] = [
        Self::Delivered,
        Self::Altered,
        Self::Blocked,
        Self::TooLarge,
        Self::Challenged,
        Self::Dropped,
        Self::Rejected,
        Self::Lost,
        Self::Throttled,
        Self::Unreachable,
    ];

    /// What it counts as.
    #[must_use]
    pub fn count(self) -> Count {
        match self {
            Self::Delivered => Count::Pass,
            Self::Altered
            | Self::Blocked
            | Self::TooLarge
            | Self::Challenged
            | Self::Dropped
            | Self::Rejected
            | Self::Lost => Count::Fail,
            Self::Throttled | Self::Unreachable => Count::Inconclusive,
        }
    }

    /// Whether the upload got past the edge, whatever became of it there: what a control must not.
    #[must_use]
    pub fn is_past_edge(self) -> bool {
        match self {
            Self::Delivered | Self::Altered | Self::Rejected | Self::Lost => true,
            Self::Blocked | Self::TooLarge | Self::Challenged | Self::Dropped | Self::Throttled | Self::Unreachable => {
                false
            }
        }
    }

    /// The name in records and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Altered => "altered",
            Self::Blocked => "blocked",
            Self::TooLarge => "too_large",
            Self::Challenged => "challenged",
            Self::Dropped => "dropped",
            Self::Rejected => "rejected",
            Self::Lost => "lost",
            Self::Throttled => "throttled",
            Self::Unreachable => "unreachable",
        }
    }
}

/// An outcome with its proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The outcome.
    pub outcome: Outcome,
    /// The edge's signature that matched, or `unrecognised` for a refusal that none matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Text>,
    /// Status of the answer that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What was seen, in one or two sentences: what matched, at which step, with which bytes.
    pub evidence: Text,
    /// A rule fired without blocking (count, log or detection mode).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub would_block: bool,
}

impl Verdict {
    /// A verdict without signature.
    pub(super) fn plain(outcome: Outcome, status: Option<u16>, evidence: &str) -> Self {
        Self { outcome, signature: None, status, evidence: evidence.into(), would_block: false }
    }
}
