//! What measuring would send, before anything is sent.

use std::convert::Infallible;

use futures_util::FutureExt as _;

use super::bracket::{Bracket, Search};
use super::probe::{Probe, body_len};
use super::window::{LARGE, SMALL_REQUESTS};
use super::{Quantity, Wanted};
use crate::corpus::Case;
use crate::explain::{Questions, Stop};

/// Requests for a limit beside those of the search: three ask again, one asks what is counted, one whether we are banned.
const AROUND: u32 = 5;

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
            plan.add(Cost { requests: 1, bytes: 0 }, Cost { requests: 1, bytes: 4096 });
            let mut first = true;
            for mut probe in Probe::all(*transport, samples, wanted, questions)? {
                let most = *probe.search.range.end();
                if probe.quantity == Quantity::Size && !std::mem::take(&mut first) {
                    // What was found of the first format is tried first.
                    probe.search.guesses.push(most);
                }
                let body = Bodies::of(&probe, questions)?;
                let (least, worst) = costs(&probe.search, &|number| body.of_number(number));
                plan.add(least, worst);
            }
            if wanted.quantities.contains(&Quantity::Window) {
                let most = wanted.max_size.min(LARGE);
                let search = Search { range: 1..=most, usual: super::bracket::usual_bytes(0), guesses: Vec::new() };
                let (_, worst) = costs(&search, &|_| most * 4 / 3 + 4096);
                let small = Cost { requests: SMALL_REQUESTS, bytes: u64::from(SMALL_REQUESTS) * 8192 };
                plan.add(small, Cost { requests: small.requests + worst.requests, bytes: small.bytes + worst.bytes });
            }
        }
        Ok(plan)
    }

    fn add(&mut self, least: Cost, most: Cost) {
        self.least_requests += least.requests;
        self.least_bytes += least.bytes;
        self.most_requests += most.requests;
        self.most_bytes += most.bytes;
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    requests: u32,
    bytes: u64,
}

/// Body bytes of a probe's cases: they grow evenly with the number.
struct Bodies {
    lowest: u64,
    first: u64,
    most: u64,
    last: u64,
}

impl Bodies {
    fn of(probe: &Probe, questions: &Questions) -> Result<Self, Stop> {
        let (lowest, most) = (*probe.search.range.start(), *probe.search.range.end());
        let body = |number: u64| match probe.quantity {
            Quantity::Size => Ok(number),
            Quantity::Text | Quantity::Filename | Quantity::Files | Quantity::Fields | Quantity::Window => {
                body_len(&probe.case(number)?, questions)
            }
        };
        Ok(Self { lowest, first: body(lowest)?, most, last: body(most)? })
    }

    fn of_number(&self, number: u64) -> u64 {
        let (span, grown) = (self.most - self.lowest, self.last - self.first);
        self.first + (number - self.lowest) * grown / span.max(1)
    }
}

/// What a search costs where nothing trips, and what it costs at most: it is made for each limit that there may be.
fn costs(search: &Search, body: &dyn Fn(u64) -> u64) -> (Cost, Cost) {
    let made = |limit: u64| {
        let mut cost = Cost::default();
        let mut trips = async |number: u64| {
            cost.requests += 1;
            cost.bytes += body(number);
            Ok::<_, Infallible>(number > limit)
        };
        // Nothing is waited for.
        let _ = Bracket::default().close(search, &mut trips).now_or_never();
        cost
    };
    let (lowest, most) = (*search.range.start(), *search.range.end());
    let usual = search.usual.iter().copied().filter(|limit| search.range.contains(limit));
    let worst = usual.flat_map(|limit| [limit, limit + limit / 37 + 3]).chain([most - 1, lowest]);
    let worst = worst.filter(|limit| *limit < most).map(|limit| {
        let cost = made(limit);
        Cost { requests: cost.requests + AROUND, bytes: cost.bytes + u64::from(AROUND) * body(limit) }
    });
    let requests = worst.clone().map(|cost| cost.requests).max().unwrap_or_default();
    let bytes = worst.map(|cost| cost.bytes).max().unwrap_or_default();
    (made(u64::MAX), Cost { requests, bytes })
}
