//! TIFF: metadata stand among the tags of the picture itself, so they are cleared where they are.

use std::collections::HashSet;

use super::{Found, Metadata, exif, part, xmp};

/// Tags that go: texts, makers, dates, and the directories of EXIF and GPS.
const DROPPED: &[u16] = &[
    269, 270, 271, 272, 285, 305, 306, 315, 316, 700, 33_432, 33_723, 34_377, 34_665, 34_853, 37_500, 37_510, 37_724,
    40_091, 40_092, 40_093, 40_094, 40_095, 42_016, 50_735,
];
const XMP: u16 = 700;
/// Tags that point to a directory of metadata alone.
const DIRECTORIES: &[u16] = &[34_665, 34_853, 40_965];
/// The tag that points to further directories of pictures.
const SUB_PICTURES: u16 = 330;

pub(super) fn read(bytes: &[u8]) -> Metadata {
    let mut found = Found::default();
    exif::read(bytes, |tag| DROPPED.contains(&tag), &mut found);
    let mut file =
        Tiff { bytes: bytes.to_vec(), big_endian: bytes.starts_with(b"MM"), seen: HashSet::new(), xmp: None };
    let done = file.u32(4).and_then(|first| file.pictures(first));
    if let Some(packet) = &file.xmp {
        xmp::read(packet, &mut found);
    }
    // What stays (size, compression, resolution) is no metadata: without a change nothing was found.
    match done {
        Some(()) if file.bytes == bytes => Metadata { program: found.program, ..Metadata::none() },
        Some(()) => Metadata::of(found, bytes, file.bytes),
        None => Metadata { fields: found.fields, program: found.program, ..Metadata::damaged("TIFF") },
    }
}

struct Tiff {
    bytes: Vec<u8>,
    big_endian: bool,
    /// Offsets of directories that were read: a loop ends there.
    seen: HashSet<usize>,
    xmp: Option<Vec<u8>>,
}

const ENTRY: usize = 12;

impl Tiff {
    fn u16(&self, at: usize) -> Option<u16> {
        let two = part(&self.bytes, at, 2)?.try_into().ok()?;
        Some(if self.big_endian { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) })
    }

    fn u32(&self, at: usize) -> Option<usize> {
        let four = part(&self.bytes, at, 4)?.try_into().ok()?;
        usize::try_from(if self.big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }).ok()
    }

    /// The directories of a chain, one a page.
    fn pictures(&mut self, mut at: usize) -> Option<()> {
        while at != 0 && self.seen.insert(at) {
            at = self.picture(at)?;
        }
        Some(())
    }

    /// Takes the metadata out of one directory and closes the gaps; gives the offset of the next.
    fn picture(&mut self, at: usize) -> Option<usize> {
        let count = usize::from(self.u16(at)?);
        let end = at + 2 + count * ENTRY;
        let next = self.u32(end)?;
        let mut kept = Vec::new();
        for entry in (0..count).map(|index| at + 2 + index * ENTRY) {
            let tag = self.u16(entry)?;
            if DROPPED.contains(&tag) {
                self.clear(entry)?;
            } else {
                kept.extend(part(&self.bytes, entry, ENTRY)?);
                if tag == SUB_PICTURES {
                    self.sub_pictures(entry)?;
                }
            }
        }
        let left = u16::try_from(kept.len() / ENTRY).ok()?;
        self.put(at, &if self.big_endian { left.to_be_bytes() } else { left.to_le_bytes() });
        let tail = part(&self.bytes, end, 4)?.to_vec();
        kept.extend(tail);
        let from = at + 2;
        self.put(from, &kept);
        self.bytes[from + kept.len()..end + 4].fill(0);
        Some(next)
    }

    fn sub_pictures(&mut self, entry: usize) -> Option<()> {
        let count = self.u32(entry + 4)?;
        let place = if count == 1 { entry + 8 } else { self.u32(entry + 8)? };
        for index in 0..count.min(64) {
            self.pictures(self.u32(place + index * 4)?)?;
        }
        Some(())
    }

    /// Overwrites an entry's value with zeros, and the directory that it points to.
    fn clear(&mut self, entry: usize) -> Option<()> {
        let (tag, kind, count) = (self.u16(entry)?, self.u16(entry + 2)?, self.u32(entry + 4)?);
        let width = match kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 => 8,
            _ => return None,
        };
        let len = count.checked_mul(width)?;
        let value = self.u32(entry + 8)?;
        if DIRECTORIES.contains(&tag) && self.seen.insert(value) {
            let entries = usize::from(self.u16(value)?);
            for index in 0..entries {
                self.clear(value + 2 + index * ENTRY)?;
            }
            self.bytes.get_mut(value..value + 2 + entries * ENTRY)?.fill(0);
        } else if len > 4 {
            if tag == XMP {
                self.xmp = Some(part(&self.bytes, value, len)?.to_vec());
            }
            self.bytes.get_mut(value..value.checked_add(len)?)?.fill(0);
        }
        Some(())
    }

    fn put(&mut self, at: usize, with: &[u8]) {
        self.bytes[at..at + with.len()].copy_from_slice(with);
    }
}
