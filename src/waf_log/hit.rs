//! One rule that fired, and whether it would have refused the request.

use serde::{Deserialize, Serialize};

use super::redact::MatchedData;
use super::{EngineMode, Transaction};

/// A rule that fired, or a limit that was exceeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RuleHit {
    /// The rule's id. `None`: no rule but the engine or the server itself, as for a body over the limit; or the
    /// server cut the line before the id.
    pub id: Option<String>,
    /// The rule's `msg`, or the engine's own words; [`super::MESSAGE_CHARS`] characters at most.
    pub message: String,
    /// Phase 1 to 5, where the log tells.
    pub phase: Option<u8>,
    /// Where it matched: `FILES:f`, `REQUEST_BODY`, `TX:ANOMALY_SCORE`.
    pub variable: Option<String>,
    /// The start of what matched; the rule's `logdata` where it has one, else the value.
    pub data: Option<MatchedData>,
    /// `CRITICAL`, `ERROR`, `WARNING`, `NOTICE`, …; `None` where the rule sets none.
    pub severity: Option<String>,
    /// A rule of the OWASP CRS: by its tag, its `ver` or its range of ids.
    pub crs: bool,
    /// What it did to the request, or would do to it.
    pub action: Action,
}

/// What a hit does to the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The request was refused because of it.
    Refused,
    /// Its rule refuses, but here it was only logged.
    Disruptive,
    /// It logs or scores: alone it refuses nothing.
    NonDisruptive,
    /// The log does not tell: in detection mode ModSecurity writes `Warning.` for `deny` and for `pass` alike.
    Unknown,
}

impl RuleHit {
    /// Whether its action refuses requests, as far as the log or the rule's id tells.
    #[must_use]
    pub fn disruptive(&self) -> bool {
        matches!(self.action, Action::Refused | Action::Disruptive)
    }
}

/// Whether the request was let through, and the same engine in blocking mode would have refused it.
///
/// The rules, for ModSecurity 2 and 3:
///
/// * What was refused is not *would be*: `false` when [`Transaction::intercepted`], and when the engine is `On` or `Off`.
/// * A scoring rule of the CRS refuses nothing; its blocking evaluation of the request does (949110, 949111; also
///   901001, 901500, 912120, 949100, which deny or drop by themselves). The evaluation of the response (959100, 959101)
///   and rules of phases 3 to 5 say nothing of the upload: it has arrived by then.
/// * Rules 200002 to 200005 and 200007 of the recommended configuration deny.
/// * Any other rule outside the CRS counts in detection mode. Its action is in no log but part K of ModSecurity 2, so a
///   site's rule with `pass,log` would be counted too, unless part K tells, or its severity is `NOTICE` or below.
/// * A body over the limit is logged by ModSecurity 2 (and truncated for the rules), and counts, because
///   `SecRequestBodyLimitAction` is `Reject` unless it is set; it is not logged by ModSecurity 3 at all.
/// * When the mode is not known only rules that are known to refuse count: `Warning.` from one of them is
///   proof of detection mode, and from any other rule it is not.
/// * A vendor's log tells of each rule itself: one that counts, logs, detects or is previewed is
///   [`Action::Disruptive`], one that scores or lets pass is [`Action::NonDisruptive`].
#[must_use]
pub fn would_block(transaction: &Transaction) -> bool {
    !transaction.intercepted
        && match transaction.engine_mode {
            Some(EngineMode::On | EngineMode::Off) => false,
            Some(EngineMode::DetectionOnly) | None => refusing_hit(transaction).is_some(),
        }
}

/// The first hit that refused the request, or would have in blocking mode: the same rules as [`would_block`].
#[must_use]
pub fn refusing_hit(transaction: &Transaction) -> Option<&RuleHit> {
    let detecting = transaction.engine_mode == Some(EngineMode::DetectionOnly);
    let of = |wanted: Action| transaction.hits.iter().find(move |hit| hit.action == wanted);
    of(Action::Refused).or_else(|| of(Action::Disruptive)).or_else(|| {
        let doubtful = |hit: &&RuleHit| hit.action == Action::Unknown && !is_low(hit.severity.as_deref());
        transaction.hits.iter().filter(|_| detecting).find(doubtful)
    })
}

/// Severities of rules that inform.
fn is_low(severity: Option<&str>) -> bool {
    matches!(severity, Some("NOTICE" | "INFO" | "DEBUG"))
}
