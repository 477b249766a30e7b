//! Asking the edge whether it refuses a variant of a case: few times, at the profile's pace, each thing once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::corpus::{Case, Sha256Digest};
use crate::profile::Profile;
use crate::replay::{Replayer, Rewrite};
use crate::verdict::{Count, Outcome, Signatures, Verdict, judge};
use crate::wire::{Segment, WireRequest};

/// Times that a question is put again when the edge asks to wait, or can't be reached.
const MOST_AGAIN: u32 = 3;

/// Why no more questions are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The budget of the case is spent.
    Budget,
    /// The edge can't be asked, or what could be asked means nothing, in words.
    Edge(String),
    /// The variant can't be written or read, in words.
    Variant(String),
}

/// An edge that is asked, and its answers so far.
pub struct Questions {
    replayer: Replayer,
    profile: Arc<Profile>,
    signatures: &'static Signatures,
    /// Requests that may still be sent for the case at hand.
    left: u32,
    /// What was sent for the case at hand.
    asked: u32,
    /// Body bytes that the peer took since the first question, as far as is known.
    bytes: u64,
    /// Answers by what was on the wire.
    known: HashMap<[u8; 32], Verdict>,
}

impl Questions {
    /// Questions to the edge of `profile`, put through `replayer`.
    #[must_use]
    pub fn new(replayer: Replayer, profile: Arc<Profile>) -> Self {
        Self {
            replayer,
            profile,
            signatures: Signatures::builtin(),
            left: 0,
            asked: 0,
            bytes: 0,
            known: HashMap::new(),
        }
    }

    /// Begins with another case: so many requests may be sent for it.
    pub fn begin(&mut self, budget: u32) {
        self.left = budget;
        self.asked = 0;
    }

    /// Requests that were sent since [`Questions::begin`].
    #[must_use]
    pub fn asked(&self) -> u32 {
        self.asked
    }

    /// Body bytes that were sent since the first question, as far as is known.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What is asked, and how.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Requests that may still be sent.
    #[must_use]
    pub fn left(&self) -> u32 {
        self.left
    }

    /// The request that `case` makes.
    ///
    /// # Errors
    /// When its client can't write it.
    pub fn request(&self, case: &Case) -> Result<WireRequest, Stop> {
        self.replayer.request(case, "explain").map_err(|error| Stop::Variant(error.to_string()))
    }

    /// Whether the edge refuses `case`. What is the same on the wire is asked once.
    ///
    /// # Errors
    /// See [`Stop`].
    pub async fn refuses(&mut self, case: &Case) -> Result<bool, Stop> {
        self.refuses_rewritten(case, &Rewrite::default()).await
    }

    /// As [`Questions::refuses`], with other request headers.
    ///
    /// # Errors
    /// See [`Stop`].
    pub async fn refuses_rewritten(&mut self, case: &Case, rewrite: &Rewrite) -> Result<bool, Stop> {
        Ok(!self.verdict_rewritten(case, rewrite).await?.outcome.is_past_edge())
    }

    /// What becomes of `case`. What is the same on the wire is asked once.
    ///
    /// # Errors
    /// See [`Stop`].
    pub async fn verdict(&mut self, case: &Case) -> Result<Verdict, Stop> {
        self.verdict_rewritten(case, &Rewrite::default()).await
    }

    async fn verdict_rewritten(&mut self, case: &Case, rewrite: &Rewrite) -> Result<Verdict, Stop> {
        let mut request = self.request(case)?;
        rewrite.apply(&mut request);
        let key = key(&request);
        if let Some(verdict) = self.known.get(&key) {
            return Ok(verdict.clone());
        }
        let verdict = self.ask_rewritten(case, rewrite).await?;
        self.known.insert(key, verdict.clone());
        Ok(verdict)
    }

    /// Sends `case` and gives what became of it: inconclusive answers are asked again, and never given.
    ///
    /// # Errors
    /// See [`Stop`].
    pub async fn ask(&mut self, case: &Case) -> Result<Verdict, Stop> {
        self.ask_rewritten(case, &Rewrite::default()).await
    }

    async fn ask_rewritten(&mut self, case: &Case, rewrite: &Rewrite) -> Result<Verdict, Stop> {
        let mut again = 0;
        loop {
            let round = self.replayer.round_rewritten(case, rewrite).await;
            let sent = u32::try_from(round.attempts.len()).unwrap_or(u32::MAX).max(1);
            if self.left < sent {
                return Err(Stop::Budget);
            }
            self.left -= sent;
            self.asked += sent;
            self.bytes +=
                round.attempts.iter().map(|tried| tried.observation.sent.body_bytes_before_answer).sum::<u64>();
            if let Some(ceiling) = round.ceiling {
                return Err(Stop::Edge(ceiling));
            }
            let observations: Vec<_> = round.attempts.into_iter().map(|tried| tried.observation).collect();
            let verdict = judge(&observations, &self.profile.oracle, self.signatures);
            if verdict.outcome.count() != Count::Inconclusive {
                return Ok(verdict);
            }
            let wait = round.retry_after.unwrap_or(Duration::from_secs(1));
            let told = format!("{}: {}", verdict.outcome.as_str(), verdict.evidence);
            if again == MOST_AGAIN
                || wait > self.profile.pace.max_retry_after
                || verdict.outcome == Outcome::Unreachable
            {
                return Err(Stop::Edge(told));
            }
            again += 1;
            self.replayer.pause(wait);
        }
    }
}

/// What tells requests apart: all that is on the wire, files by their digests.
fn key(request: &WireRequest) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(request.head());
    for segment in request.body.segments() {
        match segment {
            Segment::Bytes(bytes) => {
                hasher.update([0]);
                hasher.update(bytes);
            }
            Segment::Content(content) | Segment::Base64(content) => {
                let Sha256Digest(digest) = content.sha256();
                hasher.update([1]);
                hasher.update(digest);
            }
        }
    }
    hasher.finalize().into()
}
