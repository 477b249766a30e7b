//! Requests around the upload, and what is taken from their answers.

use super::{Secret, StatusSet};

/// A request before or after the upload.
#[derive(Debug, Clone)]
pub struct Step {
    /// Name in records and errors.
    pub name: String,
    /// Method.
    pub method: String,
    /// URL, absolute or relative to the target; may hold captures.
    pub url: Secret<String>,
    /// Request headers; values may hold captures.
    pub headers: Vec<(String, Secret<String>)>,
    /// Request body.
    pub body: StepBody,
    /// Accepted statuses.
    pub status: StatusSet,
    /// What is taken from the answer.
    pub captures: Vec<Capture>,
    /// How often it is done.
    pub each: Each,
    /// Follow redirects: ten at most, and only to allowed hosts.
    pub follow: bool,
}

/// How often a step before the upload is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Each {
    /// Once for the whole run, and again after a later step failed: a sign-in. Its cookies and captures are kept.
    Run,
    /// Before each upload, on top of the run's cookies: the form with its CSRF token.
    #[default]
    Upload,
}

/// The body of a step's request.
#[derive(Debug, Clone)]
pub enum StepBody {
    /// None.
    Empty,
    /// `application/x-www-form-urlencoded`.
    Form(Vec<(String, Secret<String>)>),
    /// JSON text; may hold captures.
    Json(Secret<String>),
}

/// A value taken from a step's answer, for later steps and the upload's fields as `${name}`.
#[derive(Debug, Clone)]
pub struct Capture {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub from: CaptureFrom,
    /// Taken out of every record.
    pub secret: bool,
}

/// Where a captured value is.
#[derive(Debug, Clone)]
pub enum CaptureFrom {
    /// First group (or the whole match) of a regular expression over the body.
    Regex(regex::Regex),
    /// JSON pointer, RFC 6901.
    JsonPointer(String),
    /// A response header.
    Header(String),
    /// A cookie of the jar.
    Cookie(String),
    /// An attribute of the first element that a CSS selector finds.
    Css {
        /// Selector.
        selector: String,
        /// Attribute.
        attribute: String,
    },
}
