//! Office files that are ZIP packages of XML: OOXML and `OpenDocument`.

use std::io::{Cursor, Read as _, Write as _};
use std::ops::Range;

use file_format::FileFormat;
use roxmltree::{Document, Node};
use zip::ZipArchive;
use zip::write::ZipWriter;

use super::{Found, Kept, Metadata, OTHER_PROGRAM};

/// No member that holds metadata is larger.
const MEMBER_MAX: u64 = 64 << 20;

/// DOCX, XLSX, PPTX and their kin with macros.
pub(super) fn ooxml(bytes: &[u8]) -> Metadata {
    rewrite(bytes, ooxml_edit, "_xmlsignatures/")
}

/// ODT, ODS, ODP, ODG.
pub(super) fn odf(bytes: &[u8]) -> Metadata {
    rewrite(bytes, odf_edit, "META-INF/documentsignatures.xml")
}

/// Ranges of a member's text that are replaced.
type Edits = Vec<(Range<usize>, &'static str)>;

fn rewrite(bytes: &[u8], edit: fn(&str, &Document<'_>, &mut Found) -> Edits, signature: &str) -> Metadata {
    let mut found = Found::default();
    let kept = match members(bytes, edit, signature, &mut found) {
        Ok(None) => Kept::Unchanged,
        Ok(Some(kept)) => Kept::Bytes(kept),
        Err(refused) => refused.kept,
    };
    Metadata { fields: found.fields, program: found.program, kept }
}

fn members(
    bytes: &[u8],
    edit: fn(&str, &Document<'_>, &mut Found) -> Edits,
    signature: &str,
    found: &mut Found,
) -> Result<Option<Vec<u8>>, Metadata> {
    let damaged = || Metadata::damaged("Office");
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| damaged())?;
    refuse_unreadable(&mut archive)?;
    let mut writer = ZipWriter::new(Cursor::new(Vec::with_capacity(bytes.len())));
    let (mut changed, mut signed) = (false, false);
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).map_err(|_| damaged())?;
        let name = member.name().map_err(|_| damaged())?.into_owned();
        signed |= name.starts_with(signature);
        if member.size() > MEMBER_MAX {
            let why = format!("holds `{name}`, which is too large to be looked into");
            return Err(Metadata::unscrubbable(why, OTHER_PROGRAM));
        }
        let mut content = Vec::new();
        (&mut member).take(MEMBER_MAX).read_to_end(&mut content).map_err(|_| damaged())?;
        let options = member.options();
        drop(member);
        if let Some(new) = member_without(&name, &content, edit, found)? {
            changed = true;
            writer.start_file(&name, options).map_err(|_| damaged())?;
            writer.write_all(&new).map_err(|_| damaged())?;
        } else {
            let member = archive.by_index_raw(index).map_err(|_| damaged())?;
            writer.raw_copy_file(member).map_err(|_| damaged())?;
        }
    }
    if changed && signed {
        return Err(Metadata::unscrubbable("is signed, and a change would break its signature", OTHER_PROGRAM));
    }
    let out = writer.finish().map_err(|_| damaged())?.into_inner();
    Ok(changed.then_some(out))
}

/// Refuses a package whose members cannot be read as XML: one with a password, and a binary workbook.
fn refuse_unreadable(archive: &mut ZipArchive<Cursor<&[u8]>>) -> Result<(), Metadata> {
    let damaged = || Metadata::damaged("Office");
    for index in 0..archive.len() {
        let member = archive.by_index_raw(index).map_err(|_| damaged())?;
        let name = member.name().map_err(|_| damaged())?.into_owned();
        let mut encrypted = member.encrypted();
        drop(member);
        if !encrypted && name == "META-INF/manifest.xml" {
            let mut content = Vec::new();
            let member = archive.by_index(index).map_err(|_| damaged())?;
            member.take(MEMBER_MAX).read_to_end(&mut content).map_err(|_| damaged())?;
            encrypted = memchr::memmem::find(&content, b"encryption-data").is_some();
        }
        if encrypted {
            let help = "take the password off, and add it with `--scrub` then";
            return Err(Metadata::unscrubbable("is encrypted, and its metadata with it", help));
        }
        if name.eq_ignore_ascii_case("xl/workbook.bin") {
            let why = "is a binary workbook (XLSB), whose metadata cannot be removed here";
            return Err(Metadata::unscrubbable(why, "save it as XLSX, and add that"));
        }
    }
    Ok(())
}

fn extension(name: &str) -> String {
    name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default()
}

