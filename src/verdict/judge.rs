//! From the facts of a round to its outcome.

use super::altered::{Arrival, arrival};
use super::outcome::{Outcome, Verdict};
use super::page::{Page, has_marker};
use super::shared::Text;
use super::signature::{Match, SignatureKind, Signatures, excerpt};
use super::transport::{failure, peer, unanswered};
use crate::profile::{Oracle, Proof, ReceiptSource};
use crate::replay::{Ending, Observation, ReadBackFact, ReceiptFact, StepFact};

/// The signature of a refusal that none of the known ones matches.
pub const UNRECOGNISED: &str = "unrecognised";

/// Says what became of an upload. Pure and total.
///
/// `attempts` are those of one round, in order; there is more than one only when the transport failed, and the last
/// decides. A pass needs all of this, and nothing else makes one:
///
/// * the answer was read to its end, and everything that the oracle sets (status, header, body, JSON) holds;
/// * with a receipt, it is there with the same SHA-256, and size, filename and type as sent;
/// * with read-back, the file came back with the same SHA-256;
/// * no step after the upload failed;
/// * the kind of proof that the profile names is among them.
///
/// So an upload that arrived, and whose sender saw an error page, is not delivered: the sender sends it again or
/// gives up. The evidence then says that it arrived. Where the receipt cannot be asked for, nothing is known, and
/// the outcome is `unreachable`.
#[must_use]
pub fn judge(attempts: &[Observation], oracle: &Oracle, signatures: &Signatures) -> Verdict {
    let Some((last, earlier)) = attempts.split_last() else {
        return Verdict::plain(Outcome::Unreachable, None, "no attempt was made");
    };
    let verdict = match &last.ending {
        Ending::Unreachable { .. } | Ending::StepFailed { .. } | Ending::FileError { .. } => never_began(last),
        Ending::Complete
        | Ending::Truncated { .. }
        | Ending::Broken { .. }
        | Ending::TimedOut { .. }
        | Ending::Malformed { .. } => Round { attempts, last, oracle, signatures }.judged(),
    };
    // `unanswered` has looked at all attempts already.
    let told = matches!(verdict.outcome, Outcome::Dropped | Outcome::TooLarge) && verdict.status.is_none();
    match earlier.iter().rev().find_map(failure) {
        Some(failure) if !told => {
            Verdict { evidence: format!("{}; sent again after {failure}", verdict.evidence).into(), ..verdict }
        }
        _ => verdict,
    }
}

fn never_began(last: &Observation) -> Verdict {
    let what = failure(last).unwrap_or_default();
    Verdict::plain(Outcome::Unreachable, None, &format!("{what}{}", peer(last)))
}

/// What the side channels (receipt, read-back, later steps) say, gravest last.
enum Proven {
    /// All that the profile asks for holds.
    Whole,
    /// Nothing shows that it arrived: why.
    Missing(String),
    /// It arrived, and something behind it is missing: outcome and why.
    Arrived(Outcome, String),
    /// It cannot be known: why.
    Unknown(String),
}

struct Round<'a> {
    attempts: &'a [Observation],
    last: &'a Observation,
    oracle: &'a Oracle,
    signatures: &'a Signatures,
}

