//! Attempts that ended without a whole answer.

use super::outcome::{Outcome, Verdict};
use crate::replay::{Ending, Observation, Phase, Unreachable};

/// How far apart two byte counts may be and still be called the same place, in bytes.
///
/// The count is of what our side's network took, not of what the edge read: the rest stands in the buffers of both
/// sides. Measured on Linux loopback with resets after exactly 1 to 16 MiB, counts are up to 2.6 MiB more than that; Linux
/// lets a send buffer alone grow to 4 MiB.
const SAME_PLACE: u64 = 4 * 1024 * 1024;

/// What the buffers of both sides can take from a sender whose peer reads nothing, in bytes: up to so far, the edge may
/// have closed at the request's head, whatever the size. Measured on Linux loopback, nginx's `return 444` shows counts
/// from 0 to 0.7 MiB.
const UNREAD: u64 = 1024 * 1024;

/// What ended an attempt before its answer was whole, in words; `None` when it was read to its end.
pub(super) fn failure(observation: &Observation) -> Option<String> {
    let sent = &observation.sent;
    let phase = |phase: Phase| match phase {
        Phase::Sending => {
            format!("with {} of {} body bytes sent", sent.body_bytes_before_answer, sent.body_bytes)
        }
        Phase::Waiting => "after the request was out".to_owned(),
    };
    match &observation.ending {
        Ending::Complete => None,
        Ending::Truncated { detail } => Some(format!("the answer did not come to its end ({detail})")),
        Ending::Broken { phase: at, detail } => Some(format!("the connection broke {} ({detail})", phase(*at))),
        Ending::TimedOut { phase: at } => Some(format!("no answer in time, {}", phase(*at))),
        Ending::Malformed { detail } => Some(format!("the answer is not HTTP ({detail})")),
        Ending::Unreachable { layer, detail } => Some(format!("{} ({detail})", layer_words(*layer))),
        Ending::StepFailed { step, detail } => {
            Some(format!("step `{step}` failed, so the upload was not sent ({detail})"))
        }
        Ending::FileError { detail } => Some(format!("the file could not be read ({detail})")),
    }
}

fn layer_words(layer: Unreachable) -> &'static str {
    match layer {
        Unreachable::Dns => "the name could not be resolved",
        Unreachable::Connect => "no connection",
        Unreachable::Proxy => "the proxy refused",
        Unreachable::Tls => "TLS failed",
        Unreachable::Protocol => "the HTTP version was not agreed",
    }
}

/// The verdict of a round whose last attempt got no answer after the request had begun.
///
/// `dropped`, unless every one of at least two attempts broke at the same place of the body, where the edge must have
/// read some of it: that is how an edge refuses a size without a word. When an earlier attempt did not reach the edge, the round says nothing.
pub(super) fn unanswered(attempts: &[Observation], last: &Observation) -> Verdict {
    let what = failure(last).unwrap_or_else(|| "there was no answer".to_owned());
    let never_began = |observation: &&Observation| {
        matches!(observation.ending, Ending::Unreachable { .. } | Ending::StepFailed { .. } | Ending::FileError { .. })
    };
    if let Some(earlier) = attempts.iter().find(never_began).and_then(failure) {
        let evidence = format!("{what}, and on another attempt {earlier}: nothing can be said");
        return Verdict::plain(Outcome::Unreachable, None, &evidence);
    }
    if let Some((least, most)) = breaking_place(attempts) {
        let total = last.sent.body_bytes;
        let evidence = format!(
            "the connection broke while the body was being sent in each of {} attempts, after {least} to {most} of \
             {total} bytes{}",
            attempts.len(),
            peer(last)
        );
        return Verdict::plain(Outcome::TooLarge, None, &evidence);
    }
    let again = if attempts.len() > 1 { format!(", in {} attempts", attempts.len()) } else { String::new() };
    Verdict::plain(Outcome::Dropped, None, &format!("{what}{again}{}", peer(last)))
}

/// The least and the most bytes after which the attempts broke, if all broke in the body and at the same place.
fn breaking_place(attempts: &[Observation]) -> Option<(u64, u64)> {
    let mut counts = Vec::with_capacity(attempts.len());
    for attempt in attempts {
        let Ending::Broken { phase: Phase::Sending, .. } = &attempt.ending else { return None };
        let (sent, total) = (attempt.sent.body_bytes_before_answer, attempt.sent.body_bytes);
        if attempt.answer.is_some() || sent < UNREAD || sent >= total {
            return None;
        }
        counts.push(sent);
    }
    let (least, most) = (*counts.iter().min()?, *counts.iter().max()?);
    (counts.len() > 1 && most - least <= SAME_PLACE).then_some((least, most))
}

/// The peer, for the end of a sentence.
pub(super) fn peer(observation: &Observation) -> String {
    observation.peer.map_or_else(String::new, |peer| format!("; peer {peer}"))
}
