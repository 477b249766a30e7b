//! One edge while cases are being sent to it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::sentinel::{Health, Sentinel};
use super::{Attempt, CaseRecord, Event, RunEnding, SideName};
use crate::corpus::{Case, CaseId};
use crate::profile::Profile;
use crate::replay::{Replayer, Try};
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
    signatures: &'static Signatures,
    settled: HashMap<CaseId, Outcome>,
}

/// A round and what it means.
pub(super) struct Judged {
    pub(super) attempts: Vec<Try>,
    pub(super) verdict: Verdict,
    pub(super) retry_after: Option<Duration>,
    /// The ceiling that cut the round short: the verdict then says nothing.
    pub(super) ceiling: Option<String>,
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
        // Asked for here, so that its patterns are compiled before anything is sent.
        let signatures = Signatures::builtin();
        Self { name, replayer, profile, rounds, sentinel, signatures, settled }
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
        self.sentinel.first(self, events).await
    }

    /// One round and its verdict.
    pub(super) async fn judge_round(&self, case: &Case) -> Judged {
        let round = self.replayer.round(case).await;
        let (marks, observations): (Vec<_>, Vec<_>) =
            round.attempts.into_iter().map(|Try { id, at, observation }| ((id, at), observation)).unzip();
        let verdict = judge(&observations, &self.profile.oracle, self.signatures);
        let tried = marks.into_iter().zip(observations);
        let attempts = tried.map(|((id, at), observation)| Try { id, at, observation }).collect();
        Judged { attempts, verdict, retry_after: round.retry_after, ceiling: round.ceiling }
    }

    /// Lets nothing start for so long.
    pub(super) fn hold(&self, wait: Duration) {
        self.replayer.pause(wait);
    }

    /// Lets nothing start for the pause that the edge asked for.
    pub(super) fn pause(&self, wait: Duration, events: &mut Vec<Event>) {
        self.hold(wait);
        let reason = "the edge asked to wait (Retry-After)".to_owned();
        events.push(Event::Paused { side: self.name, seconds: wait.as_secs_f64(), reason });
    }

    /// The longest pause that an edge may ask for.
    pub(super) fn patience(&self) -> Duration {
        self.profile.pace.max_retry_after
    }

    /// Asks the edge once for `case`. `Err`: the run can't go on.
    pub(super) async fn ask(&self, case: &Case, asked: &mut Asked) -> Result<(), RunEnding> {
        let number = u32::try_from(asked.verdicts.len()).unwrap_or(u32::MAX).saturating_add(1);
        let mut again = 0;
        loop {
            let started = Instant::now();
            let Judged { attempts, mut verdict, retry_after, ceiling } = self.judge_round(case).await;
            let round = started..Instant::now();
            if let Some(detail) = ceiling {
                return Err(RunEnding::Ceiling { detail });
            }
            let last = again == MOST_THROTTLED;
            again += 1;
            match retry_after.filter(|_| verdict.outcome == Outcome::Throttled) {
                Some(wait) if wait > self.patience() => {
                    let detail = too_long(wait, self.patience());
                    self.settle(case, number, attempts, verdict, asked);
                    return Err(RunEnding::Banned { detail });
                }
                Some(wait) => {
                    self.pause(wait, &mut asked.events);
                    if !last {
                        self.note(case, number, attempts, &verdict, asked);
                        continue;
                    }
                }
                None => {}
            }
            let health = if suspicious(verdict.outcome) || self.sentinel.is_due(self.replayer.requests_sent()) {
                self.sentinel.check(self, round, &mut asked.events).await
            } else {
                Health::Well
            };
            let passed = verdict.outcome.count() == Count::Pass;
            match health {
                Health::Recovered if !passed => {
                    throttled(&mut verdict, "the canary control did not get through for a while");
                    if !last {
                        self.note(case, number, attempts, &verdict, asked);
                        continue;
                    }
                }
                Health::Well | Health::Recovered => {}
                Health::Banned(detail) => {
                    if !passed {
                        throttled(&mut verdict, &detail);
                    }
                    self.settle(case, number, attempts, verdict, asked);
                    return Err(RunEnding::Banned { detail });
                }
                // A pass is proven; anything else could be a ban's doing, and nothing is left to find out with.
                Health::Unknown(detail) => {
                    if passed {
                        self.settle(case, number, attempts, verdict, asked);
                    }
                    return Err(RunEnding::Ceiling { detail });
                }
            }
            self.settle(case, number, attempts, verdict, asked);
            return Ok(());
        }
    }

    /// Ends a round with `verdict`.
    fn settle(&self, case: &Case, round: u32, attempts: Vec<Try>, verdict: Verdict, asked: &mut Asked) {
        self.note(case, round, attempts, &verdict, asked);
        asked.verdicts.push(verdict);
    }

    fn note(&self, case: &Case, round: u32, attempts: Vec<Try>, verdict: &Verdict, asked: &mut Asked) {
        let last = attempts.len();
        for (attempt, Try { id, at, observation }) in (1_u32..).zip(attempts) {
            asked.attempts += 1;
            asked.millis += observation.timings.total_us / 1000;
            let verdict = (attempt as usize == last).then(|| verdict.clone());
            let (side, case, at) = (self.name, case.id.clone(), at.to_string());
            asked.events.push(Event::Attempt(Attempt { side, case, round, attempt, id, at, observation, verdict }));
        }
    }

    /// Closes the case: its record becomes the last event of `asked`. `None`: it was not asked to an end, so that a
    /// resumed run asks again; so it is with answers that disagreed and are `unconfirmed` because the run ended.
    pub(super) fn close(&self, case: &Case, mut asked: Asked, unconfirmed: bool) -> Option<Vec<Event>> {
        let throttled = asked.verdicts.last().is_some_and(|verdict| verdict.outcome == Outcome::Throttled);
        if (unconfirmed || asked.verdicts.len() < self.rounds as usize) && !throttled {
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

/// Takes back what a verdict says of the file, because `why`.
fn throttled(verdict: &mut Verdict, why: &str) {
    verdict.evidence = format!("{why}; this upload got: {}", verdict.evidence).into();
    verdict.outcome = Outcome::Throttled;
}

/// Why a run ends at an edge that wants a long pause.
pub(super) fn too_long(wait: Duration, most: Duration) -> String {
    format!("the edge asks for a pause of {wait:?}, and `pace.max_retry_after` allows {most:?}")
}

/// Outcomes that a ban could have caused.
fn suspicious(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Blocked | Outcome::Challenged | Outcome::Dropped | Outcome::Throttled | Outcome::Unreachable => true,
        Outcome::Delivered | Outcome::Altered | Outcome::TooLarge | Outcome::Rejected | Outcome::Lost => false,
    }
}
