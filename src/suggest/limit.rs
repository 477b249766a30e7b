//! A limit that is no rule: how long a body may be.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Place, Refusal};
use crate::corpus::CaseId;

/// Limits are raised to whole MiB.
const STEP: u64 = 1 << 20;

/// A limit on bodies that refuses legitimate uploads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BodyLimit {
    /// Where it must be higher.
    pub place: Place,
    /// Bytes that a body must be allowed to have: those of the longest one that was refused, or is taken already, up to the
    /// next MiB.
    pub bytes: u64,
    /// Bytes of the longest body that was refused.
    pub longest: u64,
    /// The cases that need it.
    #[schemars(with = "Vec<String>")]
    pub cases: Vec<CaseId>,
}

impl BodyLimit {
    pub(super) fn new(refusal: &Refusal) -> Self {
        let mut limit = Self { place: refusal.place.clone(), bytes: 0, longest: 0, cases: Vec::new() };
        limit.take(refusal);
        limit
    }

    pub(super) fn take(&mut self, refusal: &Refusal) {
        self.cases.push(refusal.case.clone());
        self.longest = self.longest.max(refusal.upload.body);
        self.at_least(self.longest);
    }

    /// Sees to it that bodies of so many bytes are taken.
    pub(super) fn at_least(&mut self, bytes: u64) {
        // NOTE: ModSecurity 3 refuses a body of just the limit.
        self.bytes = self.bytes.max((bytes / STEP + 1) * STEP);
    }

    /// Why it is suggested, in one sentence without its full stop.
    #[must_use]
    pub fn why(&self) -> String {
        let case = self.cases.first().map(CaseId::as_str).unwrap_or_default();
        let cases = match self.cases.len() {
            1 => format!("case {case}"),
            count => format!("{count} cases, such as {case}"),
        };
        format!(
            "no rule refuses {cases}: `explain` blames the size alone, and the longest body has {} bytes",
            self.longest
        )
    }

    /// What is to be done where no text can do it.
    pub(super) fn by_hand(&self) -> String {
        format!(
            "{}: a limit is no rule; let bodies to {} {} have {} bytes",
            self.why(),
            self.place.method,
            self.place.path,
            self.bytes
        )
    }
}
