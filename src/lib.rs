//! `wafcanary` replays a corpus of attachments through a CDN or WAF as it is (*baseline*) and as it will be
//! (*candidate*), and says which legitimate files stop getting through.
//!
//! The modules stand in the order of the data, which moves to the right only:
//! corpus → wire → replay → verdict → run → compare → report. `tests/layers.rs` holds that order.

/// Exit codes, the same for every command.
pub mod exit;

/// What went wrong, where, and what to do about it.
pub mod error;

/// What is sent: attachments with a manifest, multiplied by axes into cases.
pub mod corpus;

/// How a real client writes a case: `encode` gives the request's bytes.
pub mod wire;

/// Where uploads go and what proves their delivery.
pub mod profile;

/// Sending: the one door to the network. It records facts and never judges.
pub mod replay;

/// Reading the answer: `judge` turns the facts of a round into an outcome with its proof.
pub mod verdict;

/// What the WAF itself wrote of an upload: its audit and error logs, read into transactions.
pub mod waf_log;

/// The record: an append-only journal of attempts and outcomes that survives a kill at any moment.
pub mod run;

/// Baseline against candidate: `compare` gives each case a class, `decide` turns the classes into a decision.
pub mod compare;

/// Why: the smallest property of a refused case that makes the candidate refuse it. Goes back to `replay` through the same
/// door as everyone else.
pub mod explain;

/// The narrowest exclusions that let refused legitimate uploads through, as text for each rule language.
pub mod suggest;

/// Telling people and machines; it renders and never decides.
pub mod report;

/// The embedded origin, edges and faults that `demo` and the tests run against; the origin is a command too.
pub mod lab;

/// The commands: arguments in, library call, exit code out.
pub mod cli;
