//! Sending: the one door to the network. It records facts and never judges.

pub mod observation;
pub mod steps;

pub use observation::{
    Answer, BodyHead, Ending, Observation, Phase, ReadBackFact, Receipt, ReceiptFact, Sent, StepFact, Timings,
    Unreachable,
};
