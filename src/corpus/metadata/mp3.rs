//! MP3: the ID3 and APE tags before and behind the sound.

use super::{Found, Metadata, be32, part};

const ID3V2_HEAD: usize = 10;
const ID3V1_LEN: usize = 128;
const APE_FOOTER: usize = 32;

/// Text frames that name a person.
const PERSONAL: &[(&[u8], &str)] = &[
    (b"TPE1", "artist"),
    (b"TPE2", "band"),
    (b"TPE3", "conductor"),
    (b"TCOM", "composer"),
    (b"TOWN", "owner"),
    (b"TCOP", "copyright"),
];

pub(super) fn read(bytes: &[u8]) -> Metadata {
    let mut found = Found::default();
    let Some(mut sound) = without_id3v2(bytes, &mut found) else { return Metadata::damaged("MP3") };
    let id3v1 = sound.len().checked_sub(ID3V1_LEN).filter(|at| sound[*at..].starts_with(b"TAG"));
    if let Some(at) = id3v1 {
        let artist = encoding_rs::SHIFT_JIS.decode_without_bom_handling(&sound[at + 33..at + 63]).0.replace('\0', "");
        found.add("ID3v1", format!("artist {artist}"), !artist.trim().is_empty());
        sound = &sound[..at];
    }
    let ape = sound.len().checked_sub(APE_FOOTER).filter(|at| sound[*at..].starts_with(b"APETAGEX"));
    if let Some(footer) = ape {
        let size = part(sound, footer + 12, 4).and_then(|four| four.try_into().ok()).map(u32::from_le_bytes);
        let size = size.and_then(|size| usize::try_from(size).ok()).unwrap_or_default();
        let from = (footer + APE_FOOTER).saturating_sub(size);
        let from = from.checked_sub(APE_FOOTER).filter(|at| sound[*at..].starts_with(b"APETAGEX")).unwrap_or(from);
        found.add("APE tag", format!("{} bytes", sound.len() - from), false);
        sound = &sound[..from];
    }
    // After the tags of another format of sound, its own metadata follow.
    if !matches!(sound, [0xff, 0xe0..=0xff, ..]) {
        return Metadata { fields: found.fields, program: found.program, ..Metadata::damaged("MP3") };
    }
    Metadata::of(found, bytes, sound.to_vec())
}

/// What follows the `ID3v2` tags at the start.
fn without_id3v2<'a>(bytes: &'a [u8], found: &mut Found) -> Option<&'a [u8]> {
    let mut rest = bytes;
    while rest.starts_with(b"ID3") {
        let footer = if *rest.get(5)? & 0x10 == 0 { 0 } else { ID3V2_HEAD };
        let len = ID3V2_HEAD + syncsafe(rest, 6)?;
        frames(rest.get(ID3V2_HEAD..len)?, *rest.get(3)?, found);
        rest = rest.get(len + footer..)?;
    }
    Some(rest)
}

/// Four bytes of seven bits each.
fn syncsafe(bytes: &[u8], at: usize) -> Option<usize> {
    part(bytes, at, 4)?.iter().try_fold(0, |sum, byte| (byte & 0x80 == 0).then_some(sum << 7 | usize::from(*byte)))
}

fn frames(mut tag: &[u8], version: u8, found: &mut Found) {
    let mut others = Vec::new();
    while let Some(id) = part(tag, 0, 4).filter(|id| id.iter().all(u8::is_ascii_alphanumeric)) {
        let size = if version >= 4 { syncsafe(tag, 4) } else { be32(tag, 4) };
        let Some(body) = size.and_then(|len| part(tag, ID3V2_HEAD, len)) else { break };
        let name = String::from_utf8_lossy(id).into_owned();
        match (PERSONAL.iter().find(|(known, _)| *known == id), id) {
            (Some((_, what)), _) => found.add(format!("ID3 {what}"), text(body), true),
            (None, b"TSSE") => {
                found.program(&text(body));
                others.push(name);
            }
            (None, _) => others.push(name),
        }
        tag = &tag[ID3V2_HEAD + body.len()..];
    }
    found.others("ID3", &others);
}

/// A text frame: a byte for the charset, then the text.
fn text(body: &[u8]) -> String {
    let Some((charset, text)) = body.split_first() else { return String::new() };
    let text = match charset {
        1 => match text {
            [0xfe, 0xff, rest @ ..] => encoding_rs::UTF_16BE.decode_without_bom_handling(rest).0,
            [0xff, 0xfe, rest @ ..] | rest => encoding_rs::UTF_16LE.decode_without_bom_handling(rest).0,
        },
        2 => encoding_rs::UTF_16BE.decode_without_bom_handling(text).0,
        3 => String::from_utf8_lossy(text),
        _ => encoding_rs::WINDOWS_1252.decode_without_bom_handling(text).0,
    };
    text.trim_matches('\0').to_owned()
}
