//! Records of a JSON log in bounded memory: every string is cut to its first bytes before anything is parsed.
//!
//! ModSecurity 3 logs the matched value whole, so that one line can be as long as the largest attachment, and its
//! strings hold bytes that are not UTF-8. What comes out is JSON in UTF-8, of at most [`RECORD`] bytes.

/// Bytes that are kept of a string, as they stand in the log.
const STRING: usize = 4 << 10;

/// Bytes that are kept of a string when much of its record is kept already.
const LATE_STRING: usize = 512;

/// Bytes of a record after which [`LATE_STRING`] holds.
const EARLY: usize = 1 << 20;

/// Bytes that are kept of a record: a longer one is given up.
const RECORD: usize = 4 << 20;

/// Elements of one array after which its strings are emptied.
const ELEMENTS: u32 = 300;

/// Levels of nesting after which a record is given up.
const DEPTH: usize = 128;

/// What replaces bytes that are not UTF-8, and halves of surrogate pairs.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// Shortens the strings of JSON records, one record a line.
#[derive(Debug)]
pub(super) struct JsonShortener {
    string_bytes: usize,
    out: Vec<u8>,
    state: State,
    /// The arrays and objects that are open; `Some`: an array, with the elements that it had.
    open: Vec<Option<u32>>,
    /// Length of `out` at the start of the string, and the most that it may grow to.
    string_start: usize,
    string_end: usize,
    /// An escape or a UTF-8 sequence that is not whole yet.
    pending: Vec<u8>,
    given_up: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a record.
    Blank,
    /// Between strings of a record.
    Structure,
    /// In a string whose start is kept.
    Keep,
    /// In an escape or a UTF-8 sequence of such a string.
    Pending,
    /// In a string, past what is kept of it.
    Skip,
    /// After a backslash there.
    SkipEscape,
    /// In a line that is not JSON: its start is kept.
    Text,
}

