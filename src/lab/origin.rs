//! The application behind the edge: it takes uploads and says what it got.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::http::{BodyState, Peer, RequestHead, Socket};
use super::multipart::{Event, Malformed, PartHead};
use super::page::{self, Page};
use super::store::{Kept, Store};
use super::upload::{UploadReader, percent_decoded};
use crate::corpus::{Hex, Sha256Digest};

/// The longest text field that is kept, in bytes.
const MAX_FIELD: usize = 16 * 1024;
/// The most parts that a receipt lists.
const MAX_PARTS: usize = 256;
/// The filename of the canary control, which no lie touches.
pub const CANARY: &str = "wafcanary.pdf";

/// What the origin does with an upload that arrived whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Manner {
    /// It keeps it.
    #[default]
    Keeps,
    /// It refuses it with a page of its own.
    Refuses,
    /// It gives a receipt and loses the file.
    Loses,
}

/// An HTTP origin that gives receipts.
#[derive(Debug, Default)]
pub struct Origin {
    manner: Manner,
    store: Store,
    accepted: AtomicU64,
}

/// One part of an upload as the origin saw it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct PartReceipt {
    /// Field name.
    name: Option<String>,
    /// SHA-256 of its content, hex.
    pub(super) sha256: String,
    /// Bytes of its content.
    pub(super) size: u64,
    /// Filename, decoded; `None`: there was none.
    filename: Option<String>,
    /// Filename's bytes as they came, hex.
    filename_hex: Option<String>,
    /// Its `Content-Type`.
    content_type: Option<String>,
}

/// What the origin knows of one attempt.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Receipt {
    attempt: String,
    case: Option<String>,
    #[serde(flatten)]
    first: PartReceipt,
    files: Vec<PartReceipt>,
    fields: Vec<Field>,
}

#[derive(Debug, Clone, Serialize)]
struct Field {
    name: Option<String>,
    value: String,
}

impl Origin {
    /// An origin with nothing in store.
    #[must_use]
    pub fn new(manner: Manner) -> Self {
        Self { manner, ..Self::default() }
    }

    /// Serves one connection until it closes.
    pub(super) async fn serve(self: Arc<Self>, socket: Socket) -> io::Result<()> {
        let mut peer = Peer::new(socket);
        loop {
            let head = match peer.request_head().await {
                Ok(Some(head)) => head,
                Ok(None) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return peer.send(&page::bad_request(&error.to_string()).close().encode("GET")).await;
                }
                Err(error) => return Err(error),
            };
            peer.invite(&head).await?;
            let mut body = BodyState::new(head.framing);
            let answer = if head.is_upload() {
                self.take(&head, &mut body, &mut peer).await
            } else {
                body.drain(&mut peer).await.map(|()| self.get(&head))
            };
            let mut answer = match answer {
                Ok(answer) => answer,
                Err(error) if error.kind() == io::ErrorKind::InvalidData => page::bad_request(&error.to_string()),
                Err(error) => return Err(error),
            };
            let keep_alive = head.keep_alive && body.is_done();
            if !keep_alive {
                answer = answer.close();
            }
            peer.send(&answer.header("X-Origin", "wafcanary-lab").encode(&head.method)).await?;
            if !keep_alive {
                return Ok(());
            }
        }
    }

    async fn take(&self, head: &RequestHead, body: &mut BodyState, peer: &mut Peer) -> io::Result<Page> {
        let mut reader = UploadReader::new(head);
        let mut taken = Taken::default();
        let mut fault = None;
        while let Some(slice) = body.next(peer).await? {
            if slice.is_data && fault.is_none() {
                fault = reader.feed(&slice.raw, &mut |event| taken.note(event)).err();
            }
        }
        if fault.is_none() {
            fault = reader.finish(&mut |event| taken.note(event)).err();
        }
        Ok(match fault {
            Some(fault) => bad_upload(fault),
            None => self.accept(head, taken),
        })
    }

    fn accept(&self, head: &RequestHead, taken: Taken) -> Page {
        let Some(first) = taken.first_file() else { return page::bad_request("the upload has no part") };
        let is_canary = taken.parts[first].head.filename.as_deref() == Some(CANARY.as_bytes());
        if self.manner == Manner::Refuses && !is_canary {
            return page::origin_refusal();
        }
        let number = self.accepted.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(attempt) = head.header("x-wafcanary-attempt") {
            let keeps = self.manner != Manner::Loses || is_canary;
            let file = if keeps { taken.parts[first].kept.clone() } else { Kept::Lost };
            let case = head.header("x-wafcanary-case").map(str::to_owned);
            self.store.put(attempt, taken.receipt(attempt, case, first), file);
        }
        page::accepted(number)
    }

    fn get(&self, head: &RequestHead) -> Page {
        let path = head.path();
        if let Some(attempt) = path.strip_prefix("/receipts/") {
            return match self.store.receipt(attempt) {
                Some(receipt) => Page::json(200, receipt.as_ref()),
                None => Page::json(404, &serde_json::json!({ "error": "no such receipt", "attempt": attempt })),
            };
        }
        if let Some(attempt) = path.strip_prefix("/files/") {
            return match self.store.file(attempt) {
                Some(Kept::Whole(bytes)) => Page::file(bytes),
                Some(Kept::TooLarge) => page::plain(507, "Insufficient Storage", "the file was too large to be kept\n"),
                Some(Kept::Lost) | None => page::not_found(),
            };
        }
        match path {
            "/" => page::home(),
            "/apply" => page::form(),
            _ => page::not_found(),
        }
    }
}

