//! `manifest.toml` as it is written: keys and their places, before anything is checked against files.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use toml::Spanned;

use super::control::Armour;
use super::{Client, Fidelity, Intent, NameForm, Transport, Trips};
use crate::error::{Error, Result};

/// The version of the manifest's format that this program reads.
pub const SCHEMA_VERSION: u32 = 1;

/// The name of the manifest in its folder.
pub const FILE_NAME: &str = "manifest.toml";

/// A corpus: attachments, and the axes that multiply them into cases.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// The version of this format: 1.
    #[schemars(with = "u32")]
    pub(super) schema_version: Spanned<u32>,
    /// Name in reports.
    pub(super) name: String,
    /// SPDX licence expression of the attachments that name none.
    pub(super) licence: Option<String>,
    /// What multiplies each attachment.
    #[serde(default)]
    pub(super) axes: RawAxes,
    /// The attachments.
    #[serde(default)]
    pub(super) attachment: Vec<RawAttachment>,
}

/// The values of each axis.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAxes {
    /// Clients that write the request.
    #[schemars(with = "Option<Vec<ClientName>>")]
    pub(super) client: Option<Vec<Spanned<String>>>,
    /// Forms of the filename.
    #[schemars(with = "Option<Vec<NameForm>>")]
    pub(super) name: Option<Vec<Spanned<String>>>,
    /// Declared types: `as-client`, or a media type.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) r#type: Option<Vec<Spanned<String>>>,
    /// How the file travels.
    #[schemars(with = "Option<Vec<Transport>>")]
    pub(super) transport: Option<Vec<Spanned<String>>>,
    /// Exact sizes that files are padded to.
    #[schemars(with = "Option<Vec<RawSize>>")]
    pub(super) size: Option<Vec<Spanned<RawSize>>>,
}

/// Bytes, or a number with a unit: `100KB` is 100,000 bytes, `1MiB` is 1,048,576.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum RawSize {
    /// Bytes.
    Bytes(u64),
    /// A number and B, KB, MB, GB (powers of 1,000) or KiB, MiB, GiB (powers of 1,024).
    Text(String),
}

/// One attachment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAttachment {
    /// Stable id, `family/name`.
    #[schemars(with = "String")]
    pub(super) id: Spanned<String>,
    /// The file, relative to the manifest.
    #[schemars(with = "String")]
    pub(super) file: Spanned<String>,
    /// SHA-256 of the file's bytes (decoded, and before padding), 64 hex digits.
    #[schemars(with = "Option<String>")]
    pub(super) sha256: Option<Spanned<String>>,
    /// Filename; by default the file's own.
    pub(super) filename: Option<String>,
    /// Declared media type; by default what the client declares.
    #[schemars(with = "Option<String>")]
    pub(super) r#type: Option<Spanned<String>>,
    /// What the edge ought to do with it; by default `legit`.
    pub(super) intent: Option<Intent>,
    /// For a control: the id of its legitimate twin.
    #[schemars(with = "Option<String>")]
    pub(super) twin: Option<Spanned<String>>,
    /// How the file is stored; by default as it is.
    pub(super) encoding: Option<Armour>,
    /// Procedures (手続) that receive such an attachment.
    #[serde(default)]
    pub(super) procedures: Vec<String>,
    /// Free labels for selection; `smoke` puts it into the smoke set.
    #[serde(default)]
    pub(super) tags: Vec<String>,
    /// Share of real submissions that it stands for, relative to the others; by default 1.
    #[schemars(with = "Option<f64>")]
    pub(super) weight: Option<Spanned<f64>>,
    /// Exact size that the file is padded to, validly.
    #[schemars(with = "Option<RawSize>")]
    pub(super) size: Option<Spanned<RawSize>>,
    /// The program that wrote the file, or the thread or rule that it reproduces.
    pub(super) source: Option<String>,
    /// SPDX licence expression.
    pub(super) licence: Option<String>,
    /// What refused the attachment as it is when it was tried: engines, and what each gave for it, the ids of rules or
    /// a status. Empty: it was tried, and nothing refused it.
    pub(super) trips: Option<Trips>,
    /// How much of a file of its format it is; by default a whole valid file.
    pub(super) fidelity: Option<Fidelity>,
    /// Its people and places are made up: what looks like personal data is none, and `corpus check` is silent about it.
    #[serde(default)]
    pub(super) fictional: bool,
    /// The client, when it is always the same.
    #[schemars(with = "Option<ClientName>")]
    pub(super) client: Option<Spanned<String>>,
    /// The charset of the page that holds the form, when it is always the same.
    #[schemars(with = "Option<String>")]
    pub(super) page: Option<Spanned<String>>,
    /// How the file travels, when it is always the same.
    #[schemars(with = "Option<Transport>")]
    pub(super) transport: Option<Spanned<String>>,
    /// Text fields beside the file.
    #[serde(default)]
    pub(super) fields: Vec<RawField>,
    /// More files in the request.
    #[serde(default)]
    pub(super) also: Vec<RawAlso>,
    /// File inputs in which nothing is chosen.
    #[serde(default)]
    pub(super) empty: Vec<String>,
    /// What the form has that neither the client nor the profile would write.
    pub(super) wire: Option<RawWire>,
    /// Axes instead of the defaults.
    #[serde(default)]
    pub(super) axes: RawAxes,
}

