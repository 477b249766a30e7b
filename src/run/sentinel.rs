//! Tells "the edge refuses this file" from "the edge has banned us", by a tiny benign file sent in between.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::Event;
use super::lane::{Judged, Lane};
use crate::corpus::Case;
use crate::verdict::{Count, Outcome, Verdict};

/// A canary that fails once and gets through this soon after was a hiccup, not a ban.
const HICCUP: Duration = Duration::from_millis(250);

/// What the canary control says of the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Health {
    /// It gets through: a refusal is the file's.
    Well,
    /// It did not get through for a while, and does again: what happened meanwhile says nothing of the files.
    Recovered,
    /// It no longer gets through.
    Banned(String),
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
}

impl Sentinel {
    /// A sentinel that sends `case` after every `every` requests (0: never), and waits for at most `patience` for a
    /// ban to pass.
    pub(super) fn new(case: Case, every: u64, patience: Duration) -> Self {
        let state = Mutex::new(State { witness: false, well_at: None });
        Self { case, every, patience, due: AtomicU64::new(every), state }
    }

    /// Sends the first canary control. `Err`: the edge can't be reached, or does not take any upload for now.
    pub(super) async fn first(&self, lane: &Lane, events: &mut Vec<Event>) -> Result<(), Verdict> {
        if self.every == 0 {
            return Ok(());
        }
        let sent_at = Instant::now();
        let verdict = self.send(lane, events).await;
        match verdict.outcome.count() {
            Count::Inconclusive => return Err(verdict),
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

    /// Asks whether uploads still get through now, unless one that was sent after `since` did.
    pub(super) async fn check(&self, lane: &Lane, since: Instant, events: &mut Vec<Event>) -> Health {
        let mut state = self.state.lock().await;
        if !state.witness || state.well_at.is_some_and(|at| at >= since) {
            return Health::Well;
        }
        let began = Instant::now();
        let mut wait = HICCUP;
        loop {
            let sent_at = Instant::now();
            let verdict = self.send(lane, events).await;
            if verdict.outcome == Outcome::Delivered {
                state.well_at = Some(sent_at);
                let waited = sent_at.duration_since(began);
                return if waited < HICCUP * 3 { Health::Well } else { Health::Recovered };
            }
            if began.elapsed() + wait > self.patience {
                return Health::Banned(format!(
                    "the canary control got through before and no longer does ({}: {})",
                    verdict.outcome.as_str(),
                    verdict.evidence
                ));
            }
            events.push(Event::Paused {
                side: lane.name(),
                seconds: wait.as_secs_f64(),
                reason: "the canary control did not get through".to_owned(),
            });
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
    }

    async fn send(&self, lane: &Lane, events: &mut Vec<Event>) -> Verdict {
        let Judged { mut attempts, verdict, .. } = lane.judge_round(&self.case).await;
        if let Some((at, observation)) = attempts.pop() {
            let (side, at) = (lane.name(), at.to_string());
            events.push(Event::Canary { side, at, observation, verdict: verdict.clone() });
        }
        verdict
    }
}
