//! ZIP archives and the document formats built on them: an archive comment, or one more stored entry.
//!
//! Source: APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16.

use std::io::Read as _;

use super::chunks::{crc_of_fill, filler};
use super::{Content, PadError, Piece, bytes};

const END_LEN: usize = 22;
const COMMENT_MAX: u64 = 65_535;
/// `LibreOffice` looks for the end of the central directory in about the last KiB alone.
const DOCUMENT_COMMENT_MAX: u64 = 512;
const LOCAL_LEN: usize = 30;
const CENTRAL_LEN: usize = 46;
const LIMIT: &str = "the archive would need ZIP64";
const OOXML_MANIFEST: &[u8] = b"[Content_Types].xml";
const ODF_MANIFEST: &[u8] = b"META-INF/manifest.xml";
const PLAIN_NAME: &str = "wafcanary-padding.dat";
/// 1980-01-01, the first date that the format can tell.
const DATE: [u8; 4] = [0, 0, 0x21, 0];

pub(super) fn pad(content: &Content, gap: u64) -> Result<Vec<Piece>, PadError> {
    let end = End::find(content)?;
    let directory = content.read_range(u64::from(u32_at(&end.raw, 16))..end.at)?;
    let document = [OOXML_MANIFEST, ODF_MANIFEST].iter().any(|name| memchr::memmem::find(&directory, name).is_some());
    if end.comment + gap <= if document { DOCUMENT_COMMENT_MAX } else { COMMENT_MAX } {
        return Ok(longer_comment(content, &end, gap));
    }
    one_more_entry(content, &end, directory, gap)
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
}

fn u16_at(raw: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([raw[at], raw[at + 1]])
}