impl RawAttachment {
    pub(super) fn file(&self) -> &str {
        self.file.get_ref()
    }
}

/// A text field.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawField {
    /// Field name.
    pub(super) name: String,
    /// Field value.
    pub(super) value: String,
}

/// One more file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAlso {
    /// The file, relative to the manifest.
    #[schemars(with = "String")]
    pub(super) file: Spanned<String>,
    /// Filename; by default the file's own.
    pub(super) filename: Option<String>,
    /// Field name; by default that of the attachment.
    pub(super) field: Option<String>,
}

/// What a form has that neither the client nor the profile would write: it needs the transport `multipart`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWire {
    /// Name of the file field, instead of the profile's.
    #[schemars(with = "Option<String>")]
    pub(super) field: Option<Spanned<String>>,
    /// The boundary, instead of one of the client's shape.
    #[schemars(with = "Option<String>")]
    pub(super) boundary: Option<Spanned<String>>,
    /// Puts the boundary between quotes in the request's `Content-Type`; by default `false`.
    #[serde(default)]
    pub(super) quoted_boundary: bool,
    /// More parameters of the file's `Content-Disposition`, after the client's own; values as they are written, with
    /// their quotes.
    #[serde(default)]
    pub(super) parameters: Vec<RawPair>,
    /// More headers of the file's part, after the client's own.
    #[serde(default)]
    pub(super) part_headers: Vec<RawPair>,
}

/// A parameter or a header.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPair {
    /// Name.
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    /// Value, as it is written.
    #[schemars(with = "String")]
    pub(super) value: Spanned<String>,
}

/// The schema of a client's name.
struct ClientName;

impl JsonSchema for ClientName {
    fn schema_name() -> Cow<'static, str> {
        "ClientName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = Client::ALL.iter().map(|(name, _)| *name).collect();
        schemars::json_schema!({ "type": "string", "enum": names, "description": "A client that writes requests." })
    }
}

/// JSON Schema of `manifest.toml`.
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Manifest);
    schema.insert("title".into(), "wafcanary corpus manifest".into());
    schema.to_value()
}

/// The text of a manifest and where it stands: every error about it is made here.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub(super) path: Arc<Path>,
    pub(super) text: Arc<str>,
}

impl Page {
    pub(super) fn parse(&self) -> Result<Manifest> {
        let manifest: Manifest = toml::from_str(&self.text).map_err(|error| self.toml_error(&error))?;
        let version = &manifest.schema_version;
        if *version.get_ref() == SCHEMA_VERSION {
            return Ok(manifest);
        }
        let message = format!("unknown version {} of the manifest's format", version.get_ref());
        let help = format!("this program reads version {SCHEMA_VERSION}: update it, or mend the manifest");
        Err(self.fault(message, version, "schema_version").help(help))
    }

