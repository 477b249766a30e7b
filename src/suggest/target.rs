//! Which part of a request a rule looked at.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::explain::Factor;

/// A variable of ModSecurity, perhaps with the name of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Target {
    /// `ARGS`, `FILES`, `REQUEST_BODY`, …
    pub variable: String,
    /// Which of a collection.
    #[schemars(with = "Option<String>")]
    pub key: Key,
}

/// Which of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// All of it, or the variable is no collection.
    None,
    /// The field of this name, as it is on the wire.
    Name(Vec<u8>),
    /// One field whose name the log does not tell whole.
    Unreadable,
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None | Self::Unreadable => serializer.serialize_none(),
            Self::Name(name) => serializer.serialize_str(&String::from_utf8_lossy(name)),
        }
    }
}

/// How a log's reader ends a name that it cut.
const ELLIPSIS: char = '…';

impl Target {
    /// Reads a variable as a log has it. `fields`: the names of the form's fields, as they are on the wire.
    /// `None`: it names no part of the request.
    #[must_use]
    pub fn parse(text: &str, fields: &[Vec<u8>]) -> Option<Self> {
        let (variable, key) = text.split_once(':').map_or((text, None), |(variable, key)| (variable, Some(key)));
        let variable = variable.to_ascii_uppercase();
        // Azure Front Door has names of its own for the same.
        let variable = match variable.as_str() {
            "POSTPARAMVALUE" | "MULTIPARTPARAMVALUE" => "ARGS".to_owned(),
            "HEADERVALUE" => "REQUEST_HEADERS".to_owned(),
            _ => variable,
        };
        let sound = !variable.is_empty() && variable.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        // What a rule made itself is no part of the request.
        if !sound || variable == "TX" || variable.starts_with("MATCHED_VAR") {
            return None;
        }
        let key = key.map_or(Key::None, |key| {
            let known = fields.iter().find(|field| is_logged_as(field, key));
            let plain = key.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'\\') && !key.is_empty();
            match known {
                Some(name) => Key::Name(name.clone()),
                None if plain => Key::Name(key.as_bytes().to_vec()),
                None => Key::Unreadable,
            }
        });
        Some(Self { variable, key })
    }

    /// The same without the name; `None`: it has none.
    #[must_use]
    pub fn wider(self) -> Option<Self> {
        (self.key != Key::None).then_some(Self { key: Key::None, ..self })
    }

    /// Whether `other` is this part, or in it.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        self.variable == other.variable && (self.key == Key::None || self.key == other.key)
    }

    /// The part in words.
    #[must_use]
    pub fn words(&self) -> String {
        let part = match self.variable.as_str() {
            "FILES" | "MULTIPART_FILENAME" => "the filename",
            "FILES_NAMES" | "MULTIPART_NAME" | "ARGS_NAMES" => "the name of the field",
            "ARGS" | "ARGS_POST" | "ARGS_GET" => "the text of the field",
            "REQUEST_HEADERS" => "the request header",
            "REQUEST_BODY" => "the body as a whole",
            "MULTIPART_UNMATCHED_BOUNDARY" => "lines that look like a boundary",
            "MULTIPART_STRICT_ERROR" | "REQBODY_ERROR" => "errors in the way the body is written",
            "MULTIPART_PART_HEADERS" => "the headers of the part",
            "FILES_SIZES" | "FILES_COMBINED_SIZE" | "REQUEST_BODY_LENGTH" => "the size",
            _ => "",
        };
        let of = match (&self.key, part) {
            (_, "") => format!("`{}`", self.variable),
            (Key::Name(name), "the filename" | "the headers of the part") => {
                format!("{part} of `{}`", String::from_utf8_lossy(name))
            }
            (Key::Name(name), _) => format!("{part} `{}`", String::from_utf8_lossy(name)),
            (Key::Unreadable, _) => format!("{part} of a name that the log does not tell"),
            (Key::None, "the filename" | "the name of the field" | "the text of the field" | "the request header") => {
                format!("{part}, whichever it is")
            }
            (Key::None, _) => part.to_owned(),
        };
        of.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    }

    /// What can come in that way.
    #[must_use]
    pub fn danger(&self) -> &'static str {
        match self.variable.as_str() {
            "REQBODY_ERROR" | "MULTIPART_STRICT_ERROR" => {
                "bodies that the engine reads otherwise than the application can pass unseen"
            }
            "MULTIPART_UNMATCHED_BOUNDARY" => "parts that only the application sees can pass",
            "FILES" | "FILES_NAMES" | "MULTIPART_FILENAME" | "MULTIPART_NAME" | "MULTIPART_PART_HEADERS" => {
                "an attack on whatever reads that name can pass this rule"
            }
            "REQUEST_BODY" => "an attack in the body can pass this rule",
            _ => "an attack in it can pass this rule",
        }
    }

    /// Whether the part holds a property of an upload that `explain` can blame.
    #[must_use]
    pub fn is_of(&self, factor: Factor) -> bool {
        let factors: &[Factor] = match self.variable.as_str() {
            "FILES" | "MULTIPART_FILENAME" => &[Factor::Stem, Factor::Extension, Factor::Page, Factor::Client],
            "FILES_NAMES" | "MULTIPART_NAME" => &[Factor::Fields, Factor::Page, Factor::Client],
            // A body that is sent as a form's text, or as JSON, becomes arguments.
            "ARGS_NAMES" => &[Factor::Fields, Factor::Page, Factor::Client, Factor::Form, Factor::Transport],
            "ARGS" | "ARGS_POST" => &[Factor::Fields, Factor::Page, Factor::Form, Factor::Transport],
            "MULTIPART_UNMATCHED_BOUNDARY" => &[Factor::Content, Factor::Size, Factor::Client, Factor::Fields],
            "FILES_SIZES" | "FILES_COMBINED_SIZE" | "REQUEST_BODY_LENGTH" => &[Factor::Size, Factor::Content],
            "MULTIPART_PART_HEADERS" => {
                &[Factor::Type, Factor::Client, Factor::Stem, Factor::Extension, Factor::Page, Factor::Form]
            }
            "REQUEST_HEADERS" | "REQUEST_HEADERS_NAMES" => {
                &[Factor::Client, Factor::Type, Factor::Transport, Factor::Form]
            }
            "REQUEST_METHOD" => &[Factor::Transport],
            // The body, its errors, and what is not known to be narrower.
            _ => &Factor::ALL,
        };
        factors.contains(&factor)
    }
}

/// Whether a log shows the name of a field as `logged`: as it is, as ModSecurity 2 escapes it, or the start of either.
fn is_logged_as(field: &[u8], logged: &str) -> bool {
    let (start, cut) = logged.strip_suffix(ELLIPSIS).map_or((logged, false), |start| (start, true));
    [String::from_utf8_lossy(field).into_owned(), escaped(field)]
        .iter()
        .any(|shown| if cut { !start.is_empty() && shown.starts_with(start) } else { shown == start })
}

/// A name as ModSecurity 2 writes it in its logs, and reads it in a rule.
pub(super) fn escaped(name: &[u8]) -> String {
    let mut out = String::new();
    for byte in name {
        match byte {
            b' '..=b'~' if !matches!(byte, b'"' | b'\\') => out.push(char::from(*byte)),
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            byte => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out
}
