//! ZIP archives and the document formats built on them: an archive comment, or one more stored entry.
//!
//! Source: APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16.

use super::chunks::{crc_of_fill, filler};
use super::{Content, PadError, Piece, bytes};

const END_LEN: usize = 22;
const COMMENT_MAX: u64 = 65_535;
const LOCAL_LEN: u64 = 30;
const CENTRAL_LEN: u64 = 46;
/// 1980-01-01, the first date that the format can tell.
const DATE: [u8; 4] = [0, 0, 0x21, 0];

pub(super) fn pad(content: &Content, gap: u64) -> Result<Vec<Piece>, PadError> {
    let end = End::find(content)?;
    if end.comment + gap <= COMMENT_MAX {
        return Ok(longer_comment(content, &end, gap));
    }
    one_more_entry(content, &end, gap)
}

/// The end of central directory record.
struct End {
    at: u64,
    raw: Vec<u8>,
    comment: u64,
}

impl End {
    fn find(content: &Content) -> Result<Self, PadError> {
        let window = content.len().min(COMMENT_MAX + END_LEN as u64);
        let start = content.len() - window;
        let tail = content.read_range(start..content.len())?;
        let broken = || PadError::Format("it has no end of central directory record".into());
        let found = memchr::memmem::rfind_iter(&tail, b"PK\x05\x06").find(|at| {
            let comment = tail.get(at + 20..at + END_LEN).map(|raw| usize::from(u16::from_le_bytes([raw[0], raw[1]])));
            comment.is_some_and(|comment| at + END_LEN + comment == tail.len())
        });
        let at = found.ok_or_else(broken)?;
        let raw = tail[at..at + END_LEN].to_vec();
        if at >= 20 && tail[at - 20..].starts_with(b"PK\x06\x07") {
            return Err(PadError::Format("it is a ZIP64 archive".into()));
        }
        let comment = (tail.len() - at - END_LEN) as u64;
        Ok(Self { at: start + at as u64, raw, comment })
    }

    fn u16(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.raw[at], self.raw[at + 1]])
    }

    fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes([self.raw[at], self.raw[at + 1], self.raw[at + 2], self.raw[at + 3]])
    }
}

fn longer_comment(content: &Content, end: &End, gap: u64) -> Vec<Piece> {
    let mut raw = end.raw.clone();
    let comment = u16::try_from(end.comment + gap).unwrap_or(u16::MAX);
    raw[20..].copy_from_slice(&comment.to_le_bytes());
    let mut pieces = content.range(0..end.at);
    pieces.push(bytes(raw));
    pieces.extend(content.range(end.at + END_LEN as u64..content.len()));
    pieces.push(filler(gap));
    pieces
}

fn one_more_entry(content: &Content, end: &End, gap: u64) -> Result<Vec<Piece>, PadError> {
    const LIMIT: &str = "the archive would need ZIP64";
    let directory = u64::from(end.u32(16));
    let listed = u64::from(end.u32(12));
    if directory + listed != end.at {
        return Err(PadError::Format("something stands before its first or after its last entry".into()));
    }
    let name = entry_name(&content.read_range(directory..end.at)?);
    let frame = LOCAL_LEN + CENTRAL_LEN + 2 * name.len() as u64;
    let data = gap.checked_sub(frame).ok_or(PadError::Gap { gap, why: "its comment is too long" })?;
    let entries = end.u16(10).checked_add(1).ok_or(PadError::Gap { gap, why: LIMIT })?;
    let size = u32::try_from(data).map_err(|_| PadError::Gap { gap, why: LIMIT })?;
    let moved = directory + LOCAL_LEN + name.len() as u64 + data;
    let moved = u32::try_from(moved).map_err(|_| PadError::Gap { gap, why: LIMIT })?;
    let offset = u32::try_from(directory).unwrap_or(u32::MAX);
    let mut crc = crc32fast::Hasher::new();
    crc_of_fill(&mut crc, data);

    // Version 1.0, no flags, stored; then date, CRC, both sizes, name length, no extra field.
    let mut common = vec![10, 0, 0, 0, 0, 0];
    common.extend_from_slice(&DATE);
    common.extend_from_slice(&crc.finalize().to_le_bytes());
    common.extend_from_slice(&size.to_le_bytes());
    common.extend_from_slice(&size.to_le_bytes());
    common.extend_from_slice(&u16::try_from(name.len()).unwrap_or(0).to_le_bytes());
    common.extend_from_slice(&[0, 0]);
    let local = [b"PK\x03\x04", &common[..], name.as_bytes()].concat();
    let no_comment_disk_or_attributes = [0; 10];
    let central =
        [b"PK\x01\x02\x0a\x00", &common[..], &no_comment_disk_or_attributes, &offset.to_le_bytes(), name.as_bytes()]
            .concat();

    let mut raw = end.raw.clone();
    raw[8..10].copy_from_slice(&entries.to_le_bytes());
    raw[10..12].copy_from_slice(&entries.to_le_bytes());
    let listed = u32::try_from(listed + central.len() as u64).map_err(|_| PadError::Gap { gap, why: LIMIT })?;
    raw[12..16].copy_from_slice(&listed.to_le_bytes());
    raw[16..20].copy_from_slice(&moved.to_le_bytes());
    let mut pieces = content.range(0..directory);
    pieces.extend([bytes(local), filler(data)]);
    pieces.extend(content.range(directory..end.at));
    pieces.extend([bytes(central), bytes(raw)]);
    pieces.extend(content.range(end.at + END_LEN as u64..content.len()));
    Ok(pieces)
}

/// What the entry is called: OOXML consumers skip items below `[trash]` (ISO/IEC 29500-2, "unknown items").
fn entry_name(directory: &[u8]) -> &'static str {
    if memchr::memmem::find(directory, b"[Content_Types].xml").is_some() {
        "[trash]/0000.dat"
    } else {
        "wafcanary-padding.dat"
    }
}