/// What the bytes of a member say where they are a picture, or its name promises one.
fn picture(name: &str, content: &[u8]) -> Option<Metadata> {
    const PROMISES: &[&str] =
        &["jpg", "jpeg", "jpe", "jfif", "png", "gif", "webp", "bmp", "tif", "tiff", "heic", "heif", "avif"];
    super::picture(FileFormat::from_bytes(content), content)
        .or_else(|| PROMISES.contains(&extension(name).as_str()).then(|| Metadata::damaged("picture")))
}

/// A member without its metadata; `None`: it has none.
fn member_without(
    name: &str,
    content: &[u8],
    edit: fn(&str, &Document<'_>, &mut Found) -> Edits,
    found: &mut Found,
) -> Result<Option<Vec<u8>>, Metadata> {
    if let Some(picture) = picture(name, content) {
        for field in picture.fields {
            found.add(format!("{} in {name}", field.name), field.value, field.personal);
        }
        return match picture.kept {
            Kept::Unchanged => Ok(None),
            Kept::Bytes(bytes) => Ok(Some(bytes)),
            Kept::Unscrubbable(refusal) => {
                let why = format!("holds `{name}`, which {}", refusal.why);
                Err(Metadata::unscrubbable(why, refusal.help))
            }
        };
    }
    if !names_people(name, content) {
        return Ok(None);
    }
    let text = std::str::from_utf8(content);
    let document = text.ok().and_then(|text| Document::parse(text).ok());
    let (Ok(text), Some(document)) = (text, document) else {
        return Err(Metadata::unscrubbable(
            format!("holds `{name}`, which is no well-formed XML in UTF-8"),
            OTHER_PROGRAM,
        ));
    };
    let mut edits = edit(name, &document, found);
    if edits.is_empty() {
        return Ok(None);
    }
    edits.sort_by_key(|(range, _)| range.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (range, with) in edits.into_iter().filter(|(range, _)| !range.is_empty()) {
        // Of two nested ranges the outer one counts.
        if range.start >= at {
            out.push_str(&text[at..range.start]);
            out.push_str(with);
            at = range.end;
        }
    }
    out.push_str(&text[at..]);
    Ok((out != text).then(|| out.into_bytes()))
}

/// Whether a member is worth parsing: a large sheet or text without names is not.
fn names_people(name: &str, content: &[u8]) -> bool {
    const SIGNS: &[&[u8]] = &[
        b":author=",
        b"absPath",
        b"<author",
        b"<person ",
        b":author ",
        b":cmAuthor ",
        b"lastModifiedBy",
        b"<dc:creator",
        b"displayName=",
        b"coreProperties",
        b"officeDocument/2006/extended-properties",
        b"officeDocument/2006/custom-properties",
        b"\"External\"",
        b"'External'",
    ];
    // A relationship may give a part any name.
    let text = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content).trim_ascii_start();
    let xml = matches!(extension(name).as_str(), "xml" | "rels") || text.starts_with(b"<");
    let utf16 = content.starts_with(b"\xff\xfe") || content.starts_with(b"\xfe\xff");
    name.to_ascii_lowercase().starts_with("docprops/")
        || name == "meta.xml"
        || (xml && utf16)
        || (xml && SIGNS.iter().any(|sign| memchr::memmem::find(content, sign).is_some()))
}

fn text_of(node: Node<'_, '_>) -> String {
    node.descendants()
        .filter(Node::is_text)
        .filter_map(|node| node.text())
        .collect::<Vec<_>>()
        .join(" ")
        .trim()
        .to_owned()
}

fn ooxml_edit(name: &str, document: &Document<'_>, found: &mut Found) -> Edits {
    if extension(name) == "rels" {
        return ooxml_targets(document, found);
    }
    match properties_part(name, document.root_element()) {
        Some("core.xml") => {
            let stays = ["created", "modified", "revision", "version", "lastPrinted", "language"];
            let personal = ["creator", "lastModifiedBy"];
            cut_children(document.root_element(), &stays, &personal, "OOXML", found)
        }
        Some("app.xml") => {
            let children = || document.root_element().children().filter(Node::is_element);
            let text = |name| children().find(|node| node.tag_name().name() == name).map(text_of).unwrap_or_default();
            found.program(format!("{} {}", text("Application"), text("AppVersion")).trim());
            let cut = ["Company", "Manager", "HyperlinkBase", "Template"];
            let stays: Vec<&str> =
                children().map(|node| node.tag_name().name()).filter(|name| !cut.contains(name)).collect();
            cut_children(document.root_element(), &stays, &["Company", "Manager"], "OOXML", found)
        }
        Some("custom.xml") => {
            let mut edits = Edits::new();
            for property in document.root_element().children().filter(Node::is_element) {
                found.add(
                    format!("OOXML property {}", property.attribute("name").unwrap_or_default()),
                    text_of(property),
                    true,
                );
                edits.push((property.range(), ""));
            }
            edits
        }
        _ => ooxml_names(document, found),
    }
}

/// Which of the parts of `docProps` a part is, by its name or, since a relationship may give it any, by its root.
fn properties_part(name: &str, root: Node<'_, '_>) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let namespace = root.tag_name().namespace().unwrap_or_default();
    let root = root.tag_name().name();
    let all: [(&str, bool); 3] = [
        ("core.xml", root == "coreProperties"),
        ("app.xml", root == "Properties" && namespace.ends_with("/extended-properties")),
        ("custom.xml", root == "Properties" && namespace.ends_with("/custom-properties")),
    ];
    let found = all.into_iter().find(|(part, by_root)| *by_root || name == format!("docprops/{part}"));
    found.map(|(part, _)| part)
}

