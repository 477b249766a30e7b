//! HEIC, AVIF, MP4 and MOV (ISO/IEC 14496-12): metadata are cleared where they are, so that no offset changes.

use std::ops::Range;

use super::{Found, Metadata, be16, be32, exif, part, xmp};

/// The `uuid` of a box that holds XMP.
const XMP_UUID: &[u8] = b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac";
/// A TIFF structure with an empty directory, after the four bytes that say where it begins.
const EMPTY_EXIF: &[u8] = b"\0\0\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0";
const EMPTY_XMP: &[u8] = b"<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"/>";

pub(super) fn read(bytes: &[u8]) -> Metadata {
    let mut found = Found::default();
    let mut kept = bytes.to_vec();
    match boxes(bytes, 0..bytes.len()).and_then(|all| clear(bytes, &all, &mut kept, &mut found)) {
        Some(Timed::Absent) => Metadata::of(found, bytes, kept),
        Some(Timed::Present) => {
            let why = "holds a track of timed metadata, as telephones write it, that cannot be removed here";
            let refused = Metadata::unscrubbable(
                why,
                "copy its picture and sound alone with `ffmpeg -map 0:v -map 0:a? -c copy`, and add the copy",
            );
            Metadata { fields: found.fields, program: found.program, ..refused }
        }
        None => Metadata { fields: found.fields, program: found.program, ..Metadata::damaged("HEIC, MP4 or MOV") },
    }
}

/// A track of metadata beside picture and sound, whose samples lie among theirs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Timed {
    Absent,
    Present,
}

struct Box4 {
    kind: [u8; 4],
    start: usize,
    body: Range<usize>,
}

/// The boxes of a range.
fn boxes(bytes: &[u8], range: Range<usize>) -> Option<Vec<Box4>> {
    let mut out = Vec::new();
    let mut at = range.start;
    while at + 8 <= range.end {
        let kind = part(bytes, at + 4, 4)?.try_into().ok()?;
        let (head, len) = match be32(bytes, at)? {
            0 => (8, range.end - at),
            1 => (16, usize::try_from(u64::from_be_bytes(part(bytes, at + 8, 8)?.try_into().ok()?)).ok()?),
            len => (8, len),
        };
        let end = at.checked_add(len).filter(|end| len >= head && *end <= range.end)?;
        out.push(Box4 { kind, start: at, body: at + head..end });
        at = end;
    }
    Some(out)
}

/// Clears what is metadata in `kept`; `None`: the file is damaged.
fn clear(bytes: &[u8], all: &[Box4], kept: &mut [u8], found: &mut Found) -> Option<Timed> {
    for each in all {
        match &each.kind {
            b"meta" => items(bytes, each, kept, found)?,
            b"uuid" if bytes[each.body.clone()].starts_with(XMP_UUID) => {
                xmp::read(&bytes[each.body.start + 16..each.body.end], found);
                free(each, kept);
            }
            b"moov" if movie(bytes, each, kept, found)? == Timed::Present => return Some(Timed::Present),
            _ => {}
        }
    }
    Some(Timed::Absent)
}

/// Makes a box one that readers skip.
fn free(each: &Box4, kept: &mut [u8]) {
    kept[each.start + 4..each.start + 8].copy_from_slice(b"free");
    kept[each.body.clone()].fill(0);
}

fn movie(bytes: &[u8], moov: &Box4, kept: &mut [u8], found: &mut Found) -> Option<Timed> {
    for each in boxes(bytes, moov.body.clone())? {
        match &each.kind {
            b"udta" | b"meta" => {
                user_data(bytes, &each, found);
                free(&each, kept);
            }
            b"trak" => {
                if memchr::memmem::find(&bytes[each.body.clone()], b"mebx").is_some() {
                    found.add("timed metadata", "a track beside picture and sound", true);
                    return Some(Timed::Present);
                }
                for part in
                    boxes(bytes, each.body.clone())?.iter().filter(|part| matches!(&part.kind, b"udta" | b"meta"))
                {
                    user_data(bytes, part, found);
                    free(part, kept);
                }
            }
            _ => {}
        }
    }
    Some(Timed::Absent)
}

/// What `udta` or `meta` says, as far as it is understood; it goes whole.
fn user_data(bytes: &[u8], each: &Box4, found: &mut Found) {
    let mut others = Vec::new();
    let before = found.fields.len();
    for (name, value) in values(bytes, each).unwrap_or_default() {
        let personal =
            ["xyz", "location", "ART", "artist", "aut", "author", "loci"].iter().any(|word| name.contains(word));
        if personal && !value.trim().is_empty() {
            found.add(name, value, true);
        } else {
            if name.ends_with("too") || name.ends_with("swr") || name.ends_with("software") {
                found.program(&value);
            }
            others.push(name);
        }
    }
    if others.is_empty() && found.fields.len() == before {
        others.push(format!("{} bytes", each.body.len()));
    }
    found.others("movie user data", &others);
}

