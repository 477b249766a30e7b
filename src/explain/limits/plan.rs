//! What measuring would send, before anything is sent.

use std::convert::Infallible;

use futures_util::FutureExt as _;

use super::bracket::{Bracket, Search};
use super::probe::{Probe, body_len, plain};
use super::window::{CUTTING, LARGE, PLACES, SMALL, trials};
use super::{Quantity, Wanted};
use crate::corpus::Case;
use crate::explain::{Questions, Stop};

/// Requests for a limit beside those of the search: four ask again, one asks what is counted, one whether we are banned.
const AROUND: usize = 6;

/// Requests and body bytes, as many as there can be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Plan {
    /// Requests where nothing is refused.
    pub least_requests: u32,
    /// Body bytes where nothing is refused.
    pub least_bytes: u64,
    /// Requests at most, without those that the edge asks to repeat.
    pub most_requests: u32,
    /// Body bytes at most, without those that the edge asks to repeat.
    pub most_bytes: u64,
}

impl Plan {
    pub(super) fn of(wanted: &Wanted, samples: &[Case], questions: &Questions) -> Result<Self, Stop> {
        let mut plan = Self::default();
        for transport in &wanted.transports {
            let once = Cost { requests: 1, bytes: body_len(&plain(*transport), questions)? };
            plan.add(once, once);
            let mut formats = 0;
            for mut probe in Probe::all(*transport, samples, wanted, questions)? {
                let most = *probe.search.range.end();
                let body = Bodies::of(&probe, questions)?;
                let mut guessed = Cost::default();
                if probe.quantity == Quantity::Size {
                    if formats > 0 {
                        // What was found of the formats before is tried first.
                        probe.search.guesses.push(most);
                        guessed = Cost { requests: 2 * formats, bytes: most.saturating_mul((2 * formats).into()) };
                    }
                    formats += 1;
                }
                let mut least = Cost::default();
                for number in asked(&probe.search, u64::MAX) {
                    least = least.and(Cost { requests: 1, bytes: probe.body(number, questions)? });
                }
                plan.add(least, worst(&probe.search, &|number| body.of_number(number)).and(guessed));
            }
            if wanted.quantities.contains(&Quantity::Window) {
                let most = wanted.max_size.min(LARGE);
                let search = Search { range: 1..=most, usual: super::bracket::usual_bytes(0), guesses: Vec::new() };
                let body = most * 4 / 3 + 4096;
                let worst = worst(&search, &|_| body);
                // Places between the start and the end, asked again twice where it is refused further on.
                let places = Cost { requests: 3 * PLACES, bytes: u64::from(3 * PLACES) * body };
                // Half as large, and half of that, until it is delivered, and whether we are banned.
                let halved = Cost { requests: (LARGE / SMALL).ilog2() + 2, bytes: 2 * body };
                let mut tried = Cost::default();
                for case in trials(*transport)? {
                    tried = tried.and(Cost { requests: 1, bytes: body_len(&case, questions)? });
                }
                let cut = Cost { requests: CUTTING, bytes: u64::from(CUTTING) * 8192 };
                plan.add(tried, tried.and(cut).and(halved).and(places).and(worst));
            }
        }
        Ok(plan)
    }

    fn add(&mut self, least: Cost, most: Cost) {
        self.least_requests = self.least_requests.saturating_add(least.requests);
        self.least_bytes = self.least_bytes.saturating_add(least.bytes);
        self.most_requests = self.most_requests.saturating_add(most.requests);
        self.most_bytes = self.most_bytes.saturating_add(most.bytes);
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    requests: u32,
    bytes: u64,
}

impl Cost {
    fn and(self, other: Self) -> Self {
        Self { requests: self.requests.saturating_add(other.requests), bytes: self.bytes.saturating_add(other.bytes) }
    }
}

/// Body bytes of a probe's cases, or more: with the number they grow evenly, or by more digits.
struct Bodies {
    lowest: u64,
    first: u64,
    most: u64,
    last: u64,
}

impl Bodies {
    fn of(probe: &Probe, questions: &Questions) -> Result<Self, Stop> {
        let (lowest, most) = (*probe.search.range.start(), *probe.search.range.end());
        Ok(Self { lowest, first: probe.body(lowest, questions)?, most, last: probe.body(most, questions)? })
    }

    fn of_number(&self, number: u64) -> u64 {
        let (span, grown) = (self.most - self.lowest, self.last - self.first);
        // The product of two sizes is more than 64 bits hold.
        let more = u128::from(number - self.lowest) * u128::from(grown) / u128::from(span.max(1));
        self.first.saturating_add(u64::try_from(more).unwrap_or(u64::MAX))
    }
}

/// The numbers that a search asks for where those over `limit` trip.
fn asked(search: &Search, limit: u64) -> Vec<u64> {
    let mut asked = Vec::new();
    let mut trips = async |number: u64| {
        asked.push(number);
        Ok::<_, Infallible>(number > limit)
    };
    // Nothing is waited for.
    let _ = Bracket::default().close(search, &mut trips).now_or_never();
    asked
}

/// What a search costs at most: it is made for each limit that there may be.
fn worst(search: &Search, body: &dyn Fn(u64) -> u64) -> Cost {
    let (lowest, most) = (*search.range.start(), *search.range.end());
    let usual = search.usual.iter().copied().filter(|limit| search.range.contains(limit));
    let limits = usual.flat_map(|limit| [limit, limit + limit / 37 + 3]).chain([most - 1, lowest]);
    limits.filter(|limit| *limit < most).fold(Cost::default(), |worst, limit| {
        let asked = asked(search, limit).into_iter().chain(std::iter::repeat_n(limit + 1, AROUND));
        let cost = asked.map(|number| Cost { requests: 1, bytes: body(number) }).fold(Cost::default(), Cost::and);
        Cost { requests: worst.requests.max(cost.requests), bytes: worst.bytes.max(cost.bytes) }
    })
}
