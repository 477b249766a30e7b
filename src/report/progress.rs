//! How far a run is, on standard error; results never go through it.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::run::{CaseRecord, Event};
use crate::verdict::Count;

/// After so long a line is written off a terminal, if the run got on by a percent at least.
const INTERVAL: Duration = Duration::from_secs(10);

/// After so long a line is written whatever the run does: it is alive.
const SILENCE: Duration = Duration::from_secs(60);

/// How far a run is: a bar on a terminal, else a line at every tenth of the cases, or after 10 seconds.
///
/// It listens to the stream of events and knows nothing else.
pub struct Progress {
    shown: Shown,
    counts: Counts,
}

enum Shown {
    Nothing,
    Bar(ProgressBar),
    Lines(Throttle),
}

/// When the next line is due.
#[derive(Debug, Clone, Copy)]
struct Throttle {
    /// Percent that the last line told.
    told: u64,
    /// When.
    last: Instant,
}

impl Throttle {
    /// Whether a line is due at `percent`; then it is taken as written.
    fn is_due(&mut self, percent: u64, now: Instant) -> bool {
        let silent = now.saturating_duration_since(self.last);
        let due = percent / 10 > self.told / 10 || (silent >= INTERVAL && percent > self.told) || silent >= SILENCE;
        if due {
            *self = Self { told: percent, last: now };
        }
        due
    }
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
            Shown::Lines(Throttle { told: 0, last: Instant::now() })
        };
        Self { shown, counts: Counts { total, ..Counts::default() } }
    }

    /// Progress that shows nothing.
    #[must_use]
    pub fn silent() -> Self {
        Self { shown: Shown::Nothing, counts: Counts::default() }
    }

    /// Takes in an event of the edge that is called `edge`.
    pub fn tick(&mut self, event: &Event, edge: &str) {
        match event {
            Event::Case(record) => {
                self.counts.settle(record);
                self.show();
            }
            Event::Paused { side: _, seconds, reason } => {
                let (edge, reason) = (super::text::visible(edge), super::text::visible(reason));
                self.say(&format!("paused {seconds:.0} s ({edge}): {reason}"));
            }
            Event::RunStarted(_)
            | Event::Attempt(_)
            | Event::Canary { .. }
            | Event::Waf { .. }
            | Event::WafLog { .. }
            | Event::RunFinished { .. } => {}
        }
    }

    /// Takes the bar away; nothing of it stays on the screen.
    pub fn finish(&self) {
        match &self.shown {
            Shown::Bar(bar) => bar.finish_and_clear(),
            Shown::Nothing | Shown::Lines(_) => {}
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
            Shown::Lines(throttle) => {
                if throttle.is_due(counts.percent(), Instant::now()) {
                    write_line(&counts.line());
                }
            }
        }
    }

    fn say(&self, line: &str) {
        match &self.shown {
            Shown::Nothing => {}
            // NOTE: `ProgressBar::println` prints nothing when the bar is hidden.
            Shown::Bar(bar) => bar.suspend(|| write_line(line)),
            Shown::Lines(_) => write_line(line),
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

    fn percent(&self) -> u64 {
        (self.settled * 100).checked_div(self.total).unwrap_or(100)
    }

    fn line(&self) -> String {
        let percent = self.percent();
        format!("{percent:>3} %  {}/{} cases  {}", self.settled, self.total, self.words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_due_at_each_tenth_or_when_ten_seconds_brought_something_new() {
        let start = Instant::now();
        let mut throttle = Throttle { told: 0, last: start };
        let mut due = |percent, seconds| throttle.is_due(percent, start + Duration::from_secs(seconds));
        assert!(!due(9, 1), "less than a tenth");
        assert!(due(12, 1), "a tenth");
        assert!(!due(19, 10), "9 seconds after the last line");
        assert!(due(19, 11), "10 seconds after it");
        assert!(!due(19, 40), "nothing new");
        assert!(due(19, 71), "a minute: still alive");
        assert!(due(20, 71), "the next tenth");
        assert!(!due(29, 72) && due(30, 72) && due(100, 72));
    }

    #[test]
    fn a_line_says_how_far_and_what_was_found() {
        let mut counts = Counts { total: 40, settled: 10, passed: 7, failed: 3, inconclusive: 0 };
        assert_eq!(counts.line(), " 25 %  10/40 cases  7 delivered, 3 not");
        counts.inconclusive = 2;
        assert_eq!(counts.words(), "7 delivered, 3 not, 2 inconclusive");
        assert_eq!(Counts::default().line(), "100 %  0/0 cases  0 delivered, 0 not");
    }
}
