//! Keeps one copy of what many records of a run say alike.

use std::collections::HashSet;
use std::hash::Hash;

use super::CaseRecord;
use crate::verdict::{List, Outcome, Text};

/// Shares equal texts and lists between case records, so that two runs of a million cases fit into memory.
///
/// A reader of runs passes every record through [`Pool::share`], with one pool for both sides of a comparison.
#[derive(Debug, Default)]
pub struct Pool {
    texts: HashSet<Text>,
    procedures: HashSet<List<Text>>,
    rounds: HashSet<List<Outcome>>,
}

impl Pool {
    /// Distinct values that a pool remembers of each kind; what comes after is kept unshared, so the pool stays small.
    const MOST: usize = 1 << 16;

    /// Replaces what the record has in common with earlier ones by the copy that they have.
    pub fn share(&mut self, record: &mut CaseRecord) {
        share(&mut self.texts, &mut record.verdict.evidence);
        share(&mut self.texts, &mut record.filename);
        for text in [&mut record.verdict.signature, &mut record.twin, &mut record.place].into_iter().flatten() {
            share(&mut self.texts, text);
        }
        share(&mut self.procedures, &mut record.procedures);
        share(&mut self.rounds, &mut record.rounds);
    }
}

fn share<T: Clone + Eq + Hash>(pool: &mut HashSet<T>, value: &mut T) {
    if let Some(known) = pool.get(value) {
        *value = known.clone();
    } else if pool.len() < Pool::MOST {
        pool.insert(value.clone());
    }
}
