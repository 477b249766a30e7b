//! Reading the answer: `judge` turns the facts of a round into an outcome with its proof.

pub mod outcome;

pub use outcome::{Count, Outcome, Verdict};
