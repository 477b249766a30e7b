use std::io::{Cursor, Read as _, Write as _};

use lopdf::dictionary;
use zip::write::SimpleFileOptions;

use super::{package as office, *};

/// A name that must be nowhere afterwards.
const NAME: &str = "Tanaka Hanako";

fn built_in(file: &str) -> Vec<u8> {
    std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/files").join(file)).unwrap()
}

fn read(bytes: &[u8]) -> Metadata {
    Metadata::read("", bytes)
}

fn told(metadata: &Metadata) -> Vec<String> {
    metadata.fields.iter().filter(|field| field.personal).map(ToString::to_string).collect()
}

/// The scrubbed bytes, which hold no metadata any more, and not the name.
#[track_caller]
fn scrubbed(bytes: &[u8], personal: &[&str]) -> Vec<u8> {
    let metadata = read(bytes);
    assert_eq!(told(&metadata), personal);
    let Kept::Bytes(kept) = metadata.kept else { panic!("{:?}", metadata.kept) };
    assert!(memchr::memmem::find(&kept, NAME.as_bytes()).is_none());
    let again = read(&kept);
    assert_eq!(again.kept, Kept::Unchanged, "{:?}", again.fields);
    kept
}

/// A TIFF structure with an artist and the place of Kawasaki's city hall.
fn exif() -> Vec<u8> {
    let mut fields = Vec::new();
    let mut add = |tag, value| fields.push(::exif::Field { tag, ifd_num: ::exif::In::PRIMARY, value });
    let degrees = |all: [u32; 3]| ::exif::Value::Rational(all.map(|num| ::exif::Rational { num, denom: 1 }).into());
    let text = |text: &str| ::exif::Value::Ascii(vec![text.into()]);
    add(::exif::Tag::Artist, text(NAME));
    add(::exif::Tag::Software, text("Camera 1.0"));
    add(::exif::Tag::GPSLatitude, degrees([35, 30, 36]));
    add(::exif::Tag::GPSLatitudeRef, text("S"));
    add(::exif::Tag::GPSLongitude, degrees([139, 42, 0]));
    add(::exif::Tag::GPSLongitudeRef, text("E"));
    let mut writer = ::exif::experimental::Writer::new();
    for field in &fields {
        writer.push_field(field);
    }
    let mut out = Cursor::new(Vec::new());
    writer.write(&mut out, false).unwrap();
    out.into_inner()
}

const EXIF_TOLD: [&str; 2] = ["EXIF GPS `-35.51000,139.70000`", "EXIF Artist `Tanaka Hanako`"];

fn xmp() -> String {
    format!(
        "<?xpacket begin=''?><x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
         <rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:xmp='http://ns.adobe.com/xap/1.0/' \
         xmp:CreatorTool='Draw 2'><dc:creator><rdf:Seq><rdf:li>{NAME}</rdf:li></rdf:Seq></dc:creator></rdf:Description>\
         </rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
    )
}

fn jpeg_segment(marker: u8, body: &[u8]) -> Vec<u8> {
    let len = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
    [&[0xff, marker][..], &len, body].concat()
}

