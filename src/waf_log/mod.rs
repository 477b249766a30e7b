//! What the WAF itself wrote of an upload: audit logs of ModSecurity 2 and 3 and of Coraza, error logs of nginx and Apache,
//! and the logs of vendors: AWS WAF, Cloudflare, Azure, Google Cloud Armor.
//!
//! It only reads files, and gives `Transaction`s; who joins them to cases is to the right of it. A log is read
//! in bounded memory whatever is in it: ModSecurity 3 logs the matched value, which can be the whole attachment.
//! For the same reason nothing of what matched is kept beyond `MATCHED_CHARS` characters.

mod aws_waf;
mod azure_waf;
mod cloud_armor;
mod cloudflare;
mod coraza;
mod error_log;
mod format;
mod group;
mod hit;
mod json_filter;
mod json_records;
mod json_text;
mod lines;
mod modsecurity_json;
mod native;
mod read;
mod redact;
mod rule_text;
mod tail;
mod transaction;

use serde::{Deserialize, Serialize};

pub use format::Format;
pub use hit::{Action, RuleHit, refusing_hit, would_block};
pub use read::{MAX_SKIPPED, Skipped, Summary, read};
pub use redact::{MATCHED_CHARS, MESSAGE_CHARS, MatchedData};
pub use tail::{Position, Rotated};

/// Rule hits that are kept of one transaction; those past it are counted in [`Transaction::hits_left_off`].
pub const MAX_HITS: usize = 256;

/// What the WAF wrote of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// The engine's or vendor's own id of it; `None` where a web server refused without asking the engine.
    pub unique_id: Option<String>,
    /// The attempt: the request header `X-Wafcanary-Attempt`, or an attempt's id in the query of the request line.
    pub attempt: Option<String>,
    /// The case: the request header `X-Wafcanary-Case`, percent-encoded as it was sent.
    pub case: Option<String>,
    /// When, as the log has it.
    pub at: Option<String>,
    /// Status of the answer.
    pub status: Option<u16>,
    /// `SecRuleEngine`; `None` where the log does not tell (error logs, and the native audit log of ModSecurity 3).
    /// Who knows it from elsewhere may set it before asking [`would_block`].
    pub engine_mode: Option<EngineMode>,
    /// The engine, or the web server by its own limit, refused the request.
    pub intercepted: bool,
    /// Total inbound anomaly score of the CRS, where a rule that ends the evaluation logged it.
    pub anomaly_score: Option<u32>,
    /// The rules that fired, in the order of the log, [`MAX_HITS`] at most.
    pub hits: Vec<RuleHit>,
    /// Hits past [`MAX_HITS`].
    pub hits_left_off: u32,
}

/// `SecRuleEngine`, or the mode of a vendor's policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineMode {
    /// Rules refuse.
    On,
    /// Rules log what they would have refused.
    DetectionOnly,
    /// Rules are not evaluated.
    Off,
}

impl EngineMode {
    /// Reads `ENABLED`, `DETECTION_ONLY` (ModSecurity 2), `Enabled`, `DetectionOnly` (3), `On`, `Off`, `Disabled`.
    fn parse(text: &str) -> Option<Self> {
        let text: String = text.chars().filter(char::is_ascii_alphabetic).take(16).collect();
        match text.to_ascii_lowercase().as_str() {
            "enabled" | "on" => Some(Self::On),
            "detectiononly" => Some(Self::DetectionOnly),
            "disabled" | "off" => Some(Self::Off),
            _ => None,
        }
    }
}
