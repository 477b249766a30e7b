//! Between a number that passes and one that trips: closed by asking few questions, the usual limits first.

use std::ops::RangeInclusive;

/// Each number that is tried on the way up is so many times the one before.
const GROWTH: u64 = 8;

/// Limits that people configure, in bytes.
const USUAL_BYTES: [u64; 51] = [
    1 << 10,
    2 << 10,
    4 << 10,
    8_000,
    8 << 10,
    10_000,
    16_000,
    16 << 10,
    32_000,
    32 << 10,
    48 << 10,
    64_000,
    64 << 10,
    100_000,
    100 << 10,
    128_000,
    128 << 10,
    256 << 10,
    500_000,
    512 << 10,
    1_000_000,
    1 << 20,
    2_000_000,
    2 << 20,
    2_500_000,
    3 << 20,
    4 << 20,
    5_000_000,
    5 << 20,
    8 << 20,
    10_000_000,
    10 << 20,
    13_107_200,
    16 << 20,
    20_000_000,
    20 << 20,
    25_000_000,
    25 << 20,
    30_000_000,
    32 << 20,
    50_000_000,
    50 << 20,
    64 << 20,
    100_000_000,
    100 << 20,
    128 << 20,
    200 << 20,
    256 << 20,
    500_000_000,
    512 << 20,
    1 << 30,
];

/// Limits that people configure, as numbers of files, fields or characters.
const USUAL_COUNTS: [u64; 22] = [
    5, 10, 20, 50, 64, 100, 127, 128, 150, 200, 250, 255, 256, 260, 500, 512, 1_000, 1_024, 2_000, 2_048, 4_000, 4_096,
];

/// The usual limits in bytes, as they are and with `envelope` bytes around them.
pub(super) fn usual_bytes(envelope: u64) -> Vec<u64> {
    let mut all: Vec<u64> = USUAL_BYTES.into_iter().flat_map(|bytes| [bytes, bytes + envelope]).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The usual limits of numbers.
pub(super) fn usual_counts() -> Vec<u64> {
    USUAL_COUNTS.to_vec()
}

/// What is known of where numbers begin to trip.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bracket {
    /// The largest number known to pass.
    pub passes: Option<u64>,
    /// The smallest number known to trip.
    pub trips: Option<u64>,
}

/// What is looked for.
#[derive(Debug, Clone)]
pub(super) struct Search {
    /// The numbers that may be asked for.
    pub(super) range: RangeInclusive<u64>,
    /// Where limits often are, in order.
    pub(super) usual: Vec<u64>,
    /// Limits that were found elsewhere and may be this one's: the largest numbers that passed.
    pub(super) guesses: Vec<u64>,
}

