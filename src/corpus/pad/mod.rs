//! Valid files of an exact size, made from a small one by adding what its format lets readers skip.

mod chunks;
mod zip;

use std::io;

use bytes::Bytes;

use super::{Content, Piece};

/// Why a file cannot be padded to a size, as a sentence without its subject.
#[derive(Debug, thiserror::Error)]
pub enum PadError {
    /// The size is below that of the file.
    #[error("is larger than that: it has {len} bytes")]
    TooLarge {
        /// Bytes of the file.
        len: u64,
    },
    /// What the format adds has a smallest size or a step.
    #[error("cannot be padded by {gap} bytes: {why}")]
    Gap {
        /// Bytes to add.
        gap: u64,
        /// What the format allows.
        why: &'static str,
    },
    /// The format is not one that can be padded.
    #[error("cannot be padded: {0}")]
    Format(String),
    /// The file could not be read.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// The formats that can be padded.
pub const FORMATS: &str = "PDF, PNG, JPEG, GIF, ZIP, OOXML, ODF, MP4, MOV, HEIC, WAV, CSV, TXT, HTML, XML, JSON";

/// `content` as a valid file of exactly `size` bytes. `filename` says which kind of text a text file is.
///
/// The padding is streamed: memory does not grow with `size`.
pub fn pad(content: &Content, filename: &str, size: u64) -> Result<Content, PadError> {
    let padded = Content::from_pieces(plan(content, filename, size)?)?;
    if padded.len() == size {
        return Ok(padded);
    }
    Err(PadError::Format(format!("{} bytes came out instead of {size}", padded.len())))
}

/// Whether [`pad`] can do it, without reading the whole file.
pub fn check(content: &Content, filename: &str, size: u64) -> Result<(), PadError> {
    plan(content, filename, size).map(drop)
}

fn plan(content: &Content, filename: &str, size: u64) -> Result<Vec<Piece>, PadError> {
    let gap = size.checked_sub(content.len()).ok_or(PadError::TooLarge { len: content.len() })?;
    if gap == 0 {
        return Ok(content.pieces().to_vec());
    }
    let head = content.read_range(0..16)?;
    match Format::of(&head, filename)? {
        Format::Pdf => pdf(content, gap),
        Format::Png => chunks::png(content, gap),
        Format::Jpeg => chunks::jpeg(content, gap),
        Format::Gif => chunks::gif(content, gap),
        Format::Wave => chunks::wave(content, gap),
        Format::BaseMedia => chunks::base_media(content, gap),
        Format::Zip => zip::pad(content, gap),
        Format::Rows => rows(content, gap),
        Format::Markup => Ok(with_tail(content, lines(b' ', gap))),
    }
}

enum Format {
    Pdf,
    Png,
    Jpeg,
    Gif,
    Wave,
    BaseMedia,
    Zip,
    /// Text in which a line more is no harm.
    Rows,
    /// Text that may end in white space.
    Markup,
}

impl Format {
    fn of(head: &[u8], filename: &str) -> Result<Self, PadError> {
        let brand = head.get(4..8);
        let binary = match head {
            _ if head.starts_with(b"%PDF-") => Some(Self::Pdf),
            _ if head.starts_with(b"\x89PNG\r\n\x1a\n") => Some(Self::Png),
            _ if head.starts_with(b"\xff\xd8\xff") => Some(Self::Jpeg),
            _ if head.starts_with(b"GIF8") => Some(Self::Gif),
            _ if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") => Some(Self::Zip),
            _ if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WAVE") => Some(Self::Wave),
            _ if brand == Some(b"ftyp") => Some(Self::BaseMedia),
            _ => None,
        };
        if let Some(format) = binary {
            return Ok(format);
        }
        let utf16 = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
        let extension = filename.rsplit_once('.').map(|(_, ext)| ext.to_ascii_lowercase()).unwrap_or_default();
        match extension.as_str() {
            _ if utf16 || head.contains(&0) => Err(PadError::Format(format!("only {FORMATS} can be"))),
            "txt" | "csv" | "tsv" | "log" | "md" => Ok(Self::Rows),
            "html" | "htm" | "xml" | "svg" | "json" | "geojson" | "gml" | "css" | "js" => Ok(Self::Markup),
            _ => Err(PadError::Format(format!("only {FORMATS} can be"))),
        }
    }
}

fn bytes(bytes: impl Into<Bytes>) -> Piece {
    Piece::Bytes(bytes.into())
}

fn fill(pattern: impl Into<Bytes>, len: u64) -> Piece {
    Piece::Fill { pattern: pattern.into(), len }
}

fn with_tail(content: &Content, tail: Vec<Piece>) -> Vec<Piece> {
    let mut pieces = content.pieces().to_vec();
    pieces.extend(tail);
    pieces
}

fn with_insert(content: &Content, at: u64, insert: Vec<Piece>) -> Vec<Piece> {
    let mut pieces = content.range(0..at);
    pieces.extend(insert);
    pieces.extend(content.range(at..content.len()));
    pieces
}

const LINE: u64 = 64;

/// `gap` bytes of lines of `filler`, beginning and ending with a line break.
fn lines(filler: u8, gap: u64) -> Vec<Piece> {
    let mut pattern = vec![filler; 64];
    pattern[0] = b'\n';
    if gap == 0 {
        return Vec::new();
    }
    vec![fill(pattern, gap - 1), bytes(&b"\n"[..])]
}

/// Comment lines after `%%EOF`, then the last `startxref` again, which readers look for near the end (ISO 32000-1, 7.5.5).
fn pdf(content: &Content, gap: u64) -> Result<Vec<Piece>, PadError> {
    const WINDOW: u64 = 2048;
    let tail = content.read_range(content.len().saturating_sub(WINDOW)..content.len())?;
    let start = memchr::memmem::rfind(&tail, b"startxref")
        .ok_or_else(|| PadError::Format("it has no `startxref` near its end".into()))?;
    let end = memchr::memmem::find(&tail[start..], b"%%EOF")
        .ok_or_else(|| PadError::Format("it has no `%%EOF` at its end".into()))?;
    let mut trailer = tail[start..start + end].to_vec();
    trailer.extend_from_slice(b"%%EOF\n");
    let trailer_len = trailer.len() as u64;
    if gap < trailer_len + LINE {
        return Ok(with_tail(content, vec![fill(&b"\n"[..], gap)]));
    }
    let mut pattern = vec![b'%'; 64];
    pattern[0] = b'\n';
    let comments = gap - trailer_len - 1;
    // NOTE: the first byte of the fill is a line break, so each line after it begins with `%`.
    let tail = vec![fill(pattern, comments), bytes(&b"\n"[..]), bytes(trailer)];
    Ok(with_tail(content, tail))
}

/// The last line again and again, then empty lines.
fn rows(content: &Content, gap: u64) -> Result<Vec<Piece>, PadError> {
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

#[cfg(test)]
mod tests;
