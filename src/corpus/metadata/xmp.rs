//! XMP packets.

use super::Found;

/// Local names of properties that name a person, a place or a device.
const PERSONAL: &[&str] = &[
    "creator",
    "author",
    "Author",
    "Artist",
    "rights",
    "Owner",
    "OwnerName",
    "CameraOwnerName",
    "SerialNumber",
    "BodySerialNumber",
    "LensSerialNumber",
    "GPSLatitude",
    "GPSLongitude",
    "City",
    "Location",
    "AuthorsPosition",
    "CaptionWriter",
    "CiEmailWork",
    "CiTelWork",
    "CiAdrExtadr",
    "LastModifiedBy",
    "Company",
    "Manager",
];

/// Adds what a packet says.
pub(super) fn read(packet: &[u8], found: &mut Found) {
    let text = String::from_utf8_lossy(packet);
    // Padding and a stray NUL stand around the packet in some containers.
    let start = text.find("<x:xmpmeta").or_else(|| text.find("<rdf:RDF")).unwrap_or(0);
    let end = text.rfind('>').map_or(text.len(), |at| at + 1);
    let body = text.get(start..end).unwrap_or_default();
    let body = body.split("<?xpacket end").next().unwrap_or(body);
    let Ok(document) = roxmltree::Document::parse(body.trim()) else {
        found.add("XMP", format!("{} bytes", packet.len()), false);
        return;
    };
    let mut others = Vec::new();
    for (name, value) in properties(&document) {
        if name == "CreatorTool" {
            found.program(&value);
        }
        if PERSONAL.contains(&name.as_str()) && !value.trim().is_empty() {
            found.add(format!("XMP {name}"), value, true);
        } else if value.contains('@') {
            found.add(format!("XMP {name}"), value, false);
        } else if !others.contains(&name) {
            others.push(name);
        }
    }
    found.others("XMP", &others);
}

/// The properties of each `rdf:Description`: attributes and elements.
fn properties(document: &roxmltree::Document<'_>) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for description in document
        .descendants()
        .filter(|node| node.has_tag_name(("http://www.w3.org/1999/02/22-rdf-syntax-ns#", "Description")))
    {
        let own = description.attributes().filter(|attribute| attribute.name() != "about");
        out.extend(own.map(|attribute| (attribute.name().to_owned(), attribute.value().to_owned())));
        for element in description.children().filter(roxmltree::Node::is_element) {
            let texts: Vec<&str> = element
                .descendants()
                .filter(roxmltree::Node::is_text)
                .filter_map(|node| node.text())
                .map(str::trim)
                .filter(|text| !text.is_empty())
                .collect();
            out.push((element.tag_name().name().to_owned(), texts.join(", ")));
        }
    }
    out
}
