//! What an upload holds, part by part, as the origin saw it.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::http::RequestHead;
use super::multipart::{Event, PartHead};
use super::origin::CANARY;
use super::store::Kept;
use super::upload::{Carrier, percent_decoded};
use crate::corpus::{Hex, Sha256Digest};

/// The longest text field that is kept, in bytes.
const MAX_FIELD: usize = 16 * 1024;
/// The most parts that a receipt lists.
const MAX_PARTS: usize = 256;

/// One part of an upload as the origin saw it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct PartReceipt {
    /// Field name.
    name: Option<String>,
    /// SHA-256 of its content, hex.
    sha256: String,
    /// Bytes of its content.
    size: u64,
    /// Filename, decoded; `None`: there was none.
    filename: Option<String>,
    /// Filename's bytes as they came, hex.
    filename_hex: Option<String>,
    /// Its `Content-Type`.
    content_type: Option<String>,
}

/// What the origin knows of one attempt.
#[derive(Debug, Serialize)]
pub(super) struct Receipt<'a> {
    /// The attempt's id, by which the receipt is asked for.
    pub(super) attempt: &'a str,
    /// The case that the request names.
    pub(super) case: Option<&'a str>,
    #[serde(flatten)]
    first: &'a PartReceipt,
    files: &'a [PartReceipt],
    fields: &'a [Field],
}

#[derive(Debug, Serialize)]
struct Field {
    name: Option<String>,
    value: String,
}

/// An upload that was read.
#[derive(Debug, Default)]
pub(super) struct Arrived {
    /// The parts that are files.
    pub(super) files: Vec<PartReceipt>,
    /// The text fields beside them.
    fields: Vec<Field>,
    /// What a user would call the file, in `files`.
    first: usize,
    /// Its bytes.
    pub(super) file: Kept,
    /// Whether it is the canary control.
    pub(super) is_canary: bool,
}

impl Arrived {
    /// The receipt; `None`: the upload has no part.
    pub(super) fn receipt<'a>(&'a self, attempt: &'a str, head: &'a RequestHead) -> Option<Receipt<'a>> {
        let first = self.files.get(self.first)?;
        let case = head.header("x-wafcanary-case");
        Some(Receipt { attempt, case, first, files: &self.files, fields: &self.fields })
    }
}

/// One part while it is read.
#[derive(Debug)]
struct Part {
    head: PartHead,
    hasher: Sha256,
    size: u64,
    /// The first bytes of its content: `limit` at most.
    bytes: Vec<u8>,
    limit: usize,
}

/// An upload while it is read.
#[derive(Debug)]
pub(super) struct Taken {
    parts: Vec<Part>,
    /// Parts past the limit are read and not listed.
    skipping: bool,
    carrier: Carrier,
    /// The largest file that is kept, in bytes.
    max_file: usize,
    /// Bytes of the whole body, where they are told beforehand.
    expected: usize,
    /// The file is known: later ones need not be kept.
    settled: bool,
}

impl Taken {
    /// Before the first byte of a body of `expected` bytes (0: not told).
    pub(super) fn new(carrier: Carrier, max_file: usize, expected: usize) -> Self {
        Self { parts: Vec::new(), skipping: false, carrier, max_file, expected, settled: false }
    }

    /// Takes what the reader found.
    pub(super) fn note(&mut self, event: Event<'_>) {
        match event {
            Event::Begin(head) => self.begin(head),
            Event::Data(bytes) => {
                if let Some(part) = self.parts.last_mut().filter(|_| !self.skipping) {
                    part.take(bytes, self.expected);
                }
            }
            Event::End => {}
            Event::Amend(head) => {
                if let Some(part) = self.parts.last_mut().filter(|_| !self.skipping) {
                    part.head = head;
                }
            }
        }
    }

    fn begin(&mut self, head: PartHead) {
        self.skipping = self.parts.len() >= MAX_PARTS;
        if self.skipping {
            return;
        }
        let bare = head.filename.is_none() && head.filename_ext.is_none() && head.content_type.is_none();
        let limit = match (self.carrier, self.settled) {
            (Carrier::Multipart, _) if bare => MAX_FIELD,
            (_, true) => 0,
            (_, false) => self.max_file,
        };
        self.settled |= head.is_named();
        self.parts.push(Part { head, hasher: Sha256::new(), size: 0, bytes: Vec::new(), limit });
    }

    /// The part that a user would call the file: named first, then one with a filename and bytes, then one with a type, then the last.
    fn first_file(&self) -> usize {
        let find = |wanted: &dyn Fn(&Part) -> bool| self.parts.iter().position(wanted);
        find(&|part| part.head.is_named())
            .or_else(|| find(&|part| part.head.filename.is_some() && part.size > 0))
            .or_else(|| find(&|part| part.head.filename.is_none() && part.head.content_type.is_some()))
            .unwrap_or(self.parts.len().saturating_sub(1))
    }

