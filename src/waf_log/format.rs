//! Which log it is.

use std::fmt;
use std::str::FromStr;

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
    /// Audit log of ModSecurity 3, and of Coraza in its native layout, with `SecAuditLogFormat JSON`.
    ModSecurity3Json,
    /// Error log of nginx. In detection mode ModSecurity writes at level `info`: a log of level `error` has none of it.
    NginxError,
    /// Error log of Apache.
    ApacheError,
}

impl Format {
    /// All formats, in the order of help texts.
    pub const ALL: [Self; 7] = [
        Self::Auto,
        Self::ModSecurity2Native,
        Self::ModSecurity2Json,
        Self::ModSecurity3Native,
        Self::ModSecurity3Json,
        Self::NginxError,
        Self::ApacheError,
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
        }
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
