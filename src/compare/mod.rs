//! Baseline against candidate: `compare` gives each case a class, `decide` turns the classes into a decision.

pub mod class;
pub mod comparison;

pub use class::Class;
pub use comparison::{ComparedCase, Comparison, Decision, Finding, Reason, SideCase, SideSummary};
