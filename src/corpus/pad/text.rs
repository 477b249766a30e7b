//! Formats of lines.

use super::{Content, PadError, Piece, bytes, fill, with_insert, with_tail};

/// `gap` bytes of lines of `filler`, beginning and ending with a line break.
pub(super) fn lines(filler: u8, gap: u64) -> Vec<Piece> {
    let mut pattern = vec![filler; 64];
    pattern[0] = b'\n';
    if gap == 0 {
        return Vec::new();
    }
    vec![fill(pattern, gap - 1), bytes(&b"\n"[..])]
}

/// The last line again and again, then empty lines.
pub(super) fn rows(content: &Content, gap: u64) -> Result<Vec<Piece>, PadError> {
    const WINDOW: u64 = 64 * 1024;
    let tail = content.read_range(content.len().saturating_sub(WINDOW)..content.len())?;
    let escapes = memchr::memchr(0x1B, &tail).is_some();
    let text = tail.trim_ascii_end();
    let start = memchr::memrchr(b'\n', text).map_or(0, |at| at + 1);
    let line = &text[start..];
    let quotes = memchr::memchr_iter(b'"', line).count();
    let ended = tail.ends_with(b"\n");
    let crlf = memchr::memmem::find(&tail, b"\r\n").is_some();
    let mut row = line.to_vec();
    row.extend_from_slice(if crlf { b"\r\n" } else { b"\n" });
    let mut rest = gap;
    let mut pieces = Vec::new();
    if !ended {
        pieces.push(bytes(&b"\n"[..]));
        rest -= 1;
    }
    // NOTE: a line of ISO-2022-JP may begin in another shift state than it ends; an odd quote is half of a field.
    if !escapes && quotes.is_multiple_of(2) && !line.is_empty() {
        let whole = rest - rest % row.len() as u64;
        pieces.push(fill(row, whole));
        rest -= whole;
    }
    pieces.push(fill(&b"\n"[..], rest));
    Ok(with_tail(content, pieces))
}

/// `gap` bytes of lines of spaces that end with CR and LF, as mail has them.
pub(super) fn white_space(gap: u64) -> Vec<Piece> {
    let mut pattern = vec![b' '; 62];
    pattern.extend_from_slice(b"\r\n");
    let rest = gap % pattern.len() as u64;
    let end = if rest < 2 { &b" "[..] } else { b"\r\n" };
    let spaces = fill(&b" "[..], rest.saturating_sub(2));
    let mut pieces = vec![fill(pattern, gap - rest), spaces, bytes(end)];
    pieces.truncate(if rest == 0 { 1 } else { 3 });
    pieces
}

/// Line breaks before the brace that closes the document: readers skip them (RTF 1.9.1, "Conventions of an RTF Reader").
pub(super) fn rtf(content: &Content, gap: u64) -> Result<Vec<Piece>, PadError> {
    let tail = Tail::of(content)?;
    let at = memchr::memrchr(b'}', &tail.text).ok_or_else(|| PadError::Format("it does not end with `}`".into()))?;
    Ok(with_insert(content, tail.start + at as u64, vec![fill(&b"\n"[..], gap)]))
}

/// `X-` properties after the first line (RFC 5545, 3.8.8.2).
pub(super) fn calendar(content: &Content, gap: u64) -> Result<Vec<Piece>, PadError> {
    const FIRST: &[u8] = b"BEGIN:VCALENDAR";
    let head = content.read_range(0..FIRST.len() as u64 + 2)?;
    let at = memchr::memchr(b'\n', &head).filter(|_| head.starts_with(FIRST));
    let at = at.ok_or_else(|| PadError::Format("it does not begin with `BEGIN:VCALENDAR`".into()))? + 1;
    let end = if head[..at].ends_with(b"\r\n") { "\r\n" } else { "\n" };
    Ok(with_insert(content, at as u64, repeated("X-WAFCANARY:", end, gap)?))
}

/// `X-` properties before the last line (RFC 6350, 6.10).
pub(super) fn card(content: &Content, gap: u64) -> Result<Vec<Piece>, PadError> {
    let tail = Tail::of(content)?;
    let at = memchr::memmem::rfind(&tail.text, b"END:VCARD");
    let at = at.ok_or_else(|| PadError::Format("it does not end with `END:VCARD`".into()))?;
    Ok(with_insert(content, tail.start + at as u64, repeated("X-WAFCANARY:", tail.line_end(), gap)?))
}

/// Comments before the end of the file: group code 999 and a line of text (DXF Reference, "Group Code Value Types").
pub(super) fn dxf(content: &Content, gap: u64) -> Result<Vec<Piece>, PadError> {
    let tail = Tail::of(content)?;
    let text = tail.text.trim_ascii_end().strip_suffix(b"\nEOF");
    let code = text.and_then(|text| memchr::memrchr(b'\n', text)).map(|at| at + 1);
    let at = code.ok_or_else(|| PadError::Format("it does not end with `EOF`".into()))?;
    let end = tail.line_end();
    Ok(with_insert(content, tail.start + at as u64, repeated(&format!("999{end}"), end, gap)?))
}

/// The end of a file, and where it starts in it.
struct Tail {
    text: Vec<u8>,
    start: u64,
}

impl Tail {
    fn of(content: &Content) -> Result<Self, PadError> {
        const WINDOW: u64 = 2048;
        let start = content.len().saturating_sub(WINDOW);
        Ok(Self { text: content.read_range(start..content.len())?, start })
    }

    fn line_end(&self) -> &'static str {
        if memchr::memmem::find(&self.text, b"\r\n").is_some() { "\r\n" } else { "\n" }
    }
}

/// Lines of `prefix` and filler, the last of them longer or shorter than the others.
fn repeated(prefix: &str, end: &str, gap: u64) -> Result<Vec<Piece>, PadError> {
    const LINE: usize = 60;
    let frame = prefix.len() + 1 + end.len();
    let last = gap.checked_sub(frame as u64).ok_or(PadError::Gap { gap, why: "a line of its own takes more" })?;
    let line = |len: usize| format!("{prefix}{}{end}", "w".repeat(len + 1));
    let rest = usize::try_from(last % LINE as u64).unwrap_or(0);
    Ok(vec![fill(line(LINE - frame), last - rest as u64), bytes(line(rest))])
}
