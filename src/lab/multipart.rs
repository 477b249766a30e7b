//! Reading `multipart/form-data` as a stream of raw bytes (RFC 7578, RFC 2046 section 5.1).
//!
//! Values stay bytes: a filename on a Shift_JIS page may end in byte 0x5C just before its closing quote.

use bytes::Bytes;
use memchr::memmem;

/// The longest header block of a part, in bytes.
const MAX_PART_HEAD: usize = 64 * 1024;
/// The most white space after a boundary, in bytes.
const MAX_PADDING: usize = 64;

/// Bytes that are put behind what was kept back at a time.
const JOIN: usize = 4 * 1024;

/// The headers of a part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartHead {
    /// The header block as it came, without the empty line.
    pub raw: Bytes,
    /// `name`, raw.
    pub name: Option<Vec<u8>>,
    /// `filename` as it stands between the quotes; `None`: there is none.
    pub filename: Option<Vec<u8>>,
    /// `filename*` as it stands, RFC 8187; `None`: there is none.
    pub filename_ext: Option<Vec<u8>>,
    /// `Content-Type`, raw; `None`: there is none.
    pub content_type: Option<Vec<u8>>,
}

impl PartHead {
    /// Whether it names a file.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.filename.as_ref().is_some_and(|name| !name.is_empty()) || self.filename_ext.is_some()
    }

    /// Reads a header block.
    #[must_use]
    pub fn parse(block: &[u8]) -> Self {
        let mut head = Self { raw: Bytes::copy_from_slice(block), ..Self::default() };
        for line in unfolded(block) {
            let Some(colon) = memchr::memchr(b':', &line) else { continue };
            let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
            if name.eq_ignore_ascii_case(b"content-type") {
                head.content_type = Some(value.to_vec());
            } else if name.eq_ignore_ascii_case(b"content-disposition") {
                for (key, value) in parameters(value) {
                    match key.as_slice() {
                        b"name" => head.name = Some(value),
                        b"filename" => head.filename = Some(value),
                        b"filename*" => head.filename_ext = Some(value),
                        _ => {}
                    }
                }
            }
        }
        head
    }
}

fn unfolded(block: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut rest = block;
    while !rest.is_empty() {
        let end = memmem::find(rest, b"\r\n").unwrap_or(rest.len());
        let line = &rest[..end];
        match lines.last_mut() {
            Some(last) if matches!(line.first(), Some(b' ' | b'\t')) => last.extend_from_slice(line),
            _ => lines.push(line.to_vec()),
        }
        rest = rest.get(end + 2..).unwrap_or_default();
    }
    lines
}

/// The parameters of a header value, names in lower case, values as they stand between the quotes.
fn parameters(value: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = Vec::new();
    let mut rest = value;
    while let Some(semicolon) = memchr::memchr(b';', rest) {
        rest = rest[semicolon + 1..].trim_ascii_start();
        let Some(length) = key_length(rest) else { continue };
        let key = rest[..length].trim_ascii().to_ascii_lowercase();
        rest = rest[length + 1..].trim_ascii_start();
        let length = if let Some(quoted) = rest.strip_prefix(b"\"") {
            let length = quoted_length(quoted);
            found.push((key, quoted[..length].to_vec()));
            (length + 2).min(rest.len())
        } else {
            let length = memchr::memchr(b';', rest).unwrap_or(rest.len());
            found.push((key, rest[..length].trim_ascii().to_vec()));
            length
        };
        rest = &rest[length..];
    }
    found
}

/// The bytes before the `=` when `rest` begins with a parameter.
fn key_length(rest: &[u8]) -> Option<usize> {
    let equals = memchr::memchr(b'=', rest)?;
    let key = rest[..equals].trim_ascii();
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    (!key.is_empty() && key.iter().all(token)).then_some(equals)
}

