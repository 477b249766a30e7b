//! The preflight: a few uploads that tell, before a corpus is sent, whether sending it can prove anything.
//!
//! [`Preflight::probe`] sends and gives facts; [`examine()`] and [`differ()`] are pure and say what the facts mean.

mod differ;
mod examine;
mod finding;
mod first;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub use differ::differ;
pub use examine::examine;
pub use finding::{Check, Finding, Level};

use crate::corpus::{Case, CaseId, Corpus, Selection, canary};
use crate::error::Result;
use crate::profile::Profile;
use crate::replay::pace::Pacer;
use crate::replay::{Observation, Replayer};
use crate::verdict::{Count, Outcome, Signatures, Verdict, judge};

/// Uploads that a preflight sends to one edge at most.
pub const MOST_UPLOADS: u64 = FIRST as u64 + CONTROLS.len() as u64 + TOGETHER as u64 + AGAIN.len() as u64;

/// Times that the first canary control is sent at most.
const FIRST: usize = 2;

/// Controls of the built-in corpus that a WAF of any kind is likely to refuse: by the filename, by the content's
/// language, by a virus scanner.
const CONTROLS: [&str; 3] = ["control/path-traversal", "control/php-as-photo", "control/eicar-text"];

/// Canary controls that are sent at once after the controls, where the profile's concurrency allows it.
const TOGETHER: usize = 4;

/// Pauses before a canary control that did not get through after the controls is sent again.
const AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

/// One upload of a preflight, and what it means by itself.
#[derive(Debug, Clone)]
pub struct Probe {
    /// What was sent.
    pub case: CaseId,
    /// The attempt's id, by which its receipt is asked for.
    pub attempt: String,
    /// When it began.
    pub at: Timestamp,
    /// The facts.
    pub observation: Observation,
    /// What they mean.
    pub verdict: Verdict,
    /// The pause that the edge asks for.
    pub retry_after: Option<Duration>,
}

impl Probe {
    fn passed(&self) -> bool {
        self.verdict.outcome.count() == Count::Pass
    }

    fn throttled(&self) -> bool {
        self.verdict.outcome == Outcome::Throttled
    }
}

/// What the uploads of a preflight gave, in the order in which they were sent.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The canary control alone. A second one, where the first was dropped or asked to wait.
    pub first: Vec<Probe>,
    /// Controls; none when the first canary control did not get through.
    pub controls: Vec<Probe>,
    /// Canary controls at once, after the controls.
    pub together: Vec<Probe>,
    /// Canary controls after a pause, because one of those at once did not get through.
    pub again: Vec<Probe>,
    /// The ceiling that ended the preflight, in words.
    pub ceiling: Option<String>,
}

impl Facts {
    /// All uploads.
    pub fn probes(&self) -> impl Iterator<Item = &Probe> {
        self.first.iter().chain(&self.controls).chain(&self.together).chain(&self.again)
    }
}

/// The controls that a preflight sends where the profile is authorized.
///
/// # Errors
/// When the program was built without a corpus.
pub fn controls() -> Result<Vec<Case>> {
    let cases = CONTROLS.map(str::to_owned).into();
    Corpus::builtin()?.select(&Selection { cases, controls: true, ..Selection::default() })
}

/// One edge before anything is sent to it.
pub struct Preflight {
    profile: Arc<Profile>,
    replayer: Replayer,
}

impl Preflight {
    /// Reads certificates and prepares; no traffic.
    ///
    /// # Errors
    /// What is wrong with the profile's network side.
    pub fn new(profile: Arc<Profile>) -> Result<Self> {
        // Each upload is one request, so that their number is bounded whatever the edge does.
        let mut once = Profile::clone(&profile);
        once.pace.retries = 0;
        Ok(Self { replayer: Replayer::new(Arc::new(once), "preflight")?, profile })
    }

    /// Sends at most [`MOST_UPLOADS`] uploads at the profile's pace: the canary control, the `controls`, and the canary
    /// control again, to see whether the pace and the controls have us banned. `wait` hears of each pause that the
    /// edge asks for before it takes anything.
    pub async fn probe(&self, controls: &[Case], wait: impl Fn(Duration)) -> Facts {
        let mut facts = Facts::default();
        if let Err(ceiling) = self.fill(controls, wait, &mut facts).await {
            facts.ceiling = Some(ceiling);
        }
        facts
    }

    /// The pace as the preflight leaves it: what it sent counts for the ceilings of the run that follows.
    #[must_use]
    pub fn into_pacer(self) -> Pacer {
        self.replayer.pacer()
    }

    /// `Err`: a ceiling is reached, in words.
    async fn fill(
        &self,
        controls: &[Case],
        wait: impl Fn(Duration),
        facts: &mut Facts,
    ) -> std::result::Result<(), String> {
        let pace = &self.profile.pace;
        let canary = self.as_sent(&canary());
        while facts.first.len() < FIRST {
            let probe = self.ask(&canary).await?;
            let pause = probe.retry_after.filter(|pause| probe.throttled() && *pause <= pace.max_retry_after);
            // A connection may break once for no reason that matters.
            let again = pause.is_some() || probe.observation.ending.failed_in_transport();
            facts.first.push(probe);
            if !again {
                break;
            }
            if let Some(pause) = pause.filter(|_| facts.first.len() < FIRST) {
                wait(pause);
                self.replayer.pause(pause);
            }
        }
        if !facts.first.last().is_some_and(Probe::passed) {
            return Ok(());
        }
        for control in controls {
            let probe = self.ask(&self.as_sent(control)).await?;
            let throttled = probe.throttled();
            facts.controls.push(probe);
            if throttled {
                break;
            }
        }
        let together = (0..pace.concurrency.min(TOGETHER)).map(|_| self.ask(&canary));
        for probe in futures_util::future::join_all(together).await {
            facts.together.push(probe?);
        }
        for pause in AGAIN {
            let last = facts.again.last().map_or(&facts.together[..], std::slice::from_ref);
            if last.iter().all(Probe::passed) {
                break;
            }
            let wanted = last.iter().filter_map(|probe| probe.retry_after).max().unwrap_or_default();
            if wanted > AGAIN[1] {
                // That is for the run to wait for, or too long for it too.
                break;
            }
            self.replayer.pause(pause.max(wanted));
            facts.again.push(self.ask(&canary).await?);
        }
        Ok(())
    }

    /// The case as the profile's forms send it.
    fn as_sent(&self, case: &Case) -> Case {
        Case { transport: self.profile.upload.transport, ..case.clone() }
    }

    async fn ask(&self, case: &Case) -> std::result::Result<Probe, String> {
        let round = self.replayer.round(case).await;
        if let Some(ceiling) = round.ceiling {
            return Err(ceiling);
        }
        let Some(tried) = round.attempts.into_iter().next_back() else {
            return Err("no attempt was made".to_owned());
        };
        let verdict = judge(std::slice::from_ref(&tried.observation), &self.profile.oracle, Signatures::builtin());
        let (attempt, at, observation) = (tried.id, tried.at, tried.observation);
        Ok(Probe { case: case.id.clone(), attempt, at, observation, verdict, retry_after: round.retry_after })
    }
}