impl Round<'_> {
    fn judged(&self) -> Verdict {
        let Some(answer) = &self.last.answer else { return self.without_answer() };
        let page = Page::of(answer, self.oracle);
        let whole = matches!(self.last.ending, Ending::Complete);
        let proven = self.proven(&page);
        if whole && page.unmet.is_none() && matches!(proven, Proven::Whole) {
            return self.delivered(&page);
        }
        if page.unmet.is_none() { self.page_as_asked(&page, proven) } else { self.page_not_as_asked(&page, proven) }
    }

    fn without_answer(&self) -> Verdict {
        let verdict = unanswered(self.attempts, self.last);
        if let Some(detail) = self.receipt_unavailable() {
            let evidence = format!("{}, and the receipt could not be asked for ({detail})", verdict.evidence);
            return Verdict::plain(Outcome::Unreachable, None, &evidence);
        }
        match self.last.receipt {
            Some(ReceiptFact::Found(_)) => {
                let evidence = format!("the file arrived at the origin, but {}", verdict.evidence);
                Verdict { evidence: evidence.into(), ..verdict }
            }
            Some(ReceiptFact::Absent { .. } | ReceiptFact::Unavailable { .. }) | None => verdict,
        }
    }

    /// Why the receipt says nothing. One that is in the answer itself is missing where the answer is not as asked.
    fn receipt_unavailable(&self) -> Option<&str> {
        let from_elsewhere =
            self.oracle.receipt.as_ref().is_none_or(|spec| matches!(spec.source, ReceiptSource::Url { .. }));
        match &self.last.receipt {
            Some(ReceiptFact::Unavailable { detail, .. }) if from_elsewhere => Some(detail),
            _ => None,
        }
    }

    fn proven(&self, page: &Page<'_>) -> Proven {
        let receipt = self.receipt();
        let arrived = matches!(receipt, Some(Proven::Whole));
        for fact in [receipt, self.read_back(arrived, page), self.later_steps(), self.named_proof(page)] {
            match fact {
                None | Some(Proven::Whole) => {}
                Some(Proven::Missing(why)) if arrived => return Proven::Arrived(Outcome::Blocked, why),
                Some(other) => return other,
            }
        }
        Proven::Whole
    }

    fn receipt(&self) -> Option<Proven> {
        let spec = self.oracle.receipt.as_ref();
        match &self.last.receipt {
            Some(ReceiptFact::Found(receipt)) => Some(match arrival(receipt, &self.last.sent, spec) {
                Arrival::Intact => Proven::Whole,
                Arrival::Altered(what) => Proven::Arrived(Outcome::Altered, what),
                Arrival::Unproven(why) => Proven::Unknown(why),
            }),
            Some(ReceiptFact::Absent { detail }) => {
                Some(Proven::Missing(format!("the origin has no receipt of it ({detail})")))
            }
            Some(ReceiptFact::Unavailable { detail, .. }) => Some(match self.receipt_unavailable() {
                Some(detail) => Proven::Unknown(format!("the receipt could not be asked for ({detail})")),
                None => Proven::Missing(format!("the answer holds no receipt ({detail})")),
            }),
            None if spec.is_some() || self.oracle.proof == Proof::Receipt => {
                Some(Proven::Unknown("the receipt was not asked for".to_owned()))
            }
            None => None,
        }
    }

    fn read_back(&self, arrived: bool, page: &Page<'_>) -> Option<Proven> {
        match &self.last.read_back {
            Some(ReadBackFact::Found { sha256, .. }) if *sha256 == self.last.sent.sha256 => Some(Proven::Whole),
            Some(ReadBackFact::Found { sha256, size }) => {
                let sent = &self.last.sent;
                let what = format!(
                    "read back, the content differs: SHA-256 `{}` ({} bytes) was sent, `{sha256}` ({size} bytes) came",
                    sent.sha256, sent.size
                );
                Some(Proven::Arrived(Outcome::Altered, what))
            }
            Some(ReadBackFact::Absent { status }) => {
                let why = format!("read back, it is not there (status {status})");
                let accepted = arrived || (page.unmet.is_none() && has_marker(self.oracle));
                Some(if accepted { Proven::Arrived(Outcome::Lost, why) } else { Proven::Missing(why) })
            }
            Some(ReadBackFact::Unavailable { detail, .. }) => {
                Some(Proven::Unknown(format!("it could not be read back ({detail})")))
            }
            None if self.oracle.read_back.is_some() || self.oracle.proof == Proof::ReadBack => {
                Some(Proven::Unknown("it was not read back".to_owned()))
            }
            None => None,
        }
    }

    /// A step after the upload that failed. Those before it end the attempt.
    fn later_steps(&self) -> Option<Proven> {
        let failed = |step: &StepFact| step.error.clone().map(|error| (step.name.clone(), step.status, error));
        let (name, status, error) = self.last.steps.iter().find_map(failed)?;
        Some(match status {
            Some(401 | 407) | None => Proven::Unknown(format!("step `{name}` after the upload failed ({error})")),
            Some(status) => {
                Proven::Missing(format!("step `{name}` after the upload was answered with {status} ({error})"))
            }
        })
    }

    /// Whether the kind of proof that the profile names can hold at all.
    fn named_proof(&self, page: &Page<'_>) -> Option<Proven> {
        match self.oracle.proof {
            Proof::Receipt | Proof::ReadBack => None,
            Proof::Marker if has_marker(self.oracle) => None,
            Proof::Marker => Some(Proven::Missing("the profile names no success marker".to_owned())),
            Proof::Status => {
                let sent = &self.last.sent;
                // A status that was there before the upload was out says nothing of the upload.
                (sent.body_bytes_before_answer < sent.body_bytes).then(|| {
                    Proven::Missing(format!(
                        "status {} came with {} of {} body bytes sent",
                        page.answer.status, sent.body_bytes_before_answer, sent.body_bytes
                    ))
                })
            }
        }
    }

    fn delivered(&self, page: &Page<'_>) -> Verdict {
        let status = page.answer.status;
        let proof = match self.oracle.proof {
            Proof::Receipt => "the receipt has the same SHA-256".to_owned(),
            Proof::ReadBack => "read back with the same SHA-256".to_owned(),
            Proof::Marker => format!("status {status} with the success marker"),
            Proof::Status => format!("status {status}, and no other proof"),
        };
        let observed = self.signatures.observed(page.answer);
        let evidence = match &observed {
            Some(sign) => format!("{proof}; a rule fired without blocking: `{}`", sign.excerpt),
            None => proof,
        };
        Verdict { would_block: observed.is_some(), ..Verdict::plain(Outcome::Delivered, Some(status), &evidence) }
    }

    /// The page says success, and something else is missing.
    fn page_as_asked(&self, page: &Page<'_>, proven: Proven) -> Verdict {
        match proven {
            Proven::Unknown(why) => self.verdict(Outcome::Unreachable, page, &why, None),
            Proven::Arrived(outcome @ (Outcome::Altered | Outcome::Lost), why) => {
                self.verdict(outcome, page, &why, None)
            }
            Proven::Arrived(_, why) => self.refused(page, &format!("the file arrived at the origin, but {why}")),
            Proven::Missing(why) => self.refused(page, &why),
            Proven::Whole => {
                let why = failure(self.last).unwrap_or_default();
                self.verdict(Outcome::Dropped, page, &format!("the proof of delivery holds, but {why}"), None)
            }
        }
    }

    /// The page is not what the profile asks for.
    fn page_not_as_asked(&self, page: &Page<'_>, proven: Proven) -> Verdict {
        let unmet = page.unmet.clone().unwrap_or_default();
        match proven {
            // The receipt's silence outweighs the page: the upload may have arrived.
            Proven::Unknown(why) if self.receipt_unavailable().is_some() => {
                self.verdict(Outcome::Unreachable, page, &format!("{unmet}; {why}"), None)
            }
            // An origin that refuses what the edge has altered is not to blame; an edge that says so itself is.
            Proven::Arrived(Outcome::Altered, why) => match self.explicit(page, &unmet) {
                Some(refused) if page.rejected.is_none() => refused,
                Some(_) | None => self.verdict(Outcome::Altered, page, &format!("{why}; {unmet}"), None),
            },
            _ if self.arrived() => {
                self.refused(page, &format!("the file arrived at the origin, but its sender saw otherwise: {unmet}"))
            }
            Proven::Whole | Proven::Arrived(..) | Proven::Missing(_) | Proven::Unknown(_) => self.refused(page, &unmet),
        }
    }

    fn arrived(&self) -> bool {
        matches!(self.last.receipt, Some(ReceiptFact::Found(_)))
            || matches!(self.last.read_back, Some(ReadBackFact::Found { .. }))
    }

    /// A refusal: by what is known of it, else `blocked` and unrecognised, or `dropped` when a good answer was cut off.
    fn refused(&self, page: &Page<'_>, why: &str) -> Verdict {
        if let Some(verdict) = self.explicit(page, why) {
            return verdict;
        }
        match failure(self.last) {
            Some(failure) if page.status_accepted => {
                self.verdict(Outcome::Dropped, page, &format!("{why}; {failure}"), None)
            }
            Some(failure) => self.verdict(Outcome::Blocked, page, &format!("{why}; {failure}"), Some(UNRECOGNISED)),
            None => self.verdict(Outcome::Blocked, page, why, Some(UNRECOGNISED)),
        }
    }

    /// A refusal that says itself what it is.
    ///
    /// The origin's own words come first: the profile's author wrote them for this origin. Then challenge, size and
    /// block signatures; then the statuses that say something by themselves.
    fn explicit(&self, page: &Page<'_>, why: &str) -> Option<Verdict> {
        if let Some(words) = &page.rejected {
            let why = format!("the origin refused it: `{words}`; {why}");
            return Some(self.verdict(Outcome::Rejected, page, &why, None));
        }
        let answer = page.answer;
        if let Some(found) = self.signatures.matching_text(answer, &page.text) {
            let outcome = match found.kind {
                SignatureKind::Challenge => Some(Outcome::Challenged),
                SignatureKind::Size => Some(Outcome::TooLarge),
                SignatureKind::Block if answer.status == 413 => Some(Outcome::TooLarge),
                SignatureKind::Block => Some(Outcome::Blocked),
                SignatureKind::Presence | SignatureKind::Observed => None,
            };
            if let Some(outcome) = outcome {
                let Match { id, excerpt, .. } = found;
                let mark = if excerpt.is_empty() { String::new() } else { format!(" (`{excerpt}`)") };
                return Some(self.verdict(outcome, page, &format!("signature of `{id}`{mark}; {why}"), Some(&id)));
            }
        }
        if page.status_accepted {
            return None;
        }
        match answer.status {
            413 => Some(self.verdict(Outcome::TooLarge, page, why, Some(UNRECOGNISED))),
            429 => Some(self.verdict(Outcome::Throttled, page, why, None)),
            503 if answer.header("retry-after").is_some() => {
                Some(self.verdict(Outcome::Throttled, page, &format!("a pause is asked for; {why}"), None))
            }
            401 | 407 => {
                Some(self.verdict(Outcome::Unreachable, page, &format!("credentials are wanted; {why}"), None))
            }
            _ => None,
        }
    }

    fn verdict(&self, outcome: Outcome, page: &Page<'_>, why: &str, signature: Option<&str>) -> Verdict {
        let answer = page.answer;
        let mut seen = format!("status {}", answer.status);
        if let Some(reason) = &answer.reason {
            seen = format!("{seen}{}", format_args!(" `{}`", excerpt(reason, 0..reason.len())));
        }
        if let Some(location) = answer.header("location") {
            seen = format!("{seen}{}", format_args!(" to `{}`", excerpt(location, 0..location.len())));
        }
        if answer.body_bytes == 0 && answer.body.0.is_empty() {
            seen += " with an empty body";
        }
        let sent = &self.last.sent;
        if sent.body_bytes_before_answer < sent.body_bytes {
            seen = format!(
                "{seen}{}",
                format_args!(" after {} of {} body bytes", sent.body_bytes_before_answer, sent.body_bytes)
            );
        }
        let evidence = format!("{seen}: {why}{}", peer(self.last));
        Verdict { signature: signature.map(Text::from), ..Verdict::plain(outcome, Some(answer.status), &evidence) }
    }
}
