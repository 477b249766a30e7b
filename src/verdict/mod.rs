//! Reading the answer: `judge` turns the facts of a round into an outcome with its proof.
//!
//! Proof comes first: a pass rests on what the profile's oracle asks for, never on the absence of a signature.
//! Signatures only name the reason of what is not a pass.

mod altered;
mod judge;
mod page;
mod transport;

pub mod outcome;
pub mod settle;
pub mod shared;
pub mod signature;

pub use judge::{UNRECOGNISED, judge};
pub use outcome::{Count, Outcome, Verdict};
pub use settle::{Agreement, settle};
pub use shared::{List, Text};
pub use signature::{Match, SignatureKind, Signatures};
