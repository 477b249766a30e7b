//! Sending: the one door to the network. It records facts and never judges.

pub mod observation;

/// The requests around an upload, and proof of delivery from behind the edge.
pub mod steps;

pub use observation::{
    Answer, BodyHead, Ending, Observation, Phase, ReadBackFact, Receipt, ReceiptFact, Sent, StepFact, Timings,
    Unreachable,
};
