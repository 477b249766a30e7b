//! The gate's policy: `[gate]` of `wafcanary.toml`.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Class;
use crate::error::{Error, Result};

/// What the gate lets through. Every key has a default that lets no regression through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Legitimate files that got through and no longer do.
    pub newly_blocked: Limit,
    /// Controls that get further than before.
    pub protection_lost: Limit,
    /// Legitimate files that now arrive altered.
    pub newly_altered: Limit,
    /// Legitimate files that the candidate's rules would refuse if they did not only log.
    pub would_block: Limit,
    /// Cases refused for another reason than before.
    pub reason_changed: Limit,
    /// Cases that disagree with themselves.
    pub max_flaky: Limit,
    /// Cases of which nothing is known on one side. Over it, the gate is inconclusive.
    pub max_inconclusive: Limit,
    /// Share of the baseline's cases that the candidate must have settled, 0 to 1. Below it, the gate is inconclusive.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_coverage: f64,
    /// Cases that must be known on both sides. Below it, the gate is inconclusive.
    #[schemars(range(min = 1))]
    pub min_cases: u64,
    /// Compare an edge with itself: two runs of the same profile (A/A).
    pub allow_same_edge: bool,
    /// Without a control that was asked on both sides, the gate is inconclusive.
    pub require_controls: bool,
    /// A waiver that matches nothing fails the gate.
    pub deny_unused_waivers: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            newly_blocked: Limit::Count(0),
            protection_lost: Limit::Count(0),
            newly_altered: Limit::Count(0),
            would_block: Limit::Count(0),
            reason_changed: Limit::Unlimited,
            max_flaky: Limit::Count(0),
            max_inconclusive: Limit::Count(0),
            min_coverage: 1.0,
            min_cases: 1,
            allow_same_edge: false,
            require_controls: false,
            deny_unused_waivers: false,
        }
    }
}

impl Policy {
    /// Reads the table `gate` of the text of a `wafcanary.toml`; other tables are not looked at. Without one: the defaults.
    ///
    /// # Errors
    /// Unknown keys and values out of range, with file, line, key and help.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct File {
            #[serde(default)]
            gate: Option<toml::Spanned<Policy>>,
        }
        let file: File = toml::from_str(text).map_err(|error| toml_error(&error, text, path, "gate"))?;
        let Some(gate) = file.gate else { return Ok(Self::default()) };
        let span = gate.span();
        let policy = gate.into_inner();
        policy.check().map_err(|(key, error)| {
            let span = key_span(text, &span, key);
            error.file(path).span(text, span).key(format!("gate.{key}"))
        })?;
        Ok(policy)
    }

    fn check(&self) -> std::result::Result<(), (&'static str, Error)> {
        if !(0.0..=1.0).contains(&self.min_coverage) {
            let error = Error::usage(format!("`{}` is no share", self.min_coverage));
            return Err(("min_coverage", error.help("write a number from 0 to 1, such as 0.95")));
        }
        if self.min_cases == 0 {
            let error = Error::usage("no cases at all are never a pass");
            return Err(("min_cases", error.help("write 1 or more")));
        }
        Ok(())
    }

    /// The limit of a class, with its key; `None`: no limit of its own.
    #[must_use]
    pub fn limit(&self, class: Class) -> Option<(&'static str, Limit)> {
        match class {
            Class::NewlyBlocked => Some(("newly_blocked", self.newly_blocked)),
            Class::ProtectionLost => Some(("protection_lost", self.protection_lost)),
            Class::NewlyAltered => Some(("newly_altered", self.newly_altered)),
            Class::WouldBlock => Some(("would_block", self.would_block)),
            Class::ReasonChanged => Some(("reason_changed", self.reason_changed)),
            Class::Flaky => Some(("max_flaky", self.max_flaky)),
            Class::Inconclusive => Some(("max_inconclusive", self.max_inconclusive)),
            Class::OnlyInBaseline
            | Class::OnlyInCandidate
            | Class::NewlyDelivered
            | Class::ProtectionGained
            | Class::Unchanged => None,
        }
    }

    /// Whether a case of the class is something to act on.
    #[must_use]
    pub fn is_finding(&self, class: Class) -> bool {
        match class {
            Class::OnlyInBaseline => self.min_coverage > 0.0,
            Class::NewlyBlocked
            | Class::ProtectionLost
            | Class::NewlyAltered
            | Class::WouldBlock
            | Class::ReasonChanged
            | Class::Flaky
            | Class::Inconclusive
            | Class::OnlyInCandidate
            | Class::NewlyDelivered
            | Class::ProtectionGained
            | Class::Unchanged => self.limit(class).is_some_and(|(_, limit)| limit != Limit::Unlimited),
        }
    }
}