fn u32_at(raw: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([raw[at], raw[at + 1], raw[at + 2], raw[at + 3]])
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

fn one_more_entry(content: &Content, end: &End, directory: Vec<u8>, gap: u64) -> Result<Vec<Piece>, PadError> {
    let limit = |_| PadError::Gap { gap, why: LIMIT };
    let start = u64::from(u32_at(&end.raw, 16));
    if start + u64::from(u32_at(&end.raw, 12)) != end.at {
        return Err(PadError::Format("something stands before its first or after its last entry".into()));
    }
    let name = entry_name(&directory);
    let mut body = Body { pieces: content.range(0..start), len: start, directory };
    if name == PLAIN_NAME {
        body.list_in_manifest(content)?;
    }
    let frame = LOCAL_LEN + CENTRAL_LEN + 2 * name.len() + body.directory.len();
    let data = (end.at + gap).checked_sub(body.len + frame as u64);
    let data = data.ok_or(PadError::Gap { gap, why: "another entry takes more" })?;
    let entries = u16_at(&end.raw, 10).checked_add(1).ok_or(PadError::Gap { gap, why: LIMIT })?;
    let size = u32::try_from(data).map_err(limit)?;
    let offset = u32::try_from(body.len).map_err(limit)?;
    let moved = u32::try_from(body.len + (LOCAL_LEN + name.len()) as u64 + data).map_err(limit)?;
    let mut crc = crc32fast::Hasher::new();
    crc_of_fill(&mut crc, data);
    let common = stored(crc.finalize(), size, name.as_bytes());
    let local = [b"PK\x03\x04", &common[..], name.as_bytes()].concat();
    let no_comment_disk_or_attributes = [0; 10];
    let central =
        [b"PK\x01\x02\x0a\x00", &common[..], &no_comment_disk_or_attributes, &offset.to_le_bytes(), name.as_bytes()]
            .concat();

    let mut raw = end.raw.clone();
    raw[8..10].copy_from_slice(&entries.to_le_bytes());
    raw[10..12].copy_from_slice(&entries.to_le_bytes());
    let listed = u32::try_from(body.directory.len() + central.len()).map_err(limit)?;
    raw[12..16].copy_from_slice(&listed.to_le_bytes());
    raw[16..20].copy_from_slice(&moved.to_le_bytes());
    let mut pieces = body.pieces;
    pieces.extend([bytes(local), filler(data), bytes(body.directory), bytes(central), bytes(raw)]);
    pieces.extend(content.range(end.at + END_LEN as u64..content.len()));
    Ok(pieces)
}

/// What the headers of an entry share: version 1.0, no flags, stored; date, CRC, both sizes, name length, no extra field.
fn stored(crc: u32, size: u32, name: &[u8]) -> Vec<u8> {
    let mut common = vec![10, 0, 0, 0, 0, 0];
    common.extend_from_slice(&DATE);
    common.extend_from_slice(&crc.to_le_bytes());
    common.extend_from_slice(&size.to_le_bytes());
    common.extend_from_slice(&size.to_le_bytes());
    common.extend_from_slice(&u16::try_from(name.len()).unwrap_or(0).to_le_bytes());
    common.extend_from_slice(&[0, 0]);
    common
}

/// The entries of an archive, and their central directory.
struct Body {
    pieces: Vec<Piece>,
    /// Bytes of `pieces`.
    len: u64,
    directory: Vec<u8>,
}

impl Body {
    /// In an ODF file, lists the entry to come: `LibreOffice` takes one that the manifest leaves out for damage.
    ///
    /// Source: `OpenDocument` 1.3, part 2, section 3.2.
    fn list_in_manifest(&mut self, content: &Content) -> Result<(), PadError> {
        let records = records(&self.directory);
        let named = |at: usize| {
            let name = at + CENTRAL_LEN;
            self.directory.get(name..name + usize::from(u16_at(&self.directory, at + 28))) == Some(ODF_MANIFEST)
        };
        let Some(record) = records.iter().copied().find(|at| named(*at)) else { return Ok(()) };
        let offset = |directory: &[u8], at: usize| u64::from(u32_at(directory, at + 42));
        let begin = offset(&self.directory, record);
        let offsets = records.iter().map(|at| offset(&self.directory, *at));
        let stop = offsets.filter(|other| *other > begin).min().unwrap_or(self.len);

        let cannot = || PadError::Format(format!("its `{}` cannot be read", String::from_utf8_lossy(ODF_MANIFEST)));
        let entry = content.read_range(begin..stop)?;
        let xml = unpacked(&entry, &self.directory[record..record + CENTRAL_LEN]).ok_or_else(cannot)?;
        let tail = memchr::memmem::rfind(&xml, b"</manifest:manifest>").ok_or_else(cannot)?;
        let line = format!(
            "<manifest:file-entry manifest:full-path=\"{PLAIN_NAME}\" manifest:media-type=\"application/octet-stream\"/>"
        );
        let xml = [&xml[..tail], line.as_bytes(), &xml[tail..]].concat();
        let size = u32::try_from(xml.len()).map_err(|_| cannot())?;
        let common = stored(crc32fast::hash(&xml), size, ODF_MANIFEST);
        let made = [b"PK\x03\x04", &common[..], ODF_MANIFEST, &xml].concat();

        let moved = |old: u64| old + made.len() as u64 - (stop - begin);
        // The lengths of name, extra field and comment stay.
        self.directory[record + 6..record + 28].copy_from_slice(&common[..22]);
        for at in records {
            let old = offset(&self.directory, at);
            if old > begin {
                let new = u32::try_from(moved(old)).map_err(|_| cannot())?;
                self.directory[at + 42..at + 46].copy_from_slice(&new.to_le_bytes());
            }
        }
        let after = content.range(stop..self.len);
        self.len = moved(self.len);
        self.pieces = content.range(0..begin);
        self.pieces.push(bytes(made));
        self.pieces.extend(after);
        Ok(())
    }
}

/// Where each record of a central directory begins.
fn records(directory: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = 0;
    while at + CENTRAL_LEN <= directory.len() && directory[at..].starts_with(b"PK\x01\x02") {
        found.push(at);
        let lengths = [28, 30, 32].map(|length| usize::from(u16_at(directory, at + length)));
        at += CENTRAL_LEN + lengths.iter().sum::<usize>();
    }
    found
}

/// The data of an entry, given its bytes from the local header on and its record in the central directory.
fn unpacked(entry: &[u8], record: &[u8]) -> Option<Vec<u8>> {
    const LARGEST: u64 = 16 << 20;
    let head = entry.get(..LOCAL_LEN).filter(|head| head.starts_with(b"PK\x03\x04"))?;
    let start = LOCAL_LEN + usize::from(u16_at(head, 26)) + usize::from(u16_at(head, 28));
    let packed = entry.get(start..start.checked_add(u32_at(record, 20) as usize)?)?;
    match u16_at(record, 10) {
        0 => Some(packed.to_vec()),
        8 => {
            let mut data = Vec::new();
            flate2::read::DeflateDecoder::new(packed).take(LARGEST).read_to_end(&mut data).ok()?;
            Some(data)
        }
        _ => None,
    }
}

/// What the entry is called: OOXML consumers skip items below `[trash]` (ISO/IEC 29500-2, "unknown items").
fn entry_name(directory: &[u8]) -> &'static str {
    if memchr::memmem::find(directory, OOXML_MANIFEST).is_some() { "[trash]/0000.dat" } else { PLAIN_NAME }
}
