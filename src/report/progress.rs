//! How far a run is, on standard error; results never go through it.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::run::{CaseRecord, Event};
use crate::verdict::Count;

/// Between two lines off a terminal.
const INTERVAL: Duration = Duration::from_secs(10);

/// How far a run is: a bar on a terminal, else a line every 10 seconds or 10 %.
///
/// It listens to the stream of events and knows nothing else.
pub struct Progress {
    shown: Shown,
    counts: Counts,
}

enum Shown {
    Nothing,
    Bar(ProgressBar),
    Lines { every: u64, next: u64, last: Instant },
}

/// What has been settled so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    total: u64,
    settled: u64,
    passed: u64,
    failed: u64,
    inconclusive: u64,
}

impl Progress {
    /// Progress over `total` settled cases (both sides of a comparison together).
    ///
    /// `enabled`: draw a bar. Give `false` for `--no-progress` and in CI: then lines are written, as off a terminal.
    #[must_use]
    pub fn new(total: u64, enabled: bool) -> Self {
        let shown = if enabled && io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            let template = "{bar:24} {pos}/{len} cases  {msg}  {elapsed} elapsed, {eta} left";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            Shown::Bar(bar)
        } else {
            let every = (total / 10).max(1);
            Shown::Lines { every, next: every, last: Instant::now() }
        };
        Self { shown, counts: Counts { total, ..Counts::default() } }
    }

    /// Progress that shows nothing.
    #[must_use]
    pub fn silent() -> Self {
        Self { shown: Shown::Nothing, counts: Counts::default() }
    }

    /// Takes an event in.
    pub fn tick(&mut self, event: &Event) {
        match event {
            Event::Case(record) => {
                self.counts.settle(record);
                self.show();
            }
            Event::Paused { side, seconds, reason } => {
                let side = match side {
                    crate::run::SideName::Baseline => "baseline",
                    crate::run::SideName::Candidate => "candidate",
                };
                let reason = super::text::visible(reason);
                self.say(&format!("paused {seconds:.0} s ({side}): {reason}"));
            }
            Event::RunStarted(_) | Event::Attempt(_) | Event::Canary { .. } | Event::RunFinished { .. } => {}
        }
    }

    /// Takes the bar away; nothing of it stays on the screen.
    pub fn finish(self) {
        match self.shown {
            Shown::Bar(bar) => bar.finish_and_clear(),
            Shown::Nothing | Shown::Lines { .. } => {}
        }
    }

    fn show(&mut self) {
        let counts = self.counts;
        match &mut self.shown {
            Shown::Nothing => {}
            Shown::Bar(bar) => {
                bar.set_position(counts.settled);
                bar.set_message(counts.words());
            }
            Shown::Lines { every, next, last } => {
                if counts.settled >= *next || last.elapsed() >= INTERVAL {
                    *next = (counts.settled / *every + 1) * *every;
                    *last = Instant::now();
                    let line = counts.line();
                    write_line(&line);
                }
            }
        }
    }

    fn say(&self, line: &str) {
        match &self.shown {
            Shown::Nothing => {}
            // NOTE: `ProgressBar::println` prints nothing when the bar is hidden.
            Shown::Bar(bar) => bar.suspend(|| write_line(line)),
            Shown::Lines { .. } => write_line(line),
        }
    }
}

fn write_line(line: &str) {
    // Progress that cannot be written is no reason to end a run.
    let _ = writeln!(io::stderr(), "{line}");
}

impl Counts {
    fn settle(&mut self, record: &CaseRecord) {
        self.settled += 1;
        match record.verdict.outcome.count() {
            Count::Pass => self.passed += 1,
            Count::Fail => self.failed += 1,
            Count::Inconclusive => self.inconclusive += 1,
        }
    }

    fn words(&self) -> String {
        let mut words = format!("{} delivered, {} not", self.passed, self.failed);
        if self.inconclusive > 0 {
            let _ = write!(words, ", {} inconclusive", self.inconclusive);
        }
        words
    }

    fn line(&self) -> String {
        let percent = (self.settled * 100).checked_div(self.total).unwrap_or(100);
        format!("{percent:>3} %  {}/{} cases  {}", self.settled, self.total, self.words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_and_what_was_found() {
        let mut counts = Counts { total: 40, settled: 10, passed: 7, failed: 3, inconclusive: 0 };
        assert_eq!(counts.line(), " 25 %  10/40 cases  7 delivered, 3 not");
        counts.inconclusive = 2;
        assert_eq!(counts.words(), "7 delivered, 3 not, 2 inconclusive");
        assert_eq!(Counts::default().line(), "100 %  0/0 cases  0 delivered, 0 not");
    }
}
