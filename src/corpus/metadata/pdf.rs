//! PDF: the information dictionary, XMP streams, names at comments, and the EXIF of pictures inside.

use lopdf::{Dictionary, Document, Object, ObjectId};

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
    let changed = clear(&mut document, &mut found);
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

/// Takes the metadata out; whether there was any.
fn clear(document: &mut Document, found: &mut Found) -> bool {
    let mut gone: Vec<ObjectId> = Vec::new();
    let mut changed = information(document, found, &mut gone);
    // A file that has no XMP of its own may still have packets at its pictures and fonts.
    let mut packets: Vec<ObjectId> = Vec::new();
    for object in document.objects.values_mut() {
        let dictionary = match object {
            Object::Dictionary(dictionary) => dictionary,
            Object::Stream(stream) => {
                changed |= picture(stream, found);
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
    changed
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
    for (key, value) in dictionary.iter().flat_map(Dictionary::iter) {
        let key = String::from_utf8_lossy(key);
        let value = document.dereference(value).map_or(value, |(_, value)| value);
        let text = lopdf::decode_text_string(value).unwrap_or_default();
        if text.trim().is_empty() {
            continue;
        }
        let personal =
            !PROGRAMS.contains(&&*key) && !DATES.contains(&&*key) && !["Title", "Subject", "Keywords"].contains(&&*key);
        found.add(format!("PDF {key}"), text, personal);
    }
    true
}

/// A picture in JPEG that stands in the file as it came from the camera.
fn picture(stream: &mut lopdf::Stream, found: &mut Found) -> bool {
    let jpeg = stream.dict.get(b"Filter").is_ok_and(|filter| match filter {
        Object::Name(name) => name == b"DCTDecode",
        Object::Array(all) => matches!(all.as_slice(), [Object::Name(name)] if name == b"DCTDecode"),
        _ => false,
    });
    if !jpeg {
        return false;
    }
    let inner = image::jpeg(&stream.content);
    let Kept::Bytes(bytes) = inner.kept else { return false };
    for field in inner.fields {
        found.add(format!("{} of a picture", field.name), field.value, field.personal);
    }
    stream.set_content(bytes);
    true
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
