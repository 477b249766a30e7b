//! Lines of a log in bounded memory.

use std::io::{self, Read};

/// Bytes that are read from a file at once.
pub(super) const BUFFER: usize = 256 << 10;

/// Bytes that are kept of a line; what follows is passed over.
pub(super) const LINE: usize = 16 << 10;

/// A reader of lines of any length.
pub(super) struct Lines<R> {
    source: R,
    buffer: Box<[u8]>,
    at: usize,
    filled: usize,
    line: Vec<u8>,
    /// Bytes read so far.
    pub(super) bytes: u64,
    /// Lines given so far.
    pub(super) number: u64,
}

/// A line without its line end.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// Its first [`LINE`] bytes.
    pub(super) bytes: &'a [u8],
    /// It ended with a line end; if not, it is the last one and may be half-written.
    pub(super) complete: bool,
}

impl Line<'_> {
    /// Its text; what is not UTF-8 is replaced.
    pub(super) fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.bytes)
    }
}

impl<R: Read> Lines<R> {
    /// Reads from `source`.
    pub(super) fn new(source: R) -> Self {
        let buffer = vec![0; BUFFER].into_boxed_slice();
        Self { source, buffer, at: 0, filled: 0, line: Vec::new(), bytes: 0, number: 0 }
    }

    /// The next line; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let mut any = false;
        loop {
            if self.at == self.filled {
                self.filled = read_some(&mut self.source, &mut self.buffer)?;
                self.at = 0;
                self.bytes += self.filled as u64;
                if self.filled == 0 {
                    if !any {
                        return Ok(None);
                    }
                    self.number += 1;
                    return Ok(Some(Line { bytes: &self.line, complete: false }));
                }
            }
            any = true;
            let rest = &self.buffer[self.at..self.filled];
            let end = memchr::memchr(b'\n', rest);
            let part = &rest[..end.unwrap_or(rest.len())];
            let room = LINE - self.line.len();
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            self.at += part.len();
            if end.is_some() {
                self.at += 1;
                self.number += 1;
                if self.line.last() == Some(&b'\r') {
                    self.line.pop();
                }
                return Ok(Some(Line { bytes: &self.line, complete: true }));
            }
        }
    }
}

/// Reads once; an interrupted read is tried again.
pub(super) fn read_some(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_and_the_next_one_is_whole() {
        let mut log = vec![b'a'; 3 * BUFFER];
        log.extend_from_slice(b"\r\nshort\nlast");
        let mut lines = Lines::new(log.as_slice());
        assert_eq!(lines.next().expect("reads").expect("a line").bytes.len(), LINE);
        assert_eq!(lines.next().expect("reads").expect("a line").bytes, b"short");
        let last = lines.next().expect("reads").expect("a line");
        assert!(!last.complete && last.bytes == b"last");
        assert!(lines.next().expect("reads").is_none());
        assert_eq!((lines.number, lines.bytes), (3, log.len() as u64));
    }
}