/// The length of a quoted value, after its opening quote.
///
/// A quote closes the value only where the header ends or another parameter follows, whatever stands before it: clients write
/// `"` inside a name raw, as `\"` and as `%22`, and 0x5C may be the second half of a Shift_JIS character.
fn quoted_length(value: &[u8]) -> usize {
    let closes = |&at: &usize| {
        let after = value[at + 1..].trim_ascii_start();
        match after.first() {
            None => true,
            Some(b';') => {
                let next = after[1..].trim_ascii_start();
                next.is_empty() || key_length(next).is_some()
            }
            Some(_) => false,
        }
    };
    memchr::memchr_iter(b'"', value).find(closes).unwrap_or(value.len())
}

/// The boundary of a `Content-Type: multipart/form-data` value.
#[must_use]
pub fn boundary(content_type: &[u8]) -> Option<Vec<u8>> {
    let kind = content_type.split(|&byte| byte == b';').next()?.trim_ascii();
    if !kind.eq_ignore_ascii_case(b"multipart/form-data") {
        return None;
    }
    let value = parameters(content_type).into_iter().find(|(key, _)| key == b"boundary")?.1;
    (!value.is_empty() && value.len() <= 256).then_some(value)
}

/// What the parser finds, in order.
#[derive(Debug)]
pub enum Event<'a> {
    /// A part begins.
    Begin(PartHead),
    /// Bytes of its content.
    Data(&'a [u8]),
    /// It ends.
    End,
    /// The part's headers, known only now: JSON may name the file after its content.
    Amend(PartHead),
}

/// Why a body is not what its `Content-Type` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A part's header block is too long.
    #[error("the headers of a part are longer than 64 KiB")]
    PartHead,
    /// The body ends before the last boundary.
    #[error("the body ends before its last boundary")]
    Unfinished,
    /// The document is not the expected JSON.
    #[error("the body is not the expected JSON")]
    Json,
    /// The content is not base64.
    #[error("the content is not base64")]
    Base64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In the content of a part, or in the preamble.
    Content,
    /// Just after a boundary's text.
    Delimiter,
    /// In a part's headers.
    Head,
    /// After the last boundary.
    Epilogue,
}

/// A streaming parser: holds one header block or one boundary's length at most.
#[derive(Debug)]
pub struct Multipart {
    delimiter: Vec<u8>,
    finder: memmem::Finder<'static>,
    pending: Vec<u8>,
    state: State,
    in_part: bool,
}

impl Multipart {
    /// A parser for bodies with this boundary.
    #[must_use]
    pub fn new(boundary: &[u8]) -> Self {
        let delimiter = [b"\r\n--", boundary].concat();
        let finder = memmem::Finder::new(&delimiter).into_owned();
        // The first boundary may stand at the very start: a line end before it makes it like all others.
        Self { delimiter, finder, pending: b"\r\n".to_vec(), state: State::Content, in_part: false }
    }

    /// Takes the next bytes of the body and gives what they complete to `sink`.
    pub fn feed(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Event<'_>)) -> Result<(), Malformed> {
        let mut rest = bytes;
        while !self.pending.is_empty() && !rest.is_empty() {
            let mut pending = std::mem::take(&mut self.pending);
            let before = pending.len();
            let (some, after) = rest.split_at(rest.len().min(JOIN));
            pending.extend_from_slice(some);
            let used = self.consume(&pending, sink)?;
            if used < before {
                pending.drain(..used);
                self.pending = pending;
                rest = after;
            } else {
                // What was kept back is used up: the rest is read where it is.
                rest = &rest[used - before..];
            }
        }
        if !rest.is_empty() {
            let used = self.consume(rest, sink)?;
            self.pending.extend_from_slice(&rest[used..]);
        }
        Ok(())
    }

    /// Says that the body is over.
    pub fn finish(&self) -> Result<(), Malformed> {
        if self.state == State::Epilogue { Ok(()) } else { Err(Malformed::Unfinished) }
    }