#[test]
fn a_photo_loses_exif_xmp_iptc_comments_and_what_follows_it_and_keeps_its_picture() {
    let plain = built_in("jpeg/pool-drain.jpg");
    assert_eq!(read(&plain).kept, Kept::Unchanged);
    let iptc = [&b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x12\x1c\x02\x50\0\x0d"[..], NAME.as_bytes()].concat();
    let segments = [
        jpeg_segment(0xe1, &[&b"Exif\0\0"[..], &exif()].concat()),
        jpeg_segment(0xe1, &[&b"http://ns.adobe.com/xap/1.0/\0"[..], xmp().as_bytes()].concat()),
        jpeg_segment(0xed, &iptc),
        jpeg_segment(0xfe, NAME.as_bytes()),
    ];
    let dirty = [&plain[..2], &segments.concat(), &plain[2..], NAME.as_bytes()].concat();
    let kept =
        scrubbed(&dirty, &[EXIF_TOLD[0], EXIF_TOLD[1], "XMP creator `Tanaka Hanako`", "IPTC By-line `Tanaka Hanako`"]);
    assert_eq!(kept, plain);
    assert_eq!(read(&dirty).program.as_deref(), Some("Camera 1.0"));
    let pixels = |bytes: &[u8]| ::image::load_from_memory(bytes).unwrap().into_rgb8();
    assert_eq!(pixels(&kept), pixels(&dirty));
}

#[test]
fn a_jpeg_that_is_cut_short_is_refused_with_what_it_says() {
    let photo = built_in("jpeg/site-photo.jpg");
    let metadata = read(&photo[..photo.len() - 2]);
    assert_eq!(told(&metadata), ["EXIF GPS `35.53090,139.70300`"]);
    assert!(matches!(metadata.kept, Kept::Unscrubbable(_)));
}

fn png_chunk(kind: &[u8], body: &[u8]) -> Vec<u8> {
    let named = [kind, body].concat();
    [&u32::try_from(body.len()).unwrap().to_be_bytes()[..], &named, &crc32fast::hash(&named).to_be_bytes()].concat()
}

#[test]
fn a_png_loses_its_texts() {
    let plain = built_in("png/screenshot.png");
    let itxt = [&b"XML:com.adobe.xmp\0\0\0\0\0"[..], xmp().as_bytes()].concat();
    let mut zipped = flate2::write::ZlibEncoder::new(b"Comment\0\0".to_vec(), flate2::Compression::best());
    zipped.write_all(NAME.as_bytes()).unwrap();
    let chunks = [
        png_chunk(b"tEXt", format!("Author\0{NAME}").as_bytes()),
        png_chunk(b"zTXt", &zipped.finish().unwrap()),
        png_chunk(b"iTXt", &itxt),
        png_chunk(b"eXIf", &exif()),
    ];
    // After the signature and IHDR.
    let dirty = [&plain[..33], &chunks.concat(), &plain[33..]].concat();
    let told = ["PNG Author `Tanaka Hanako`", "XMP creator `Tanaka Hanako`", EXIF_TOLD[0], EXIF_TOLD[1]];
    assert_eq!(scrubbed(&dirty, &told), plain);
    assert!(read(&dirty).fields.iter().any(|field| field.to_string() == "PNG Comment `Tanaka Hanako`"));
}

#[test]
fn a_webp_loses_exif_and_xmp_and_their_flags() {
    let plain = built_in("webp/park.webp");
    let chunk = |kind: &[u8], body: &[u8]| {
        let padding = if body.len() % 2 == 1 { &b"\0"[..] } else { b"" };
        [kind, &u32::try_from(body.len()).unwrap().to_le_bytes(), body, padding].concat()
    };
    let size = |len: usize| u32::try_from(len).unwrap().to_le_bytes();
    let body = |flags: u8, more: &[u8]| {
        let header = chunk(b"VP8X", &[flags, 0, 0, 0, 0x7f, 2, 0, 0xdf, 1, 0]);
        let all = [&b"WEBP"[..], &header, &plain[12..], more].concat();
        [&b"RIFF"[..], &size(all.len()), &all].concat()
    };
    let dirty = body(0x0c, &[chunk(b"EXIF", &exif()), chunk(b"XMP ", xmp().as_bytes())].concat());
    let told = [EXIF_TOLD[0], EXIF_TOLD[1], "XMP creator `Tanaka Hanako`"];
    assert_eq!(scrubbed(&dirty, &told), body(0, b""));
}

#[test]
fn a_gif_loses_its_comment() {
    let plain = built_in("gif/route-map.gif");
    let table = 3 << ((plain[10] & 7) + 1);
    let comment = [&b"\x21\xfe\x0d"[..], NAME.as_bytes(), b"\0"].concat();
    let dirty = [&plain[..13 + table], &comment, &plain[13 + table..]].concat();
    assert_eq!(scrubbed(&dirty, &[]), plain);
}

#[test]
fn a_tiff_is_cleared_where_its_tags_stand() {
    let dirty = exif();
    let kept = scrubbed(&dirty, &EXIF_TOLD);
    assert_eq!(kept.len(), dirty.len());
    assert_eq!(read(&built_in("tiff/proxy-fax.tif")).kept, Kept::Unchanged);
}

#[test]
fn an_iphone_photo_keeps_every_byte_in_its_place() {
    let dirty = built_in("heic/passbook.heic");
    let kept = scrubbed(&dirty, &[]);
    assert_eq!(kept.len(), dirty.len());
    let changed = dirty.iter().zip(&kept).filter(|(a, b)| a != b).count();
    assert!(changed < 1024, "{changed} bytes changed: more than its EXIF");
    assert!(memchr::memmem::find(&dirty, b"Phone 1").is_some() && memchr::memmem::find(&kept, b"Phone 1").is_none());
}

fn mp4_box(kind: &[u8], body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len() + 8).unwrap().to_be_bytes()[..], kind, body].concat()
}

