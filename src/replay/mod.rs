//! Sending: the one door to the network. It records facts and never judges.

mod body;
mod connect;
mod decode;
mod exact_head;
mod link;
pub mod observation;
pub mod pace;
mod patient;
mod proxy;
mod replayer;
mod shelf;
mod tally;
mod tls;
pub mod transport;

/// The requests around an upload, and proof of delivery from behind the edge.
pub mod steps;

pub use observation::{
    Answer, BodyHead, Ending, Observation, Phase, ReadBackFact, Receipt, ReceiptFact, Sent, StepFact, Timings,
    Unreachable,
};
pub use replayer::{Replayer, Rewrite, Round, Try};
pub use transport::Transport;
