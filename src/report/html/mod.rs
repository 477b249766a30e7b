//! The report for people who decide: one file for a browser, to be handed on, printed, and kept.

pub(crate) mod page;
