//! Which log it is.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The format of a WAF's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// Told by the log's first lines.
    #[default]
    Auto,
    /// Audit log of ModSecurity 2 with `SecAuditLogFormat Native`.
    ModSecurity2Native,
    /// Audit log of ModSecurity 2 with `SecAuditLogFormat JSON`.
    ModSecurity2Json,
    /// Audit log of ModSecurity 3 with `SecAuditLogFormat Native`.
    ModSecurity3Native,
    /// Audit log of ModSecurity 3 with `SecAuditLogFormat JSON`.
    ModSecurity3Json,
    /// Error log of nginx. In detection mode ModSecurity writes at level `info`: a log of level `error` has none of it.
    NginxError,
    /// Error log of Apache.
    ApacheError,
    /// Audit log of Coraza with `SecAuditLogFormat JSON`.
    Coraza,
    /// Log of AWS WAF.
    AwsWaf,
    /// Logpush dataset `firewall_events` of Cloudflare, or `http_requests`.
    Cloudflare,
    /// Firewall log of Azure's Application Gateway or Front Door.
    AzureWaf,
    /// Request log of a Google Cloud load balancer with Cloud Armor.
    CloudArmor,
}

impl Format {
    /// All formats, in the order of help texts.
    pub const ALL: [Self; 12] = [
        Self::Auto,
        Self::ModSecurity2Native,
        Self::ModSecurity2Json,
        Self::ModSecurity3Native,
        Self::ModSecurity3Json,
        Self::NginxError,
        Self::ApacheError,
        Self::Coraza,
        Self::AwsWaf,
        Self::Cloudflare,
        Self::AzureWaf,
        Self::CloudArmor,
    ];

    /// The name on the command line and in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::ModSecurity2Native => "modsecurity2-native",
            Self::ModSecurity2Json => "modsecurity2-json",
            Self::ModSecurity3Native => "modsecurity3-native",
            Self::ModSecurity3Json => "modsecurity3-json",
            Self::NginxError => "nginx-error",
            Self::ApacheError => "apache-error",
            Self::Coraza => "coraza",
            Self::AwsWaf => "aws-waf",
            Self::Cloudflare => "cloudflare",
            Self::AzureWaf => "azure-waf",
            Self::CloudArmor => "cloud-armor",
        }
    }
}

impl Format {
    /// Whether its records may lie in a document that is broken over lines.
    pub(super) fn may_be_document(self) -> bool {
        matches!(self, Self::Coraza | Self::AwsWaf | Self::Cloudflare | Self::AzureWaf | Self::CloudArmor)
    }

    /// Whether each rule that fired has a record of its own.
    pub(super) fn tells_in_pieces(self) -> bool {
        matches!(self, Self::Cloudflare | Self::AzureWaf)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|format| format.as_str() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|format| format.as_str()).collect();
            Error::usage(format!("`{text}` is not a format of a WAF's log"))
                .help(format!("write one of {}", names.join(", ")))
        })
    }
}

impl Serialize for Format {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

/// Bytes of a log that its format is told by.
pub(super) const HEAD: u64 = 64 << 10;

/// What Windows writes before a text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Tells the format by the first line that can be one, or by all of it where a JSON document is broken over lines.
pub(super) fn detect(head: &[u8]) -> Option<Format> {
    const LINES: usize = 50;
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
    let of_lines = head.split(|byte| *byte == b'\n').take(LINES).find_map(of_line);
    of_lines.or_else(|| if let [b'{' | b'[', ..] = head.trim_ascii_start() { of_vendor(head) } else { None })
}

fn of_line(line: &[u8]) -> Option<Format> {
    let has = |text: &str| has(line, text);
    match line {
        [b'{', ..] => of_vendor(line).or_else(|| of_engine(line)),
        [b'-', b'-', b'-', .., b'-', b'A', b'-', b'-'] => Some(Format::ModSecurity3Native),
        [b'-', b'-', .., b'-', b'A', b'-', b'-'] => Some(Format::ModSecurity2Native),
        // `2026/11/25 21:00:27 [error]`
        [y, _, _, _, b'/', _, _, b'/', _, _, b' ', .., _] if y.is_ascii_digit() && has(" [") => {
            Some(Format::NginxError)
        }
        // `[Wed Nov 25 21:00:31.117172 2026] [security2:error]`
        [b'[', rest @ ..] if starts_with_day(rest) && has("] [") => Some(Format::ApacheError),
        _ => None,
    }
}

fn has(text: &[u8], words: &str) -> bool {
    memchr::memmem::find(text, words.as_bytes()).is_some()
}

/// A vendor's log, by names of fields: in a value their quotes would be escaped.
fn of_vendor(json: &[u8]) -> Option<Format> {
    let has = |text: &str| has(json, text);
    if has("\"webaclId\"") && has("\"terminatingRuleId\"") {
        Some(Format::AwsWaf)
    } else if has("\"RayID\"") && (has("\"Action\"") || has("\"SecurityAction")) {
        Some(Format::Cloudflare)
    } else if has("\"ApplicationGatewayFirewallLog\"") || has("oorWebApplicationFirewallLog\"") {
        Some(Format::AzureWaf)
    } else if has("\"jsonPayload\"") && (has("SecurityPolicy\"") || has(".LoadBalancerLogEntry\"")) {
        Some(Format::CloudArmor)
    } else {
        None
    }
}

/// An engine's audit log in JSON.
fn of_engine(json: &[u8]) -> Option<Format> {
    if has(json, "\"transaction_id\"") {
        Some(Format::ModSecurity2Json)
    } else if !has(json, "\"transaction\"") {
        None
    } else if has(json, "\"unix_timestamp\"") {
        Some(Format::Coraza)
    } else {
        Some(Format::ModSecurity3Json)
    }
}

fn starts_with_day(text: &[u8]) -> bool {
    [b"Mon ", b"Tue ", b"Wed ", b"Thu ", b"Fri ", b"Sat ", b"Sun "].iter().any(|day| text.starts_with(*day))
}

/// Whether it is the index of a concurrent audit log.
pub(super) fn is_index(head: &[u8]) -> bool {
    let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    super::read::index_entry(&String::from_utf8_lossy(first)).is_some()
}

/// A log whose format cannot be told.
pub(super) fn unknown(path: &Path, head: &[u8]) -> Error {
    let blank = head.split(|byte| *byte == b'\n').take_while(|line| line.trim_ascii().is_empty()).count();
    let names: Vec<_> = Format::ALL[1..].iter().map(|format| format.as_str()).collect();
    let line = blank + 1;
    Error::usage(format!("the format of the WAF's log cannot be told: line {line} is of none")).file(path).help(
        format!("write it after the file's name, as in `FILE:{}`; the others are {}", names[0], names[1..].join(", ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse::<Format>().expect("a name"), format);
            let stored = serde_json::to_string(&format).expect("a text");
            assert_eq!(serde_json::from_str::<Format>(&stored).expect("a name"), format);
        }
        assert!("modsecurity".parse::<Format>().is_err());
    }
}
