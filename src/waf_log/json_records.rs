//! The loop over the records of a JSON log, in bounded memory: one a line, or in an array over as many lines as it likes.

use std::io::{self, Read};

use super::json_filter::{JsonShortener, Record};
use super::lines::{BUFFER, read_some};
use super::read::{Sink, index_entry};

/// How the records of a log lie in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// One record a line, as engines write them.
    Lines,
    /// A line may hold several: one after the other, as `[…]` or as `{"records":[…]}`.
    Packed,
    /// A document over many lines, as `gcloud logging read --format json` prints it.
    Document,
}

impl Layout {
    /// Tells by the start of a vendor's log whether its records are broken over lines.
    pub(super) fn of(head: &[u8]) -> Self {
        let head = head.strip_prefix("\u{feff}".as_bytes()).unwrap_or(head).trim_ascii_start();
        let mut lines = head.split_inclusive(|byte| *byte == b'\n').map_while(|line| line.strip_suffix(b"\n"));
        let first = lines.next().is_some_and(breaks);
        // The first line of a log of lines may be torn; in a document no other line is a record.
        let record = |line: &[u8]| line.starts_with(b"{") && line.len() > 1 && !breaks(line);
        if first && !lines.any(record) { Self::Document } else { Self::Packed }
    }
}

/// Whether a line ends in the midst of a record, and not in a text.
fn breaks(line: &[u8]) -> bool {
    let mut splitter = Splitter::new(Layout::Packed);
    let mut shortener = JsonShortener::default();
    let mut rest = line;
    while !rest.is_empty() {
        let (taken, _) = splitter.feed(rest, &mut shortener);
        shortener.clear();
        rest = &rest[taken..];
    }
    splitter.is_open() && splitter.state != State::Text && !splitter.in_string
}

/// Reads the records of a log. `parse` says what a record is, or why it is none, in words that hold nothing of it.
pub(super) fn read<T>(
    mut source: impl Read,
    layout: Layout,
    sink: &mut Sink<'_>,
    parse: impl Fn(&[u8]) -> Result<T, &'static str>,
    mut give: impl FnMut(T, &mut Sink<'_>),
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER].into_boxed_slice();
    let mut shortener = JsonShortener::default();
    let mut splitter = Splitter::new(layout);
    let mut bytes = 0;
    loop {
        let filled = read_some(&mut source, &mut buffer)?;
        if filled == 0 {
            break;
        }
        bytes += filled as u64;
        let mut rest = &buffer[..filled];
        while !rest.is_empty() {
            if let Some((record, taken)) = splitter.at_line_start().then(|| short_record(rest, &parse)).flatten() {
                rest = &rest[taken..];
                splitter.lines += 1;
                give(record, sink);
                continue;
            }
            let (taken, end) = splitter.feed(rest, &mut shortener);
            rest = &rest[taken..];
            if end {
                let line = splitter.began;
                match shortener.record() {
                    Record::Json(record) => match parse(record) {
                        Ok(record) => give(record, sink),
                        Err(reason) => sink.skip(line, reason.to_owned()),
                    },
                    Record::Text(text) => match index_entry(&String::from_utf8_lossy(text)) {
                        Some(path) => sink.entry(line, &path),
                        None => sink.skip(line, "not JSON".to_owned()),
                    },
                    Record::Blank => {}
                    Record::GivenUp(reason) => sink.skip(line, reason.to_owned()),
                }
                shortener.clear();
            }
        }
    }
    if splitter.is_open() {
        splitter.flush(&mut shortener);
        // A whole record without its line end is one; half of one is not wrong yet.
        match shortener.record() {
            Record::Json(record) => match parse(record) {
                Ok(record) => give(record, sink),
                Err(_) => sink.torn(),
            },
            Record::Blank if splitter.wrappers > 0 => sink.torn(),
            Record::Blank => {}
            Record::Text(_) | Record::GivenUp(_) => sink.torn(),
        }
    }
    sink.count(bytes, splitter.lines + u64::from(!splitter.ends_a_line));
    Ok(())
}

/// The record that `bytes` begin with, and its length, when it is short and sound: nothing of it need be cut.
fn short_record<T>(bytes: &[u8], parse: impl Fn(&[u8]) -> Result<T, &'static str>) -> Option<(T, usize)> {
    const SHORT: usize = 64 << 10;
    if bytes.first() != Some(&b'{') {
        return None;
    }
    let end = memchr::memchr(b'\n', &bytes[..bytes.len().min(SHORT)])?;
    Some((parse(&bytes[..end]).ok()?, end + 1))
}

/// What holds the records of an export of Azure.
const WRAPPER: &[u8] = br#"{"records":["#;

