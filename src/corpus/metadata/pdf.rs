//! PDF: the information dictionary, XMP streams, names at comments, and the EXIF of pictures inside.

use std::collections::BTreeMap;

use lopdf::{Dictionary, Document, Object, ObjectId};
use memchr::memmem;

use super::{Found, Kept, Metadata, image, xmp};

/// Keys of the information dictionary that name a program, the more telling first.
const PROGRAMS: &[&str] = &["Producer", "Creator"];
const DATES: &[&str] = &["CreationDate", "ModDate", "Trapped"];

pub(super) fn read(bytes: &[u8]) -> Metadata {
    let Ok(mut document) = Document::load_mem(bytes) else { return Metadata::damaged("PDF") };
    if document.is_encrypted() || document.was_encrypted() {
        let help = "take the password off with `qpdf --decrypt`, and add it with `--scrub` then; or scrub it before it gets its password";
        return Metadata::unscrubbable("is encrypted, and its metadata with it", help);
    }
    let mut found = Found::default();
    let signed = document.objects.values().any(is_signature);
    let changed = match clear(&mut document, &mut found) {
        Ok(changed) => changed,
        Err(refused) => return Metadata { fields: found.fields, program: found.program, ..refused },
    };
    let kept = if !changed {
        Kept::Unchanged
    } else if signed {
        return Metadata { fields: found.fields, program: found.program, ..signature() };
    } else {
        let mut out = Vec::new();
        match document.save_to(&mut out) {
            Ok(()) => Kept::Bytes(out),
            Err(_) => return Metadata { fields: found.fields, program: found.program, ..Metadata::damaged("PDF") },
        }
    };
    Metadata { fields: found.fields, program: found.program, kept }
}

fn signature() -> Metadata {
    Metadata::unscrubbable("is signed, and a change would break its signature", super::OTHER_PROGRAM)
}

fn is_signature(object: &Object) -> bool {
    object.as_dict().is_ok_and(|dictionary| dictionary.has(b"ByteRange") && dictionary.has(b"Contents"))
}

/// Takes the metadata out; whether there was any. Refused is a picture that cannot be looked into.
fn clear(document: &mut Document, found: &mut Found) -> Result<bool, Metadata> {
    let pictures: BTreeMap<ObjectId, Packing> =
        document.objects.iter().filter_map(|(id, object)| Some((*id, packing(document, object)?))).collect();
    let mut gone: Vec<ObjectId> = Vec::new();
    let mut changed = information(document, found, &mut gone);
    // A file that has no XMP of its own may still have packets at its pictures and fonts.
    let mut packets: Vec<ObjectId> = Vec::new();
    for (id, object) in &mut document.objects {
        let dictionary = match object {
            Object::Dictionary(dictionary) => dictionary,
            Object::Stream(stream) => {
                if let Some(packing) = pictures.get(id) {
                    changed |= picture(stream, *packing, found)?;
                }
                &mut stream.dict
            }
            _ => continue,
        };
        if let Some(packet) = dictionary.remove(b"Metadata") {
            packets.extend(packet.as_reference());
            changed = true;
        }
        if dictionary.remove(b"PieceInfo").is_some() {
            found.add("PDF PieceInfo", "private data of the program", false);
            changed = true;
        }
        changed |= comment(dictionary, found);
    }
    packets.sort_unstable();
    packets.dedup();
    for id in packets {
        if let Some(Object::Stream(stream)) = document.objects.get(&id) {
            xmp::read(&stream.get_plain_content().unwrap_or_else(|_| stream.content.clone()), found);
        }
        gone.push(id);
    }
    for id in gone {
        document.objects.remove(&id);
    }
    // The writer counts up to it.
    document.max_id = document.objects.keys().next_back().map_or(0, |(number, _)| *number);
    Ok(changed)
}

