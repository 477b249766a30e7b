//! What was found out about a refused case.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Factor;
use crate::corpus::{Case, CaseId};
use crate::error::{Error, Result};
use crate::verdict::Outcome;

/// What is guilty within a property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Detail {
    /// The property as a whole.
    Whole {
        /// What it is.
        value: String,
    },
    /// These characters of the filename's stem, and what they are on the wire.
    Characters {
        /// The characters, in order.
        text: String,
        /// Their bytes in the request, hex digits.
        wire: String,
        /// The ASCII character among these bytes that is refused by itself.
        byte: Option<char>,
    },
    /// These characters of text fields beside the file.
    Field {
        /// The fields' names.
        names: String,
        /// The characters, in order.
        text: String,
        /// Their bytes in the request, hex digits.
        wire: String,
    },
    /// The number of bytes of the filename in the request, its extension included: so many and more.
    Length {
        /// The smallest number that is refused.
        from: u64,
    },
    /// The number of bytes of the file: so many and more.
    Size {
        /// The smallest number that is refused.
        from: u64,
    },
    /// The number of bytes of the file: so many and fewer.
    TooSmall {
        /// The largest number that is refused.
        up_to: u64,
    },
    /// These bytes of the file.
    Bytes {
        /// Where they stand, and which they are.
        runs: Vec<Run>,
        /// Where else they trip; `None`: it was not tried.
        place: Option<Place>,
        /// Some other bytes in their place are refused as well.
        others: bool,
        /// The file holds more that is refused: without these bytes alone it is not delivered.
        more: bool,
    },
    /// What the attachment says of its form: `Name: value` of a part header, `name=value` of a parameter.
    Form {
        /// The guilty ones.
        lines: Vec<String>,
    },
    /// These lines of the request, as one client writes it and another does not.
    Lines {
        /// The client.
        client: String,
        /// `Name: value`, `no Name` for a header that is missing, or lines of the form.
        lines: Vec<String>,
    },
    /// It could not be seen what of it.
    Unclear,
    /// What the file does not hold where a file with such a name does: whatever stands there instead is refused.
    NotAsNamed {
        /// The offset of what is missed.
        offset: u64,
        /// What the delivered reference holds there, hex digits; empty: that is not known.
        hex: String,
    },
}

/// A few bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Offset of the first.
    pub offset: u64,
    /// How many.
    pub len: u64,
    /// The first of them, hex digits.
    pub hex: String,
}

/// Whether it matters where guilty bytes stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Place {
    /// They trip at the end of the file as well.
    Anywhere,
    /// They trip where they stand, and not one byte further on.
    Only,
    /// They trip only when they begin before this offset.
    Before {
        /// The first offset at which they pass.
        offset: u64,
    },
}

/// Properties that are only refused together, and what of them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Cause {
    /// The properties, and what of each.
    pub parts: Vec<Part>,
    /// The reference with nothing more than these: it is refused.
    /// Not on record.
    #[serde(skip)]
    pub smallest: Option<Case>,
}

/// A guilty property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// Which.
    pub factor: Factor,
    /// What of it.
    pub detail: Detail,
}

/// The version of [`Explanations`] that this program writes.
pub const SCHEMA_VERSION: u32 = 1;

/// What was found out about the regressions of a comparison.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Explanations {
    /// The version of this format: 1.
    pub schema_version: u32,
    /// One for each case that was looked at.
    pub explanations: Vec<Explanation>,
}

/// What was found out about a case.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// The case.
    #[schemars(with = "String")]
    pub case: CaseId,
    /// What became of it, and is explained.
    pub outcome: Outcome,
    /// What is known.
    #[serde(flatten)]
    pub finding: Finding,
    /// Requests that it took.
    pub requests: u32,
    /// Rules that the WAF's log names for it, as the comparison has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// The edge can no longer be asked: what comes after would not be answered either.
    #[serde(skip)]
    pub stopped: bool,
    /// The script that sends the smallest request that is refused for the first cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
}

impl Explanations {
    /// Reads what `explain` wrote. `None`: there is no such file.
    ///
    /// # Errors
    /// A file that can't be read, is something else, or is of another schema version.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        #[derive(Deserialize)]
        struct Version {
            schema_version: u32,
        }
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::usage(format!("cannot read the explanations: {error}")).file(path)),
        };
        let wrong = |what: String| Error::usage(what).file(path).help("let `wafcanary explain` write them anew");
        match serde_json::from_slice::<Version>(&text) {
            Ok(Version { schema_version }) if schema_version != SCHEMA_VERSION => Err(wrong(format!(
                "the explanations have schema version {schema_version}, and this program reads version {SCHEMA_VERSION}"
            ))),
            _ => serde_json::from_slice(&text)
                .map(Some)
                .map_err(|error| wrong(format!("these are no explanations: {error}"))),
        }
    }
}

impl Detail {
    /// Whether it was seen what of the property it is.
    pub(super) fn is_sure(&self) -> bool {
        !matches!(self, Self::Unclear)
    }
}

impl Finding {
    /// The guilty properties of all causes.
    pub(super) fn guilty(&self) -> Vec<Factor> {
        let Self::Causes { causes, .. } = self else { return Vec::new() };
        causes.iter().flat_map(|cause| &cause.parts).map(|part| part.factor).collect()
    }

    /// The same, with more that must be there for the first cause to be refused.
    pub(super) fn together_with(mut self, parts: Vec<Part>) -> Self {
        if let Self::Causes { causes, ruled_out, .. } = &mut self
            && let Some(first) = causes.first_mut()
        {
            ruled_out.retain(|factor| parts.iter().all(|part| part.factor != *factor));
            first.parts.splice(0..0, parts);
        }
        self
    }

    /// The same, not sure.
    pub(super) fn unproven(self) -> Self {
        match self {
            Self::Causes { causes, reference, ruled_out, .. } => {
                Self::Causes { causes, reference, ruled_out, proven: false }
            }
            other @ (Self::Flaky { .. } | Self::NoReference | Self::Unknown { .. }) => other,
        }
    }
}

impl Explanation {
    /// The smallest upload that is refused for the first cause.
    #[must_use]
    pub fn smallest(&self) -> Option<&Case> {
        match &self.finding {
            Finding::Causes { causes, .. } => causes.first().and_then(|cause| cause.smallest.as_ref()),
            Finding::Flaky { .. } | Finding::NoReference | Finding::Unknown { .. } => None,
        }
    }

    /// Whether the causes are known, and that there is no other.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        matches!(self.finding, Finding::Causes { proven: true, .. })
    }
}

/// What is known of why a case is refused.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum Finding {
    /// It is refused sometimes, or no longer.
    Flaky {
        /// How often it was.
        refused: u32,
        /// Of so many.
        of: u32,
    },
    /// None of the benign cases that were tried is delivered, so there is nothing to compare with.
    NoReference,
    /// These are the causes: without all of them it is delivered.
    Causes {
        /// The causes, the one that hides the others first.
        causes: Vec<Cause>,
        /// The benign case that was compared with.
        #[schemars(with = "String")]
        reference: CaseId,
        /// Properties that differ from it and are not to blame.
        ruled_out: Vec<Factor>,
        /// Without the causes it was sent and delivered; `false`: it is still refused then, and more is to be found.
        proven: bool,
    },
    /// It could not be found out.
    Unknown {
        /// Why.
        why: String,
    },
}
