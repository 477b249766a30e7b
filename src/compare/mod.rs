//! Baseline against candidate: `compare` gives each case a class, `decide` turns the classes into a decision. [`Matrix`](crate::compare::Matrix) joins
//! any number of edges, and decides nothing.

mod join;

pub mod accept;
pub mod class;
pub mod comparison;
pub mod gate;
pub mod matrix;
pub mod policy;
pub mod waiver;

pub use accept::{Acceptance, accept};
pub use class::Class;
pub use comparison::{ComparedCase, Comparison, Decision, Finding, Reason, SideCase, SideSummary};
pub use gate::{Facts, decide, decide_run};
pub use join::compare;
pub use matrix::Matrix;
pub use policy::{Limit, Policy};
pub use waiver::{Pattern, Waiver, WaiverFile, WaiverUse, Waivers};