/// The information dictionary, named in the trailer.
fn information(document: &mut Document, found: &mut Found, gone: &mut Vec<ObjectId>) -> bool {
    let Some(info) = document.trailer.remove(b"Info") else { return false };
    let dictionary = match &info {
        Object::Reference(id) => {
            gone.push(*id);
            document.get_dictionary(*id).ok().cloned()
        }
        Object::Dictionary(dictionary) => Some(dictionary.clone()),
        _ => None,
    };
    for key in PROGRAMS {
        let value = dictionary.as_ref().and_then(|dictionary| dictionary.get(key.as_bytes()).ok());
        found.program(&value.and_then(|value| lopdf::decode_text_string(value).ok()).unwrap_or_default());
    }
    let mut empty = Vec::new();
    for (key, value) in dictionary.iter().flat_map(Dictionary::iter) {
        let key = String::from_utf8_lossy(key);
        let value = document.dereference(value).map_or(value, |(_, value)| value);
        let text = lopdf::decode_text_string(value).unwrap_or_default();
        if text.trim().is_empty() {
            empty.push(key.into_owned());
            continue;
        }
        let personal =
            !PROGRAMS.contains(&&*key) && !DATES.contains(&&*key) && !["Title", "Subject", "Keywords"].contains(&&*key);
        found.add(format!("PDF {key}"), text, personal);
    }
    found.others("PDF fields without a value", &empty);
    true
}

/// How a picture with metadata of its own stands in its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    /// A JPEG as it came from the camera.
    Jpeg,
    /// JPEG 2000.
    Jpeg2000,
    /// A JPEG behind another filter.
    Behind,
}

fn packing(document: &Document, object: &Object) -> Option<Packing> {
    let resolved = |object| document.dereference(object).ok().map(|(_, object)| object);
    let dictionary = &object.as_stream().ok()?.dict;
    let filter = dictionary.get(b"Filter").ok().and_then(resolved)?;
    let names: Vec<&[u8]> = match filter {
        Object::Array(all) => all.iter().filter_map(|name| resolved(name)?.as_name().ok()).collect(),
        other => vec![other.as_name().ok()?],
    };
    match names.as_slice() {
        [b"DCTDecode" | b"DCT"] => Some(Packing::Jpeg),
        [b"JPXDecode"] => Some(Packing::Jpeg2000),
        more => {
            more.iter().any(|name| matches!(*name, b"DCTDecode" | b"DCT" | b"JPXDecode")).then_some(Packing::Behind)
        }
    }
}

/// Takes the metadata out of a picture; whether it had any.
fn picture(stream: &mut lopdf::Stream, packing: Packing, found: &mut Found) -> Result<bool, Metadata> {
    let refused = |why: &str| Metadata::unscrubbable(format!("holds a picture that {why}"), super::OTHER_PROGRAM);
    match packing {
        Packing::Behind => return Err(refused("is packed twice, and cannot be looked into")),
        // The boxes of XML and of other metadata.
        Packing::Jpeg2000
            if [&b"uuid"[..], b"xml "].iter().any(|kind| memmem::find(&stream.content, kind).is_some()) =>
        {
            return Err(refused("is JPEG 2000 with metadata, which cannot be removed here"));
        }
        Packing::Jpeg2000 => return Ok(false),
        Packing::Jpeg => {}
    }
    let inner = image::jpeg(&stream.content);
    for field in inner.fields {
        found.add(format!("{} of a picture", field.name), field.value, field.personal);
    }
    match inner.kept {
        Kept::Unchanged => Ok(false),
        Kept::Bytes(bytes) => {
            stream.set_content(bytes);
            Ok(true)
        }
        Kept::Unscrubbable(refusal) => Err(refused(&refusal.why)),
    }
}

/// The name of the person who made a comment. In a form, the same key names the field and stays.
fn comment(dictionary: &mut Dictionary, found: &mut Found) -> bool {
    const COMMENTS: &[&[u8]] = &[
        b"Text",
        b"FreeText",
        b"Line",
        b"Square",
        b"Circle",
        b"Polygon",
        b"PolyLine",
        b"Highlight",
        b"Underline",
        b"Squiggly",
        b"StrikeOut",
        b"Stamp",
        b"Caret",
        b"Ink",
        b"FileAttachment",
        b"Redact",
    ];
    let marks = dictionary.get(b"Subtype").and_then(Object::as_name).is_ok_and(|kind| COMMENTS.contains(&kind));
    let is_annotation = dictionary.has(b"Rect");
    if !(marks && is_annotation) {
        return false;
    }
    let Some(name) = dictionary.remove(b"T") else { return false };
    found.add("PDF comment by", lopdf::decode_text_string(&name).unwrap_or_default(), true);
    true
}