fn bad_upload(fault: Malformed) -> Page {
    page::bad_request(&fault.to_string())
}

/// One part while it is read.
#[derive(Debug)]
struct Part {
    head: PartHead,
    hasher: Sha256,
    size: u64,
    kept: Kept,
}

/// An upload while it is read.
#[derive(Debug, Default)]
struct Taken {
    parts: Vec<Part>,
    /// Parts past the limit are read and not listed.
    skipping: bool,
}

impl Taken {
    fn note(&mut self, event: Event<'_>) {
        match event {
            Event::Begin(head) => {
                self.skipping = self.parts.len() >= MAX_PARTS;
                if !self.skipping {
                    self.parts.push(Part { head, hasher: Sha256::new(), size: 0, kept: Kept::default() });
                }
            }
            Event::Data(bytes) => {
                if let Some(part) = self.parts.last_mut().filter(|_| !self.skipping) {
                    part.hasher.update(bytes);
                    part.size += bytes.len() as u64;
                    part.kept.extend(bytes);
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

    /// The part that a user would call the file: named first, then one with a filename and bytes, then one with a type, then the last.
    fn first_file(&self) -> Option<usize> {
        let named = |part: &Part| part.head.filename.as_ref().is_some_and(|name| !name.is_empty());
        let find = |wanted: &dyn Fn(&Part) -> bool| self.parts.iter().position(wanted);
        find(&|part| named(part) || part.head.filename_ext.is_some())
            .or_else(|| find(&|part| part.head.filename.is_some() && part.size > 0))
            .or_else(|| find(&|part| part.head.filename.is_none() && part.head.content_type.is_some()))
            .or_else(|| self.parts.len().checked_sub(1))
    }

    fn receipt(self, attempt: &str, case: Option<String>, first: usize) -> Receipt {
        let (mut files, mut fields) = (Vec::new(), Vec::new());
        let mut top = None;
        for (index, part) in self.parts.into_iter().enumerate() {
            let is_file = index == first || part.head.filename.is_some() || part.head.filename_ext.is_some();
            if is_file {
                let receipt = part.receipt();
                if index == first {
                    top = Some(receipt.clone());
                }
                files.push(receipt);
            } else {
                let bytes = part.kept.bytes();
                let value = &bytes[..bytes.len().min(MAX_FIELD)];
                fields.push(Field { name: part.head.name.as_deref().map(decoded), value: decoded(value) });
            }
        }
        let first = top.unwrap_or_else(|| PartReceipt {
            name: None,
            sha256: Sha256Digest::of(b"").to_string(),
            size: 0,
            filename: None,
            filename_hex: None,
            content_type: None,
        });
        Receipt { attempt: attempt.to_owned(), case, first, files, fields }
    }
}

impl Part {
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
