use std::io::{Cursor, Read as _, Write as _};

use super::*;

fn read(content: &Content) -> Vec<u8> {
    let mut out = Vec::new();
    content.reader().read_to_end(&mut out).unwrap();
    out
}

fn padded(bytes: &[u8], name: &str, gap: u64) -> Vec<u8> {
    let content = Content::from_bytes(bytes.to_vec());
    let size = content.len() + gap;
    let made = pad(&content, name, size).unwrap_or_else(|error| panic!("{name} by {gap}: {error}"));
    let out = read(&made);
    assert_eq!(out.len() as u64, size, "{name} by {gap}");
    assert_eq!(made.sha256(), crate::corpus::Sha256Digest::of(&out));
    out
}

fn picture(format: image::ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let dots = image::RgbImage::from_fn(8, 8, |x, y| image::Rgb([30, 60, if (x + y) % 2 == 0 { 99 } else { 9 }]));
    image::DynamicImage::from(dots).write_to(&mut out, format).unwrap();
    out.into_inner()
}

fn archive(names: &[&str]) -> Vec<u8> {
    let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    for name in names {
        writer.start_file(*name, ::zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(b"some text some text some text").unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn tone() -> Vec<u8> {
    let mut wave =
        b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x08\0\0\0".to_vec();
    wave.extend_from_slice(&[1, 0, 2, 0, 3, 0, 4, 0]);
    wave
}

const GAPS: [u64; 12] = [12, 13, 14, 63, 64, 259, 260, 65_535, 65_537, 65_541, 131_074, 1_000_003];

#[test]
fn a_padded_png_decodes_to_the_same_picture() {
    let png = picture(image::ImageFormat::Png);
    let own = image::load_from_memory(&png).unwrap();
    for gap in GAPS {
        assert_eq!(image::load_from_memory(&padded(&png, "a.png", gap)).unwrap(), own, "{gap}");
    }
}

#[test]
fn every_chunk_of_a_padded_png_has_a_right_crc() {
    let png = padded(&picture(image::ImageFormat::Png), "a.png", 70_000);
    let (mut at, mut seen) = (8, 0);
    while at < png.len() {
        let len = u32::from_be_bytes(png[at..at + 4].try_into().unwrap()) as usize;
        let crc = u32::from_be_bytes(png[at + 8 + len..at + 12 + len].try_into().unwrap());
        assert_eq!(crc, crc32fast::hash(&png[at + 4..at + 8 + len]));
        seen += usize::from(&png[at + 4..at + 8] == b"waFc");
        at += 12 + len;
    }
    assert_eq!(seen, 1);
}

#[test]
fn a_padded_jpeg_decodes_to_the_same_picture() {
    let jpeg = picture(image::ImageFormat::Jpeg);
    let own = image::load_from_memory(&jpeg).unwrap();
    for gap in (1..12).chain(GAPS).chain([65_536, 65_538, 65_540]) {
        assert_eq!(image::load_from_memory(&padded(&jpeg, "a.jpg", gap)).unwrap(), own, "{gap}");
    }
}

#[test]
fn a_padded_gif_decodes_to_the_same_picture() {
    let gif = picture(image::ImageFormat::Gif);
    let own = image::load_from_memory(&gif).unwrap();
    for gap in (5..1_100).chain(GAPS).chain([3]) {
        assert_eq!(image::load_from_memory(&padded(&gif, "a.gif", gap)).unwrap(), own, "{gap}");
    }
    let old = [b"GIF87a", &gif[6..]].concat();
    assert_eq!(padded(&old, "a.gif", 100), padded(&gif, "a.gif", 100), "only GIF89a has comments");
    for gap in [1, 2, 4] {
        let content = Content::from_bytes(gif.clone());
        assert!(matches!(pad(&content, "a.gif", content.len() + gap), Err(PadError::Gap { .. })), "{gap}");
    }
}

#[test]
fn a_padded_pdf_still_opens_and_ends_where_readers_look() {
    let case = crate::corpus::canary();
    let pdf = read(&case.content);
    for gap in (1..200).chain(GAPS) {
        let out = padded(&pdf, "a.pdf", gap);
        assert_eq!(lopdf::Document::load_mem(&out).unwrap().get_pages().len(), 1, "{gap}");
        let tail = &out[out.len().saturating_sub(512)..];
        assert!(memchr::memmem::find(tail, b"startxref").is_some(), "{gap}");
        let added = &out[pdf.len()..];
        let comments = added.split(|b| *b == b'\n').take_while(|line| !line.starts_with(b"startxref"));
        assert!(comments.into_iter().all(|line| line.is_empty() || line[0] == b'%'), "{gap}");
    }
}

#[test]
fn a_padded_archive_still_opens_and_keeps_its_entries() {
    for names in [&["a.txt", "b.txt"][..], &["[Content_Types].xml", "word/document.xml"]] {
        let own = archive(names);
        for gap in (1..20).chain(GAPS) {
            let out = padded(&own, "a.zip", gap);
            let mut archive = ::zip::ZipArchive::new(Cursor::new(out)).unwrap();
            for index in 0..archive.len() {
                let mut bytes = Vec::new();
                archive.by_index(index).unwrap().read_to_end(&mut bytes).unwrap();
            }
            assert!(names.iter().all(|name| archive.by_name(name).is_ok()), "{gap}");
            let extra = archive.len() - names.len();
            assert_eq!(extra, usize::from(gap > 65_535), "{gap}");
        }
    }
}

#[test]
fn an_archive_padded_twice_still_opens() {
    let once = padded(&archive(&["a.txt"]), "a.zip", 60_000);
    let twice = padded(&once, "a.zip", 70_000);
    assert_eq!(::zip::ZipArchive::new(Cursor::new(twice)).unwrap().len(), 2);
}

#[test]
fn the_manifest_of_a_padded_odf_file_lists_what_was_added() {
    let manifest = "<manifest:manifest><manifest:file-entry manifest:full-path=\"a.xml\"/></manifest:manifest>";
    for order in [["mimetype", "META-INF/manifest.xml", "a.xml"], ["mimetype", "a.xml", "META-INF/manifest.xml"]] {
        let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
        for name in order {
            writer.start_file(name, ::zip::write::SimpleFileOptions::default()).unwrap();
            let text = if name.starts_with("META") { manifest } else { name };
            writer.write_all(text.as_bytes()).unwrap();
        }
        let own = writer.finish().unwrap().into_inner();
        for gap in [1, 65_535, 65_536, 1_000_003] {
            let mut archive = ::zip::ZipArchive::new(Cursor::new(padded(&own, "a.odt", gap))).unwrap();
            let mut text = |name| std::io::read_to_string(archive.by_name(name).unwrap()).unwrap();
            assert_eq!([text("mimetype"), text("a.xml")], ["mimetype", "a.xml"], "{gap}");
            let listed = text("META-INF/manifest.xml").contains("full-path=\"wafcanary-padding.dat\"");
            assert_eq!(listed, gap > 65_535, "{gap}");
            assert_eq!(archive.by_name("wafcanary-padding.dat").is_ok(), listed, "{gap}");
        }
    }
}

#[test]
fn a_padded_wave_says_its_own_length() {
    let out = padded(&tone(), "a.wav", 1_000);
    assert_eq!(u32::from_le_bytes(out[4..8].try_into().unwrap()) as usize, out.len() - 8);
    assert_eq!(&out[52..56], b"JUNK");
    let content = Content::from_bytes(tone());
    assert!(matches!(pad(&content, "a.wav", content.len() + 9), Err(PadError::Gap { .. })));
}

#[test]
fn the_boxes_of_a_padded_film_fill_it() {
    let film = b"\0\0\0\x14ftypisom\0\0\0\0isom\0\0\0\x08mdat";
    for gap in [8, 9, 100_001] {
        let out = padded(film, "a.mp4", gap);
        let (mut at, mut boxes) = (0, 0);
        while at < out.len() {
            at += u32::from_be_bytes(out[at..at + 4].try_into().unwrap()) as usize;
            boxes += 1;
        }
        assert_eq!((at, boxes), (out.len(), 3));
    }
}

#[test]
fn a_padded_table_has_only_whole_rows() {
    for (text, end) in [("名,数\r\nあ,1\r\n", "\r\n"), ("a,b\n1,\"x\"", "\n")] {
        for gap in (1..40).chain([1_001]) {
            let out = String::from_utf8(padded(text.as_bytes(), "a.csv", gap)).unwrap();
            let row = text.trim_end().rsplit('\n').next().unwrap();
            let added = &out[text.len()..];
            assert!(added.split('\n').all(|line| line.is_empty() || line.trim_end() == row), "{end:?} {added:?}");
        }
    }
}

#[test]
fn a_padded_page_of_markup_ends_in_white_space() {
    let out = padded(b"{\"a\":1}", "a.json", 500);
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&out).unwrap()["a"], 1);
}

#[test]
fn what_cannot_be_padded_says_so() {
    let told =
        |bytes: &[u8], name: &str, size| pad(&Content::from_bytes(bytes.to_vec()), name, size).unwrap_err().to_string();
    assert_eq!(told(b"hello", "a.txt", 3), "is larger than that: it has 5 bytes");
    assert!(told(b"7z\xbc\xaf\x27\x1c", "a.7z", 100).contains("only PDF, PNG"));
    assert!(told(b"%PDF-1.4\nno end", "a.pdf", 100).contains("startxref"));
    assert!(told(b"PK\x03\x04 cut", "a.zip", 100).contains("end of central directory"));
    assert!(told(b"\xff\xfea\0", "a.txt", 100).contains("only"));
    assert!(told(b"\x89PNG\r\n\x1a\n", "a.png", 100).contains("IEND"));
}

#[test]
fn a_file_of_its_own_size_stays_as_it_is() {
    let content = Content::from_bytes(&b"\x00\x01 anything"[..]);
    assert_eq!(pad(&content, "a.bin", content.len()).unwrap().sha256(), content.sha256());
}

#[test]
fn a_padded_file_on_disk_is_not_held_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.png");
    std::fs::write(&path, picture(image::ImageFormat::Png)).unwrap();
    let made = pad(&Content::from_file(path).unwrap(), "a.png", 20_000_000).unwrap();
    let held: u64 = made
        .pieces()
        .iter()
        .map(|piece| match piece {
            Piece::Bytes(bytes) => bytes.len() as u64,
            Piece::Fill { pattern, .. } => pattern.len() as u64,
            Piece::File { .. } => 0,
        })
        .sum();
    assert!(held < 100_000, "{held}");
    assert_eq!(made.len(), 20_000_000);
}
