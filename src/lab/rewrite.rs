//! Altering an upload on its way: the origin sees a sound request, and another file, name or type than was sent.

use std::io;

use base64::Engine as _;
use memchr::memmem;

use super::http::RequestHead;
use super::multipart::{Event, PartHead, boundary};
use super::table::{Behaviour, Settings};
use super::upload::{Carrier, UploadReader, percent_decoded};

/// Writes an upload again, altered, with chunked framing: its new length is known only at its end.
pub(super) struct Rewriter {
    reader: UploadReader,
    writer: Writer,
}

struct Writer {
    behaviour: Behaviour,
    content_type: String,
    carrier: Carrier,
    boundary: Vec<u8>,
    /// Bytes of a file's end that are held back.
    hold: usize,
    in_file: bool,
    tail: Vec<u8>,
    /// Bytes that do not fill a base64 group yet.
    group: Vec<u8>,
    out: Vec<u8>,
}

impl Rewriter {
    /// A rewriter for the body of this request.
    pub(super) fn new(settings: &Settings, head: &RequestHead) -> Self {
        let reader = UploadReader::new(head);
        let boundary = boundary(head.header("content-type").unwrap_or_default().as_bytes()).unwrap_or_default();
        let hold = match settings.behaviour {
            Behaviour::Truncate => usize::try_from(settings.after).unwrap_or(usize::MAX),
            Behaviour::FlipByte => 1,
            _ => 0,
        };
        let writer = Writer {
            behaviour: settings.behaviour,
            content_type: settings.content_type.clone(),
            carrier: reader.carrier(),
            boundary,
            hold,
            in_file: false,
            tail: Vec::new(),
            group: Vec::new(),
            out: Vec::new(),
        };
        Self { reader, writer }
    }

    /// The head that goes on.
    pub(super) fn head(&self, head: &RequestHead) -> Vec<u8> {
        let raw = self.writer.carrier == Carrier::Raw;
        let target = if raw && self.writer.behaviour == Behaviour::MojibakeName {
            mojibake_target(&head.target)
        } else {
            head.target.clone()
        };
        let mut out = format!("{} {target} HTTP/1.1\r\n", head.method).into_bytes();
        let retype = raw && self.writer.behaviour == Behaviour::RewriteType;
        let dropped = |name: &str| {
            let always = ["content-length", "transfer-encoding", "expect"];
            always.iter().any(|known| name.eq_ignore_ascii_case(known))
                || (retype && name.eq_ignore_ascii_case("content-type"))
        };
        for (name, value) in head.headers.iter().filter(|(name, _)| !dropped(name)) {
            out.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        if retype {
            out.extend_from_slice(format!("Content-Type: {}\r\n", self.writer.content_type).as_bytes());
        }
        out.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
        out
    }

    /// Takes the next bytes of the body, and gives what goes on.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> io::Result<&[u8]> {
        let writer = &mut self.writer;
        writer.out.clear();
        self.reader.feed(bytes, &mut |event| writer.note(event)).map_err(io::Error::other)?;
        Ok(&writer.out)
    }

    /// Says that the body is over, and gives the rest.
    pub(super) fn finish(&mut self) -> io::Result<&[u8]> {
        let writer = &mut self.writer;
        writer.out.clear();
        self.reader.finish(&mut |event| writer.note(event)).map_err(io::Error::other)?;
        if writer.carrier == Carrier::Multipart {
            writer.out.extend_from_slice(&[b"--", writer.boundary.as_slice(), b"--\r\n"].concat());
        }
        Ok(&writer.out)
    }
}

impl Writer {
    fn note(&mut self, event: Event<'_>) {
        match event {
            Event::Begin(head) => self.begin(&head),
            Event::Data(bytes) if self.in_file && self.hold > 0 => {
                self.tail.extend_from_slice(bytes);
                let ready = self.tail.len().saturating_sub(self.hold);
                let rest = self.tail.split_off(ready);
                let ready = std::mem::replace(&mut self.tail, rest);
                self.content(&ready);
            }
            Event::Data(bytes) => self.content(bytes),
            Event::End => self.end(),
            Event::Amend(head) => self.amend(&head),
        }
    }

