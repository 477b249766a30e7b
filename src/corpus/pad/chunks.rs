//! Formats made of segments, chunks, blocks or boxes, each with its own length.

use super::{Content, PadError, Piece, bytes, fill, with_insert, with_tail};

const FILLER: u8 = b'w';
const BLOCK: usize = 64 * 1024;

/// A private, ancillary, safe-to-copy chunk `waFc` before `IEND` (PNG 3rd edition, 5.4).
pub(super) fn png(content: &Content, gap: u64) -> Result<Vec<Piece>, PadError> {
    const FRAME: u64 = 12;
    const LONGEST: u64 = (1 << 31) - 1;
    let end = content.len().saturating_sub(FRAME);
    if content.read_range(end..content.len())? != b"\0\0\0\0IEND\xaeB`\x82" {
        return Err(PadError::Format("it does not end with an `IEND` chunk".into()));
    }
    if gap < FRAME {
        return Err(PadError::Gap { gap, why: "a PNG chunk takes at least 12" });
    }
    let mut pieces = Vec::new();
    let mut left = gap;
    while left > 0 {
        let mut take = left.min(LONGEST + FRAME);
        if left > take && left - take < FRAME {
            take -= FRAME;
        }
        let data = take - FRAME;
        let mut head = u32::try_from(data).unwrap_or(0).to_be_bytes().to_vec();
        head.extend_from_slice(b"waFc");
        let mut crc = crc32fast::Hasher::new();
        crc.update(b"waFc");
        crc_of_fill(&mut crc, data);
        pieces.push(bytes(head));
        pieces.push(filler(data));
        pieces.push(bytes(crc.finalize().to_be_bytes().to_vec()));
        left -= take;
    }
    Ok(with_insert(content, end, pieces))
}

/// `len` bytes that say nothing.
pub(super) fn filler(len: u64) -> Piece {
    fill(vec![FILLER; BLOCK], len)
}

/// Takes the bytes of [`filler`] into a CRC-32.
pub(super) fn crc_of_fill(crc: &mut crc32fast::Hasher, len: u64) {
    let block = vec![FILLER; BLOCK];
    let mut left = len;
    while left > 0 {
        let take = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
        crc.update(&block[..take]);
        left -= take as u64;
    }
}

/// `COM` segments after the leading `APPn` segments, which JFIF and Exif want first (ITU T.81, B.2.4.5).
pub(super) fn jpeg(content: &Content, gap: u64) -> Result<Vec<Piece>, PadError> {
    const WHOLE: u64 = 65_537;
    const APP_SEGMENTS: usize = 512;
    let mut at = 2;
    for _ in 0..APP_SEGMENTS {
        let head = content.read_range(at..at + 4)?;
        let [0xFF, 0xE0..=0xEF, high, low] = head[..] else { break };
        at += 2 + u64::from(u16::from_be_bytes([high, low]));
    }
    if at >= content.len() {
        return Err(PadError::Format("its `APPn` segments run past its end".into()));
    }
    let mut segment = vec![0xFF, 0xFE, 0xFF, 0xFF];
    segment.resize(usize::try_from(WHOLE).unwrap_or(0), FILLER);
    let rest = gap % WHOLE;
    let mut pieces = vec![fill(segment, gap - rest)];
    if rest < 4 {
        // NOTE: any number of FF bytes may stand before a marker (ITU T.81, B.1.1.2).
        pieces.push(fill(&b"\xff"[..], rest));
    } else {
        let length = u16::try_from(rest - 2).unwrap_or(u16::MAX);
        pieces.push(bytes([&[0xFF, 0xFE], &length.to_be_bytes()[..]].concat()));
        pieces.push(filler(rest - 4));
    }
    Ok(with_insert(content, at, pieces))
}

