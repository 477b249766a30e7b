//! The smallest part of something that still trips, found by asking few questions.

use std::ops::Range;

/// A run of so many positions, each found to be needed, is taken as part of a longer one that is needed as a whole.
const FEW: u64 = 16;

/// The next position that is needed is looked for so near before all the rest is bisected.
const NEAR: u64 = 64;

/// The smallest number that trips, where `passes` is known not to and `trips` is known to. Exact where all that is larger
/// trips as well.
///
/// # Errors
/// Those of `ask`.
pub async fn threshold<E>(
    mut passes: u64,
    mut trips: u64,
    ask: &mut impl AsyncFnMut(u64) -> Result<bool, E>,
) -> Result<u64, E> {
    while trips - passes > 1 {
        let middle = passes + (trips - passes) / 2;
        if ask(middle).await? {
            trips = middle;
        } else {
            passes = middle;
        }
    }
    Ok(trips)
}

/// The fewest positions of a sequence of `len` that still trip together, as runs in order.
///
/// `ask` is given the runs that are kept and says whether they trip; all else is made harmless. It is known to trip when
/// all is kept, and not when nothing is. Eight positions in a row among ten million take some 35 questions. Without any
/// one position of what is returned it no longer trips, but for runs of more than 16, whose rest is not tried one by one.
/// This rests on what trips going on to trip when more is kept.
///
/// # Errors
/// Those of `ask`.
pub async fn minimal<E>(
    len: u64,
    ask: &mut impl AsyncFnMut(&[Range<u64>]) -> Result<bool, E>,
) -> Result<Vec<Range<u64>>, E> {
    let mut kept: Vec<Range<u64>> = Vec::new();
    let mut end = len;
    while end > 0 && (kept.is_empty() || !ask(&kept).await?) {
        // The last position that is needed: with all before it, it trips, and without it, it does not.
        let last = last_needed(end, &kept, ask).await?;
        end = last - 1;
        kept.insert(0, end..last);
        while end > 0 && !ask(&before(end - 1, &kept)).await? {
            end -= 1;
            kept[0].start = end;
            if last - end == FEW {
                end -= rest_of_run(end, &kept, ask).await?;
                kept[0].start = end;
            }
        }
        // The position before the run was just tried, and is not needed.
        end = end.saturating_sub(1);
    }
    Ok(joined(kept))
}

/// All before `end`, and what is kept.
fn before(end: u64, kept: &[Range<u64>]) -> Vec<Range<u64>> {
    std::iter::once(0..end).filter(|run| !run.is_empty()).chain(kept.iter().cloned()).collect()
}

/// The smallest end that trips, with all before it.
async fn last_needed<E>(
    end: u64,
    kept: &[Range<u64>],
    ask: &mut impl AsyncFnMut(&[Range<u64>]) -> Result<bool, E>,
) -> Result<u64, E> {
    let mut ask = async |end: u64| ask(&before(end, kept)).await;
    let (mut trips, mut step) = (end, 1);
    // What belongs together often stands together; the first search has nothing to be near to.
    while !kept.is_empty() && step <= NEAR && step < trips {
        if !ask(trips - step).await? {
            return threshold(trips - step, trips, &mut ask).await;
        }
        trips -= step;
        step *= 2;
    }
    threshold(0, trips, &mut ask).await
}

/// How many positions before `start` belong to the run that begins there: as many as make it trip, or none when it does not
/// with all of them.
async fn rest_of_run<E>(
    start: u64,
    kept: &[Range<u64>],
    ask: &mut impl AsyncFnMut(&[Range<u64>]) -> Result<bool, E>,
) -> Result<u64, E> {
    let mut ask = async |more: u64| {
        let mut longer = kept.to_vec();
        longer[0].start = start - more;
        ask(&longer).await
    };
    let (mut passes, mut more) = (0, FEW.min(start));
    while more > 0 && !ask(more).await? {
        if more == start {
            return Ok(0);
        }
        passes = more;
        more = (more * 4).min(start);
    }
    if more == 0 { Ok(0) } else { threshold(passes, more, &mut ask).await }
}

