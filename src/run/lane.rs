//! One edge while cases are being sent to it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::sentinel::{Health, Sentinel};
use super::{Attempt, CaseRecord, Event, RunEnding, SideName};
use crate::corpus::{Case, CaseId};
use crate::profile::Profile;
use crate::replay::{Observation, Replayer};
use crate::verdict::{Count, Outcome, Signatures, Verdict, judge, settle};

/// Times that a case is asked again when the edge says that we are too fast.
const MOST_THROTTLED: u32 = 5;

/// One edge: where it is asked, how its answers are read, and what is known of it.
pub struct Lane {
    name: SideName,
    replayer: Replayer,
    profile: Arc<Profile>,
    /// Times that each case is asked.
    rounds: u32,
    sentinel: Sentinel,
    settled: HashMap<CaseId, Outcome>,
}

/// A round and what it means.
pub(super) struct Judged {
    pub(super) attempts: Vec<(Timestamp, Observation)>,
    pub(super) verdict: Verdict,
    pub(super) retry_after: Option<Duration>,
}

/// What asking an edge for one case has given so far.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) events: Vec<Event>,
    pub(super) verdicts: Vec<Verdict>,
    attempts: u32,
    millis: u64,
}

impl Lane {
    /// An edge that is asked through `replayer`, each case `rounds` times. `settled`: what an earlier part of the run
    /// has on record and need not be asked again.
    #[must_use]
    pub fn new(
        name: SideName,
        replayer: Replayer,
        profile: Arc<Profile>,
        rounds: u32,
        settled: HashMap<CaseId, Outcome>,
    ) -> Self {
        let pace = &profile.pace;
        let sentinel = Sentinel::new(crate::corpus::canary(), pace.canary_every, pace.max_retry_after);
        Self { name, replayer, profile, rounds, sentinel, settled }
    }

    /// Which of the two edges.
    #[must_use]
    pub fn name(&self) -> SideName {
        self.name
    }

    pub(super) fn rounds(&self) -> u32 {
        self.rounds
    }

    pub(super) fn concurrency(&self) -> usize {
        self.profile.pace.concurrency
    }

    /// The outcome that an earlier part of the run settled.
    pub(super) fn settled(&self, case: &CaseId) -> Option<Outcome> {
        self.settled.get(case).copied()
    }

    /// Sends the first canary control, so that an edge that can't be reached is said at once.
    pub(super) async fn preflight(&self, events: &mut Vec<Event>) -> Result<(), RunEnding> {
        self.sentinel.first(self, events).await.map_err(|verdict| {
            let detail = verdict.evidence.to_string();
            match verdict.outcome {
                Outcome::Throttled => RunEnding::Banned { detail },
                _ => RunEnding::Unreachable { detail },
            }
        })
    }

    /// One round and its verdict.
    pub(super) async fn judge_round(&self, case: &Case) -> Judged {
        let round = self.replayer.round(case).await;
        let (times, observations): (Vec<_>, Vec<_>) =
            round.attempts.into_iter().map(|tried| (tried.at, tried.observation)).unzip();
        let verdict = judge(&observations, &self.profile.oracle, Signatures::builtin());
        let attempts = times.into_iter().zip(observations).collect();
        Judged { attempts, verdict, retry_after: round.retry_after }
    }

    /// Asks the edge once for `case`. `Err`: the run can't go on.
    pub(super) async fn ask(&self, case: &Case, asked: &mut Asked) -> Result<(), RunEnding> {
        let number = u32::try_from(asked.verdicts.len()).unwrap_or(u32::MAX).saturating_add(1);
        for again in 0..=MOST_THROTTLED {
            if let Some(detail) = self.replayer.over_ceiling() {
                return Err(RunEnding::Ceiling { detail });
            }
            let Judged { attempts, mut verdict, retry_after } = self.judge_round(case).await;
            let answered = Instant::now();
            if let (Outcome::Throttled, Some(wait)) = (verdict.outcome, retry_after)
                && wait <= self.profile.pace.max_retry_after
                && again < MOST_THROTTLED
            {
                self.note(case, number, attempts, &verdict, asked);
                self.replayer.pause(wait);
                let reason = "the edge asked to wait (Retry-After)".to_owned();
                asked.events.push(Event::Paused { side: self.name, seconds: wait.as_secs_f64(), reason });
                continue;
            }
            let health = if suspicious(verdict.outcome) || self.sentinel.is_due(self.replayer.requests_sent()) {
                self.sentinel.check(self, answered, &mut asked.events).await
            } else {
                Health::Well
            };
            match health {
                Health::Recovered if again < MOST_THROTTLED && verdict.outcome.count() != Count::Pass => {
                    verdict.outcome = Outcome::Throttled;
                    self.note(case, number, attempts, &verdict, asked);
                }
                Health::Well | Health::Recovered => {
                    self.note(case, number, attempts, &verdict, asked);
                    asked.verdicts.push(verdict);
                    return Ok(());
                }
                Health::Banned(detail) => {
                    if verdict.outcome.count() != Count::Pass {
                        verdict.evidence = format!("{detail}; this upload got: {}", verdict.evidence).into();
                        verdict.outcome = Outcome::Throttled;
                    }
                    self.note(case, number, attempts, &verdict, asked);
                    asked.verdicts.push(verdict);
                    return Err(RunEnding::Banned { detail });
                }
            }
        }
        Ok(())
    }

    fn note(
        &self,
        case: &Case,
        round: u32,
        attempts: Vec<(Timestamp, Observation)>,
        verdict: &Verdict,
        asked: &mut Asked,
    ) {
        let last = attempts.len();
        for (number, (at, observation)) in (1_u32..).zip(attempts) {
            asked.attempts += 1;
            asked.millis += observation.timings.total_us / 1000;
            let verdict = (number as usize == last).then(|| verdict.clone());
            let (side, case, at) = (self.name, case.id.clone(), at.to_string());
            asked.events.push(Event::Attempt(Attempt { side, case, round, attempt: number, at, observation, verdict }));
        }
    }

    /// Closes the case: its record becomes the last event of `asked`. `None`: it was not asked to an end, so that a
    /// resumed run asks again.
    pub(super) fn close(&self, case: &Case, mut asked: Asked) -> Option<Vec<Event>> {
        let throttled = asked.verdicts.last().is_some_and(|verdict| verdict.outcome == Outcome::Throttled);
        if asked.verdicts.len() < self.rounds as usize && !throttled {
            return None;
        }
        let attachment = &case.attachment;
        asked.events.push(Event::Case(CaseRecord {
            side: self.name,
            case: case.id.clone(),
            intent: attachment.intent,
            rounds: asked.verdicts.iter().map(|verdict| verdict.outcome).collect(),
            verdict: settle(&asked.verdicts).0,
            attempts: asked.attempts,
            procedures: attachment.procedures.iter().map(|name| name.as_str().into()).collect(),
            weight: attachment.weight,
            twin: attachment.twin.as_deref().map(Into::into),
            filename: case.filename.text.as_str().into(),
            place: attachment.place.as_ref().map(|(path, line)| {
                let name = path.file_name().unwrap_or(path.as_os_str());
                format!("{}:{line}", name.to_string_lossy()).into()
            }),
            millis: asked.millis,
        }));
        Some(asked.events)
    }
}

/// Outcomes that a ban could have caused.
fn suspicious(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Blocked | Outcome::Challenged | Outcome::Dropped | Outcome::Throttled | Outcome::Unreachable => true,
        Outcome::Delivered | Outcome::Altered | Outcome::TooLarge | Outcome::Rejected | Outcome::Lost => false,
    }
}