/// How many findings are let through: `3`, `"2.5%"` of all cases, or `"unlimited"`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// So many cases at most.
    Count(u64),
    /// So much of all cases at most, 0 to 1.
    Share(f64),
    /// Any number.
    Unlimited,
}

impl Limit {
    /// Whether `found` of `total` cases are within it.
    #[must_use]
    pub fn allows(self, found: u64, total: u64) -> bool {
        match self {
            Self::Count(most) => found <= most,
            #[expect(clippy::cast_precision_loss, reason = "case counts are far below 2^52")]
            Self::Share(most) => found == 0 || found as f64 <= most * total as f64,
            Self::Unlimited => true,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(most) => write!(f, "{most}"),
            Self::Share(most) => write!(f, "{}%", most * 100.0),
            Self::Unlimited => f.write_str("unlimited"),
        }
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let wrong =
            || format!("`{text}` is no limit: write a count such as 3, a share such as \"2%\", or \"unlimited\"");
        if text == "unlimited" {
            return Ok(Self::Unlimited);
        }
        match text.strip_suffix('%') {
            Some(number) => match number.trim().parse::<f64>() {
                Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Self::Share(percent / 100.0)),
                Ok(_) | Err(_) => Err(wrong()),
            },
            None => text.parse().map(Self::Count).map_err(|_| wrong()),
        }
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Count(most) => serializer.serialize_u64(*most),
            Self::Share(_) | Self::Unlimited => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Limit;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a count, a share such as \"2%\", or \"unlimited\"")
            }

            fn visit_i64<E: serde::de::Error>(self, count: i64) -> std::result::Result<Limit, E> {
                u64::try_from(count).map(Limit::Count).map_err(|_| E::custom(format!("`{count}` is below 0")))
            }

            fn visit_u64<E: serde::de::Error>(self, count: u64) -> std::result::Result<Limit, E> {
                Ok(Limit::Count(count))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> std::result::Result<Limit, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Limit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a count, a share of all cases, or no limit",
            "oneOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": "^(unlimited|[0-9]+(\\.[0-9]+)?%)$" }
            ]
        })
    }
}

/// An error of the TOML reader with file, line and, where it says one, the key below `root`.
pub(super) fn toml_error(error: &toml::de::Error, text: &str, path: &Path, root: &str) -> Error {
    let message = error.message();
    let mut wrong = Error::usage(message.to_owned()).file(path);
    if let Some(span) = error.span() {
        wrong = wrong.span(text, span);
    }
    let named = ["unknown field `", "missing field `", "duplicate field `"]
        .iter()
        .find_map(|start| message.strip_prefix(start)?.split('`').next());
    match named {
        Some(key) => {
            wrong.key(format!("{root}.{key}")).help("see the JSON Schema of the file for the keys that there are")
        }
        None => wrong,
    }
}

/// Where a key stands within a table's text; the table itself when it is not found.
fn key_span(text: &str, table: &std::ops::Range<usize>, key: &str) -> std::ops::Range<usize> {
    let end = text.len();
    let start = table.start.min(end);
    text[start..].find(key).map_or(start..table.end.min(end), |at| start + at..start + at + key.len())
}