/// Paths of the author's machine that relationships lead to: the template, linked pictures and workbooks.
fn ooxml_targets(document: &Document<'_>, found: &mut Found) -> Edits {
    let mut edits = Edits::new();
    for node in document.descendants().filter(|node| node.attribute("TargetMode") == Some("External")) {
        let Some(target) = node.attribute_node("Target") else { continue };
        let path = target.value();
        if path.to_ascii_lowercase().starts_with("file:") || path.contains('\\') || path.starts_with('/') {
            let kind = node.attribute("Type").and_then(|kind| kind.rsplit('/').next()).unwrap_or_default();
            found.add(format!("OOXML {kind}"), path, true);
            edits.push((target.range_value(), STAND_IN));
        }
    }
    edits
}

/// Names at comments and tracked changes, and the folder that a workbook was saved in.
fn ooxml_names(document: &Document<'_>, found: &mut Found) -> Edits {
    let mut edits = Edits::new();
    let mut told: Vec<String> = Vec::new();
    let mut tell = |name: &str, value: &str| {
        if !value.is_empty() && value != STAND_IN && !told.iter().any(|known| known == value) {
            found.add(name, value, true);
            told.push(value.to_owned());
        }
    };
    for node in document.descendants().filter(Node::is_element) {
        let tag = node.tag_name().name();
        if tag == "author"
            && let Some(text) = node.children().find(Node::is_text)
        {
            tell("OOXML comment by", text.text().unwrap_or_default());
            edits.push((text.range(), STAND_IN));
        }
        for attribute in node.attributes() {
            let with = match (tag, attribute.name()) {
                ("absPath", "url") => "",
                (_, "author")
                | ("cmAuthor" | "author", "name")
                | ("person", "displayName" | "userId")
                | ("author" | "presenceInfo", "userId") => STAND_IN,
                (_, "initials") => "a",
                _ => continue,
            };
            if attribute.value() != with {
                tell(if tag == "absPath" { "OOXML folder" } else { "OOXML comment or change by" }, attribute.value());
                edits.push((attribute.range_value(), with));
            }
        }
    }
    edits
}

/// What stands where a format requires a name.
const STAND_IN: &str = "author";

fn odf_edit(name: &str, document: &Document<'_>, found: &mut Found) -> Edits {
    if name == "meta.xml" {
        let Some(meta) = document.descendants().find(|node| node.tag_name().name() == "meta") else {
            return Edits::new();
        };
        let generator = meta.children().find(|node| node.tag_name().name() == "generator");
        found.program(&generator.map(text_of).unwrap_or_default());
        let stays = [
            "generator",
            "creation-date",
            "date",
            "document-statistic",
            "editing-cycles",
            "editing-duration",
            "print-date",
            "language",
            "auto-reload",
            "hyperlink-behaviour",
        ];
        return cut_children(meta, &stays, &["initial-creator", "creator", "printed-by", "user-defined"], "ODF", found);
    }
    let mut edits = Edits::new();
    for node in document.descendants().filter(|node| node.tag_name().name() == "creator") {
        found.add("ODF comment or change by", text_of(node), true);
        edits.push((node.range(), ""));
    }
    edits
}

/// Cuts the elements out whose names are not among those that stay.
fn cut_children(parent: Node<'_, '_>, stays: &[&str], personal: &[&str], format: &str, found: &mut Found) -> Edits {
    let mut edits = Edits::new();
    for node in parent.children().filter(Node::is_element) {
        let name = node.tag_name().name();
        if stays.contains(&name) {
            continue;
        }
        let text = text_of(node);
        let property =
            node.attributes().find(|attribute| attribute.name() == "name").map(|attribute| attribute.value());
        let name = property.map_or_else(|| name.to_owned(), |property| format!("{name} {property}"));
        found.add(format!("{format} {name}"), text, personal.iter().any(|known| name.starts_with(known)));
        edits.push((node.range(), ""));
    }
    edits
}