/// A comment extension before the trailer (`GIF89a`, 24); a `GIF87a` becomes one, which differs in extensions only.
pub(super) fn gif(content: &Content, gap: u64) -> Result<Vec<Piece>, PadError> {
    const BLOCK: u64 = 256;
    let end = content.len().saturating_sub(1);
    if content.read_range(end..content.len())? != b";" {
        return Err(PadError::Format("it does not end with a GIF trailer".into()));
    }
    if gap < 3 || gap == 4 {
        return Err(PadError::Gap { gap, why: "a GIF comment takes 3, or at least 5" });
    }
    let body = gap - 3;
    let (mut whole, mut rest) = (body / BLOCK, body % BLOCK);
    // NOTE: a sub-block takes at least 2 bytes; a rest of 1 borrows from the block before it.
    if rest == 1 {
        whole -= 1;
        rest = BLOCK + 1;
    }
    let mut sub_block = vec![FILLER; 256];
    sub_block[0] = 255;
    let mut pieces = vec![bytes(&b"GIF89a"[..])];
    pieces.extend(content.range(6..end));
    pieces.extend([bytes(&b"\x21\xfe"[..]), fill(sub_block, whole * BLOCK)]);
    let parts: &[u64] = match rest {
        0 => &[],
        257 => &[200, 57],
        other => &[other],
    };
    for part in parts {
        pieces.push(bytes(vec![u8::try_from(part - 1).unwrap_or(0)]));
        pieces.push(filler(part - 1));
    }
    pieces.push(bytes(&b"\0"[..]));
    pieces.extend(content.range(end..content.len()));
    Ok(pieces)
}

/// A `JUNK` chunk at the end, and the length in the header that goes with it.
pub(super) fn riff(content: &Content, gap: u64) -> Result<Vec<Piece>, PadError> {
    const HEAD: u64 = 8;
    let length = content.read_range(4..HEAD)?;
    let length = length.first_chunk().map(|length| u64::from(u32::from_le_bytes(*length)) + HEAD);
    if length != Some(content.len()) {
        return Err(PadError::Format("its length is not that of its RIFF chunk".into()));
    }
    let whole = u32::try_from(content.len() + gap - HEAD);
    let Ok(whole) = whole else { return Err(PadError::Gap { gap, why: "a RIFF file ends at 4 GiB" }) };
    if gap < HEAD || !gap.is_multiple_of(2) || !content.len().is_multiple_of(2) {
        return Err(PadError::Gap { gap, why: "a RIFF chunk takes at least 8, and an even number" });
    }
    let data = u32::try_from(gap - HEAD).unwrap_or(u32::MAX);
    let mut pieces = content.range(0..4);
    pieces.push(bytes(whole.to_le_bytes().to_vec()));
    pieces.extend(content.range(HEAD..content.len()));
    pieces.push(bytes([b"JUNK", &data.to_le_bytes()[..]].concat()));
    pieces.push(filler(data.into()));
    Ok(pieces)
}

/// A `free` box at the end (ISO/IEC 14496-12, 8.1.2).
pub(super) fn base_media(content: &Content, gap: u64) -> Result<Vec<Piece>, PadError> {
    boxes(content, gap, u64::MAX)
}

/// As [`base_media`]: readers skip boxes that they don't know (ISO/IEC 15444-1, I.8).
pub(super) fn jpeg_2000(content: &Content, gap: u64) -> Result<Vec<Piece>, PadError> {
    // `OpenJPEG` reads each box whole, and complains of long ones.
    const LONGEST: u64 = 64 * 1024;
    boxes(content, gap, LONGEST)
}

fn boxes(content: &Content, gap: u64, longest: u64) -> Result<Vec<Piece>, PadError> {
    const SHORT: u64 = 8;
    const LONG: u64 = 16;
    if gap < SHORT {
        return Err(PadError::Gap { gap, why: "a box takes at least 8" });
    }
    let mut at = 0;
    while at < content.len() {
        let head = content.read_range(at..at + LONG)?;
        let short = head.first_chunk().map_or(0, |len| u64::from(u32::from_be_bytes(*len)));
        let long = head.last_chunk().filter(|_| short == 1 && head.len() as u64 == LONG);
        let len = long.map_or(short, |len| u64::from_be_bytes(*len));
        if len < SHORT {
            return Err(PadError::Format("its last box has no length of its own".into()));
        }
        at = at.saturating_add(len);
    }
    if at != content.len() {
        return Err(PadError::Format("its last box is cut off".into()));
    }
    let mut tail = Vec::new();
    let mut left = gap;
    while left > 0 {
        let mut take = left.min(longest);
        if left > take && left - take < SHORT {
            take -= SHORT;
        }
        let (head, data) = match u32::try_from(take) {
            Ok(len) => ([&len.to_be_bytes()[..], b"free"].concat(), take - SHORT),
            Err(_) => ([&1_u32.to_be_bytes()[..], b"free", &take.to_be_bytes()].concat(), take - LONG),
        };
        tail.extend([bytes(head), filler(data)]);
        left -= take;
    }
    Ok(with_tail(content, tail))
}
