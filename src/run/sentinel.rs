//! Tells "the edge refuses this file" from "the edge has banned us", by a tiny benign file sent in between.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::lane::{Judged, Lane, too_long};
use super::{Event, RunEnding};
use crate::corpus::Case;
use crate::replay::Try;
use crate::verdict::{Count, Outcome, Verdict};

/// The first pause after a canary that did not get through; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Times that the first canary control is sent when the edge asks for a pause.
const MOST_FIRST: u32 = 5;

/// What the canary control says of the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Health {
    /// It gets through: a refusal is the file's.
    Well,
    /// It did not get through for a while, and does again: what happened meanwhile says nothing of the files.
    Recovered,
    /// It no longer gets through.
    Banned(String),
    /// It could not be sent: a ceiling is reached.
    Unknown(String),
}

/// The canary control of one edge.
#[derive(Debug)]
pub(super) struct Sentinel {
    case: Case,
    every: u64,
    patience: Duration,
    due: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Whether it ever got through: only then does its failure say anything.
    witness: bool,
    /// When the last one that got through was sent.
    well_at: Option<Instant>,
    /// The last time that it did not: after the first of these moments, and before the second.
    gap: Option<(Option<Instant>, Instant)>,
    /// Why the edge is lost: no other worker needs to find that out again.
    banned: Option<String>,
}

impl Sentinel {
    /// A sentinel that sends `case` after every `every` requests (0: never), and waits for at most `patience` for a
    /// ban to pass.
    pub(super) fn new(case: Case, every: u64, patience: Duration) -> Self {
        let state = Mutex::new(State { witness: false, well_at: None, gap: None, banned: None });
        Self { case, every, patience, due: AtomicU64::new(every), state }
    }

    /// Sends the first canary control. `Err`: the edge can't be reached, or does not take any upload for now.
    pub(super) async fn first(&self, lane: &Lane, events: &mut Vec<Event>) -> Result<(), RunEnding> {
        if self.every == 0 {
            return Ok(());
        }
        let mut again = 0;
        let (sent_at, verdict) = loop {
            let sent_at = Instant::now();
            let (verdict, wait) =
                self.send(lane, events).await.map_err(|ceiling| RunEnding::Ceiling { detail: ceiling })?;
            again += 1;
            match wait {
                Some(wait) if wait > self.patience => {
                    return Err(RunEnding::Banned { detail: too_long(wait, self.patience) });
                }
                Some(wait) if again < MOST_FIRST => lane.pause(wait, events),
                Some(_) | None => break (sent_at, verdict),
            }
        };
        let detail = verdict.evidence.to_string();
        match verdict.outcome.count() {
            Count::Inconclusive if verdict.outcome == Outcome::Throttled => return Err(RunEnding::Banned { detail }),
            Count::Inconclusive => return Err(RunEnding::Unreachable { detail }),
            Count::Pass => {
                let mut state = self.state.lock().await;
                state.witness = true;
                state.well_at = Some(sent_at);
            }
            // An edge that refuses the canary from the start can't use it as a witness; its cases are judged as they are.
            Count::Fail => {}
        }
        Ok(())
    }

    /// Whether so many requests were sent that a canary control is due.
    pub(super) fn is_due(&self, sent: u64) -> bool {
        let due = self.due.load(Ordering::Relaxed);
        self.every > 0
            && sent >= due
            && self.due.compare_exchange(due, sent + self.every, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Asks whether uploads still got through while one was `asked` about, unless a later canary has told already.
    pub(super) async fn check(&self, lane: &Lane, asked: Range<Instant>, events: &mut Vec<Event>) -> Health {
        let mut state = self.state.lock().await;
        if let Some(detail) = &state.banned {
            return Health::Banned(detail.clone());
        }
        if !state.witness {
            return Health::Well;
        }
        // NOTE: another worker may have waited for a ban to pass, and this answer may have come in the midst of it.
        if state.gap.is_some_and(|(from, to)| from.is_none_or(|from| from < asked.end) && asked.start <= to) {
            return Health::Recovered;
        }
        if state.well_at.is_some_and(|at| at >= asked.end) {
            return Health::Well;
        }
        let began = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut failed = false;
        loop {
            let sent_at = Instant::now();
            let (verdict, wait) = match self.send(lane, events).await {
                Ok(sent) => sent,
                Err(ceiling) => return Health::Unknown(ceiling),
            };
            if verdict.outcome.count() == Count::Pass {
                let before = state.well_at.replace(sent_at);
                if failed {
                    state.gap = Some((before, Instant::now()));
                    return Health::Recovered;
                }
                return Health::Well;
            }
            failed = true;
            let next = pause.max(wait.unwrap_or_default());
            if began.elapsed().saturating_add(next) > self.patience {
                let (outcome, evidence) = (verdict.outcome.as_str(), &verdict.evidence);
                let detail =
                    format!("the canary control got through before and no longer does ({outcome}: {evidence})");
                state.banned = Some(detail.clone());
                return Health::Banned(detail);
            }
            let reason = "the canary control did not get through".to_owned();
            events.push(Event::Paused { side: lane.name(), seconds: next.as_secs_f64(), reason });
            // Everyone waits: an edge that has banned us is not asked by other workers meanwhile.
            lane.hold(next);
            pause *= 2;
        }
    }

    /// Sends it once: what it means, and the pause that the edge asks for. `Err`: a ceiling is reached.
    async fn send(&self, lane: &Lane, events: &mut Vec<Event>) -> Result<(Verdict, Option<Duration>), String> {
        let Judged { mut attempts, verdict, retry_after, ceiling } = lane.judge_round(&self.case).await;
        if let Some(Try { at, observation, .. }) = attempts.pop() {
            let (side, at) = (lane.name(), at.to_string());
            events.push(Event::Canary { side, at, observation, verdict: verdict.clone() });
        }
        let wait = retry_after.filter(|_| verdict.outcome == Outcome::Throttled);
        ceiling.map_or(Ok((verdict, wait)), Err)
    }
}