    /// What was read so far.
    pub(super) fn arrived(self) -> Arrived {
        let first = self.first_file();
        let mut arrived = Arrived::default();
        for (index, mut part) in self.parts.into_iter().enumerate() {
            let is_file = index == first || part.head.filename.is_some() || part.head.filename_ext.is_some();
            if index == first {
                arrived.first = arrived.files.len();
                arrived.is_canary = part.head.filename.as_deref() == Some(CANARY.as_bytes());
                arrived.file = part.kept();
            }
            if is_file {
                arrived.files.push(part.receipt());
            } else {
                let name = part.head.name.as_deref().map(decoded);
                arrived.fields.push(Field { name, value: decoded(&part.bytes) });
            }
        }
        arrived
    }
}

impl Part {
    fn take(&mut self, bytes: &[u8], expected: usize) {
        self.hasher.update(bytes);
        let room = self.limit.saturating_sub(self.bytes.len());
        if self.size == 0 && room > 0 {
            self.bytes.reserve_exact(expected.min(self.limit));
        }
        self.size += bytes.len() as u64;
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Takes the content out, to be kept.
    fn kept(&mut self) -> Kept {
        if self.size > self.bytes.len() as u64 {
            return Kept::TooLarge;
        }
        let mut bytes = std::mem::take(&mut self.bytes);
        // NOTE: what is counted is the length. A little slack stays: cutting it off leaves holes between the files that the
        // next file does not fit into, and memory grows without end.
        if bytes.capacity() - bytes.len() > bytes.len() / 8 {
            bytes.shrink_to_fit();
        }
        Kept::Whole(bytes.into())
    }

    fn receipt(self) -> PartReceipt {
        let Self { head, hasher, size, .. } = self;
        let plain = head.filename.as_deref().map(|name| decoded(&unescaped(name)));
        PartReceipt {
            name: head.name.as_deref().map(decoded),
            sha256: Sha256Digest(hasher.finalize().into()).to_string(),
            size,
            filename: plain.or_else(|| head.filename_ext.as_deref().and_then(extended)),
            filename_hex: head.filename.as_deref().map(|name| Hex(name).to_string()),
            content_type: head.content_type.as_deref().map(decoded),
        }
    }
}

/// UTF-8, else the first of Shift_JIS and EUC-JP that fits, else Latin-1.
fn decoded(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let read = |encoding: &'static encoding_rs::Encoding| {
        encoding.decode_without_bom_handling_and_without_replacement(bytes).map(std::borrow::Cow::into_owned)
    };
    // Half-width katakana are rare in names, and what EUC-JP looks like when it is read as Shift_JIS.
    let looks_right = |text: &String| !text.chars().any(|c| ('\u{ff61}'..='\u{ff9f}').contains(&c));
    let (shift_jis, euc_jp) = (read(encoding_rs::SHIFT_JIS), read(encoding_rs::EUC_JP));
    shift_jis
        .clone()
        .filter(looks_right)
        .or(euc_jp)
        .or(shift_jis)
        .unwrap_or_else(|| encoding_rs::mem::decode_latin1(bytes).into_owned())
}

/// Undoes the escapes of a quoted filename: `%22`, `%0D`, `%0A` of browsers, `\"` of others.
fn unescaped(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((&first, after)) = rest.split_first() {
        let escape = rest.get(..3).filter(|three| [b"%22".as_slice(), b"%0D", b"%0A"].contains(three));
        if let Some(three) = escape {
            out.extend_from_slice(&percent_decoded(three));
            rest = &rest[3..];
        } else if first == b'\\' && after.first() == Some(&b'"') {
            rest = after;
        } else {
            out.push(first);
            rest = after;
        }
    }
    out
}

/// The text of `charset'language'percent-encoded`, RFC 8187.
fn extended(value: &[u8]) -> Option<String> {
    let mut parts = value.splitn(3, |&byte| byte == b'\'');
    let (charset, _, text) = (parts.next()?, parts.next()?, parts.next()?);
    let encoding = encoding_rs::Encoding::for_label(charset)?;
    Some(encoding.decode_without_bom_handling(&percent_decoded(text)).0.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decoded_by_what_they_look_like() {
        assert_eq!(decoded("申請書.pdf".as_bytes()), "申請書.pdf");
        assert_eq!(decoded(b"\x90\x5c\x90\xbf\x8f\x91.pdf"), "申請書.pdf");
        let (euc, _, _) = encoding_rs::EUC_JP.encode("申請書.pdf");
        assert_eq!(decoded(&euc), "申請書.pdf");
    }

    #[test]
    fn escapes_of_all_clients_become_the_quote_again() {
        assert_eq!(unescaped(b"a%22b.pdf"), b"a\"b.pdf");
        assert_eq!(unescaped(b"a\\\"b.pdf"), b"a\"b.pdf");
        assert_eq!(unescaped(b"100%.pdf"), b"100%.pdf");
        assert_eq!(extended(b"utf-8''%E8%A1%A8").as_deref(), Some("表"));
    }
}
