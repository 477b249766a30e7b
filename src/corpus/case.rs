//! One upload to make, and the attachment it comes from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Client, Content};

/// The stable name of a case: `pdf/drainage-plan~name:sjis-5c~client:firefox`.
///
/// The part before the first `~` is the attachment's id; each `~axis:value` says one property that differs from
/// the attachment's own. Comparisons join on it, so it never depends on order, time or place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseId(Arc<str>);

impl CaseId {
    /// Parses an id; `None` when it is empty or holds control characters or white space.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let sound = !text.is_empty() && !text.chars().any(|c| c.is_control() || c.is_whitespace());
        sound.then(|| Self(text.into()))
    }

    /// The id of text that is known to be sound: escaped, or part of the program.
    pub(super) fn of(text: &str) -> Self {
        debug_assert!(Self::parse(text).is_some(), "`{text}` is no case id");
        Self(text.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the attachment that the case was made from.
    #[must_use]
    pub fn attachment(&self) -> &str {
        self.0.split('~').next().unwrap_or(&self.0)
    }

    /// The value of one axis (`name`, `type`, `client`, `transport`, `size`), if it is not the attachment's own.
    #[must_use]
    pub fn axis(&self, axis: &str) -> Option<&str> {
        self.0.split('~').skip(1).find_map(|part| part.strip_prefix(axis)?.strip_prefix(':'))
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for CaseId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for CaseId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a case id")))
    }
}

/// What the edge ought to do with the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// A legitimate file: it must get through.
    Legit,
    /// A control: it must be blocked.
    Control,
}

/// Where an attachment comes from, and how true to life it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The program that wrote the file, or the thread or rule that the case reproduces.
    pub source: Option<String>,
    /// SPDX licence expression.
    pub licence: Option<String>,
    /// What refused the attachment as it is when it was tried; `None`: nobody tried.
    pub trips: Option<Trips>,
    /// How much of a file of its format it is.
    pub fidelity: Fidelity,
    /// Its people and places are made up: what looks like personal data is none.
    pub fictional: bool,
}

/// How much of a file of its format an attachment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fidelity {
    /// A whole valid file, as a program writes it.
    #[default]
    Whole,
    /// Right container and magic only, because no program that writes it is at hand.
    HeaderOnly,
}

/// Engines that refused an upload when it was tried, and what each gave for it: the ids of rules, or a status.
pub type Trips = BTreeMap<String, Vec<String>>;

/// One entry of the corpus: a file with what people say of it. Cases are made from it.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// Stable id, `family/name`.
    pub id: String,
    /// What the edge ought to do with it.
    pub intent: Intent,
    /// For a control: the id of the legitimate attachment that it resembles.
    pub twin: Option<String>,
    /// Procedures (手続) that receive such an attachment.
    pub procedures: Vec<String>,
    /// Free labels for selection.
    pub tags: Vec<String>,
    /// Share of real submissions that it stands for, relative to the others.
    pub weight: f64,
    /// Where it comes from.
    pub provenance: Provenance,
    /// The manifest and the 1-based line that declares it; `None` in a folder without a manifest.
    pub place: Option<(PathBuf, usize)>,
}

impl Attachment {
    /// The file family: the part of the id before the first `/`.
    #[must_use]
    pub fn family(&self) -> &str {
        self.id.split('/').next().unwrap_or(&self.id)
    }

    /// The intent as it is written in manifests.
    pub(super) fn intent_name(&self) -> &'static str {
        match self.intent {
            Intent::Legit => "legit",
            Intent::Control => "control",
        }
    }
}

/// The charset of the page that holds the form: browsers encode names and text fields in it.
///
/// Source: WHATWG HTML, "selecting a form submission encoding".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageCharset(pub &'static encoding_rs::Encoding);

impl Default for PageCharset {
    fn default() -> Self {
        Self(encoding_rs::UTF_8)
    }
}

/// The name that the user's file has, before a client writes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filename {
    /// The name, decomposed or not as the disk has it. Empty: the client sends `filename=""`.
    pub text: String,
    /// The charset of the page that it is sent from. Only browser forms look at it.
    pub page: PageCharset,
}

/// The `Content-Type` of the file's part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeclaredType {
    /// What the client declares for the extension.
    AsClient,
    /// This one, whatever the client would say.
    Explicit(String),
}

/// How the file travels in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// `multipart/form-data`, RFC 7578.
    #[default]
    Multipart,
    /// The file is the whole body of a PUT.
    Put,
    /// A JSON object with the file in base64, RFC 4648 section 4.
    Base64Json,
}

impl Transport {
    /// The name used in case ids, profiles and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Multipart => "multipart",
            Self::Put => "put",
            Self::Base64Json => "base64-json",
        }
    }
}

/// What travels in the same form beside the case's file, in order after it.
#[derive(Debug, Clone)]
pub enum Beside {
    /// A text field.
    Text {
        /// Field name.
        name: String,
        /// Field value.
        value: String,
    },
    /// One more file.
    File {
        /// Field name; `None`: the same as the case's own file.
        name: Option<String>,
        /// Filename.
        filename: String,
        /// The bytes.
        content: Content,
    },
    /// A file input in which nothing was chosen.
    EmptyFile {
        /// Field name.
        name: String,
    },
}

/// What a form has that neither the client nor the profile would write: the key `wire` of an attachment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormOverrides {
    /// Name of the file field, instead of the profile's.
    pub field: Option<String>,
    /// The boundary, instead of one of the client's shape.
    pub boundary: Option<String>,
    /// The boundary stands between quotes in the request's `Content-Type`.
    pub quoted_boundary: bool,
    /// More parameters of the file's `Content-Disposition`, after the client's own: name, and value as it is written.
    pub parameters: Vec<(String, String)>,
    /// More headers of the file's part, after the client's own.
    pub part_headers: Vec<(String, String)>,
}

impl FormOverrides {
    /// Whether the client and the profile write the whole form.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Case {
    /// The case, then the same case under `more` other boundaries. A boundary that the attachment gives is not drawn.
    pub fn under_boundaries(&self, more: u32) -> impl Iterator<Item = Self> {
        let more = if self.form_overrides.boundary.is_some() { 0 } else { more };
        (0..=more).map(|number| self.redrawn(number))
    }

    /// The same case under another boundary of the client's shape: `…~boundary:3`. 0 is the case itself.
    #[must_use]
    pub fn redrawn(&self, number: u32) -> Self {
        let id = match number {
            0 => self.id.clone(),
            _ => CaseId(format!("{}~boundary:{number}", self.id).into()),
        };
        Self { id, ..self.clone() }
    }

    /// Which boundary is drawn for the case, for `wire::encode`.
    #[must_use]
    pub fn redraw(&self) -> u64 {
        self.id.axis("boundary").and_then(|number| number.parse().ok()).unwrap_or(0)
    }
}

/// One upload to make: content, filename, declared type, client, transport.
#[derive(Debug, Clone)]
pub struct Case {
    /// Stable id.
    pub id: CaseId,
    /// The entry that it was made from.
    pub attachment: Arc<Attachment>,
    /// The bytes of the file.
    pub content: Content,
    /// The name of the file.
    pub filename: Filename,
    /// The type declared for it.
    pub declared_type: DeclaredType,
    /// The client that writes the request.
    pub client: Client,
    /// How the file travels.
    pub transport: Transport,
    /// What travels beside it.
    pub beside: Vec<Beside>,
    /// What the form has that its client and the profile would not write.
    pub form_overrides: FormOverrides,
}
