//! The table of many edges: how it is joined, and what real programs read in each of its formats.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod browser;
mod fixture;
mod inert;
mod join;
mod unsure;
mod workbook;

#[path = "../support_compare/mod.rs"]
mod support_compare;
