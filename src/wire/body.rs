//! A body of known length that is streamed, never held whole.

use std::io::{self, Read};

use bytes::Bytes;

use crate::corpus::Content;

/// A run of bytes of a [`Body`].
#[derive(Debug, Clone)]
pub enum Segment {
    /// Bytes that the client writes itself: part headers, text fields, boundaries.
    Bytes(Bytes),
    /// A file as it is.
    Content(Content),
    /// A file in base64 without line breaks, RFC 4648 section 4.
    Base64(Content),
}

impl Segment {
    /// Bytes on the wire.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Content(content) => content.len(),
            Self::Base64(content) => content.len().div_ceil(3) * 4,
        }
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn reader(&self) -> Box<dyn Read + Send> {
        match self {
            Self::Bytes(bytes) => Box::new(io::Cursor::new(bytes.clone())),
            Self::Content(content) => Box::new(content.reader()),
            Self::Base64(content) => {
                Box::new(Base64Reader { source: content.reader(), ready: Vec::new(), given: 0, ended: false })
            }
        }
    }
}

/// The body of a request.
#[derive(Debug, Clone, Default)]
pub struct Body {
    segments: Vec<Segment>,
}

impl Body {
    /// A body of these segments.
    #[must_use]
    pub fn new(segments: Vec<Segment>) -> Self {
        Self { segments }
    }

    /// Bytes, without the framing.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.segments.iter().map(Segment::len).sum()
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The segments, in order.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// What follows `Content-Disposition:` in the heads of a form's parts, without the line's end. The bytes of files are not
    /// looked at.
    #[must_use]
    pub fn dispositions(&self) -> Vec<Vec<u8>> {
        const NAME: &[u8] = b"content-disposition:";
        let written = self.segments.iter().filter_map(|segment| match segment {
            Segment::Bytes(bytes) => Some(bytes),
            Segment::Content(_) | Segment::Base64(_) => None,
        });
        let lines = written.flat_map(|bytes| bytes.split(|byte| *byte == b'\n'));
        let values = lines.filter_map(|line| {
            let (name, value) = line.split_at_checked(NAME.len())?;
            name.eq_ignore_ascii_case(NAME).then(|| value.strip_suffix(b"\r").unwrap_or(value).to_vec())
        });
        values.collect()
    }

    /// Reads the body from the start.
    #[must_use]
    pub fn reader(&self) -> BodyReader {
        BodyReader { segments: self.segments.clone(), next: 0, open: None }
    }
}

/// Reads a [`Body`] from start to end. Errors are those of the files in it.
pub struct BodyReader {
    segments: Vec<Segment>,
    next: usize,
    open: Option<Box<dyn Read + Send>>,
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some(open) = &mut self.open {
                let read = open.read(buffer)?;
                if read > 0 {
                    return Ok(read);
                }
            }
            let Some(segment) = self.segments.get(self.next) else { return Ok(0) };
            self.open = Some(segment.reader());
            self.next += 1;
        }
    }
}

struct Base64Reader<R> {
    source: R,
    ready: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: Read> Read for Base64Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use base64::Engine as _;
        if self.given == self.ready.len() && !self.ended {
            // NOTE: a multiple of 3, so that only the last block carries padding.
            let mut block = vec![0; 3 * 8192];
            let mut filled = 0;
            while filled < block.len() {
                let read = self.source.read(&mut block[filled..])?;
                if read == 0 {
                    self.ended = true;
                    break;
                }
                filled += read;
            }
            self.ready = base64::engine::general_purpose::STANDARD.encode(&block[..filled]).into_bytes();
            self.given = 0;
        }
        let count = (self.ready.len() - self.given).min(buffer.len());
        buffer[..count].copy_from_slice(&self.ready[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}
