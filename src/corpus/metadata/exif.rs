//! EXIF, in whatever container it stands.

use exif::{In, Tag, Value};

use super::Found;

/// Tags that name a person, a place or a device.
const PERSONAL: &[(u16, &str)] = &[
    (0x013b, "Artist"),
    (0x013c, "HostComputer"),
    (0x8298, "Copyright"),
    (0x9c9d, "XPAuthor"),
    (0xa430, "CameraOwnerName"),
    (0xa431, "BodySerialNumber"),
    (0xa435, "LensSerialNumber"),
    (0xc62f, "CameraSerialNumber"),
];

/// Adds what the TIFF structure `bytes` says; of the tags of the picture itself, those that are `metadata`.
pub(super) fn read(bytes: &[u8], metadata: fn(u16) -> bool, found: &mut Found) {
    let mut reader = exif::Reader::new();
    reader.continue_on_error(true);
    let parsed = reader.read_raw(bytes.to_vec()).or_else(|error| error.distill_partial_result(|_| ()));
    let Ok(parsed) = parsed else {
        found.add("EXIF", format!("{} bytes", bytes.len()), false);
        return;
    };
    if let (Some(latitude), Some(longitude)) = (
        degrees(&parsed, Tag::GPSLatitude, Tag::GPSLatitudeRef),
        degrees(&parsed, Tag::GPSLongitude, Tag::GPSLongitudeRef),
    ) {
        found.add("EXIF GPS", format!("{latitude:.5},{longitude:.5}"), true);
    }
    let mut others = Vec::new();
    for field in parsed.fields() {
        let number = field.tag.number();
        let text = text(&field.value);
        if let (exif::Context::Tiff | exif::Context::Exif, Some((_, name))) =
            (field.tag.context(), PERSONAL.iter().find(|(known, _)| *known == number))
        {
            if text.is_empty() {
                others.push((*name).to_owned());
            } else {
                found.add(format!("EXIF {name}"), text, true);
            }
            continue;
        }
        if field.tag.context() == exif::Context::Tiff && !metadata(number) {
            continue;
        }
        if field.tag == Tag::Software {
            found.program(&text);
        }
        if [Tag::ImageDescription, Tag::UserComment].contains(&field.tag) && !text.is_empty() {
            found.add(format!("EXIF {}", field.tag), text, false);
            continue;
        }
        others.push(field.tag.description().map_or_else(|| format!("tag {number}"), |_| field.tag.to_string()));
    }
    found.others("EXIF", &others);
}

/// A coordinate in degrees, south and west negative.
fn degrees(parsed: &exif::Exif, tag: Tag, reference: Tag) -> Option<f64> {
    let Value::Rational(parts) = &parsed.get_field(tag, In::PRIMARY)?.value else { return None };
    let [degrees, minutes, seconds] = parts.get(..3)? else { return None };
    let value = degrees.to_f64() + minutes.to_f64() / 60.0 + seconds.to_f64() / 3600.0;
    let negative =
        parsed.get_field(reference, In::PRIMARY).is_some_and(|field| matches!(text(&field.value).as_str(), "S" | "W"));
    Some(if negative { -value } else { value })
}

fn text(value: &Value) -> String {
    match value {
        Value::Ascii(lines) => {
            let lines: Vec<_> = lines.iter().map(|line| String::from_utf8_lossy(line).trim().to_owned()).collect();
            lines.join(" ").trim().to_owned()
        }
        // Windows writes its own tags in UTF-16.
        Value::Byte(bytes) => {
            encoding_rs::UTF_16LE.decode_without_bom_handling(bytes).0.trim_end_matches('\0').to_owned()
        }
        // A comment says its charset in eight bytes.
        Value::Undefined(bytes, _) => bytes
            .strip_prefix(b"ASCII\0\0\0")
            .map_or_else(String::new, |text| String::from_utf8_lossy(text).trim_matches([' ', '\0']).to_owned()),
        _ => String::new(),
    }
}