/// Finds where each record begins and ends, and gives it to a shortener.
struct Splitter {
    layout: Layout,
    state: State,
    /// Brackets of the record that are open.
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// The start of a record as long as it may be [`WRAPPER`], and the bytes of that which it has.
    held: Vec<u8>,
    matched: usize,
    /// Arrays around the records that are open.
    wrappers: u32,
    /// Line ends so far.
    lines: u64,
    /// The last byte was a line end, or there was none yet.
    ends_a_line: bool,
    /// 1-based line that the record began at.
    began: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between records.
    Between,
    /// In what may be [`WRAPPER`].
    Held,
    /// In a record.
    Record,
    /// In a line that is no JSON.
    Text,
}

impl Splitter {
    fn new(layout: Layout) -> Self {
        Self {
            layout,
            state: State::Between,
            depth: 0,
            in_string: false,
            escaped: false,
            held: Vec::new(),
            matched: 0,
            wrappers: 0,
            lines: 0,
            ends_a_line: true,
            began: 1,
        }
    }

    /// Nothing of a record, or of an array of records, was taken.
    fn at_line_start(&self) -> bool {
        !self.is_open() && self.ends_a_line
    }

    /// Something was begun and is not ended.
    fn is_open(&self) -> bool {
        self.state != State::Between || self.wrappers > 0
    }

    /// Takes bytes of the log up to the end of a record. Gives how many were taken, and whether a record ended.
    fn feed(&mut self, input: &[u8], shortener: &mut JsonShortener) -> (usize, bool) {
        let (taken, end) = match self.layout {
            Layout::Lines => self.line(input, shortener),
            Layout::Packed | Layout::Document => self.split(input, shortener),
        };
        self.ends_a_line = input[..taken].last() == Some(&b'\n');
        (taken, end)
    }

    fn line(&mut self, input: &[u8], shortener: &mut JsonShortener) -> (usize, bool) {
        if self.state == State::Between {
            self.began = self.lines + 1;
        }
        let (taken, end) = shortener.feed(input);
        self.lines += u64::from(end);
        self.state = if end { State::Between } else { State::Record };
        (taken, end)
    }

    fn split(&mut self, input: &[u8], shortener: &mut JsonShortener) -> (usize, bool) {
        let mut at = 0;
        while let Some(byte) = input.get(at).copied() {
            match self.state {
                State::Between => at += usize::from(self.between(byte)),
                State::Held => {
                    if self.hold(byte) {
                        at += 1;
                    } else {
                        self.state = State::Record;
                        self.flush(shortener);
                    }
                }
                State::Record => {
                    let (taken, end) = self.record(&input[at..], shortener);
                    at += taken;
                    if end {
                        return (at, true);
                    }
                }
                State::Text => {
                    let (taken, end) = shortener.feed(&input[at..]);
                    at += taken;
                    if end {
                        self.end_line();
                        self.state = State::Between;
                        return (at, true);
                    }
                }
            }
        }
        (at, false)
    }

    /// Looks at a byte between records. Gives whether it was taken.
    fn between(&mut self, byte: u8) -> bool {
        match byte {
            b'\n' => self.end_line(),
            // The last ones are a byte order mark.
            b' ' | b'\t' | b'\r' | b',' | b'}' | 0xef | 0xbb | 0xbf => {}
            b'[' => self.wrappers += 1,
            b']' => self.wrappers = self.wrappers.saturating_sub(1),
            b'{' => {
                (self.state, self.matched, self.began) = (State::Held, 0, self.lines + 1);
                self.held.clear();
                return false;
            }
            _ => {
                (self.state, self.began) = (State::Text, self.lines + 1);
                return false;
            }
        }
        true
    }

    /// Counts a line; in logs of lines it ends whatever is open.
    fn end_line(&mut self) {
        self.lines += 1;
        if self.layout != Layout::Document {
            self.wrappers = 0;
        }
    }

    /// Takes a byte of what may be [`WRAPPER`], if it still may be.
    fn hold(&mut self, byte: u8) -> bool {
        /// Bytes of the wrapper after which there may be blanks: `{`, the name, the colon.
        const BEFORE_BLANKS: [usize; 3] = [1, 10, 11];
        /// Blanks and all: an indented document stays far below.
        const MOST: usize = 256;
        let line_end = byte == b'\n' && self.layout == Layout::Document;
        let blank = (line_end || matches!(byte, b' ' | b'\t' | b'\r')) && BEFORE_BLANKS.contains(&self.matched);
        if !blank && WRAPPER[self.matched] != byte || self.held.len() >= MOST {
            return false;
        }
        self.lines += u64::from(line_end);
        self.held.push(byte);
        self.matched += usize::from(!blank);
        if self.matched == WRAPPER.len() {
            self.held.clear();
            self.wrappers += 1;
            self.state = State::Between;
        }
        true
    }

