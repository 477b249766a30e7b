//! The report for people who decide: one file for a browser, to be handed on, printed, and kept.
//!
//! It asks the network for nothing, runs no script but its own, and shows every finding and table without one.

mod cases;
mod comparison;
mod explained;
mod grid;
mod items;
pub(crate) mod page;
mod parts;
mod run;
pub(crate) mod words;

pub(crate) use comparison::comparison;
pub(crate) use run::run;
