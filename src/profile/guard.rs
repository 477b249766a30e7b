//! What may be sent, where, how fast and for how long.

use std::time::Duration;

/// The fence around a profile.
#[derive(Debug, Clone)]
pub struct Guard {
    /// Hosts that requests may go to, by the URL's name.
    pub allowed_hosts: Vec<String>,
    /// The owner of the edge agreed to controls (files that must be blocked).
    pub authorized: bool,
    /// What stands behind the target.
    pub environment: Environment,
    /// Append the tool's name to the client's `User-Agent`; off: byte for byte as captured, and only the case header names the tool.
    pub identify_user_agent: bool,
}

/// What stands behind a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// An embedded or local lab.
    Lab,
    /// A staging edge or zone.
    Staging,
    /// The real thing: sending needs `--allow-production`.
    Production,
}

/// How fast, how many at a time, how much at most.
#[derive(Debug, Clone, PartialEq)]
pub struct Pace {
    /// Requests a second; `None`: as fast as `concurrency` allows.
    pub rate: Option<f64>,
    /// Requests under way at once.
    pub concurrency: usize,
    /// Requests that may start at once after a pause.
    pub burst: u32,
    /// Requests in the whole run, canary controls and retries included; `None`: no ceiling.
    pub max_requests: Option<u64>,
    /// Body bytes in the whole run; `None`: no ceiling.
    pub max_bytes: Option<u64>,
    /// A canary control is sent after so many requests; 0: none.
    pub canary_every: u64,
    /// Times that an attempt which failed in transport is tried again within its round.
    pub retries: u32,
    /// The longest `Retry-After` that is waited for; a longer one ends the run as throttled.
    pub max_retry_after: Duration,
}

/// How long to wait.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeouts {
    /// For DNS, TCP, proxy and TLS together.
    pub connect: Duration,
    /// From the last sent byte to the answer's first.
    pub answer: Duration,
    /// Without any byte in either direction.
    pub idle: Duration,
    /// For the whole attempt.
    pub total: Duration,
}
