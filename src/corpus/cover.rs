//! A small deterministic generator of covering arrays: every axis value in each group of subjects, every pair in all.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

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

/// How much a value is wanted: the group has none of it yet; new pairs; few uses of the pairs that are not new.
type Rank = (bool, usize, Reverse<u32>);

/// Each subject as it is; then rows until every group has each of its possible values in one; then rows until every
/// possible pair of values of two axes is in one of them, whichever group's.
///
/// `possible` says whether a partial combination may still be completed as far as it can see; it is asked again as
/// values are added, and never takes back a no.
pub(super) fn cover(
    groups: &[Vec<usize>],
    subjects: &[Domain],
    possible: impl Fn(usize, &Partial) -> bool,
) -> Vec<Row> {
    let mut cover = Cover { subjects, possible: &possible, uses: HashMap::new(), rows: Vec::new() };
    for (subject, domain) in subjects.iter().enumerate() {
        if let Some(values) = nearest(domain, |partial| possible(subject, partial)) {
            cover.push(Row { subject, values });
        }
    }
    let own: HashMap<usize, [u32; AXES]> = cover.rows.iter().map(|row| (row.subject, row.values)).collect();
    for group in groups {
        let seen = group.iter().filter_map(|subject| own.get(subject)).flat_map(|values| axis_values(*values));
        cover.values(group, seen.collect());
    }
    cover.pairs(&in_turns(groups));
    cover.rows
}

/// A subject as it is: the first possible value of each axis is the attachment's own, or the nearest to it.
pub(super) fn nearest(domain: &Domain, possible: impl Fn(&Partial) -> bool) -> Option<[u32; AXES]> {
    complete(domain, &mut [None; AXES], &|_, _| (false, 0, Reverse(0)), &possible)
}

struct Cover<'a> {
    subjects: &'a [Domain],
    possible: &'a dyn Fn(usize, &Partial) -> bool,
    /// How often each pair is in a row.
    uses: HashMap<Pair, u32>,
    rows: Vec<Row>,
}

impl Cover<'_> {
    fn push(&mut self, row: Row) {
        for pair in pairs_of(row.values) {
            *self.uses.entry(pair).or_default() += 1;
        }
        self.rows.push(row);
    }

    /// Rows of a group until each of its values that is possible is in one; `seen` are those that are already.
    fn values(&mut self, group: &[usize], mut seen: HashSet<(usize, u32)>) {
        let mut cursor = 0;
        for pin in self.values_of(group) {
            if seen.contains(&pin) {
                continue;
            }
            if let Some((at, row)) = self.first_row(group, cursor, &[pin], &seen) {
                seen.extend(axis_values(row.values));
                self.push(row);
                // The next row goes to the next attachment, so that the extra rows are spread over the family.
                cursor = at + 1;
            }
        }
    }

    /// Every value that some subject of the group has, those of the longest axis first: it sets the number of rows.
    fn values_of(&self, group: &[usize]) -> Vec<(usize, u32)> {
        let mut known = HashSet::new();
        let mut axes: Vec<Vec<(usize, u32)>> = vec![Vec::new(); AXES];
        for domain in group.iter().map(|subject| &self.subjects[*subject]) {
            for (axis, values) in domain.iter().enumerate() {
                axes[axis].extend(values.iter().map(|value| (axis, *value)).filter(|pin| known.insert(*pin)));
            }
        }
        axes.sort_by_key(|values| Reverse(values.len()));
        axes.concat()
    }

    /// Rows until every possible pair is in one; the subjects take turns in the order given.
    fn pairs(&mut self, order: &[usize]) {
        let mut cursor = 0;
        for pair in wanted(self.subjects) {
            if self.uses.contains_key(&pair) {
                continue;
            }
            let (left, a, right, b) = pair;
            let pins = [(left, a), (right, b)];
            if let Some((at, row)) = self.first_row(order, cursor, &pins, &HashSet::new()) {
                self.push(row);
                cursor = at + 1;
            }
        }
    }

    /// The row of the first subject from `cursor` on that can have the values `pins`, and its place in `order`.
    fn first_row(
        &self,
        order: &[usize],
        cursor: usize,
        pins: &[(usize, u32)],
        seen: &HashSet<(usize, u32)>,
    ) -> Option<(usize, Row)> {
        (0..order.len()).find_map(|step| {
            let at = (cursor + step) % order.len();
            let values = self.row_with(pins, order[at], seen)?;
            Some((at, Row { subject: order[at], values }))
        })
    }

    fn row_with(&self, pins: &[(usize, u32)], subject: usize, seen: &HashSet<(usize, u32)>) -> Option<[u32; AXES]> {
        let domain = &self.subjects[subject];
        let mut partial = [None; AXES];
        for (axis, value) in pins {
            if !domain[*axis].contains(value) {
                return None;
            }
            partial[*axis] = Some(*value);
        }
        let rank = |partial: &Partial, (axis, value): (usize, u32)| {
            let chosen = partial.iter().enumerate().filter_map(|(other, chosen)| Some((other, (*chosen)?)));
            let uses = chosen.filter(|(other, _)| *other != axis).map(|(other, chosen)| {
                let pair = if other < axis { (other, chosen, axis, value) } else { (axis, value, other, chosen) };
                self.uses.get(&pair).copied().unwrap_or(0)
            });
            let (fresh, times) = uses.fold((0, 0), |(fresh, times), n| (fresh + usize::from(n == 0), times + n));
            (!seen.contains(&(axis, value)), fresh, Reverse(times))
        };
        complete(domain, &mut partial, &rank, &|partial| (self.possible)(subject, partial))
    }
}