/// What a line of the log is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record<'a> {
    /// JSON with shortened strings.
    Json(&'a [u8]),
    /// Something else; its first bytes.
    Text(&'a [u8]),
    /// Nothing, or blanks.
    Blank,
    /// Too much to be kept: why.
    GivenUp(&'static str),
}

impl Default for JsonShortener {
    fn default() -> Self {
        Self::new(STRING)
    }
}

impl JsonShortener {
    /// Keeps `string_bytes` of each string.
    pub(super) fn new(string_bytes: usize) -> Self {
        Self {
            string_bytes,
            out: Vec::new(),
            state: State::Blank,
            open: Vec::new(),
            string_start: 0,
            string_end: 0,
            pending: Vec::with_capacity(12),
            given_up: None,
        }
    }

    /// Takes bytes of the log up to the end of a record. Gives how many were taken, and whether the record ended.
    pub(super) fn feed(&mut self, input: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while at < input.len() {
            let rest = &input[at..];
            let (taken, end) = match self.state {
                State::Blank | State::Structure => self.structure(rest),
                State::Keep => self.keep(rest),
                State::Pending => self.pending(rest),
                State::Skip => self.skip(rest),
                State::SkipEscape if rest[0] == b'\n' => (1, true),
                State::SkipEscape => {
                    self.state = State::Skip;
                    (1, false)
                }
                State::Text => self.text(rest),
            };
            at += taken;
            if end {
                return (at, true);
            }
        }
        (at, false)
    }

    /// The record as far as it was taken.
    pub(super) fn record(&self) -> Record<'_> {
        match self.state {
            State::Blank => Record::Blank,
            State::Text => Record::Text(&self.out),
            State::Structure | State::Keep | State::Pending | State::Skip | State::SkipEscape => {
                self.given_up.map_or(Record::Json(&self.out), Record::GivenUp)
            }
        }
    }

    /// Makes ready for the next record.
    pub(super) fn clear(&mut self) {
        self.out.clear();
        self.open.clear();
        self.pending.clear();
        self.state = State::Blank;
        self.given_up = None;
    }

    fn structure(&mut self, input: &[u8]) -> (usize, bool) {
        for (at, byte) in input.iter().enumerate() {
            match byte {
                b'\n' => return (at + 1, true),
                b' ' | b'\t' | b'\r' => continue,
                b'"' => {
                    self.begin_string();
                    return (at + 1, false);
                }
                b'{' | b'[' => self.enter(*byte == b'['),
                b'}' | b']' => {
                    self.open.pop();
                }
                b',' => {
                    if let Some(Some(elements)) = self.open.last_mut() {
                        *elements = elements.saturating_add(1);
                    }
                }
                _ if self.state == State::Blank => {
                    self.state = State::Text;
                    return (at, false);
                }
                _ => {}
            }
            self.state = State::Structure;
            self.push(&[*byte]);
        }
        (input.len(), false)
    }

    fn enter(&mut self, array: bool) {
        if self.open.len() < DEPTH {
            self.open.push(array.then_some(0));
        } else {
            self.given_up = Some("nested too deep");
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        if self.given_up.is_some() {
            return;
        }
        if self.out.len() + bytes.len() > RECORD {
            self.given_up = Some("more than 4 MiB even with its strings cut");
        } else {
            self.out.extend_from_slice(bytes);
        }
    }

    fn begin_string(&mut self) {
        self.push(b"\"");
        let crowded = matches!(self.open.last(), Some(Some(elements)) if *elements >= ELEMENTS);
        let most = match self.out.len() {
            _ if crowded || self.given_up.is_some() => 0,
            length if length > EARLY => self.string_bytes.min(LATE_STRING),
            _ => self.string_bytes,
        };
        self.string_start = self.out.len();
        self.string_end = self.string_start + most;
        self.state = State::Keep;
    }

    /// In a string: copies what needs no second look.
    fn keep(&mut self, input: &[u8]) -> (usize, bool) {
        let room = self.string_end.saturating_sub(self.out.len());
        let window = &input[..input.len().min(room)];
        let plain = window.iter().position(|byte| is_special(*byte)).unwrap_or(window.len());
        self.push(&window[..plain]);
        match input.get(plain) {
            None => (plain, false),
            Some(b'"') => {
                self.push(b"\"");
                self.state = State::Structure;
                (plain + 1, false)
            }
            Some(b'\n') => (plain + 1, true),
            Some(_) if plain == room => {
                self.state = State::Skip;
                (plain, false)
            }
            Some(b'\\' | 0x80..) => {
                self.state = State::Pending;
                (plain, false)
            }
            // A control character: JSON has it escaped only.
            Some(_) => {
                self.push(b" ");
                (plain + 1, false)
            }
        }
    }

    /// In an escape or a UTF-8 sequence: takes a byte at a time until it is whole, or is none.
    fn pending(&mut self, input: &[u8]) -> (usize, bool) {
        for (at, byte) in input.iter().enumerate() {
            if *byte == b'\n' {
                return (at + 1, true);
            }
            self.pending.push(*byte);
            let sequence = sequence(&self.pending);
            if let Sequence::Partial = sequence {
                continue;
            }
            let mut unit = [0; 12];
            let length = self.pending.len();
            unit[..length].copy_from_slice(&self.pending);
            self.pending.clear();
            match sequence {
                Sequence::Partial | Sequence::Whole => self.unit(&unit[..length]),
                Sequence::Wrong { stands_for_it, length: wrong } => {
                    self.unit(stands_for_it);
                    // What came after it is looked at again: it may be the end of the string, or an escape.
                    self.feed(&unit[wrong..length]);
                }
            }
            return (at + 1, false);
        }
        (input.len(), false)
    }

    /// Keeps an escape or a character whole or not at all.
    fn unit(&mut self, bytes: &[u8]) {
        if self.out.len() + bytes.len() <= self.string_end {
            self.push(bytes);
            self.state = State::Keep;
        } else {
            self.state = State::Skip;
        }
    }

    fn skip(&mut self, input: &[u8]) -> (usize, bool) {
        match memchr::memchr3(b'"', b'\\', b'\n', input) {
            None => (input.len(), false),
            Some(at) if input[at] == b'\n' => (at + 1, true),
            Some(at) if input[at] == b'\\' => {
                self.state = State::SkipEscape;
                (at + 1, false)
            }
            Some(at) => {
                self.push(b"\"");
                self.state = State::Structure;
                (at + 1, false)
            }
        }
    }

    fn text(&mut self, input: &[u8]) -> (usize, bool) {
        let end = memchr::memchr(b'\n', input);
        let part = &input[..end.unwrap_or(input.len())];
        let room = super::lines::LINE - self.out.len();
        self.out.extend_from_slice(&part[..part.len().min(room)]);
        (part.len() + usize::from(end.is_some()), end.is_some())
    }
}

/// Bytes of a string that cannot be copied as they are.
fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..=0x1f | 0x80..)
}