    pub(super) fn fault<T>(&self, message: impl Into<String>, at: &Spanned<T>, key: impl Into<String>) -> Error {
        Error::usage(message).file(&self.path).span(self.text.clone(), at.span()).key(key)
    }

    fn toml_error(&self, error: &toml::de::Error) -> Error {
        let span = error.span().unwrap_or(0..0);
        let message = error.message().trim_end().replace('\n', ": ");
        let mut out = Error::usage(message.clone()).file(&self.path).span(self.text.clone(), span.clone());
        let word = self.text.get(span.clone()).unwrap_or_default();
        if message.starts_with("unknown field") {
            let known: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
            out = Error::usage("unknown key").file(&self.path).span(self.text.clone(), span).key(word);
            return out.help(did_you_mean(word, known));
        }
        if message.starts_with("missing field") {
            return out
                .help("add the key; `wafcanary generate schema DIR` writes `manifest.json`, which lists all of them");
        }
        if let Some(key) = self.key_before(span.start) {
            out = out.key(key);
        }
        out
    }

    /// The key whose value stands at `offset`, if it is on the same line.
    fn key_before(&self, offset: usize) -> Option<&str> {
        let before = self.text.get(..offset)?;
        let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
        let key = line.trim_end_matches([' ', '[', '"']).strip_suffix('=')?.trim_end();
        let key = key.rsplit([' ', ',', '{']).next()?;
        (!key.is_empty()).then_some(key)
    }
}

/// `did you mean …?`, or what there is to choose from.
pub(super) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let near = known
        .iter()
        .map(|name| (strsim::jaro_winkler(word, name), *name))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match near {
        Some((_, name)) => format!("did you mean `{name}`?"),
        None => format!("known here: `{}`", known.join("`, `")),
    }
}

/// Reads a size as manifests write it: bytes, or a number with a unit.
#[must_use]
pub fn parse_size(text: &str) -> Option<u64> {
    RawSize::Text(text.to_owned()).bytes()
}

impl RawSize {
    /// Bytes; `None` when it is no size.
    pub(super) fn bytes(&self) -> Option<u64> {
        let text = match self {
            Self::Bytes(bytes) => return Some(*bytes),
            Self::Text(text) => text.trim(),
        };
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let factor = match unit.trim_start() {
            "" | "B" => 1,
            "KB" | "kB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_to_the_byte() {
        let bytes = |text: &str| RawSize::Text(text.into()).bytes();
        assert_eq!(bytes("100KB"), Some(100_000));
        assert_eq!(bytes("1 MiB"), Some(1_048_576));
        assert_eq!(bytes("12"), Some(12));
        for bad in ["", "KB", "1.5MB", "-1", "10 Mo", "99999999999GB"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_near_word_is_proposed_and_a_far_one_is_not() {
        assert_eq!(did_you_mean("filname", ["file", "filename"]), "did you mean `filename`?");
        assert_eq!(did_you_mean("xyz", ["file", "id"]), "known here: `file`, `id`");
    }

    #[test]
    fn the_schema_is_valid_and_takes_a_manifest() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let toml = "schema_version = 1\nname = 'x'\n[axes]\nclient = ['chromium']\nname = ['sjis-5c']\nsize = ['1MiB', 5]\n\
                    [[attachment]]\nid = 'a/b'\nfile = 'b'\n";
        let value = json(toml);
        assert!(validator.is_valid(&value), "{:?}", validator.iter_errors(&value).next().map(|e| e.to_string()));
        for (right, wrong) in [("sjis-5c", "sjis-5d"), ("chromium", "chromiun"), ("id = 'a/b'\n", "")] {
            assert!(!validator.is_valid(&json(&toml.replace(right, wrong))), "{wrong}");
        }
    }

    #[test]
    fn the_schema_takes_the_built_in_manifest() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let value = json(include_str!("../../corpus/manifest.toml"));
        assert!(value["attachment"].as_array().is_some_and(|all| all.len() > 40));
        assert!(validator.is_valid(&value), "{:?}", validator.iter_errors(&value).next().map(|e| e.to_string()));
    }

    fn json(toml: &str) -> serde_json::Value {
        toml::from_str(toml).unwrap()
    }
}
