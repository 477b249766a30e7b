//! What the steps of one attempt have gathered: captured values and cookies, and the templates that they fill.

use std::collections::BTreeMap;
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::corpus::CaseId;
use crate::profile::template::{self, Part};

/// RFC 3986 `unreserved`.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What an attempt is known by: fills `{run}`, `{case}` and `{attempt}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids {
    /// Id of the run.
    pub run: String,
    /// Case id, percent-encoded to ASCII.
    pub case: String,
    /// Unique id of the attempt.
    pub attempt: String,
}

impl Ids {
    /// Ids as they stand in URLs and headers.
    #[must_use]
    pub fn new(run: &str, case: &CaseId, attempt: &str) -> Self {
        let case = utf8_percent_encode(case.as_str(), UNRESERVED).to_string();
        Self { run: run.to_owned(), case, attempt: attempt.to_owned() }
    }
}

/// A cookie as it was set: by which URL, and the header's value.
#[derive(Clone)]
pub(super) struct SetCookie {
    pub(super) url: url::Url,
    pub(super) value: http::HeaderValue,
}

/// The values and cookies of one attempt. Each attempt has its own, on top of those of the run's steps.
#[derive(Clone, Default)]
pub struct Captures {
    values: BTreeMap<String, String>,
    pub(super) cookies: Vec<SetCookie>,
}

impl fmt::Debug for Captures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// A template could not be filled: nothing captured this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nothing captured `{0}`")]
pub struct MissingCapture(pub String);

impl Captures {
    /// A captured value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Keeps a value; an earlier one of the same name is replaced.
    pub fn insert(&mut self, name: &str, value: String) {
        self.values.insert(name.to_owned(), value);
    }

    /// Fills a template of the profile: `${capture}`, `{attempt}`, `{case}`, `{run}`.
    ///
    /// # Errors
    /// When a capture is missing.
    pub fn fill(&self, template: &str, ids: &Ids) -> Result<String, MissingCapture> {
        self.fill_with(template, ids, str::to_owned)
    }

    /// The same, with each value escaped for the inside of a JSON string.
    pub(super) fn fill_json(&self, template: &str, ids: &Ids) -> Result<String, MissingCapture> {
        self.fill_with(template, ids, |value| {
            let quoted = serde_json::Value::from(value).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        })
    }

    fn fill_with(&self, template: &str, ids: &Ids, escape: fn(&str) -> String) -> Result<String, MissingCapture> {
        let mut out = String::with_capacity(template.len());
        for part in template::parts(template) {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Attempt => out.push_str(&ids.attempt),
                Part::Case => out.push_str(&ids.case),
                Part::Run => out.push_str(&ids.run),
                Part::Capture(name) => {
                    let value = self.get(name).ok_or_else(|| MissingCapture(name.to_owned()))?;
                    out.push_str(&escape(value));
                }
            }
        }
        Ok(out)
    }
}
