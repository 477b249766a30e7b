//! Sends every case to one edge, or to two side by side, and hands on what became of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::watch;

use super::lane::{Asked, Lane};
use super::{Event, RunEnding, SideName};
use crate::corpus::Case;
use crate::error::{Error, Result};

/// What is sent, and how often.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The cases, in order.
    pub cases: Arc<[Case]>,
    /// Times that each edge is asked when the answers disagree: between the edges, or of an edge with itself.
    pub confirm: u32,
}

/// What one step of the run gave for one edge: the lines of one case, or of a canary control.
pub type Batch = (SideName, Vec<Event>);

/// How each edge's run ended, in the order of the lanes.
pub type Endings = Vec<(SideName, RunEnding)>;

/// Takes each batch in, from whichever thread settled it: handing it to another one would cost more than writing it.
pub type Sink = Arc<dyn Fn(Batch) -> Result<()> + Send + Sync>;

struct Shared {
    plan: Plan,
    lanes: Vec<Lane>,
    sink: Sink,
    next: AtomicUsize,
    ended: OnceLock<(SideName, RunEnding)>,
    /// The first error of the sink: nothing is sent that could not be recorded.
    failed: OnceLock<Error>,
}

/// Sends the plan's cases through the lanes, interleaved case by case, so that drift of the network or of an edge hits
/// both. Each batch goes to `sink` as soon as it is whole; an error of `sink` ends the run. `stop` turning true ends it
/// after what is already settled.
pub async fn conduct(plan: Plan, lanes: Vec<Lane>, mut stop: watch::Receiver<bool>, sink: Sink) -> Result<Endings> {
    let workers = lanes.iter().map(Lane::concurrency).max().unwrap_or(1).min(plan.cases.len()).max(1);
    let shared = Arc::new(Shared {
        plan,
        lanes,
        sink,
        next: AtomicUsize::new(0),
        ended: OnceLock::new(),
        failed: OnceLock::new(),
    });
    for lane in &shared.lanes {
        let mut events = Vec::new();
        let first = tokio::select! {
            first = lane.first_canary(&mut events) => first,
            () = stopped(&mut stop) => Err(RunEnding::Interrupted),
        };
        (shared.sink)((lane.name(), events))?;
        if let Err(ending) = first {
            return Ok(endings(&shared.lanes, Some(&(lane.name(), ending))));
        }
    }
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..workers {
        tasks.spawn(work(shared.clone()));
    }
    let interrupted = loop {
        tokio::select! {
            joined = tasks.join_next() => match joined {
                // A worker that panicked took a case with it: such a run must not end as if it were complete.
                Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Some(_) => {}
                None => break None,
            },
            () = stopped(&mut stop) => break Some((SideName::Baseline, RunEnding::Interrupted)),
        }
    };
    // Ends what is under way: a case that is not settled is sent again by `--resume`.
    tasks.shutdown().await;
    if let Some(error) = shared.failed.get() {
        return Err(error.clone());
    }
    Ok(endings(&shared.lanes, interrupted.as_ref().or_else(|| shared.ended.get())))
}

fn endings(lanes: &[Lane], ended: Option<&(SideName, RunEnding)>) -> Endings {
    let ending_of = |name: SideName| match ended {
        None => RunEnding::Complete,
        Some((side, ending)) if *side == name || *ending == RunEnding::Interrupted => ending.clone(),
        Some(_) => RunEnding::OtherSideEnded,
    };
    lanes.iter().map(|lane| (lane.name(), ending_of(lane.name()))).collect()
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // Nobody is left who could stop the run.
        std::future::pending::<()>().await;
    }
}

async fn work(shared: Arc<Shared>) {
    while shared.ended.get().is_none() && shared.failed.get().is_none() {
        let index = shared.next.fetch_add(1, Ordering::Relaxed);
        let Some(case) = shared.plan.cases.get(index) else { return };
        for batch in settle_case(&shared, case).await {
            if let Err(error) = (shared.sink)(batch) {
                let _ = shared.failed.set(error);
                return;
            }
        }
    }
}

/// Asks each lane that has no record of the case yet, in turns, until the answers agree or are confirmed.
async fn settle_case(shared: &Shared, case: &Case) -> Vec<Batch> {
    let mut asked: Vec<Option<Asked>> =
        shared.lanes.iter().map(|lane| lane.settled(&case.id).is_none().then(Asked::default)).collect();
    let mut unconfirmed = false;
    if ask_each(shared, case, &mut asked, Lane::rounds).await && disagree(shared, case, &asked) {
        unconfirmed = !ask_each(shared, case, &mut asked, |lane| lane.rounds().max(shared.plan.confirm)).await;
    }
    let lanes = shared.lanes.iter();
    lanes.zip(asked).filter_map(|(lane, asked)| Some((lane.name(), lane.close(case, asked?, unconfirmed)?))).collect()
}

/// Asks the lanes in turns, until each has been asked so many `times` in all. `false`: the run came to its end.
async fn ask_each(shared: &Shared, case: &Case, asked: &mut [Option<Asked>], times: impl Fn(&Lane) -> u32) -> bool {
    let most = shared.lanes.iter().map(&times).max().unwrap_or(0);
    for round in 1..=most {
        for (lane, asked) in shared.lanes.iter().zip(&mut *asked) {
            let Some(asked) = asked else { continue };
            if asked.verdicts.len() >= round.min(times(lane)) as usize {
                continue;
            }
            if let Err(ending) = lane.ask(case, asked).await {
                // Another worker may have met the same end first.
                let _ = shared.ended.set((lane.name(), ending));
                return false;
            }
        }
    }
    true
}

/// Whether an edge disagrees with itself or with the other edge on what became of the case.
fn disagree(shared: &Shared, case: &Case, asked: &[Option<Asked>]) -> bool {
    let mut outcomes = shared.lanes.iter().zip(asked).flat_map(|(lane, asked)| match asked {
        Some(asked) => asked.verdicts.iter().map(|verdict| verdict.outcome).collect(),
        None => Vec::from_iter(lane.settled(&case.id)),
    });
    let first = outcomes.next();
    outcomes.any(|outcome| Some(outcome) != first)
}