impl Bracket {
    /// Whether the two numbers are neighbours.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!((self.passes, self.trips), (Some(passes), Some(trips)) if passes + 1 == trips)
    }

    fn holds(&self, number: u64) -> bool {
        self.passes.is_none_or(|passes| passes < number) && self.trips.is_none_or(|trips| number < trips)
    }

    async fn ask<E>(&mut self, number: u64, trips: &mut impl AsyncFnMut(u64) -> Result<bool, E>) -> Result<bool, E> {
        let tripped = trips(number).await?;
        if tripped {
            self.trips = Some(number);
        } else {
            self.passes = Some(number);
        }
        Ok(tripped)
    }

    /// Asks until the two numbers are neighbours, or the whole range passes (or trips). Exact where all that is larger
    /// than what trips, trips as well.
    ///
    /// # Errors
    /// Those of `trips`; what was found until then stays.
    pub(super) async fn close<E>(
        &mut self,
        search: &Search,
        trips: &mut impl AsyncFnMut(u64) -> Result<bool, E>,
    ) -> Result<(), E> {
        let (lowest, most) = (*search.range.start(), *search.range.end());
        for guess in search.guesses.iter().copied().filter(|guess| search.range.contains(guess)) {
            for number in [guess, guess + 1] {
                if self.holds(number) && number <= most {
                    self.ask(number, trips).await?;
                }
            }
        }
        if self.passes.is_none() && self.ask(lowest, trips).await? {
            return Ok(());
        }
        while let (Some(passes), None) = (self.passes, self.trips) {
            if passes == most {
                return Ok(());
            }
            self.ask(passes.saturating_mul(GROWTH).min(most), trips).await?;
        }
        self.narrow(&search.usual, trips).await?;
        // A usual limit is the last number that passes, or the first that trips.
        for number in [self.passes.map(|passes| passes + 1), self.trips.map(|trips| trips - 1)].into_iter().flatten() {
            if self.holds(number) {
                self.ask(number, trips).await?;
            }
        }
        while let (Some(passes), Some(tripping), false) = (self.passes, self.trips, self.is_closed()) {
            self.ask(passes + (tripping - passes) / 2, trips).await?;
        }
        Ok(())
    }

    /// Closes in on two neighbours among `usual`.
    async fn narrow<E>(&mut self, usual: &[u64], trips: &mut impl AsyncFnMut(u64) -> Result<bool, E>) -> Result<(), E> {
        let mut inside: Vec<u64> = usual.iter().copied().filter(|number| self.holds(*number)).collect();
        while !inside.is_empty() {
            self.ask(inside[inside.len() / 2], trips).await?;
            inside.retain(|number| self.holds(*number));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::FutureExt as _;
    use proptest::prelude::*;

    use super::*;

    /// What is found where numbers over `limit` trip, and which were asked for.
    fn found(range: RangeInclusive<u64>, guesses: &[u64], limit: u64) -> (Bracket, Vec<u64>) {
        let search = Search { range, usual: usual_bytes(206), guesses: guesses.to_vec() };
        let (mut bracket, mut asked) = (Bracket::default(), Vec::new());
        let mut trips = async |number: u64| {
            asked.push(number);
            Ok::<_, Infallible>(number > limit)
        };
        bracket.close(&search, &mut trips).now_or_never().unwrap().unwrap();
        (bracket, asked)
    }

    #[test]
    fn a_usual_limit_takes_few_questions() {
        for limit in [8192, 1 << 20, (1 << 20) - 1, 13_107_200, 10_000_000 + 206] {
            let (bracket, asked) = found(700..=16 << 20, &[], limit);
            assert_eq!((bracket.passes, bracket.trips), (Some(limit), Some(limit + 1)));
            assert!(asked.len() <= 13, "{limit}: {asked:?}");
        }
    }

    #[test]
    fn a_guess_that_is_right_takes_two_questions() {
        assert_eq!(found(700..=16 << 20, &[123_456], 123_456).1, [123_456, 123_457]);
    }

    #[test]
    fn the_ends_of_the_range_are_told_from_limits() {
        let open = Bracket { passes: Some(1 << 20), trips: None };
        assert_eq!(found(700..=1 << 20, &[], u64::MAX).0, open);
        assert_eq!(found(700..=1 << 20, &[1 << 20], u64::MAX), (open, vec![1 << 20]));
        assert_eq!(found(700..=1 << 20, &[], 0), (Bracket { passes: None, trips: Some(700) }, vec![700]));
    }

    proptest! {
        #[test]
        fn every_limit_is_found_to_the_byte_and_nothing_is_asked_twice(
            lowest in 1..2000_u64,
            more in 1..100_000_000_u64,
            part in 0.0..1.0_f64,
            guesses in prop::collection::vec(1..100_000_000_u64, 0..3),
        ) {
            let most = lowest + more;
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "any limit will do")]
            let limit = lowest + ((more - 1) as f64 * part) as u64;
            let (bracket, asked) = found(lowest..=most, &guesses, limit);
            prop_assert_eq!((bracket.passes, bracket.trips), (Some(limit), Some(limit + 1)));
            let distinct: std::collections::BTreeSet<u64> = asked.iter().copied().collect();
            prop_assert_eq!(distinct.len(), asked.len());
            prop_assert!(asked.iter().all(|number| (lowest..=most).contains(number)));
        }
    }
}