    fn consume(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Event<'_>)) -> Result<usize, Malformed> {
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            match self.state {
                State::Content => {
                    let (length, next) = match self.finder.find(rest) {
                        Some(found) => (found, State::Delimiter),
                        None => (rest.len().saturating_sub(self.delimiter.len() - 1), State::Content),
                    };
                    self.content(&rest[..length], sink);
                    at += length;
                    if next == State::Content {
                        return Ok(at);
                    }
                    self.state = State::Delimiter;
                }
                State::Delimiter => match after_delimiter(&rest[self.delimiter.len()..]) {
                    After::Unknown => return Ok(at),
                    After::Content => {
                        self.content(&self.delimiter, sink);
                        at += self.delimiter.len();
                        self.state = State::Content;
                    }
                    After::Part(padding) => {
                        self.end(sink);
                        at += self.delimiter.len() + padding;
                        self.state = State::Head;
                    }
                    After::Last => {
                        self.end(sink);
                        self.state = State::Epilogue;
                    }
                },
                State::Head => {
                    let Some(length) = memmem::find(rest, b"\r\n\r\n") else {
                        let sound = rest.len() <= MAX_PART_HEAD;
                        return if sound { Ok(at) } else { Err(Malformed::PartHead) };
                    };
                    if length > MAX_PART_HEAD {
                        return Err(Malformed::PartHead);
                    }
                    sink(Event::Begin(PartHead::parse(rest.get(2..length).unwrap_or_default())));
                    self.in_part = true;
                    at += length + 4;
                    self.state = State::Content;
                }
                State::Epilogue => return Ok(bytes.len()),
            }
        }
    }

    fn content(&self, bytes: &[u8], sink: &mut dyn FnMut(Event<'_>)) {
        if self.in_part && !bytes.is_empty() {
            sink(Event::Data(bytes));
        }
    }

    fn end(&mut self, sink: &mut dyn FnMut(Event<'_>)) {
        if std::mem::take(&mut self.in_part) {
            sink(Event::End);
        }
    }
}

enum After {
    Unknown,
    Content,
    Part(usize),
    Last,
}

/// What follows the text of a boundary: `--` for the last one, a line end (perhaps after white space), or it was content.
fn after_delimiter(rest: &[u8]) -> After {
    match rest {
        [] | [b'-'] => return After::Unknown,
        [b'-', b'-', ..] => return After::Last,
        _ => {}
    }
    let padding = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    match &rest[padding..] {
        _ if padding > MAX_PADDING => After::Content,
        [] | [b'\r'] => After::Unknown,
        [b'\r', b'\n', ..] => After::Part(padding),
        _ => After::Content,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Parts = Vec<(PartHead, Vec<u8>, bool)>;

    fn parse(boundary: &[u8], chunks: &[&[u8]]) -> (Parts, Result<(), Malformed>) {
        let mut parts: Parts = Vec::new();
        let mut parser = Multipart::new(boundary);
        let mut sink = |event: Event<'_>| match event {
            Event::Begin(head) => parts.push((head, Vec::new(), false)),
            Event::Data(bytes) => parts.last_mut().unwrap().1.extend_from_slice(bytes),
            Event::End => parts.last_mut().unwrap().2 = true,
            Event::Amend(_) => panic!("only JSON amends"),
        };
        for chunk in chunks {
            if let Err(error) = parser.feed(chunk, &mut sink) {
                return (parts, Err(error));
            }
        }
        let end = parser.finish();
        (parts, end)
    }

    fn filename(disposition: &[u8]) -> Option<Vec<u8>> {
        PartHead::parse(&[b"Content-Disposition: ", disposition].concat()).filename
    }

    #[test]
    fn a_shift_jis_name_that_ends_in_5c_keeps_its_last_byte() {
        let name = b"form-data; name=\"f\"; filename=\"\x88\xea\x97\x97\x95\x5c\"";
        assert_eq!(filename(name).unwrap(), b"\x88\xea\x97\x97\x95\x5c");
        let followed = b"form-data; filename=\"\x95\x5c\"; name=\"f\"";
        assert_eq!(filename(followed).unwrap(), b"\x95\x5c");
    }

    #[test]
    fn a_quote_inside_a_name_is_kept_however_it_is_written() {
        assert_eq!(filename(br#"form-data; name="f"; filename="a\"b.pdf""#).unwrap(), br#"a\"b.pdf"#);
        assert_eq!(filename(br#"form-data; name="f"; filename="a"b.pdf""#).unwrap(), br#"a"b.pdf"#);
        assert_eq!(filename(br#"form-data; name="f"; filename="a%22b.pdf""#).unwrap(), b"a%22b.pdf");
        assert_eq!(filename(br#"form-data; name="f"; filename="a;b.pdf""#).unwrap(), b"a;b.pdf");
    }

    #[test]
    fn an_empty_and_a_missing_filename_differ() {
        assert_eq!(filename(br#"form-data; name="f"; filename="""#), Some(Vec::new()));
        assert_eq!(filename(br#"form-data; name="filename""#), None);
    }

    #[test]
    fn an_extended_filename_is_kept_beside_the_plain_one() {
        let head = PartHead::parse(b"content-disposition: form-data; filename*=utf-8''%E8%A1%A8; filename=x.pdf");
        assert_eq!(head.filename.unwrap(), b"x.pdf");
        assert_eq!(head.filename_ext.unwrap(), b"utf-8''%E8%A1%A8");
    }

    #[test]
    fn a_boundary_that_goes_on_is_content() {
        let body = b"--b\r\n\r\nx\r\n--bc\r\n--b\rz\r\n--b--\r\n";
        let (parts, end) = parse(b"b", &[body]);
        assert_eq!(end, Ok(()));
        assert_eq!(parts.len(), 1);
        assert_eq!(parts[0].1, b"x\r\n--bc\r\n--b\rz");
    }

    #[test]
    fn a_body_without_its_last_boundary_is_malformed() {
        assert_eq!(parse(b"b", &[b"--b\r\n\r\nx\r\n--b\r\n"]).1, Err(Malformed::Unfinished));
        assert_eq!(parse(b"b", &[b""]).1, Err(Malformed::Unfinished));
    }

    #[test]
    fn quoted_boundaries_are_understood() {
        assert_eq!(boundary(b"multipart/form-data; boundary=\"a b\"").unwrap(), b"a b");
        assert_eq!(boundary(b"Multipart/Form-Data; charset=utf-8; boundary=x").unwrap(), b"x");
        assert_eq!(boundary(b"multipart/related; boundary=x"), None);
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_parts(
            contents in prop::collection::vec(prop::collection::vec(prop::sample::select(b"\r\n-bx \t\\\"".to_vec()), 0..60), 0..4),
            cuts in prop::collection::vec(0usize..400, 0..12),
        ) {
            let mut body = b"preamble".to_vec();
            for content in &contents {
                body.extend_from_slice(b"\r\n--bx\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\n");
                body.extend_from_slice(content);
            }
            body.extend_from_slice(b"\r\n--bx--\r\nepilogue");
            let whole = parse(b"bx", &[&body]);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(body.len())).collect();
            cuts.extend([0, body.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect();
            prop_assert_eq!(&parse(b"bx", &chunks), &whole);
            let bytes: Vec<&[u8]> = body.chunks(1).collect();
            prop_assert_eq!(&parse(b"bx", &bytes), &whole);
        }

        #[test]
        fn arbitrary_bytes_are_told_apart_from_boundaries(content in prop::collection::vec(any::<u8>(), 0..4096)) {
            prop_assume!(memmem::find(&content, b"\r\n--0123456789").is_none());
            let body = [b"--0123456789\r\n\r\n".as_slice(), &content, b"\r\n--0123456789--\r\n"].concat();
            let (parts, end) = parse(b"0123456789", &[&body]);
            prop_assert_eq!(end, Ok(()));
            prop_assert_eq!(&parts[0].1, &content);
        }
    }
}
