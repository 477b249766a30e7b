//! Where an exclusion holds: one method and one path.

use std::fmt::{self, Write as _};

use percent_encoding::percent_decode_str;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::profile::Profile;

/// Where uploads of one kind go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Place {
    /// The host that clients name.
    pub host: String,
    /// The method.
    pub method: String,
    /// The path.
    #[schemars(with = "String")]
    pub path: Path,
}

/// A path without its query. What differs from upload to upload stands for one segment, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    written: String,
}

/// The names that a profile's path may hold, each filled in for an upload.
const FILLED: [&str; 4] = ["{filename}", "{case}", "{attempt}", "{run}"];

impl Place {
    /// Where the profile sends an upload with this method.
    #[must_use]
    pub fn new(profile: &Profile, method: &str) -> Self {
        let target = &profile.target;
        let base = target.path.split('?').next().unwrap_or_default();
        let written = match &profile.upload.path {
            None => base.to_owned(),
            Some(below) => {
                let below = below.split('?').next().unwrap_or_default();
                format!("{}/{}", base.trim_end_matches('/'), below.trim_start_matches('/'))
            }
        };
        let host = target.host_header.clone().unwrap_or_else(|| target.host.clone());
        let host =
            host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host.as_str(), |it| it.0);
        Self { host: host.to_owned(), method: method.to_owned(), path: Path::new(&written) }
    }
}

impl Path {
    /// A path as a profile has it, percent-encoded.
    #[must_use]
    pub fn new(written: &str) -> Self {
        Self { written: if written.is_empty() { "/".to_owned() } else { written.to_owned() } }
    }

    /// The path percent-encoded, where it is the same for every upload.
    #[must_use]
    pub fn exact(&self) -> Option<&str> {
        (!FILLED.iter().any(|name| self.written.contains(name))).then_some(&self.written)
    }

    /// What all its values begin with, percent-encoded.
    #[must_use]
    pub fn prefix(&self) -> &str {
        let end = FILLED.iter().filter_map(|name| self.written.find(name)).min().unwrap_or(self.written.len());
        &self.written[..end]
    }

    /// The decoded bytes that are the same for every upload; between them stands what differs.
    fn literals(&self) -> Vec<Vec<u8>> {
        let mut rest = self.written.clone();
        for name in FILLED {
            rest = rest.replace(name, "\u{0}");
        }
        rest.split('\u{0}').map(|part| percent_decode_str(part).collect()).collect()
    }

    /// A regular expression, of ASCII characters alone, for the decoded path.
    #[must_use]
    pub fn regex(&self) -> String {
        let literals = self.literals();
        let literals: Vec<String> = literals.iter().map(|part| regex_literal(part)).collect();
        format!("^{}$", literals.join("[^/]+"))
    }

    /// Whether it needs no regular expression: letters, digits and few signs, the same for every upload.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.written.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_.~-".contains(&byte))
    }
}

/// Bytes as a regular expression that matches them alone.
fn regex_literal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let plain = byte.is_ascii_alphanumeric() || b"/_-".contains(byte);
        let _ = match byte {
            // Decoding makes a blank of a plus.
            b'+' => write!(out, "[\\x2b\\x20]"),
            byte if plain => write!(out, "{}", char::from(*byte)),
            byte => write!(out, "\\x{byte:02x}"),
        };
        out
    })
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written)
    }
}