#[test]
fn a_video_loses_its_place_and_its_author_and_no_offset_changes() {
    let text = |value: &str| {
        [&u16::try_from(value.len()).unwrap().to_be_bytes()[..], &[0x15, 0xc7], value.as_bytes()].concat()
    };
    let places = [
        mp4_box(b"\xa9xyz", &text("+35.53+139.70/")),
        mp4_box(b"\xa9aut", &text(NAME)),
        mp4_box(b"\xa9swr", &text("Phone 1")),
    ];
    let moov = |udta: &[u8]| mp4_box(b"moov", &[mp4_box(b"mvhd", &[0; 100]), udta.to_vec()].concat());
    let file =
        |udta: &[u8]| [mp4_box(b"ftyp", b"isom\0\0\x02\0isommp41"), moov(udta), mp4_box(b"mdat", b"picture")].concat();
    let dirty = file(&mp4_box(b"udta", &places.concat()));
    let kept = scrubbed(&dirty, &["©xyz `+35.53+139.70/`", "©aut `Tanaka Hanako`"]);
    assert_eq!(kept, file(&mp4_box(b"free", &vec![0; places.concat().len()])));
    assert_eq!(read(&dirty).program.as_deref(), Some("Phone 1"));
    let timed = file(&mp4_box(b"trak", &mp4_box(b"stsd", b"mebx")));
    let Kept::Unscrubbable(refusal) = read(&timed).kept else { panic!("timed metadata stay") };
    assert!(refusal.why.contains("timed metadata"), "{refusal:?}");
}

#[test]
fn a_recording_loses_its_tags_before_and_behind_the_sound() {
    let tagged = built_in("mp3/call-record.mp3");
    let plain = scrubbed(&tagged, &[]);
    assert_eq!(plain[0], 0xff, "the first frame");
    let body = [b"\0", NAME.as_bytes()].concat();
    let frame = [&b"TPE1"[..], &u32::try_from(body.len()).unwrap().to_be_bytes(), b"\0\0", &body].concat();
    let head = [&b"ID3\x03\0\0\0\0\0"[..], &[u8::try_from(frame.len()).unwrap()], &frame].concat();
    let mut last = b"TAG".to_vec();
    last.resize(33, 0);
    last.extend(NAME.as_bytes());
    last.resize(128, 0);
    let dirty = [head, plain.clone(), last].concat();
    assert_eq!(scrubbed(&dirty, &["ID3 artist `Tanaka Hanako`", "ID3v1 `artist Tanaka Hanako`"]), plain);
}