/// Runs that touch are one.
fn joined(runs: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut joined: Vec<Range<u64>> = Vec::new();
    for run in runs {
        match joined.last_mut() {
            Some(last) if last.end == run.start => last.end = run.end,
            _ => joined.push(run),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::FutureExt as _;
    use proptest::prelude::*;

    use super::*;

    /// What is found, and how many questions it took.
    fn found(len: u64, trips: impl Fn(&dyn Fn(u64) -> bool) -> bool) -> (Vec<Range<u64>>, usize) {
        let mut asked = 0;
        let mut ask = async |kept: &[Range<u64>]| {
            asked += 1;
            Ok::<_, Infallible>(trips(&|position| kept.iter().any(|run| run.contains(&position))))
        };
        let runs = minimal(len, &mut ask).now_or_never().unwrap().unwrap();
        (runs, asked)
    }

    fn one(run: Range<u64>) -> Vec<Range<u64>> {
        std::iter::once(run).collect()
    }

    #[test]
    fn a_short_run_in_ten_million_takes_about_forty_questions() {
        let (runs, asked) = found(10_000_000, |has| (7_654_321..7_654_329).all(has));
        assert_eq!(runs, one(7_654_321..7_654_329));
        assert!(asked <= 42, "{asked} questions");
    }

    #[test]
    fn a_hole_in_a_run_is_no_part_of_it() {
        let (runs, _) = found(1000, |has| has(500) && has(501) && has(504));
        assert_eq!(runs, [500..502, 504..505]);
    }

    #[test]
    fn the_whole_of_a_sequence_can_be_needed() {
        let (runs, _) = found(300, |has| (0..300).all(has));
        assert_eq!(runs, one(0..300));
        assert_eq!(found(1, |has| has(0)).0, one(0..1));
    }

    #[test]
    fn two_runs_near_each_other_are_two() {
        let needed = |position: u64| (40..44).contains(&position) || (70..73).contains(&position);
        let (runs, asked) = found(10_000, |has| (0..10_000).filter(|at| needed(*at)).all(has));
        assert_eq!(runs, [40..44, 70..73]);
        assert!(asked <= 45, "{asked} questions");
    }

    #[test]
    fn a_long_run_is_found_without_asking_for_each_of_its_positions() {
        let (runs, asked) = found(1_000_000, |has| (5_000..9_000).all(has));
        assert_eq!(runs, one(5_000..9_000));
        assert!(asked <= 70, "{asked} questions");
    }

    proptest! {
        #[test]
        fn what_is_needed_is_found_wherever_it_is(
            len in 1..100_000_u64,
            at in prop::collection::btree_set((0..100_000_u64, 1..12_u64), 1..4),
        ) {
            let needed: std::collections::BTreeSet<u64> =
                at.into_iter().flat_map(|(start, size)| (start..start + size).map(|it| it % len)).collect();
            let (runs, asked) = found(len, |has| needed.iter().all(|position| has(*position)));
            let told: std::collections::BTreeSet<u64> = runs.iter().cloned().flatten().collect();
            if runs.iter().all(|run| run.end - run.start < FEW) {
                prop_assert_eq!(told, needed);
            } else {
                prop_assert!(told.is_superset(&needed), "{runs:?} for {needed:?}");
            }
            prop_assert!(asked <= 140, "{asked} questions");
        }

        #[test]
        fn a_threshold_is_exact(passes in 0..1_000_000_u64, more in 1..1_000_000_u64, part in 0..1000_u64) {
            let trips = passes + more;
            let at = passes + 1 + (more - 1) * part / 1000;
            let mut ask = async |number: u64| Ok::<_, Infallible>(number >= at);
            let told = threshold(passes, trips, &mut ask).now_or_never().unwrap().unwrap();
            prop_assert_eq!(told, at);
        }
    }
}
