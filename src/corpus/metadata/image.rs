//! Pictures whose metadata stands in parts of its own: JPEG, PNG, GIF, WebP; and BMP, which has none.

use std::io::Read as _;

use super::{Found, Metadata, be16, be32, exif, part, xmp};

const EXIF_HEAD: &[u8] = b"Exif\0\0";
const XMP_HEAD: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const IPTC_HEAD: &[u8] = b"Photoshop 3.0\0";
const ICC_HEAD: &[u8] = b"ICC_PROFILE\0";

/// JPEG: application segments and comments go, except JFIF, the colour profile and Adobe's colour transform.
pub(super) fn jpeg(bytes: &[u8]) -> Metadata {
    let mut found = Found::default();
    match jpeg_parts(bytes, &mut found) {
        Some(kept) => Metadata::of(found, bytes, kept),
        None => Metadata { fields: found.fields, program: found.program, ..Metadata::damaged("JPEG") },
    }
}

fn jpeg_parts(bytes: &[u8], found: &mut Found) -> Option<Vec<u8>> {
    let mut kept = part(bytes, 0, 2)?.to_vec();
    let mut at = 2;
    loop {
        // A marker may have fill bytes before it.
        while part(bytes, at, 2)? == [0xff, 0xff] {
            at += 1;
        }
        let [0xff, marker] = *part(bytes, at, 2)? else { return None };
        if marker == 0xd9 {
            kept.extend([0xff, marker]);
            let rest = bytes.get(at + 2..)?;
            if !rest.is_empty() {
                found.add("data after the picture", format!("{} bytes", rest.len()), false);
            }
            return Some(kept);
        }
        let segment = part(bytes, at, 2 + be16(bytes, at + 2)?)?;
        if !jpeg_metadata(marker, segment.get(4..)?, found) {
            kept.extend(segment);
        }
        at += segment.len();
        if marker == 0xda {
            let end = scan_end(bytes, at)?;
            kept.extend(&bytes[at..end]);
            at = end;
        }
    }
}

/// Whether a segment is metadata; what it says is added.
fn jpeg_metadata(marker: u8, body: &[u8], found: &mut Found) -> bool {
    match marker {
        0xe0 if body.starts_with(b"JFIF\0") => false,
        0xe2 if body.starts_with(ICC_HEAD) => false,
        0xee if body.starts_with(b"Adobe") => false,
        0xe1 if body.starts_with(EXIF_HEAD) => {
            exif::read(&body[EXIF_HEAD.len()..], |_| true, found);
            true
        }
        0xe1 if body.starts_with(XMP_HEAD) => {
            xmp::read(&body[XMP_HEAD.len()..], found);
            true
        }
        0xed if body.starts_with(IPTC_HEAD) => {
            iptc(body, found);
            true
        }
        0xe0..=0xef => {
            found.add(format!("APP{}", marker - 0xe0), format!("{} bytes", body.len()), false);
            true
        }
        0xfe => {
            found.add("comment", String::from_utf8_lossy(body).replace('\0', ""), false);
            true
        }
        _ => false,
    }
}

/// Where the compressed data from `at` end: before the next marker that is no restart.
fn scan_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr(0xff, bytes.get(at..)?)?;
        match *bytes.get(at + 1)? {
            0x00 | 0xd0..=0xd7 => at += 2,
            0xff => at += 1,
            _ => return Some(at),
        }
    }
}

/// IPTC-IIM records inside Photoshop's segment.
fn iptc(body: &[u8], found: &mut Found) {
    const NAMES: &[(u8, &str)] = &[
        (80, "By-line"),
        (90, "City"),
        (92, "Sub-location"),
        (110, "Credit"),
        (116, "Copyright"),
        (118, "Contact"),
        (122, "Writer"),
    ];
    let mut others = 0;
    for at in memchr::memmem::find_iter(body, b"\x1c\x02") {
        let Some(record) = body.get(at + 2).copied() else { continue };
        let Some(value) = be16(body, at + 3).and_then(|len| part(body, at + 5, len)) else { continue };
        match NAMES.iter().find(|(number, _)| *number == record) {
            Some((_, name)) => found.add(format!("IPTC {name}"), String::from_utf8_lossy(value), true),
            None => others += 1,
        }
    }
    found.add("IPTC", format!("{others} other records in {} bytes", body.len()), false);
}