/// What the bytes after the start of an escape or of a UTF-8 sequence are.
enum Sequence {
    Whole,
    Partial,
    /// Its first `length` bytes are none.
    Wrong {
        stands_for_it: &'static [u8],
        length: usize,
    },
}

fn sequence(bytes: &[u8]) -> Sequence {
    match bytes {
        [b'\\'] => Sequence::Partial,
        [b'\\', b'u', digits @ ..] => unicode_escape(digits),
        [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't'] => Sequence::Whole,
        [b'\\', ..] => Sequence::Wrong { stands_for_it: b"\\\\", length: 1 },
        _ => match std::str::from_utf8(bytes) {
            Ok(_) => Sequence::Whole,
            Err(error) => error.error_len().map_or(Sequence::Partial, replaced),
        },
    }
}

fn replaced(length: usize) -> Sequence {
    Sequence::Wrong { stands_for_it: REPLACEMENT, length }
}

/// `\uXXXX`, and a pair of those where the first is half of a surrogate pair.
fn unicode_escape(digits: &[u8]) -> Sequence {
    /// Bytes of `\uXXXX`.
    const ESCAPE: usize = 6;
    if let Some(wrong) = digits.iter().take(4).position(|byte| !byte.is_ascii_hexdigit()) {
        return replaced(2 + wrong);
    }
    let hex = |digits: &[u8]| std::str::from_utf8(digits).ok().and_then(|text| u16::from_str_radix(text, 16).ok());
    let Some((high, low)) = digits.split_at_checked(4) else { return Sequence::Partial };
    match (hex(high), low) {
        (Some(0xD800..=0xDBFF), [] | [b'\\'] | [b'\\', b'u']) => Sequence::Partial,
        (Some(0xD800..=0xDBFF), [b'\\', b'u', low @ ..]) if low.iter().all(u8::is_ascii_hexdigit) => match hex(low) {
            _ if low.len() < 4 => Sequence::Partial,
            Some(0xDC00..=0xDFFF) => Sequence::Whole,
            _ => replaced(ESCAPE),
        },
        (None | Some(0xD800..=0xDFFF), _) => replaced(ESCAPE),
        (Some(_), _) => Sequence::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn shortened(shortener: &mut JsonShortener, input: &[u8], chunk: usize) -> Vec<u8> {
        shortener.clear();
        for part in input.chunks(chunk) {
            shortener.feed(part);
        }
        match shortener.record() {
            Record::Json(bytes) => bytes.to_vec(),
            other => panic!("{other:?} of {}", String::from_utf8_lossy(input)),
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[\"\\\\\u{0}-\u{1f}a-b\u{1f600}]{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[a-z]{1,4}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// Whether `short` is `whole` with strings cut, none of them earlier than it must be.
    fn is_cut(short: &Value, whole: &Value, most: usize) -> bool {
        match (short, whole) {
            (Value::String(short), Value::String(whole)) => {
                let length = |text: &str| serde_json::to_string(text).expect("a string").len() - 2;
                let next = whole[short.len().min(whole.len())..].chars().next();
                whole.starts_with(short.as_str())
                    && length(short) <= most
                    && next.is_none_or(|next| length(short) + length(&next.to_string()) > most)
            }
            (Value::Array(short), Value::Array(whole)) => {
                short.len() == whole.len() && short.iter().zip(whole).all(|(a, b)| is_cut(a, b, most))
            }
            (Value::Object(short), Value::Object(whole)) => {
                short.len() == whole.len()
                    && short.iter().zip(whole).all(|((a, short), (b, whole))| a == b && is_cut(short, whole, most))
            }
            _ => short == whole,
        }
    }

    proptest! {
        #[test]
        fn a_shortened_record_is_the_record_with_its_strings_cut(
            value in prop::collection::vec(value(), 1..4),
            most in 4_usize..40,
            chunk in 1_usize..50,
        ) {
            let value = Value::Array(value);
            let text = serde_json::to_string(&value).expect("json");
            let short = shortened(&mut JsonShortener::new(most), text.as_bytes(), chunk);
            let short: Value = serde_json::from_slice(&short).expect("json");
            prop_assert!(is_cut(&short, &value, most), "{short} of {value}");
        }

        #[test]
        fn whatever_bytes_a_string_holds_what_is_kept_parses(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&b"\\\\\\udD8cC0\"x"[..])], 0..60),
            most in 0_usize..40,
            chunk in 1_usize..50,
        ) {
            // A quote that the escapes before it leave free ends the string, so what follows may be no JSON; the
            // bytes are then as good as escaped.
            let mut input = b"[\"".to_vec();
            let mut backslash = false;
            for byte in bytes.into_iter().filter(|byte| *byte != b'\n') {
                if byte != b'"' || backslash {
                    input.push(byte);
                }
                backslash = byte == b'\\' && !backslash;
            }
            if backslash {
                input.push(b'\\');
            }
            input.extend_from_slice(b"\"]");
            let short = shortened(&mut JsonShortener::new(most), &input, chunk);
            let parsed = serde_json::from_slice::<Vec<String>>(&short);
            prop_assert!(parsed.is_ok(), "{parsed:?}: {} of {}", String::from_utf8_lossy(&short), String::from_utf8_lossy(&input));
        }
    }

    #[test]
    fn a_record_ends_with_its_line_even_in_a_string() {
        let mut shortener = JsonShortener::default();
        let log = b"{\"a\":\"half\n{\"a\":\"whole\"}\n";
        assert_eq!(shortener.feed(log), (11, true));
        shortener.clear();
        assert_eq!(shortener.feed(&log[11..]), (log.len() - 11, true));
        assert_eq!(shortener.record(), Record::Json(b"{\"a\":\"whole\"}"));
    }

    #[test]
    fn an_array_of_a_hundred_thousand_chunks_stays_small() {
        let chunk = format!("\"{}\",", "x".repeat(8000));
        let log = format!("{{\"body\":[{}\"\"],\"id\":\"after\"}}", chunk.repeat(5000));
        let mut shortener = JsonShortener::default();
        let short = shortened(&mut shortener, log.as_bytes(), 1 << 16);
        assert!(short.len() < 2 << 20, "{}", short.len());
        assert!(short.ends_with(b"\"id\":\"after\"}"));
    }

    #[test]
    fn a_record_that_is_all_structure_is_given_up() {
        let mut shortener = JsonShortener::default();
        shortener.feed(&b"[1,".repeat(2 << 20));
        assert!(matches!(shortener.record(), Record::GivenUp(_)));
        shortener.clear();
        assert_eq!(shortener.record(), Record::Blank);
    }
}
