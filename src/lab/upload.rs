//! Reading an upload as a stream, whatever carries it: multipart, a raw body, or base64 in JSON.

use base64::Engine as _;

use super::http::RequestHead;
use super::multipart::{Event, Malformed, Multipart, PartHead, boundary};

/// The longest JSON text beside the content, in bytes.
const MAX_JSON: usize = 64 * 1024;

/// How the file is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carrier {
    /// `multipart/form-data`.
    Multipart,
    /// The body is the file.
    Raw,
    /// `{"filename", "type", "content"}`, the content in base64.
    Base64Json,
}

/// Reads one upload.
pub(super) enum UploadReader {
    Multipart(Box<Multipart>),
    Raw { head: Option<PartHead> },
    Base64Json(Box<Base64Json>),
}

impl UploadReader {
    /// A reader for the body of this request.
    pub(super) fn new(head: &RequestHead) -> Self {
        let content_type = head.header("content-type").unwrap_or_default();
        if let Some(boundary) = boundary(content_type.as_bytes()) {
            return Self::Multipart(Box::new(Multipart::new(&boundary)));
        }
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        if head.method != "PUT" && kind.eq_ignore_ascii_case("application/json") {
            return Self::Base64Json(Box::default());
        }
        let filename = head.path().rsplit('/').next().filter(|name| !name.is_empty() && head.method == "PUT");
        let content_type = head.header("content-type").map(|value| value.as_bytes().to_vec());
        let filename = filename.map(|name| percent_decoded(name.as_bytes()));
        Self::Raw { head: Some(PartHead { filename, content_type, ..PartHead::default() }) }
    }

    /// How the file is carried.
    pub(super) fn carrier(&self) -> Carrier {
        match self {
            Self::Multipart(_) => Carrier::Multipart,
            Self::Raw { .. } => Carrier::Raw,
            Self::Base64Json(_) => Carrier::Base64Json,
        }
    }

    /// Takes the next bytes of the body.
    pub(super) fn feed(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Event<'_>)) -> Result<(), Malformed> {
        match self {
            Self::Multipart(parser) => parser.feed(bytes, sink),
            Self::Raw { head } => {
                if let Some(head) = head.take() {
                    sink(Event::Begin(head));
                }
                sink(Event::Data(bytes));
                Ok(())
            }
            Self::Base64Json(parser) => parser.feed(bytes, sink),
        }
    }

    /// Says that the body is over.
    pub(super) fn finish(&mut self, sink: &mut dyn FnMut(Event<'_>)) -> Result<(), Malformed> {
        match self {
            Self::Multipart(parser) => parser.finish(),
            Self::Raw { head } => {
                if let Some(head) = head.take() {
                    sink(Event::Begin(head));
                }
                sink(Event::End);
                Ok(())
            }
            Self::Base64Json(parser) => parser.finish(sink),
        }
    }
}

/// Undoes `%XX`; other bytes stay.
pub(super) fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let pair = after.first().zip(after.get(1)).and_then(|(&high, &low)| Some(digit(high)? << 4 | digit(low)?));
        let escaped = pair.filter(|_| first == b'%');
        out.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    out
}

/// A streaming reader of one flat JSON object: the content is decoded as it comes, all else is kept until the end.
#[derive(Debug, Default)]
pub(super) struct Base64Json {
    /// The document without the content's text.
    skeleton: Vec<u8>,
    place: JsonPlace,
    begun: bool,
    quad: Vec<u8>,
    padded: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum JsonPlace {
    #[default]
    Outside,
    /// In a string; `escaped`: just after a backslash; `from`: where it begins in the skeleton.
    String {
        escaped: bool,
        from: usize,
    },
    /// After the key `content`, before its value.
    BeforeContent,
    Content,
}

impl Base64Json {
    fn feed(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Event<'_>)) -> Result<(), Malformed> {
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            if self.place == JsonPlace::Content {
                let length = memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
                self.decode(&rest[..length], sink)?;
                rest = &rest[length..];
                match rest.first() {
                    Some(b'"') => {
                        self.end_content(sink)?;
                        self.skeleton.push(b'"');
                        self.place = JsonPlace::Outside;
                        rest = &rest[1..];
                    }
                    // NOTE: some encoders write `/` as `\/`; no other escape occurs in base64.
                    Some(_) => rest = &rest[1..],
                    None => {}
                }
                continue;
            }
            if self.skeleton.len() >= MAX_JSON {
                return Err(Malformed::Json);
            }
            self.skeleton.push(byte);
            self.place = self.after(byte);
            if self.place == JsonPlace::Content && !self.begun {
                self.begun = true;
                sink(Event::Begin(self.part_head(true)));
            }
            rest = after;
        }
        Ok(())
    }