/// Names and texts: the `©…` boxes of `QuickTime`, and `meta` with `keys` and `ilst`.
fn values(bytes: &[u8], each: &Box4) -> Option<Vec<(String, String)>> {
    let mut out = Vec::new();
    let inner = if &each.kind == b"meta" { meta_body(bytes, each)? } else { each.body.clone() };
    let children = boxes(bytes, inner)?;
    let keys =
        children.iter().find(|child| &child.kind == b"keys").and_then(|child| keys(bytes, child)).unwrap_or_default();
    for child in &children {
        match &child.kind {
            b"meta" => out.extend(values(bytes, child)?),
            b"ilst" => {
                for item in boxes(bytes, child.body.clone())? {
                    let index = usize::try_from(u32::from_be_bytes(item.kind)).unwrap_or_default();
                    let name = index
                        .checked_sub(1)
                        .and_then(|index| keys.get(index).cloned())
                        .unwrap_or_else(|| code(item.kind));
                    let data = boxes(bytes, item.body.clone())?.into_iter().find(|data| &data.kind == b"data");
                    let value = data.and_then(|data| bytes.get(data.body.start + 8..data.body.end)).unwrap_or_default();
                    out.push((name, String::from_utf8_lossy(value).into_owned()));
                }
            }
            [0xa9, ..] => {
                let len = be16(bytes, child.body.start)?;
                let value = part(bytes, child.body.start + 4, len)?;
                out.push((code(child.kind), String::from_utf8_lossy(value).into_owned()));
            }
            b"hdlr" | b"keys" | b"free" => {}
            b"loci" => out.push((code(child.kind), "a place".to_owned())),
            _ => out.push((code(child.kind), String::new())),
        }
    }
    Some(out)
}

/// The body of `meta`: in MP4 and HEIC a version stands before it, in MOV none.
fn meta_body(bytes: &[u8], meta: &Box4) -> Option<Range<usize>> {
    let plain = part(bytes, meta.body.start + 4, 4)? == b"hdlr";
    Some(if plain { meta.body.clone() } else { meta.body.start + 4..meta.body.end })
}

fn code(kind: [u8; 4]) -> String {
    kind.iter().map(|byte| if *byte == 0xa9 { '©' } else { char::from(*byte) }).collect()
}

fn keys(bytes: &[u8], each: &Box4) -> Option<Vec<String>> {
    let count = be32(bytes, each.body.start + 4)?;
    let mut at = each.body.start + 8;
    let mut out = Vec::new();
    for _ in 0..count.min(1024) {
        let len = be32(bytes, at)?;
        out.push(String::from_utf8_lossy(part(bytes, at + 8, len.checked_sub(8)?)?).into_owned());
        at += len;
    }
    Some(out)
}

/// EXIF and XMP items of a picture: overwritten with empty ones.
fn items(bytes: &[u8], meta: &Box4, kept: &mut [u8], found: &mut Found) -> Option<()> {
    let children = boxes(bytes, meta_body(bytes, meta)?)?;
    let Some(infos) = children.iter().find(|child| &child.kind == b"iinf") else { return Some(()) };
    let idat = children.iter().find(|child| &child.kind == b"idat").map_or(0, |child| child.body.start);
    let locations =
        children.iter().find(|child| &child.kind == b"iloc").and_then(|child| locations(bytes, child, idat))?;
    let head = if bytes[infos.body.start] == 0 { 6 } else { 8 };
    for info in boxes(bytes, infos.body.start + head..infos.body.end)? {
        let at = info.body.start;
        let (id, kind_at) = match bytes.get(at)? {
            2 => (be16(bytes, at + 4)?, at + 8),
            3 => (be32(bytes, at + 4)?, at + 10),
            _ => continue,
        };
        let is_exif = part(bytes, kind_at, 4)? == b"Exif";
        let is_xmp = part(bytes, kind_at, 4)? == b"mime"
            && memchr::memmem::find(&bytes[kind_at..info.body.end], b"application/rdf+xml").is_some();
        if !(is_exif || is_xmp) {
            continue;
        }
        let extents: Vec<_> = locations.iter().filter(|(of, _)| *of == id).map(|(_, range)| range.clone()).collect();
        let mut body = Vec::new();
        for range in &extents {
            body.extend(bytes.get(range.clone())?);
        }
        // An item that is empty already says nothing.
        let empty = if is_exif { EMPTY_EXIF } else { EMPTY_XMP };
        let blank = if is_exif { 0 } else { b' ' };
        if body.starts_with(empty) {
            continue;
        }
        if is_exif {
            let skip = be32(&body, 0)?.checked_add(4)?;
            exif::read(body.get(skip..)?, |_| true, found);
        } else {
            xmp::read(&body, found);
        }
        for range in &extents {
            kept.get_mut(range.clone())?.fill(blank);
        }
        let first = extents.first().filter(|range| range.len() >= empty.len())?;
        kept[first.start..first.start + empty.len()].copy_from_slice(empty);
    }
    Some(())
}

/// Item ids with their ranges in the file.
fn locations(bytes: &[u8], iloc: &Box4, idat: usize) -> Option<Vec<(usize, Range<usize>)>> {
    let mut at = iloc.body.start;
    let version = *bytes.get(at)?;
    let (sizes, more) = (*bytes.get(at + 4)?, *bytes.get(at + 5)?);
    let (offset_size, length_size, base_size) = (sizes >> 4, sizes & 15, more >> 4);
    let index_size = if version == 0 { 0 } else { more & 15 };
    at += 6;
    let mut number = |len: u8| -> Option<usize> {
        let value = part(bytes, at, usize::from(len))?
            .iter()
            .try_fold(0_usize, |sum, byte| sum.checked_mul(256)?.checked_add(usize::from(*byte)))?;
        at += usize::from(len);
        Some(value)
    };
    let wide = if version < 2 { 2 } else { 4 };
    let mut out = Vec::new();
    for _ in 0..number(wide)? {
        let id = number(wide)?;
        let method = if version == 0 { 0 } else { number(2)? & 15 };
        number(2)?;
        let base = number(base_size)?;
        for _ in 0..number(2)? {
            number(index_size)?;
            let start = base.checked_add(number(offset_size)?)?.checked_add(if method == 1 { idat } else { 0 })?;
            let len = number(length_size)?;
            out.push((id, start..start.checked_add(len)?));
        }
    }
    Some(out)
}
