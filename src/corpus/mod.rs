//! What is sent: a folder of attachments with a manifest, multiplied by axes into cases.

pub mod case;
pub mod client;
pub mod content;

pub use case::{Attachment, Beside, Case, CaseId, DeclaredType, Filename, Intent, PageCharset, Provenance, Transport};
pub use client::Client;
pub use content::{Content, Piece, Sha256Digest, Stamp};
