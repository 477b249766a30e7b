//! Real engines against two witnesses that share no code with the product: each outcome is what the engine's own logs
//! say and what the origin received.
//!
//! `tests/engines/engines.sh` brings the engines up; `tests/all.sh` installs their packages. Nothing is skipped.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![expect(clippy::print_stdout, reason = "with `--nocapture`, what the engines refused and why is to be read")]
#![cfg(target_os = "linux")]

mod agreement;
mod chance;
mod heard;
mod lab;
mod limits;
mod noise;
mod record;
mod refusals;
mod regressions;
mod suggest;
mod trips;
mod witnesses;