    fn begin(&mut self, head: &PartHead) {
        let named = head.filename.as_ref().is_some_and(|name| !name.is_empty()) || head.filename_ext.is_some();
        self.in_file = self.carrier != Carrier::Multipart || named || head.content_type.is_some();
        match self.carrier {
            Carrier::Multipart => {
                let block = if self.in_file { self.altered_block(head) } else { head.raw.to_vec() };
                let block = if block.is_empty() { block } else { [b"\r\n", block.as_slice()].concat() };
                let parts = [b"--", self.boundary.as_slice(), &block, b"\r\n\r\n"];
                self.out.extend_from_slice(&parts.concat());
            }
            Carrier::Raw => {}
            Carrier::Base64Json => self.out.extend_from_slice(b"{\"content\":\""),
        }
    }

    fn altered_block(&self, head: &PartHead) -> Vec<u8> {
        match (self.behaviour, &head.filename) {
            (Behaviour::MojibakeName, Some(name)) if !name.is_empty() => {
                let start = memmem::find(&head.raw, b"filename").unwrap_or(0);
                let at = memmem::find(&head.raw[start..], name).map_or(head.raw.len(), |at| start + at);
                let after = head.raw.get(at + name.len()..).unwrap_or_default();
                [&head.raw[..at], &mojibake(name), after].concat()
            }
            (Behaviour::RewriteType, _) => {
                let mut lines: Vec<Vec<u8>> = Vec::new();
                let mut rest: &[u8] = &head.raw;
                while !rest.is_empty() {
                    let end = memmem::find(rest, b"\r\n").unwrap_or(rest.len());
                    if !rest.get(..13).is_some_and(|start| start.eq_ignore_ascii_case(b"content-type:")) {
                        lines.push(rest[..end].to_vec());
                    }
                    rest = rest.get(end + 2..).unwrap_or_default();
                }
                lines.push(format!("Content-Type: {}", self.content_type).into_bytes());
                lines.join(b"\r\n".as_slice())
            }
            _ => head.raw.to_vec(),
        }
    }

    fn content(&mut self, bytes: &[u8]) {
        if self.carrier == Carrier::Base64Json {
            self.group.extend_from_slice(bytes);
            let rest = self.group.split_off(self.group.len() / 3 * 3);
            let ready = std::mem::replace(&mut self.group, rest);
            self.out.extend_from_slice(base64::engine::general_purpose::STANDARD.encode(ready).as_bytes());
        } else {
            self.out.extend_from_slice(bytes);
        }
    }

    fn end(&mut self) {
        let mut tail = std::mem::take(&mut self.tail);
        if self.behaviour == Behaviour::FlipByte {
            if let Some(last) = tail.last_mut() {
                *last ^= 1;
            }
            self.content(&tail);
        }
        match self.carrier {
            Carrier::Multipart => self.out.extend_from_slice(b"\r\n"),
            Carrier::Raw => {}
            Carrier::Base64Json => {
                let group = std::mem::take(&mut self.group);
                self.out.extend_from_slice(base64::engine::general_purpose::STANDARD.encode(group).as_bytes());
                self.out.push(b'"');
            }
        }
        self.in_file = false;
    }

    /// The end of a JSON document: name and type come last.
    fn amend(&mut self, head: &PartHead) {
        let mut filename = head.filename.clone().unwrap_or_default();
        let mut content_type = head.content_type.clone().unwrap_or_default();
        match self.behaviour {
            Behaviour::MojibakeName => filename = mojibake(&filename),
            Behaviour::RewriteType => content_type = self.content_type.clone().into_bytes(),
            _ => {}
        }
        for (key, value) in [("filename", filename), ("type", content_type)] {
            let value = serde_json::Value::from(String::from_utf8_lossy(&value));
            self.out.extend_from_slice(format!(",\"{key}\":{value}").as_bytes());
        }
        self.out.push(b'}');
    }
}

/// The bytes of a name, read as Latin-1 and written as UTF-8; a name in ASCII gets a replacement character instead.
fn mojibake(name: &[u8]) -> Vec<u8> {
    if name.is_ascii() {
        let dot = memchr::memrchr(b'.', name).unwrap_or(name.len());
        return [&name[..dot], "\u{fffd}".as_bytes(), &name[dot..]].concat();
    }
    encoding_rs::mem::decode_latin1(name).into_owned().into_bytes()
}

fn mojibake_target(target: &str) -> String {
    use std::fmt::Write as _;
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let (folder, name) = path.split_at(path.rfind('/').map_or(0, |slash| slash + 1));
    let mut out = folder.to_owned();
    for byte in mojibake(&percent_decoded(name.as_bytes())) {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out.push_str(query);
    out
}
