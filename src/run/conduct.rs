//! Sends every case to one edge, or to several side by side, and hands on what became of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::watch;

use super::lane::{Asked, Lane};
use super::{Event, RunEnding};
use crate::corpus::Case;
use crate::error::{Error, Result};

/// What is sent, and how often.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The cases, in order.
    pub cases: Arc<[Case]>,
    /// Times that each edge is asked when the answers disagree: between the edges, or of an edge with itself.
    pub confirm: u32,
    /// What an edge that cannot go on does to the others.
    pub ends: Ends,
}

/// What an edge that cannot go on does to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// It ends them all: one side of a comparison says nothing without the other.
    Together,
    /// Each edge ends for itself: a column of a matrix is worth having without its neighbour.
    Alone,
}

/// What one step of the run gave for one edge: the edge's number among the lanes, and the lines of one case or of a
/// canary control.
pub type Batch = (usize, Vec<Event>);

/// How each edge's run ended, in the order of the lanes.
pub type Endings = Vec<RunEnding>;

/// Takes each batch in, from whichever thread settled it: handing it to another one would cost more than writing it.
pub type Sink = Arc<dyn Fn(Batch) -> Result<()> + Send + Sync>;

struct Shared {
    plan: Plan,
    lanes: Vec<Lane>,
    sink: Sink,
    next: AtomicUsize,
    /// How each lane ended by itself, in their order.
    ended: Vec<OnceLock<RunEnding>>,
    /// The first error of the sink: nothing is sent that could not be recorded.
    failed: OnceLock<Error>,
}

/// Sends the plan's cases through the lanes, interleaved case by case, so that drift of the network or of an edge hits
/// both. Each batch goes to `sink` as soon as it is whole; an error of `sink` ends the run. `stop` turning true ends it
/// after what is already settled.
pub async fn conduct(plan: Plan, lanes: Vec<Lane>, mut stop: watch::Receiver<bool>, sink: Sink) -> Result<Endings> {
    let workers = lanes.iter().map(Lane::concurrency).max().unwrap_or(1).min(plan.cases.len()).max(1);
    let ended = lanes.iter().map(|_| OnceLock::new()).collect();
    let shared = Arc::new(Shared { plan, lanes, sink, next: AtomicUsize::new(0), ended, failed: OnceLock::new() });
    for (number, lane) in shared.lanes.iter().enumerate() {
        let mut events = Vec::new();
        let first = tokio::select! {
            first = lane.first_canary(&mut events) => first.map_err(Some),
            () = stopped(&mut stop) => Err(None),
        };
        (shared.sink)((number, events))?;
        match first {
            Ok(()) => {}
            Err(None) => return Ok(shared.endings(true)),
            Err(Some(ending)) => shared.end(number, ending),
        }
        if shared.is_over() {
            return Ok(shared.endings(false));
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
                None => break false,
            },
            () = stopped(&mut stop) => break true,
        }
    };
    // Ends what is under way: a case that is not settled is sent again by `--resume`.
    tasks.shutdown().await;
    if let Some(error) = shared.failed.get() {
        return Err(error.clone());
    }
    Ok(shared.endings(interrupted))
}

impl Shared {
    /// Notes that a lane cannot go on. Another worker may have met an end first: that one counts.
    fn end(&self, lane: usize, ending: RunEnding) {
        if let Some(ended) = self.ended.get(lane).filter(|_| !self.is_over()) {
            let _ = ended.set(ending);
        }
    }

    /// Whether this lane is to be asked nothing more, and others are.
    fn ends_alone(&self, lane: usize) -> bool {
        self.plan.ends == Ends::Alone && self.ended.get(lane).is_some_and(|ended| ended.get().is_some())
    }

    /// Whether nothing is left to be asked of any lane.
    fn is_over(&self) -> bool {
        let mut ended = self.ended.iter().map(|ended| ended.get().is_some());
        match self.plan.ends {
            Ends::Together => ended.any(|ended| ended),
            Ends::Alone => ended.all(|ended| ended),
        }
    }

    fn endings(&self, interrupted: bool) -> Endings {
        let others = match self.plan.ends {
            _ if interrupted => RunEnding::Interrupted,
            Ends::Together if self.is_over() => RunEnding::OtherSideEnded,
            Ends::Together | Ends::Alone => RunEnding::Complete,
        };
        let own = |ended: &OnceLock<RunEnding>| match self.plan.ends {
            // What was stopped by hand goes on by hand, whatever else happened.
            Ends::Together if interrupted => None,
            Ends::Together | Ends::Alone => ended.get().cloned(),
        };
        self.ended.iter().map(|ended| own(ended).unwrap_or_else(|| others.clone())).collect()
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // Nobody is left who could stop the run.
        std::future::pending::<()>().await;
    }
}

async fn work(shared: Arc<Shared>) {
    while !shared.is_over() && shared.failed.get().is_none() {
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
    let lanes = &shared.lanes;
    let mut asked: Vec<Option<Asked>> =
        lanes.iter().map(|lane| lane.settled(&case.id).is_none().then(Asked::default)).collect();
    let again = |lane: &Lane| lane.rounds().max(shared.plan.confirm);
    let mut cut = !ask_each(shared, case, &mut asked, Lane::rounds).await;
    let disputed = !cut && disagree(shared, case, &asked);
    if disputed {
        cut = !ask_each(shared, case, &mut asked, again).await;
    }
    let close = |(number, (lane, asked)): (usize, (&Lane, Option<Asked>))| {
        let asked = asked?;
        let unconfirmed = disputed && (cut || asked.verdicts.len() < again(lane) as usize);
        Some((number, lane.close(case, asked, unconfirmed)?))
    };
    lanes.iter().zip(asked).enumerate().filter_map(close).collect()
}

/// Asks the lanes in turns, until each has been asked so many `times` in all. `false`: the run came to its end.
async fn ask_each(shared: &Shared, case: &Case, asked: &mut [Option<Asked>], times: impl Fn(&Lane) -> u32) -> bool {
    let most = shared.lanes.iter().map(&times).max().unwrap_or(0);
    for round in 1..=most {
        for (number, (lane, asked)) in shared.lanes.iter().zip(&mut *asked).enumerate() {
            let Some(asked) = asked else { continue };
            if asked.verdicts.len() >= round.min(times(lane)) as usize || shared.ends_alone(number) {
                continue;
            }
            if let Err(ending) = lane.ask(case, asked).await {
                shared.end(number, ending);
                if shared.is_over() {
                    return false;
                }
            }
        }
    }
    true
}

/// Whether an edge disagrees with itself or with another one on what became of the case.
fn disagree(shared: &Shared, case: &Case, asked: &[Option<Asked>]) -> bool {
    let mut outcomes = shared.lanes.iter().zip(asked).flat_map(|(lane, asked)| match asked {
        Some(asked) => asked.verdicts.iter().map(|verdict| verdict.outcome).collect(),
        None => Vec::from_iter(lane.settled(&case.id)),
    });
    let first = outcomes.next();
    outcomes.any(|outcome| Some(outcome) != first)
}