/// PNG: text, EXIF and time chunks go.
pub(super) fn png(bytes: &[u8]) -> Metadata {
    let mut found = Found::default();
    match png_parts(bytes, &mut found) {
        Some(kept) => Metadata::of(found, bytes, kept),
        None => Metadata { fields: found.fields, program: found.program, ..Metadata::damaged("PNG") },
    }
}

fn png_parts(bytes: &[u8], found: &mut Found) -> Option<Vec<u8>> {
    let mut kept = part(bytes, 0, 8)?.to_vec();
    let mut at = 8;
    loop {
        let len = be32(bytes, at)?;
        let chunk = part(bytes, at, len.checked_add(12)?)?;
        let body = &chunk[8..8 + len];
        match &chunk[4..8] {
            b"tEXt" => png_text(body, found),
            b"zTXt" => {
                let (keyword, rest) = split_nul(body)?;
                let text = inflated(rest.get(1..)?);
                png_field(keyword, &text, found);
            }
            b"iTXt" => png_international(body, found)?,
            b"eXIf" => exif::read(body, |_| true, found),
            b"tIME" => found.add("PNG time", "last modification", false),
            _ => kept.extend(chunk),
        }
        at += chunk.len();
        if &chunk[4..8] == b"IEND" {
            let rest = bytes.get(at..)?;
            if !rest.is_empty() {
                found.add("data after the picture", format!("{} bytes", rest.len()), false);
            }
            return Some(kept);
        }
    }
}

