//! How a real client writes a case: [`encode`] gives the request's bytes.

pub mod body;
pub mod request;

pub use body::{Body, BodyReader, Segment};
pub use request::{Framing, Header, Submission, WireRequest};

use crate::corpus::Case;
use crate::error::{Error, Result};

/// Writes `case` as its client would submit it. Pure: the same arguments give the same bytes.
///
/// `redraw` is 0 for the boundary derived from the case id; other values give other boundaries of the same shape.
///
/// # Errors
/// When the client cannot send such a request (it refuses the filename, or knows no such transport).
pub fn encode(_case: &Case, _submission: &Submission, _redraw: u64) -> Result<WireRequest> {
    Err(Error::usage("no dialect is known yet"))
}
