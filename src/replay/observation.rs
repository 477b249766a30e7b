//! The raw facts of one attempt: facts, never opinions.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::corpus::Sha256Digest;

/// The raw facts of one attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// What was sent.
    pub sent: Sent,
    /// What came back; `None`: no status line.
    pub answer: Option<Answer>,
    /// How the attempt ended.
    pub ending: Ending,
    /// When.
    pub timings: Timings,
    /// The address that the connection went to.
    pub peer: Option<SocketAddr>,
    /// `HTTP/1.1` or `HTTP/2`; with TLS, its version after a blank.
    pub protocol: Option<String>,
    /// The connection had carried an earlier request.
    pub reused: bool,
    /// What the receipt says; `None`: the profile asks for none.
    pub receipt: Option<ReceiptFact>,
    /// What read-back gave; `None`: the profile asks for none.
    pub read_back: Option<ReadBackFact>,
    /// The steps around the upload, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepFact>,
}

/// What an attempt sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// SHA-256 of the file.
    pub sha256: Sha256Digest,
    /// Bytes of the file.
    pub size: u64,
    /// Filename bytes between the quotes, hex; `None`: none was sent.
    pub filename_hex: Option<String>,
    /// What an origin may show as the filename when nothing was altered.
    pub filename_readings: Vec<String>,
    /// `Content-Type` of the part; `None`: the client sends none.
    pub content_type: Option<String>,
    /// Bytes of the request's body.
    pub body_bytes: u64,
    /// Body bytes that the peer's network had taken when the answer's first byte came, or when the connection broke.
    pub body_bytes_before_answer: u64,
}

/// An answer, or as much of it as came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Reason phrase, when it is not the standard one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Headers in order, names in lower case, redacted.
    pub headers: Vec<(String, String)>,
    /// The start of the body.
    pub body: BodyHead,
    /// Bytes of the body that were read, before any decoding.
    pub body_bytes: u64,
}

impl Answer {
    /// The first value of a header, by lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The first bytes (64 KiB at most, content-decoding undone where known) of an answer's body.
///
/// In a journal only the digest stands; the bytes are in the run's `answers` folder, once for each distinct body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BodyHead(pub bytes::Bytes);

impl Serialize for BodyHead {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_empty() { serializer.serialize_str("") } else { Sha256Digest::of(&self.0).serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for BodyHead {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The bytes are put back by the reader of the run, which knows its folder.
        <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Ok(Self::default())
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Ending {
    /// The answer was read to its end.
    Complete,
    /// The answer began, and its rest was cut off, stalled or did not end: what came is in `answer`.
    Truncated {
        /// What happened to it.
        detail: String,
    },
    /// The connection was reset or closed without an answer.
    Broken {
        /// When.
        phase: Phase,
        /// Reset or closed, in the system's words.
        detail: String,
    },
    /// No answer in time.
    TimedOut {
        /// When.
        phase: Phase,
    },
    /// Something came that is not HTTP.
    Malformed {
        /// What is wrong with it.
        detail: String,
    },
    /// The request never began.
    Unreachable {
        /// At which layer.
        layer: Unreachable,
        /// In the system's words.
        detail: String,
    },
    /// A step before the upload failed, so that it was not sent.
    StepFailed {
        /// The step.
        step: String,
        /// What was wrong.
        detail: String,
    },
    /// The file could not be read, or changed while it was read: says nothing of the edge.
    FileError {
        /// In the system's words.
        detail: String,
    },
}

impl Ending {
    /// The transport failed after the request had begun: another try may go otherwise.
    #[must_use]
    pub fn failed_in_transport(&self) -> bool {
        match self {
            Self::Broken { .. } | Self::TimedOut { .. } | Self::Malformed { .. } => true,
            Self::Complete
            | Self::Truncated { .. }
            | Self::Unreachable { .. }
            | Self::StepFailed { .. }
            | Self::FileError { .. } => false,
        }
    }
}

/// The part of an attempt in which it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The request was still being sent.
    Sending,
    /// The request was out, and no answer had begun.
    Waiting,
}

/// The layer at which a target could not be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unreachable {
    /// The name has no address.
    Dns,
    /// TCP connect refused or timed out.
    Connect,
    /// The proxy refused, or wants credentials.
    Proxy,
    /// Handshake or certificate.
    Tls,
    /// The HTTP version was not agreed.
    Protocol,
}

/// When things happened, in microseconds from the attempt's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timings {
    /// Connection ready; 0 when it was reused.
    pub connected_us: u64,
    /// Last request byte handed to the network.
    pub sent_us: Option<u64>,
    /// First byte of the answer.
    pub first_byte_us: Option<u64>,
    /// End.
    pub total_us: u64,
}

/// Proof from behind the edge, as the origin saw the upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// SHA-256 of the file as received.
    pub sha256: Sha256Digest,
    /// Bytes of the file as received.
    pub size: Option<u64>,
    /// Filename as the origin decoded it.
    pub filename: Option<String>,
    /// Filename bytes as the origin received them, hex.
    pub filename_hex: Option<String>,
    /// `Content-Type` of the part as received.
    pub content_type: Option<String>,
}

/// What asking for the receipt gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ReceiptFact {
    /// There is one.
    Found(Receipt),
    /// The origin says that it has none: nothing arrived.
    Absent {
        /// What was looked at, and what was there instead.
        detail: String,
    },
    /// The receipt could not be asked for: says nothing of the upload.
    Unavailable {
        /// Status of the answer that says nothing; `None`: no answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// In the system's words.
        detail: String,
    },
}

/// What fetching the upload back gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ReadBackFact {
    /// A body came with a success status.
    Found {
        /// Its digest.
        sha256: Sha256Digest,
        /// Its bytes.
        size: u64,
    },
    /// The origin says that it is not there.
    Absent {
        /// Status of the answer.
        status: u16,
    },
    /// It could not be asked for.
    Unavailable {
        /// Status of the answer that says nothing; `None`: no answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// In the system's words.
        detail: String,
    },
}

/// What one step gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepFact {
    /// The step's name.
    pub name: String,
    /// Status of the answer; `None`: no answer.
    pub status: Option<u16>,
    /// What went wrong, redacted; `None`: nothing.
    pub error: Option<String>,
}