fn split_nul(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(0, bytes)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

fn png_text(body: &[u8], found: &mut Found) {
    if let Some((keyword, text)) = split_nul(body) {
        png_field(keyword, text, found);
    }
}

fn png_international(body: &[u8], found: &mut Found) -> Option<()> {
    let (keyword, rest) = split_nul(body)?;
    let compressed = *rest.first()? == 1;
    let (_, rest) = split_nul(rest.get(2..)?)?;
    let (_, text) = split_nul(rest)?;
    let text = if compressed { inflated(text) } else { text.to_vec() };
    png_field(keyword, &text, found);
    Some(())
}

fn png_field(keyword: &[u8], text: &[u8], found: &mut Found) {
    let keyword = String::from_utf8_lossy(keyword);
    if keyword == "XML:com.adobe.xmp" {
        xmp::read(text, found);
        return;
    }
    if keyword.starts_with("Raw profile type") {
        found.add(format!("PNG {keyword}"), format!("{} bytes", text.len()), false);
        return;
    }
    let text = String::from_utf8_lossy(text);
    if keyword == "Software" {
        found.program(&text);
    }
    found.add(format!("PNG {keyword}"), text, matches!(&*keyword, "Author" | "Artist" | "Copyright"));
}

fn inflated(bytes: &[u8]) -> Vec<u8> {
    const LIMIT: u64 = 1 << 20;
    let mut out = Vec::new();
    // What is cut or no zlib stream gives what could be read.
    let _ = flate2::read::ZlibDecoder::new(bytes).take(LIMIT).read_to_end(&mut out);
    out
}

/// WebP: the chunks `EXIF` and `XMP ` go, with their flags.
pub(super) fn webp(bytes: &[u8]) -> Metadata {
    let mut found = Found::default();
    match webp_parts(bytes, &mut found) {
        Some(kept) => Metadata::of(found, bytes, kept),
        None => Metadata { fields: found.fields, program: found.program, ..Metadata::damaged("WebP") },
    }
}

fn webp_parts(bytes: &[u8], found: &mut Found) -> Option<Vec<u8>> {
    const EXIF_FLAG: u8 = 0x08;
    const XMP_FLAG: u8 = 0x04;
    let le32 = |at| part(bytes, at, 4)?.try_into().ok().map(u32::from_le_bytes);
    let mut kept = part(bytes, 0, 12)?.to_vec();
    let end = usize::try_from(le32(4)?).ok()?.checked_add(8)?.min(bytes.len());
    if end < bytes.len() {
        found.add("data after the picture", format!("{} bytes", bytes.len() - end), false);
    }
    let mut at = 12;
    while at < end {
        let len = usize::try_from(le32(at + 4)?).ok()?;
        let body = part(bytes, at + 8, len)?;
        let next = (at + 8 + len + len % 2).min(end);
        match part(bytes, at, 4)? {
            b"EXIF" => exif::read(body.strip_prefix(EXIF_HEAD).unwrap_or(body), |_| true, found),
            b"XMP " => xmp::read(body, found),
            name => {
                let from = kept.len();
                kept.extend(&bytes[at..next]);
                if name == b"VP8X" {
                    *kept.get_mut(from + 8)? &= !(EXIF_FLAG | XMP_FLAG);
                }
            }
        }
        at = next;
    }
    let size = u32::try_from(kept.len() - 8).ok()?;
    kept[4..8].copy_from_slice(&size.to_le_bytes());
    Some(kept)
}

/// GIF: comments and XMP go.
pub(super) fn gif(bytes: &[u8]) -> Metadata {
    let mut found = Found::default();
    match gif_parts(bytes, &mut found) {
        Some(kept) => Metadata::of(found, bytes, kept),
        None => Metadata { fields: found.fields, program: found.program, ..Metadata::damaged("GIF") },
    }
}

fn gif_parts(bytes: &[u8], found: &mut Found) -> Option<Vec<u8>> {
    let table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let mut at = 13 + table(*bytes.get(10)?);
    let mut kept = part(bytes, 0, at)?.to_vec();
    loop {
        let from = at;
        match *bytes.get(at)? {
            0x3b => {
                kept.push(0x3b);
                let rest = bytes.get(at + 1..)?;
                if !rest.is_empty() {
                    found.add("data after the picture", format!("{} bytes", rest.len()), false);
                }
                return Some(kept);
            }
            0x2c => {
                at = sub_blocks_end(bytes, at + 11 + table(*bytes.get(at + 9)?))?;
                kept.extend(&bytes[from..at]);
            }
            0x21 => {
                at = sub_blocks_end(bytes, at + 2)?;
                let block = &bytes[from..at];
                if block[1] == 0xfe {
                    found.add("comment", String::from_utf8_lossy(&joined(&block[2..])), false);
                } else if block[1] == 0xff && block.get(3..14) == Some(b"XMP DataXMP") {
                    xmp::read(block.get(14..)?, found);
                } else {
                    kept.extend(block);
                }
            }
            _ => return None,
        }
    }
}

/// Where sub-blocks that begin at `at` end, their terminator included.
fn sub_blocks_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let len = usize::from(*bytes.get(at)?);
        at += 1 + len;
        if len == 0 {
            return Some(at);
        }
    }
}

/// The bytes of sub-blocks without their lengths.
fn joined(mut blocks: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some((len, rest)) = blocks.split_first() {
        let len = usize::from(*len).min(rest.len());
        out.extend(&rest[..len]);
        blocks = &rest[len..];
    }
    out
}

/// BMP holds nothing but its picture, as long as it is whole and does not name a colour profile by its path.
pub(super) fn bmp(bytes: &[u8]) -> Metadata {
    const HEADERS: &[u32] = &[12, 40, 52, 56, 64, 108, 124];
    const PROFILE_AT: usize = 70;
    let le32 = |at| part(bytes, at, 4)?.try_into().ok().map(u32::from_le_bytes);
    let whole = le32(2).and_then(|len| usize::try_from(len).ok()) == Some(bytes.len());
    let header = le32(14).filter(|header| HEADERS.contains(header));
    let linked = header == Some(124) && part(bytes, PROFILE_AT, 4) == Some(b"KNIL");
    if whole && header.is_some() && !linked { Metadata::none() } else { Metadata::damaged("BMP") }
}