    fn after(&self, byte: u8) -> JsonPlace {
        match (self.place, byte) {
            (JsonPlace::Outside, b'"') => JsonPlace::String { escaped: false, from: self.skeleton.len() },
            (JsonPlace::String { escaped: false, from }, b'"') => {
                if self.skeleton[from..self.skeleton.len() - 1] == *b"content" && self.is_key(from) {
                    JsonPlace::BeforeContent
                } else {
                    JsonPlace::Outside
                }
            }
            (JsonPlace::String { escaped, from }, byte) => {
                JsonPlace::String { escaped: !escaped && byte == b'\\', from }
            }
            (JsonPlace::BeforeContent, b'"') => JsonPlace::Content,
            (JsonPlace::BeforeContent, byte) if byte == b':' || byte.is_ascii_whitespace() => JsonPlace::BeforeContent,
            (place @ (JsonPlace::Outside | JsonPlace::Content), _) => place,
            (JsonPlace::BeforeContent, _) => JsonPlace::Outside,
        }
    }

    /// Whether the string that begins at `from` stands where a key stands.
    fn is_key(&self, from: usize) -> bool {
        let before = self.skeleton[..from - 1].trim_ascii_end();
        matches!(before.last(), Some(b'{' | b','))
    }

    fn decode(&mut self, text: &[u8], sink: &mut dyn FnMut(Event<'_>)) -> Result<(), Malformed> {
        self.quad.extend_from_slice(text);
        let ready = self.quad.len() / 4 * 4;
        if ready == 0 {
            return Ok(());
        }
        if self.padded {
            return Err(Malformed::Base64);
        }
        self.padded = self.quad[ready - 1] == b'=';
        let engine = base64::engine::general_purpose::STANDARD;
        let decoded = engine.decode(&self.quad[..ready]).map_err(|_| Malformed::Base64)?;
        self.quad.drain(..ready);
        sink(Event::Data(&decoded));
        Ok(())
    }

    fn end_content(&mut self, sink: &mut dyn FnMut(Event<'_>)) -> Result<(), Malformed> {
        if !self.quad.is_empty() {
            return Err(Malformed::Base64);
        }
        sink(Event::End);
        Ok(())
    }

    fn part_head(&self, partial: bool) -> PartHead {
        // The document is cut off in the content's value: closing it makes it readable.
        let mut text = self.skeleton.clone();
        if partial {
            text.extend_from_slice(b"\"}");
        }
        let document: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        let value = |key: &str| document.get(key)?.as_str().map(|text| text.as_bytes().to_vec());
        PartHead { filename: value("filename"), content_type: value("type"), ..PartHead::default() }
    }

    fn finish(&self, sink: &mut dyn FnMut(Event<'_>)) -> Result<(), Malformed> {
        let sound = serde_json::from_slice::<serde_json::Value>(&self.skeleton).is_ok();
        if !sound || !self.begun || self.place != JsonPlace::Outside {
            return Err(Malformed::Json);
        }
        sink(Event::Amend(self.part_head(false)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], step: usize) -> (PartHead, Vec<u8>, Result<(), Malformed>) {
        let (mut head, mut content) = (PartHead::default(), Vec::new());
        let mut parser = Base64Json::default();
        let mut sink = |event: Event<'_>| match event {
            Event::Begin(found) | Event::Amend(found) => head = found,
            Event::Data(bytes) => content.extend_from_slice(bytes),
            Event::End => {}
        };
        for chunk in text.chunks(step) {
            if let Err(error) = parser.feed(chunk, &mut sink) {
                return (head, content, Err(error));
            }
        }
        let end = parser.finish(&mut sink);
        (head, content, end)
    }

    #[test]
    fn json_may_name_the_file_before_or_after_its_content() {
        let before = r#"{"filename": "表.pdf", "type":"application/pdf", "content" : "aGVsbG8="}"#;
        let after = r#"{"content":"aGVsbG8=","filename":"\u8868.pdf","type":"application\/pdf"}"#;
        for text in [before, after] {
            for step in [1, 3, 1000] {
                let (head, content, end) = read(text.as_bytes(), step);
                assert_eq!(end, Ok(()));
                assert_eq!(head.filename.as_deref(), Some("表.pdf".as_bytes()));
                assert_eq!(head.content_type.as_deref(), Some(b"application/pdf".as_slice()));
                assert_eq!(content, b"hello");
            }
        }
    }

    #[test]
    fn a_value_that_reads_content_is_no_key() {
        let (head, content, end) = read(br#"{"filename":"content","content":"aGk="}"#, 5);
        assert_eq!(
            (end, head.filename.as_deref(), content.as_slice()),
            (Ok(()), Some(b"content".as_slice()), b"hi".as_slice())
        );
    }

    #[test]
    fn broken_base64_is_refused() {
        assert_eq!(read(br#"{"content":"a*=="}"#, 100).2, Err(Malformed::Base64));
        assert_eq!(read(br#"{"content":"aGk=aGk="}"#, 100).2, Err(Malformed::Base64));
        assert_eq!(read(br#"{"content":"aGk"}"#, 100).2, Err(Malformed::Base64));
        assert_eq!(read(br#"{"content":"aGk=""#, 100).2, Err(Malformed::Json));
    }
}