    /// Gives what is held to the record that it is the start of.
    fn flush(&mut self, shortener: &mut JsonShortener) {
        let held = std::mem::take(&mut self.held);
        let lines = self.lines;
        self.record(&held, shortener);
        self.lines = lines;
    }

    /// Takes bytes of a record up to its end.
    fn record(&mut self, input: &[u8], shortener: &mut JsonShortener) -> (usize, bool) {
        let mut start = 0;
        for (at, byte) in input.iter().enumerate() {
            let end = match byte {
                b'\n' if self.layout == Layout::Document && !self.in_string => {
                    self.end_line();
                    shortener.feed(&input[start..at]);
                    start = at + 1;
                    false
                }
                b'\n' => {
                    self.end_line();
                    true
                }
                _ if self.escaped => {
                    self.escaped = false;
                    false
                }
                b'\\' => {
                    self.escaped = self.in_string;
                    false
                }
                b'"' => {
                    self.in_string = !self.in_string;
                    false
                }
                _ if self.in_string => false,
                b'{' | b'[' => {
                    self.depth = self.depth.saturating_add(1);
                    false
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.depth == 0
                }
                _ => false,
            };
            if end {
                shortener.feed(&input[start..=at]);
                (self.state, self.depth, self.in_string, self.escaped) = (State::Between, 0, false, false);
                return (at + 1, true);
            }
        }
        shortener.feed(&input[start..]);
        (input.len(), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// The records of a log that comes in chunks, and the lines that they began at; what is no record as `null`.
    fn split(log: &[u8], layout: Layout, chunk: usize) -> Vec<(u64, Value)> {
        let mut splitter = Splitter::new(layout);
        let mut shortener = JsonShortener::default();
        let mut records = Vec::new();
        for mut rest in log.chunks(chunk) {
            while !rest.is_empty() {
                let (taken, end) = splitter.feed(rest, &mut shortener);
                rest = &rest[taken..];
                if end {
                    if let Record::Json(record) = shortener.record() {
                        records.push((splitter.began, serde_json::from_slice(record).unwrap_or(Value::Null)));
                    }
                    shortener.clear();
                }
            }
        }
        records
    }

    fn record() -> impl Strategy<Value = Value> {
        ("[a\"\\\\{}\\[\\],\n]{0,12}", any::<i32>(), any::<bool>()).prop_map(|(text, number, more)| {
            if more { json!({"records": [text], "n": [{"m": number}]}) } else { json!({"n": number, "t": {"t": text}}) }
        })
    }

    proptest! {
        #[test]
        fn the_same_records_are_found_however_they_are_written(
            records in prop::collection::vec(record(), 1..6),
            chunk in 1_usize..40,
        ) {
            let lines: String = records.iter().flat_map(|record| [record.to_string(), "\n".to_owned()]).collect();
            let joined: String = records.iter().map(Value::to_string).collect();
            let array = serde_json::to_string(&records).unwrap();
            let wrapped = format!("{{ \"records\" : {array}}}\n");
            for log in [lines.clone(), joined, array.clone(), wrapped.clone(), format!("{wrapped}{wrapped}")] {
                let found: Vec<_> = split(log.as_bytes(), Layout::Packed, chunk).into_iter().map(|(_, found)| found).collect();
                prop_assert!(found.chunks(records.len()).all(|found| found == records), "{log}");
                prop_assert!(!found.is_empty());
                prop_assert_eq!(Layout::of(log.as_bytes()), Layout::Packed);
            }
            let numbers: Vec<_> = split(lines.as_bytes(), Layout::Packed, chunk).into_iter().map(|(line, _)| line).collect();
            prop_assert_eq!(numbers, (1..=records.len() as u64).collect::<Vec<_>>());
            for log in [json!(records), json!({"records": records})] {
                let log = serde_json::to_string_pretty(&log).unwrap();
                let found: Vec<_> = split(log.as_bytes(), Layout::Document, chunk).into_iter().map(|(_, found)| found).collect();
                prop_assert_eq!(&found, &records, "{}", log);
                prop_assert_eq!(Layout::of(log.as_bytes()), Layout::Document);
            }
        }
    }

    #[test]
    fn a_torn_line_does_not_take_the_next_one_with_it() {
        let log = b"{\"a\":[{\"b\":\"half\n{\"a\":1}\n[{\"a\":2},\n{\"a\":3}\n";
        let found = split(log, Layout::Packed, 7);
        assert_eq!(found, [(1, Value::Null), (2, json!({"a": 1})), (3, json!({"a": 2})), (4, json!({"a": 3}))]);
    }

    #[test]
    fn a_record_of_a_document_tells_the_line_that_it_begins_at() {
        let log = b"[\n  {\n    \"a\": 1\n  },\n  {\"a\": 2},\n  {\"a\"\n: 3}\n]\n";
        let lines: Vec<_> = split(log, Layout::Document, 5).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [2, 5, 6]);
    }
}
