//! The smallest part of something that still trips, found by asking few questions.

use std::ops::Range;

/// How long a run of positions may be to be found by growing it; a longer one is cut to size at the end.
const NEAR: u64 = 64;

/// Runs that are looked for one by one; what is left of a sequence that needs more is one run.
const MOST_RUNS: usize = 4;

/// In runs of no more positions than this in all, each one inside them is tried without.
const FEW: u64 = 16;

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
/// all is kept, and not when nothing is. A short run in ten million positions takes some 40 questions. Without any one
/// position of what is returned it no longer trips, but for those inside runs of more than 16 in all, which are not tried
/// one by one. This rests on what trips going on to trip when more is kept.
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
        if kept.len() == MOST_RUNS {
            kept.insert(0, 0..end);
            break;
        }
        // The last position that is needed: with all before it, it trips, and without it, it does not.
        let last = threshold(0, end, &mut async |end| ask(&before(0..end, &kept)).await).await?;
        end = start_of_run(last, &kept, ask).await?;
        kept.insert(0, end..last);
    }
    let kept = cut_to_size(kept, ask).await?;
    without_holes(joined(kept), ask).await
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

fn before(run: Range<u64>, kept: &[Range<u64>]) -> Vec<Range<u64>> {
    std::iter::once(run).chain(kept.iter().cloned()).collect()
}

/// Where the run that ends at `end` begins: the latest start that trips. When none near does, something further left is
/// needed as well, and the run is cut to size when that is known.
async fn start_of_run<E>(
    end: u64,
    kept: &[Range<u64>],
    ask: &mut impl AsyncFnMut(&[Range<u64>]) -> Result<bool, E>,
) -> Result<u64, E> {
    let mut ask = async |size: u64| ask(&before(end - size..end, kept)).await;
    let most = NEAR.min(end);
    let (mut passes, mut size) = (0, 1);
    while !ask(size).await? {
        if size == most {
            return Ok(end - most);
        }
        passes = size;
        size = (size * 4).min(most);
    }
    Ok(end - threshold(passes, size, &mut ask).await?)
}

/// Cuts from the left of each run what is not needed; their right ends are exact.
async fn cut_to_size<E>(
    mut kept: Vec<Range<u64>>,
    ask: &mut impl AsyncFnMut(&[Range<u64>]) -> Result<bool, E>,
) -> Result<Vec<Range<u64>>, E> {
    if kept.len() < 2 {
        return Ok(kept);
    }
    for at in 0..kept.len() {
        let run = kept[at].clone();
        let shortened = |size| {
            let mut shorter = kept.clone();
            shorter[at] = run.end - size..run.end;
            shorter
        };
        let size = threshold(0, run.end - run.start, &mut async |size| ask(&shortened(size)).await).await?;
        kept = shortened(size);
    }
    Ok(kept)
}

/// Drops the positions inside short runs that are not needed.
async fn without_holes<E>(
    kept: Vec<Range<u64>>,
    ask: &mut impl AsyncFnMut(&[Range<u64>]) -> Result<bool, E>,
) -> Result<Vec<Range<u64>>, E> {
    if kept.iter().map(|run| run.end - run.start).sum::<u64>() > FEW {
        return Ok(kept);
    }
    let mut kept = kept;
    let inside: Vec<u64> =
        kept.iter().flat_map(|run| run.start + 1..run.end.saturating_sub(1).max(run.start + 1)).collect();
    for position in inside {
        let fewer: Vec<Range<u64>> = kept
            .iter()
            .flat_map(|run| {
                let (start, end) = if run.contains(&position) { (position, position + 1) } else { (run.end, run.end) };
                [run.start..start, end..run.end]
            })
            .filter(|run| !run.is_empty())
            .collect();
        if ask(&fewer).await? {
            kept = fewer;
        }
    }
    Ok(kept)
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
            prop_assert!(told.is_superset(&needed), "{runs:?} for {needed:?}");
            if told.len() <= 16 {
                prop_assert_eq!(told, needed);
            }
            prop_assert!(asked <= 200, "{asked} questions");
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