#[test]
fn a_pdf_loses_its_author_its_xmp_comment_names_and_the_exif_of_its_pictures() {
    let mut document = lopdf::Document::load_mem(&built_in("pdf/scan-certificate.pdf")).unwrap();
    let xmp = document
        .add_object(lopdf::Stream::new(dictionary! { "Type" => "Metadata", "Subtype" => "XML" }, xmp().into_bytes()));
    document.catalog_mut().unwrap().set("Metadata", xmp);
    let info = document.add_object(
        dictionary! { "Author" => lopdf::text_string(NAME), "Producer" => lopdf::text_string("Scanner 3") },
    );
    document.trailer.set("Info", info);
    let note = document.add_object(dictionary! {
        "Type" => "Annot", "Subtype" => "Text", "Rect" => vec![0.into(), 0.into(), 9.into(), 9.into()], "T" => lopdf::text_string(NAME),
    });
    let page = document.page_iter().next().unwrap();
    document.get_dictionary_mut(page).unwrap().set("Annots", vec![note.into()]);
    for object in document.objects.values_mut() {
        if let lopdf::Object::Stream(stream) = object
            && stream.content.starts_with(b"\xff\xd8")
        {
            let segment = jpeg_segment(0xe1, &[&b"Exif\0\0"[..], &exif()].concat());
            stream.set_content([&stream.content[..2], &segment, &stream.content[2..]].concat());
        }
    }
    let mut dirty = Vec::new();
    document.save_to(&mut dirty).unwrap();
    assert_eq!(read(&dirty).program.as_deref(), Some("Scanner 3"));
    let told = [
        "PDF Author `Tanaka Hanako`",
        "EXIF GPS of a picture `-35.51000,139.70000`",
        "EXIF Artist of a picture `Tanaka Hanako`",
        "PDF comment by `Tanaka Hanako`",
        "XMP creator `Tanaka Hanako`",
    ];
    let kept = scrubbed(&dirty, &told);
    let opened = lopdf::Document::load_mem(&kept).unwrap();
    assert_eq!(opened.get_pages().len(), 1);
    assert!(!opened.trailer.has(b"Info"));
}

#[test]
fn a_signed_pdf_is_refused_with_what_it_says() {
    let mut document = lopdf::Document::load_mem(&built_in("pdf/form-fields.pdf")).unwrap();
    let info = document.add_object(dictionary! { "Author" => lopdf::text_string(NAME) });
    document.trailer.set("Info", info);
    document.add_object(
        dictionary! { "Type" => "Sig", "ByteRange" => vec![0.into(), 1.into()], "Contents" => lopdf::text_string("x") },
    );
    let mut signed = Vec::new();
    document.save_to(&mut signed).unwrap();
    let metadata = read(&signed);
    assert_eq!(told(&metadata), ["PDF Author `Tanaka Hanako`"]);
    let Kept::Unscrubbable(refusal) = metadata.kept else { panic!("it is signed") };
    assert!(refusal.why.contains("signature"), "{refusal:?}");
}

#[test]
fn the_fields_of_a_form_keep_their_names() {
    let Kept::Bytes(kept) = read(&built_in("pdf/form-fields.pdf")).kept else { panic!("it has an Info dictionary") };
    let names = |bytes: &[u8]| {
        let document = lopdf::Document::load_mem(bytes).unwrap();
        document
            .objects
            .values()
            .filter(|object| object.as_dict().is_ok_and(|dictionary| dictionary.has(b"FT") && dictionary.has(b"T")))
            .count()
    };
    assert!(names(&kept) > 0);
    assert_eq!(names(&kept), names(&built_in("pdf/form-fields.pdf")));
}

#[test]
fn what_cannot_be_scrubbed_is_refused_with_a_way_out() {
    for (file, why) in [
        ("pdf/encrypted.pdf", "encrypted"),
        ("doc/traffic-class.doc", "OLE"),
        ("xlsx/rent-password.xlsx", "OLE"),
        ("zip/photos-utf8.zip", "ZIP"),
        ("eml/order-mail.eml", "mail"),
        ("xlsb/emissions.xlsb", "XLSB"),
        ("dxf/road-plan.dxf", "Drawing"),
    ] {
        let Kept::Unscrubbable(refusal) = read(&built_in(file)).kept else { panic!("{file}") };
        assert!(refusal.why.contains(why), "{file}: {refusal:?}");
        assert!(!refusal.help.is_empty());
    }
    for file in ["csv/childcare-sjis.csv", "txt/opinion-bom.txt", "bmp/map.bmp"] {
        assert_eq!(Metadata::read(file, &built_in(file)).kept, Kept::Unchanged, "{file}");
    }
}