/// The first of each group, then the second of each, and so on.
fn in_turns(groups: &[Vec<usize>]) -> Vec<usize> {
    let longest = groups.iter().map(Vec::len).max().unwrap_or(0);
    (0..longest).flat_map(|round| groups.iter().filter_map(move |group| group.get(round).copied())).collect()
}

fn axis_values(values: [u32; AXES]) -> impl Iterator<Item = (usize, u32)> {
    values.into_iter().enumerate()
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

/// Fills the open axes, the values with the highest rank first; goes back where nothing fits.
fn complete(
    domain: &Domain,
    partial: &mut Partial,
    rank: &dyn Fn(&Partial, (usize, u32)) -> Rank,
    possible: &dyn Fn(&Partial) -> bool,
) -> Option<[u32; AXES]> {
    if !possible(partial) {
        return None;
    }
    let Some(axis) = partial.iter().position(Option::is_none) else {
        return Some(partial.map(Option::unwrap_or_default));
    };
    let mut ranked: Vec<(Rank, u32)> = domain[axis].iter().map(|&v| (rank(partial, (axis, v)), v)).collect();
    // Stable: among equals the attachment's own value stays first.
    ranked.sort_by_key(|(rank, _)| Reverse(*rank));
    for (_, value) in ranked {
        partial[axis] = Some(value);
        if let Some(values) = complete(domain, partial, rank, possible) {
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
        fn groups_have_each_value_and_all_of_them_each_pair_and_no_row_is_impossible(
            subjects in prop::collection::vec(domain(), 1..6),
            cut in 0..6_usize,
            banned in prop::collection::vec((0..AXES, 0..5_u32, 0..AXES, 0..5_u32), 0..6),
        ) {
            let possible = |_: usize, partial: &Partial| {
                !banned.iter().any(|(i, a, j, b)| i != j && partial[*i] == Some(*a) && partial[*j] == Some(*b))
            };
            let cut = cut.min(subjects.len());
            let groups: Vec<Vec<usize>> = vec![(0..cut).collect(), (cut..subjects.len()).collect()];
            let rows = cover(&groups, &subjects, possible);
            let mut covered = HashSet::new();
            let mut values = HashSet::new();
            for row in &rows {
                values.extend(axis_values(row.values).map(|value| (row.subject < cut, value)));
                prop_assert!(possible(row.subject, &row.values.map(Some)));
                for (axis, domain) in subjects[row.subject].iter().enumerate() {
                    prop_assert!(domain.contains(&row.values[axis]));
                }
                covered.extend(pairs_of(row.values));
            }
            for (subject, domain) in subjects.iter().enumerate() {
                for row in all(domain).into_iter().filter(|row| possible(subject, &row.map(Some))) {
                    for pair in pairs_of(row) {
                        prop_assert!(covered.contains(&pair), "{pair:?}");
                    }
                    for value in axis_values(row) {
                        prop_assert!(values.contains(&(subject < cut, value)), "{value:?}");
                    }
                }
            }
            prop_assert_eq!(cover(&groups, &subjects, possible), rows);
        }
    }

    #[test]
    fn pairwise_needs_far_fewer_rows_than_the_product() {
        let domain: Domain = [(0..30).collect(), vec![0, 1], (0..6).collect(), vec![0, 1], vec![0, 1]];
        let rows = cover(&[vec![0]], &[domain], |_, _| true);
        assert!(rows.len() >= 180 && rows.len() < 230, "{} rows", rows.len());
        assert_eq!(rows[0].values, [0; AXES]);
    }

    #[test]
    fn many_groups_share_the_pairs_and_need_only_their_values() {
        let domain: Domain = [(0..10).collect(), vec![0, 1], (0..4).collect(), vec![0], vec![0]];
        let groups: Vec<Vec<usize>> = (0..30).map(|group| vec![group]).collect();
        let rows = cover(&groups, &vec![domain; 30], |_, _| true);
        assert_eq!(rows.len(), 300);
    }
}
