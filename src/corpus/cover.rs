//! A small deterministic generator of covering arrays: every pair of axis values at least once.

use std::collections::HashSet;

/// How many axes there are.
pub(super) const AXES: usize = 5;

/// The values that one attachment can take on each axis, as numbers that its family shares; the first is its own.
pub(super) type Domain = [Vec<u32>; AXES];

/// One value for each axis; `None` is not chosen yet.
pub(super) type Partial = [Option<u32>; AXES];

/// A combination for one subject, by its place in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) subject: usize,
    pub(super) values: [u32; AXES],
}

type Pair = (usize, u32, usize, u32);

/// Each subject as it is, then rows until every possible pair of values of two axes is in one of them.
///
/// `possible` says whether a partial combination may still be completed as far as it can see; it is asked again as
/// values are added, and never takes back a no.
pub(super) fn cover(subjects: &[Domain], possible: impl Fn(usize, &Partial) -> bool) -> Vec<Row> {
    let mut rows = Vec::with_capacity(subjects.len());
    let mut covered = HashSet::new();
    for (subject, domain) in subjects.iter().enumerate() {
        let mut partial = [None; AXES];
        // No gain counts here: the first possible value of each axis is the attachment's own, or the nearest to it.
        if let Some(values) = complete(domain, &mut partial, &|_, _| 0, &|partial| possible(subject, partial)) {
            covered.extend(pairs_of(values));
            rows.push(Row { subject, values });
        }
    }
    let mut cursor = 0;
    for pair in wanted(subjects) {
        if covered.contains(&pair) {
            continue;
        }
        for step in 0..subjects.len() {
            let subject = (cursor + step) % subjects.len();
            let Some(values) = row_with(pair, &subjects[subject], &covered, &|p| possible(subject, p)) else {
                continue;
            };
            covered.extend(pairs_of(values));
            rows.push(Row { subject, values });
            // The next row goes to the next subject, so that the extra rows are spread over the family.
            cursor = subject + 1;
            break;
        }
    }
    rows
}

/// Every pair that some subject has the values for, in a fixed order.
fn wanted(subjects: &[Domain]) -> Vec<Pair> {
    let mut seen = HashSet::new();
    let mut pairs = Vec::new();
    for domain in subjects {
        // A subject without axes adds nothing, and there may be thousands of them.
        if domain.iter().all(|values| values.len() == 1) {
            continue;
        }
        for left in 0..AXES {
            for right in left + 1..AXES {
                for &a in &domain[left] {
                    for &b in &domain[right] {
                        if seen.insert((left, a, right, b)) {
                            pairs.push((left, a, right, b));
                        }
                    }
                }
            }
        }
    }
    pairs
}

fn row_with(
    (left, a, right, b): Pair,
    domain: &Domain,
    covered: &HashSet<Pair>,
    possible: &dyn Fn(&Partial) -> bool,
) -> Option<[u32; AXES]> {
    if !domain[left].contains(&a) || !domain[right].contains(&b) {
        return None;
    }
    let mut partial = [None; AXES];
    partial[left] = Some(a);
    partial[right] = Some(b);
    let gain = |partial: &Partial, (axis, value): (usize, u32)| {
        let new = |(other, chosen): (usize, &Option<u32>)| {
            let chosen = (*chosen)?;
            let pair = if other < axis { (other, chosen, axis, value) } else { (axis, value, other, chosen) };
            (other != axis && !covered.contains(&pair)).then_some(())
        };
        partial.iter().enumerate().filter_map(new).count()
    };
    complete(domain, &mut partial, &gain, possible)
}

/// Fills the open axes, the values with the most gain first; goes back where nothing fits.
fn complete(
    domain: &Domain,
    partial: &mut Partial,
    gain: &dyn Fn(&Partial, (usize, u32)) -> usize,
    possible: &dyn Fn(&Partial) -> bool,
) -> Option<[u32; AXES]> {
    if !possible(partial) {
        return None;
    }
    let Some(axis) = partial.iter().position(Option::is_none) else {
        return Some(partial.map(Option::unwrap_or_default));
    };
    let mut ranked: Vec<(usize, u32)> = domain[axis].iter().map(|&v| (gain(partial, (axis, v)), v)).collect();
    // Stable: among equals the attachment's own value stays first.
    ranked.sort_by_key(|(gain, _)| std::cmp::Reverse(*gain));
    for (_, value) in ranked {
        partial[axis] = Some(value);
        if let Some(values) = complete(domain, partial, gain, possible) {
            return Some(values);
        }
    }
    partial[axis] = None;
    None
}

fn pairs_of(values: [u32; AXES]) -> impl Iterator<Item = Pair> {
    (0..AXES).flat_map(move |left| (left + 1..AXES).map(move |right| (left, values[left], right, values[right])))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn domain() -> impl Strategy<Value = Domain> {
        let axis = || prop::collection::btree_set(0..5_u32, 1..4).prop_map(|set| set.into_iter().collect::<Vec<_>>());
        [axis(), axis(), axis(), axis(), axis()]
    }

    fn all(domain: &Domain) -> Vec<[u32; AXES]> {
        let mut rows = vec![[0; AXES]];
        for (axis, values) in domain.iter().enumerate() {
            rows = rows
                .into_iter()
                .flat_map(|row| {
                    values.iter().map(move |value| {
                        let mut row = row;
                        row[axis] = *value;
                        row
                    })
                })
                .collect();
        }
        rows
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn every_possible_pair_is_covered_and_no_row_is_impossible(
            subjects in prop::collection::vec(domain(), 1..5),
            banned in prop::collection::vec((0..AXES, 0..5_u32, 0..AXES, 0..5_u32), 0..6),
        ) {
            let possible = |_: usize, partial: &Partial| {
                !banned.iter().any(|(i, a, j, b)| i != j && partial[*i] == Some(*a) && partial[*j] == Some(*b))
            };
            let rows = cover(&subjects, possible);
            let mut covered = HashSet::new();
            for row in &rows {
                prop_assert!(possible(row.subject, &row.values.map(Some)));
                for (axis, values) in subjects[row.subject].iter().enumerate() {
                    prop_assert!(values.contains(&row.values[axis]));
                }
                covered.extend(pairs_of(row.values));
            }
            for (subject, domain) in subjects.iter().enumerate() {
                for row in all(domain).into_iter().filter(|row| possible(subject, &row.map(Some))) {
                    for pair in pairs_of(row) {
                        prop_assert!(covered.contains(&pair), "{pair:?}");
                    }
                }
            }
            prop_assert_eq!(cover(&subjects, possible), rows);
        }
    }

    #[test]
    fn pairwise_needs_far_fewer_rows_than_the_product() {
        let domain: Domain = [(0..30).collect(), vec![0, 1], (0..6).collect(), vec![0, 1], vec![0, 1]];
        let rows = cover(&[domain], |_, _| true);
        assert!(rows.len() >= 180 && rows.len() < 230, "{} rows", rows.len());
        assert_eq!(rows[0].values, [0; AXES]);
    }
}
