//! Proof of delivery, as data.

use std::ops::RangeInclusive;

use super::Secret;

/// What proves that an upload was delivered. Everything that is set must hold.
#[derive(Debug, Clone)]
pub struct Oracle {
    /// The kind of proof that passes rest on.
    pub proof: Proof,
    /// Accepted statuses; for `Proof::Status` it is the whole proof.
    pub status: StatusSet,
    /// A response header that must match.
    pub header: Option<HeaderMatch>,
    /// What the answer's body must hold.
    pub body: Option<BodyMatch>,
    /// A JSON value that the answer's body must hold.
    pub json: Option<JsonMatch>,
    /// Where the receipt is.
    pub receipt: Option<ReceiptSpec>,
    /// How the file is fetched back.
    pub read_back: Option<ReadBack>,
    /// What the origin says when it refuses a file itself.
    pub rejected: Option<BodyMatch>,
}

/// The kind of proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// A JSON document from behind the edge with SHA-256, size, filename, type.
    Receipt,
    /// The upload fetched back, with the same SHA-256.
    ReadBack,
    /// A success marker: header, body text or regular expression, or JSON value.
    Marker,
    /// The status alone. Weak: an edge may answer 200 for a refusal; every report says so.
    Status,
}

/// A set of status codes, such as `200-204` and `302`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusSet(pub Vec<RangeInclusive<u16>>);

impl StatusSet {
    /// Reads `200-299,302`; `None` when a part is no status (100 to 999) or a range is empty.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let status = |text: &str| text.trim().parse().ok().filter(|status| (100..=999).contains(status));
        let range = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (status(first)?, status(last)?);
            (first <= last).then_some(first..=last)
        };
        text.split(',').map(range).collect::<Option<_>>().map(Self)
    }

    /// Whether `status` is in it.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }
}

/// A response header that must be there.
#[derive(Debug, Clone)]
pub struct HeaderMatch {
    /// Header name.
    pub name: String,
    /// Regular expression that its value must match; `None`: any value.
    pub matches: Option<regex::Regex>,
}

/// Text that the body must hold, decoded as UTF-8 or by the answer's charset.
#[derive(Debug, Clone)]
pub enum BodyMatch {
    /// This text.
    Contains(String),
    /// This regular expression.
    Matches(regex::Regex),
}

/// A JSON value that must be there.
#[derive(Debug, Clone)]
pub struct JsonMatch {
    /// JSON pointer, RFC 6901.
    pub pointer: String,
    /// The value; `None`: anything but `null` and `false`.
    pub equals: Option<serde_json::Value>,
}

/// Where a receipt comes from.
#[derive(Debug, Clone)]
pub enum ReceiptSource {
    /// The upload's own answer.
    Answer,
    /// A GET from behind the edge.
    Url {
        /// URL, absolute or relative to the target; `{attempt}`, `{case}` and `{run}` are filled in.
        url: Secret<String>,
        /// Request headers.
        headers: Vec<(String, Secret<String>)>,
    },
}

/// Where a receipt is and how it is read.
#[derive(Debug, Clone)]
pub struct ReceiptSpec {
    /// Where the document comes from.
    pub source: ReceiptSource,
    /// JSON pointer to the SHA-256, hex.
    pub sha256: String,
    /// JSON pointer to the size in bytes.
    pub size: Option<String>,
    /// JSON pointer to the filename as the origin decoded it.
    pub filename: Option<String>,
    /// JSON pointer to the filename's bytes as the origin received them, hex.
    pub filename_hex: Option<String>,
    /// JSON pointer to the part's `Content-Type`.
    pub content_type: Option<String>,
}

/// How the uploaded file is fetched back.
#[derive(Debug, Clone)]
pub struct ReadBack {
    /// URL; may hold captures of the `after` steps, `{attempt}`, `{case}` and `{run}`.
    pub url: Secret<String>,
    /// Request headers.
    pub headers: Vec<(String, Secret<String>)>,
}
