//! The dialects: one table per family of clients, taken from captured requests (`tests/vectors/`).

mod browsers;
mod curl;
mod java;
mod native;
mod node;
mod python;

use super::dialect::{Dialect, PartLine};

/// Every family.
pub(crate) static FAMILIES: [&[Dialect]; 6] =
    [browsers::ALL, curl::ALL, python::ALL, node::ALL, java::ALL, native::ALL];

const DISPOSITION: &[PartLine] = &[PartLine::Disposition];
const DISPOSITION_TYPE: &[PartLine] = &[PartLine::Disposition, PartLine::Type];
const TYPE_DISPOSITION: &[PartLine] = &[PartLine::Type, PartLine::Disposition];
