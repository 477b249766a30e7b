//! Formats with room at the end of the file or of a header, and a length that goes with it at most.

use super::chunks::filler;
use super::{Content, PadError, Piece, bytes, fill, with_insert, with_tail};

/// Comment lines after `%%EOF`, then the last `startxref` again, which readers look for near the end (ISO 32000-1, 7.5.5).
pub(super) fn pdf(content: &Content, gap: u64) -> Result<Vec<Piece>, PadError> {
    const WINDOW: u64 = 2048;
    const LINE: u64 = 64;
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

/// Bytes that no offset points to (TIFF 6.0, section 2; the directory of an ICO file).
pub(super) fn unreferenced(content: &Content, gap: u64) -> Vec<Piece> {
    with_tail(content, vec![filler(gap)])
}

/// Bytes after the picture, and the file's size in the header (`BITMAPFILEHEADER`, `bfSize`).
pub(super) fn bmp(content: &Content, gap: u64) -> Result<Vec<Piece>, PadError> {
    let size = u32::try_from(content.len() + gap);
    let size = size.map_err(|_| PadError::Gap { gap, why: "a BMP file ends at 4 GiB" })?;
    let mut pieces = vec![bytes(&b"BM"[..]), bytes(size.to_le_bytes().to_vec())];
    pieces.extend(content.range(6..content.len()));
    pieces.push(filler(gap));
    Ok(pieces)
}

/// Zeros at the end of the `ID3v2` tag, which are its padding (`ID3v2.3`, 3.2).
pub(super) fn id3(content: &Content, gap: u64) -> Result<Vec<Piece>, PadError> {
    const HEAD: u64 = 10;
    const EXTENDED_OR_FOOTER: u8 = 0x50;
    let head = content.read_range(0..HEAD)?;
    if head[5] & EXTENDED_OR_FOOTER != 0 {
        return Err(PadError::Format("its ID3v2 tag has an extended header or a footer".into()));
    }
    let old = head[6..].iter().fold(0, |size, digit| size << 7 | u64::from(*digit));
    let new = old + gap;
    if new >= 1 << 28 {
        return Err(PadError::Gap { gap, why: "an ID3v2 tag ends at 256 MiB" });
    }
    let digit = |shift: u32| u8::try_from(new >> shift & 0x7F).unwrap_or(0);
    let mut pieces = content.range(0..6);
    pieces.push(bytes([21, 14, 7, 0].map(digit).to_vec()));
    pieces.extend(content.range(HEAD..HEAD + old));
    pieces.push(fill(&b"\0"[..], gap));
    pieces.extend(content.range(HEAD + old..content.len()));
    Ok(pieces)
}

/// `PADDING` blocks after the first metadata block, which is `STREAMINFO` (RFC 9639, 8.3).
pub(super) fn flac(content: &Content, gap: u64) -> Result<Vec<Piece>, PadError> {
    const FIRST: u64 = 4 + 4 + 34;
    const HEAD: u64 = 4;
    const WHOLE: u64 = 1 << 24;
    if content.read_range(4..5)? != b"\0" {
        return Err(PadError::Format("it has no metadata block after its first".into()));
    }
    if gap < HEAD {
        return Err(PadError::Gap { gap, why: "a FLAC block takes at least 4" });
    }
    let mut pieces = Vec::new();
    let mut left = gap;
    while left > 0 {
        let mut take = left.min(WHOLE);
        if left > take && left - take < HEAD {
            take -= HEAD;
        }
        let len = u32::try_from(take - HEAD).unwrap_or(0) | 1 << 24;
        pieces.push(bytes(len.to_be_bytes().to_vec()));
        pieces.push(fill(&b"\0"[..], take - HEAD));
        left -= take;
    }
    Ok(with_insert(content, FIRST, pieces))
}

/// One more member that unpacks to nothing: empty stored blocks (RFC 1952, 2.2; RFC 1951, 3.2.4).
pub(super) fn gzip(content: &Content, gap: u64) -> Result<Vec<Piece>, PadError> {
    const EMPTY_BLOCK: &[u8] = b"\x00\x00\x00\xff\xff";
    const LAST_BLOCK: &[u8] = b"\x01\x00\x00\xff\xff";
    const TRAILER: [u8; 8] = [0; 8];
    const HEAD: &[u8] = b"\x1f\x8b\x08\x00\0\0\0\0\x00\xff";
    const NAMED_HEAD: &[u8] = b"\x1f\x8b\x08\x08\0\0\0\0\x00\xff";
    let frame = (HEAD.len() + LAST_BLOCK.len() + TRAILER.len()) as u64;
    let blocks = gap.checked_sub(frame).ok_or(PadError::Gap { gap, why: "a GZIP member takes at least 23" })?;
    // What five does not divide goes into the member's name.
    let (head, name) = match blocks % EMPTY_BLOCK.len() as u64 {
        0 => (HEAD, &b""[..]),
        rest => (NAMED_HEAD, &b"www\0"[..][4 - usize::try_from(rest).unwrap_or(0)..]),
    };
    let blocks = fill(EMPTY_BLOCK, blocks - name.len() as u64);
    let member = vec![bytes(head), bytes(name), blocks, bytes(LAST_BLOCK), bytes(&TRAILER[..])];
    Ok(with_tail(content, member))
}

/// A `Void` element at the end of the segment, and the segment's length (RFC 8794, 11.3.2).
pub(super) fn matroska(content: &Content, gap: u64) -> Result<Vec<Piece>, PadError> {
    const ID: u64 = 4;
    const HEAD: u64 = 9;
    const SEGMENT: &[u8] = b"\x18\x53\x80\x67";
    let broken = || PadError::Format("its one segment does not follow its EBML header".into());
    let header = Length::read(content, ID)?.ok_or_else(broken)?;
    let at = ID + header.width + header.value;
    if content.read_range(at..at + ID)? != SEGMENT {
        return Err(broken());
    }
    let old = Length::read(content, at + ID)?.ok_or_else(broken)?;
    let start = at + ID + old.width;
    let data = gap.checked_sub(HEAD).ok_or(PadError::Gap { gap, why: "a Void element takes at least 9" })?;
    let length = if old.is_unknown() {
        old.write()
    } else if start + old.value == content.len() {
        let new = Length { value: old.value + gap, ..old };
        new.fits().then(|| new.write()).ok_or(PadError::Gap { gap, why: "its segment's length has no room for it" })?
    } else {
        return Err(broken());
    };
    let mut pieces = content.range(0..at + ID);
    pieces.push(bytes(length));
    pieces.extend(content.range(start..content.len()));
    pieces.push(bytes([vec![0xEC], Length { width: 8, value: data }.write()].concat()));
    pieces.push(filler(data));
    Ok(pieces)
}

/// The length of an EBML element: a number of one to eight bytes, of which the first tells how many (RFC 8794, 6).
struct Length {
    width: u64,
    value: u64,
}

impl Length {
    fn read(content: &Content, at: u64) -> Result<Option<Self>, PadError> {
        let digits = content.read_range(at..at + 8)?;
        let width = digits.first().map_or(0, |first| u64::from(first.leading_zeros()) + 1);
        let digits = usize::try_from(width).ok().and_then(|width| digits.get(..width));
        let number = digits.map(|digits| digits.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
        Ok(number.filter(|_| width > 0).map(|number| Self { width, value: number & Self::mask(width) }))
    }

    fn mask(width: u64) -> u64 {
        (1 << (7 * width)) - 1
    }

    /// All ones: the element ends where its content does.
    fn is_unknown(&self) -> bool {
        self.value == Self::mask(self.width)
    }

    fn fits(&self) -> bool {
        self.value < Self::mask(self.width)
    }

    fn write(&self) -> Vec<u8> {
        let number = self.value | 1 << (7 * self.width);
        number.to_be_bytes()[8 - usize::try_from(self.width).unwrap_or(8)..].to_vec()
    }
}