fn package(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn member(bytes: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut text = Vec::new();
    archive.by_name(name).unwrap().read_to_end(&mut text).unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

/// A document as Word writes it, as far as metadata go.
fn docx(more: &[(&str, &[u8])]) -> Vec<u8> {
    let core = format!(
        "<cp:coreProperties xmlns:cp='urn:cp' xmlns:dc='urn:dc' xmlns:dcterms='urn:dt'><dc:creator>{NAME}</dc:creator>\
         <dcterms:created>2024-05-27T10:00:00Z</dcterms:created><cp:lastModifiedBy>{NAME}</cp:lastModifiedBy></cp:coreProperties>"
    );
    let app = "<Properties xmlns='urn:p'><Application>Word</Application><AppVersion>16.0000</AppVersion><Company>ACME</Company></Properties>";
    let custom =
        format!("<Properties xmlns='urn:p'><property name='clerk'><lpwstr>{NAME}</lpwstr></property></Properties>");
    let text = format!(
        "<w:document xmlns:w='urn:w'><w:ins w:id='1' w:author='{NAME}' w:date='2024-05-27T10:00:00Z'>届</w:ins></w:document>"
    );
    let photo = [&b"\xff\xd8"[..], &jpeg_segment(0xe1, &[&b"Exif\0\0"[..], &exif()].concat()), b"\xff\xd9"].concat();
    let types = b"<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>";
    let members: [(&str, &[u8]); 6] = [
        ("[Content_Types].xml", types),
        ("word/document.xml", text.as_bytes()),
        ("word/media/image1.jpeg", &photo),
        ("docProps/core.xml", core.as_bytes()),
        ("docProps/app.xml", app.as_bytes()),
        ("docProps/custom.xml", custom.as_bytes()),
    ];
    package(&[&members[..], more].concat())
}

#[test]
fn a_document_loses_its_authors_company_properties_and_the_exif_of_its_pictures() {
    let dirty = docx(&[]);
    assert_eq!(read(&dirty).program.as_deref(), Some("Word 16.0000"));
    let told = [
        "OOXML comment or change by `Tanaka Hanako`",
        "EXIF GPS in word/media/image1.jpeg `-35.51000,139.70000`",
        "EXIF Artist in word/media/image1.jpeg `Tanaka Hanako`",
        "OOXML creator `Tanaka Hanako`",
        "OOXML lastModifiedBy `Tanaka Hanako`",
        "OOXML Company `ACME`",
        "OOXML property clerk `Tanaka Hanako`",
    ];
    let kept = scrubbed(&dirty, &told);
    for name in ["word/document.xml", "docProps/core.xml", "docProps/app.xml", "docProps/custom.xml"] {
        let text = member(&kept, name);
        roxmltree::Document::parse(&text).unwrap();
        assert!(!text.contains(NAME) && !text.contains("ACME"), "{name}: {text}");
    }
    assert!(member(&kept, "docProps/core.xml").contains("2024-05-27"));
    assert!(member(&kept, "word/document.xml").contains('届'));
    assert!(!member(&kept, "word/media/image1.jpeg").contains(NAME));
}

#[test]
fn reviewers_of_a_presentation_and_a_workbook_lose_their_names() {
    let people = format!(
        "<p188:authorLst xmlns:p188='urn:p'><p188:author id='1' name='{NAME}' initials='TH' userId='{NAME}'/></p188:authorLst>"
    );
    let persons =
        format!("<personList xmlns='urn:x'><person displayName='{NAME}' id='2' userId='{NAME}'/></personList>");
    let notes = format!("<comments xmlns='urn:x'><authors><author>{NAME}</author></authors></comments>");
    let book =
        "<workbook xmlns='urn:x' xmlns:x15ac='urn:a'><x15ac:absPath url='C:\\Users\\Tanaka Hanako\\'/></workbook>";
    let members = [
        ("ppt/authors.xml", people),
        ("xl/persons/person.xml", persons),
        ("xl/comments1.xml", notes),
        ("xl/workbook.xml", book.into()),
    ];
    let members: Vec<(&str, &[u8])> = members.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let kept = match read(&docx(&members)).kept {
        Kept::Bytes(kept) => kept,
        other => panic!("{other:?}"),
    };
    for (name, _) in members {
        let text = member(&kept, name);
        roxmltree::Document::parse(&text).unwrap();
        assert!(!text.contains("Tanaka"), "{name}: {text}");
    }
}

#[test]
fn an_opendocument_with_a_password_is_refused() {
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in [
        ("mimetype", "application/vnd.oasis.opendocument.text"),
        ("content.xml", "?"),
        ("META-INF/manifest.xml", "<manifest><encryption-data/></manifest>"),
    ] {
        writer.start_file(name, stored).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    let Kept::Unscrubbable(refusal) = read(&writer.finish().unwrap().into_inner()).kept else {
        panic!("it is encrypted")
    };
    assert!(refusal.why.contains("encrypted"), "{refusal:?}");
}

#[test]
fn a_signed_document_is_refused_with_what_it_says() {
    let metadata = read(&docx(&[("_xmlsignatures/sig1.xml", b"<Signature/>")]));
    assert_eq!(told(&metadata).len(), 7);
    let Kept::Unscrubbable(refusal) = metadata.kept else { panic!("it is signed") };
    assert!(refusal.why.contains("signature"), "{refusal:?}");
}

#[test]
fn an_opendocument_keeps_its_first_member_stored_and_loses_its_author() {
    let plain = built_in("odt/pool-inspection.odt");
    let meta = member(&plain, "meta.xml");
    let named =
        meta.replace("</office:meta>", &format!("<meta:initial-creator>{NAME}</meta:initial-creator></office:meta>"));
    let mut archive = zip::ZipArchive::new(Cursor::new(&plain[..])).unwrap();
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let member = archive.by_index_raw(index).unwrap();
        if member.name().unwrap() == "meta.xml" {
            writer.start_file("meta.xml", SimpleFileOptions::default()).unwrap();
            writer.write_all(named.as_bytes()).unwrap();
        } else {
            writer.raw_copy_file(member).unwrap();
        }
    }
    let kept = scrubbed(&writer.finish().unwrap().into_inner(), &["ODF initial-creator `Tanaka Hanako`"]);
    assert_eq!(&kept[30..77], b"mimetypeapplication/vnd.oasis.opendocument.text", "stored, and without extra field");
    assert!(!member(&kept, "meta.xml").contains(NAME));
    assert_eq!(member(&kept, "content.xml"), member(&plain, "content.xml"));
}

#[test]
fn a_long_value_is_cut_and_stays_on_its_line() {
    let field = |value: &str| Field { name: "x".into(), value: value.into(), personal: false };
    assert_eq!(field("a\nb").to_string(), "x `a b`");
    assert_eq!(field(&"あ".repeat(61)).short().chars().count(), 61);
    assert!(field(&"あ".repeat(61)).short().ends_with('…'));
}

#[track_caller]
fn refused(bytes: &[u8]) -> String {
    let Kept::Unscrubbable(refusal) = read(bytes).kept else { panic!("it is not refused") };
    refusal.why
}

#[test]
fn core_properties_are_found_wherever_a_relationship_puts_them() {
    let core = format!(
        "<coreProperties xmlns='http://schemas.openxmlformats.org/package/2006/metadata/core-properties' xmlns:dc='urn:dc'>\
         <dc:creator>{NAME}</dc:creator></coreProperties>"
    );
    let app = "<Properties xmlns='http://schemas.openxmlformats.org/officeDocument/2006/extended-properties'><Manager>Boss</Manager></Properties>";
    let place = "package/services/metadata/core-properties/1f2e.psmdcp";
    let types = b"<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>";
    let dirty = package(&[
        ("[Content_Types].xml", types),
        ("word/document.xml", b"<document/>"),
        (place, core.as_bytes()),
        ("properties/app.dat", app.as_bytes()),
    ]);
    let kept = scrubbed(&dirty, &["OOXML creator `Tanaka Hanako`", "OOXML Manager `Boss`"]);
    assert!(!member(&kept, place).contains(NAME));
}

#[test]
fn the_path_of_a_template_is_removed_and_a_link_to_a_site_stays() {
    let relationships = "<Relationships xmlns='urn:r'>\
        <Relationship Id='1' Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate' \
        Target='file:///C:\\Users\\Tanaka Hanako\\a.dotx' TargetMode='External'/>\
        <Relationship Id='2' Type='x/hyperlink' Target='https://www.example.jp/' TargetMode='External'/></Relationships>";
    let types = b"<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>";
    let name = "word/_rels/settings.xml.rels";
    let dirty = package(&[
        ("[Content_Types].xml", types),
        ("word/document.xml", b"<document/>"),
        (name, relationships.as_bytes()),
    ]);
    let kept = scrubbed(&dirty, &["OOXML attachedTemplate `file:///C:\\Users\\Tanaka Hanako\\a.dotx`"]);
    assert!(member(&kept, name).contains("https://www.example.jp/"));
}

#[test]
fn a_picture_in_a_document_is_known_by_its_bytes_and_refused_where_it_is_not_whole() {
    let photo = built_in("jpeg/site-photo.jpg");
    for name in ["word/media/image2.jfif", "word/media/image2.dat"] {
        let metadata = read(&docx(&[(name, &photo)]));
        assert!(told(&metadata).iter().any(|field| field.starts_with(&format!("EXIF GPS in {name}"))), "{metadata:?}");
        let Kept::Bytes(kept) = metadata.kept else { panic!("{:?}", metadata.kept) };
        assert!(!member(&kept, name).contains("Exif"));
    }
    let cut = refused(&docx(&[("word/media/image2.jpg", &photo[..photo.len() - 2])]));
    assert!(cut.contains("word/media/image2.jpg") && cut.contains("no whole JPEG"), "{cut}");
    let other = refused(&docx(&[("word/media/image2.png", b"no picture")]));
    assert!(other.contains("no whole picture"), "{other}");
    let utf16: Vec<u8> =
        std::iter::once(0xfeff).chain("<comments/>".encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let utf16 = refused(&docx(&[("word/comments.xml", &utf16)]));
    assert!(utf16.contains("no well-formed XML in UTF-8"), "{utf16}");
}

/// A PDF with a picture that stands behind `filter`.
fn pdf_with_picture(filter: lopdf::Object, content: Vec<u8>) -> Vec<u8> {
    let mut document = lopdf::Document::load_mem(&built_in("pdf/form-fields.pdf")).unwrap();
    document.trailer.remove(b"Info");
    document.add_object(lopdf::Stream::new(dictionary! { "Subtype" => "Image", "Filter" => filter }, content));
    let mut out = Vec::new();
    document.save_to(&mut out).unwrap();
    out
}

#[test]
fn a_picture_in_a_pdf_that_cannot_be_looked_into_is_refused() {
    let photo = built_in("jpeg/site-photo.jpg");
    let cut = refused(&pdf_with_picture("DCTDecode".into(), photo[..photo.len() - 2].to_vec()));
    assert!(cut.contains("no whole JPEG"), "{cut}");
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&photo).unwrap();
    let filters = lopdf::Object::Array(vec!["FlateDecode".into(), "DCTDecode".into()]);
    let twice = refused(&pdf_with_picture(filters, packed.finish().unwrap()));
    assert!(twice.contains("packed twice"), "{twice}");
    let jpeg2000 = refused(&pdf_with_picture("JPXDecode".into(), b"\0\0\0\x0cjP  \0\0\0\x20uuid".to_vec()));
    assert!(jpeg2000.contains("JPEG 2000"), "{jpeg2000}");
    assert!(told(&read(&pdf_with_picture(vec!["DCTDecode".into()].into(), photo))).len() == 1);
}

#[test]
fn an_opendocument_with_a_password_is_so_whichever_member_comes_first() {
    let encrypted = package(&[
        ("mimetype", b"application/vnd.oasis.opendocument.text"),
        ("meta.xml", b"\x93\x01\xff no XML"),
        ("META-INF/manifest.xml", b"<manifest><encryption-data/></manifest>"),
    ]);
    let Kept::Unscrubbable(refusal) = office::odf(&encrypted).kept else { panic!("it is encrypted") };
    assert!(refusal.why.contains("encrypted"), "{refusal:?}");
}

#[test]
fn what_is_removed_is_told_even_where_it_says_nothing() {
    let plain = built_in("jpeg/pool-drain.jpg");
    let jfxx = [&plain[..2], &jpeg_segment(0xe0, b"JFXX\0\x10thumbnail"), &plain[2..]].concat();
    let metadata = read(&jfxx);
    assert_eq!(metadata.kept, Kept::Bytes(plain.clone()));
    assert_eq!(metadata.fields.iter().map(ToString::to_string).collect::<Vec<_>>(), ["APP0 `15 bytes`"]);
    let packet = "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
                  <rdf:Description rdf:about='' xmlns:t='urn:t' t:Owner=''/></rdf:RDF></x:xmpmeta>";
    let segment = jpeg_segment(0xe1, &[&b"http://ns.adobe.com/xap/1.0/\0"[..], packet.as_bytes()].concat());
    assert_eq!(read(&[&plain[..2], &segment, &plain[2..]].concat()).fields[0].to_string(), "XMP `Owner`");
    let mp4 = |udta: &[u8]| {
        let moov = mp4_box(b"moov", &[mp4_box(b"mvhd", &[0; 100]), mp4_box(b"udta", udta)].concat());
        [mp4_box(b"ftyp", b"isom\0\0\x02\0isommp41"), moov].concat()
    };
    let empty = read(&mp4(&mp4_box(b"\xa9aut", &[0, 0, 0x15, 0xc7])));
    assert_eq!(empty.fields[0].to_string(), "movie user data `©aut`");
    let mut document = lopdf::Document::load_mem(&built_in("pdf/form-fields.pdf")).unwrap();
    document.trailer.set("Info", dictionary! { "Author" => lopdf::text_string("") });
    let mut pdf = Vec::new();
    document.save_to(&mut pdf).unwrap();
    assert_eq!(read(&pdf).fields[0].to_string(), "PDF fields without a value `Author`");
    let company = package(&[
        ("[Content_Types].xml", b"<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>"),
        ("word/document.xml", b"<document/>"),
        ("docProps/app.xml", b"<Properties xmlns='urn:p'><Company></Company></Properties>"),
    ]);
    assert_eq!(read(&company).fields[0].name, "OOXML Company");
}

#[test]
fn a_bitmap_that_is_not_whole_or_names_a_file_is_refused() {
    let plain = built_in("bmp/map.bmp");
    assert!(refused(&[&plain[..], NAME.as_bytes()].concat()).contains("no whole BMP"));
}

proptest::proptest! {
    #[test]
    fn any_bytes_behind_a_magic_are_read_without_a_panic(
        magic in proptest::sample::select(vec![
            &b"\xff\xd8\xff\xe1"[..], b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08",
            b"\0\0\0\x14ftypheic\0\0\0\0heic", b"\0\0\0\x14ftypisom\0\0\0\0isom\0\0\0\x30moov\0\0\0\x28udta", b"ID3\x03\0\0\0\0\0\x20",
        ]),
        rest in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
    ) {
        let _ = read(&[magic, &rest].concat());
    }

    #[test]
    fn a_real_file_with_a_changed_byte_is_read_without_a_panic(
        file in proptest::sample::select(vec![
            "heic/passbook.heic", "gif/route-map.gif", "mp4/pool-drain.mp4", "tiff/proxy-fax.tif", "mp3/call-record.mp3", "jpeg/site-photo.jpg",
        ]),
        at in 0_usize..2048,
        with in proptest::prelude::any::<u8>(),
    ) {
        let mut bytes = built_in(file);
        let at = at % bytes.len();
        bytes[at] = with;
        let _ = read(&bytes);
    }
}
