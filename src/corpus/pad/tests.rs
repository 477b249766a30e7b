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
            let document = names[0].starts_with('[');
            assert_eq!(extra, usize::from(gap > if document { 512 } else { 65_535 }), "{gap}");
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
        for gap in [1, 512, 513, 65_536, 1_000_003] {
            let mut archive = ::zip::ZipArchive::new(Cursor::new(padded(&own, "a.odt", gap))).unwrap();
            let mut text = |name| std::io::read_to_string(archive.by_name(name).unwrap()).unwrap();
            assert_eq!([text("mimetype"), text("a.xml")], ["mimetype", "a.xml"], "{gap}");
            let listed = text("META-INF/manifest.xml").contains("full-path=\"wafcanary-padding.dat\"");
            assert_eq!(listed, gap > 512, "{gap}");
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
    let cut = Content::from_bytes(tone()[..50].to_vec());
    assert!(matches!(pad(&cut, "a.wav", 100), Err(PadError::Format(_))));
}

#[test]
fn the_boxes_of_a_padded_film_or_picture_fill_it() {
    let film = &b"\0\0\0\x14ftypisom\0\0\0\0isom\0\0\0\x08mdat"[..];
    let picture = b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x08jp2c";
    for gap in [8, 9, 100_001, 65_537, 131_072 + 7] {
        for (own, expected) in [(film, 3), (picture, 2 + usize::try_from(gap).unwrap().div_ceil(65_536))] {
            let out = padded(own, "a", gap);
            let (mut at, mut boxes) = (0, 0);
            while at < out.len() {
                at += u32::from_be_bytes(out[at..at + 4].try_into().unwrap()) as usize;
                boxes += 1;
            }
            assert_eq!((at, boxes), (out.len(), expected), "{gap}");
        }
    }
}

#[test]
fn a_film_whose_last_box_has_no_length_or_is_cut_off_is_not_padded() {
    for film in [&b"\0\0\0\x14ftypisom\0\0\0\0isom\0\0\0\0mdat"[..], b"\0\0\0\x14ftypisom\0\0\0\0isom\0\0\0\x09mdat"] {
        let content = Content::from_bytes(film.to_vec());
        assert!(matches!(pad(&content, "a.mp4", 100), Err(PadError::Format(_))));
    }
}

#[test]
fn a_padded_bitmap_says_its_own_length() {
    let mut bmp = [&b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"[..], &[0; 36], &[1, 2, 3, 0]].concat();
    bmp[18] = 1;
    for gap in GAPS {
        let out = padded(&bmp, "a.bmp", gap);
        assert_eq!(u32::from_le_bytes(out[2..6].try_into().unwrap()) as usize, out.len(), "{gap}");
        assert_eq!(out[6..bmp.len()], bmp[6..], "{gap}");
    }
    assert_eq!(padded(b"BMI,kg\n1,2\n", "a.csv", 4), b"BMI,kg\n1,2\n1,2\n", "text that begins like one");
}

#[test]
fn offsets_into_a_padded_tiff_still_hold() {
    for magic in [b"II*\0", b"MM\0*"] {
        let out = padded(magic, "a.tif", 9);
        assert!(out.starts_with(magic));
    }
}

#[test]
fn the_tag_of_a_padded_song_is_longer_and_the_song_the_same() {
    let song = b"ID3\x03\0\0\0\0\0\x03tag\xff\xfbsong";
    for gap in (1..5).chain(GAPS) {
        let out = padded(song, "a.mp3", gap);
        let size = out[6..10].iter().fold(0, |size, digit| size << 7 | usize::from(*digit));
        assert!(out[10..].starts_with(b"tag\0") && out[10 + size..] == *b"\xff\xfbsong", "{gap}");
    }
}

#[test]
fn the_blocks_of_a_padded_flac_fill_it() {
    let song = [&b"fLaC\0\0\0\x22"[..], &[7; 34], b"\x84\0\0\x01c", b"\xff\xf8frames"].concat();
    for gap in GAPS.into_iter().chain([4, (1 << 24) + 1, (1 << 24) + 4]) {
        let out = padded(&song, "a.flac", gap);
        let (mut at, mut last) = (4, false);
        while !last {
            last = out[at] & 0x80 != 0;
            at += 4 + u32::from_be_bytes([0, out[at + 1], out[at + 2], out[at + 3]]) as usize;
        }
        assert_eq!(&out[at..], b"\xff\xf8frames", "{gap}");
    }
}

#[test]
fn a_padded_gzip_file_unpacks_to_the_same() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(b"some text").unwrap();
    let own = packer.finish().unwrap();
    for gap in (23..40).chain(GAPS.into_iter().filter(|gap| *gap >= 23)) {
        let out = padded(&own, "a.gz", gap);
        let text = std::io::read_to_string(flate2::read::MultiGzDecoder::new(&out[..])).unwrap();
        assert_eq!(text, "some text", "{gap}");
    }
}

#[test]
fn the_segment_of_a_padded_webm_holds_a_void_at_its_end() {
    let head = b"\x1a\x45\xdf\xa3\x83ebm\x18\x53\x80\x67";
    for gap in [9, 10, 100_003] {
        for (old, unknown) in [(b"\x01\0\0\0\0\0\0\x01s", false), (b"\x01\xff\xff\xff\xff\xff\xff\xffs", true)] {
            let out = padded(&[&head[..], old].concat(), "a.webm", gap);
            let length = |at: usize| u64::from_be_bytes(out[at..at + 8].try_into().unwrap()) ^ 1 << 56;
            assert_eq!(length(12), if unknown { (1 << 56) - 1 } else { gap + 1 });
            assert_eq!((out[20], out[21], length(22)), (b's', 0xEC, gap - 9));
            assert!(out[30..].iter().all(|byte| *byte == b'w'));
        }
    }
    let narrow = Content::from_bytes([&head[..], b"\x81s"].concat());
    assert!(matches!(pad(&narrow, "a.webm", 1_000), Err(PadError::Gap { .. })));
}

#[test]
fn comments_follow_the_end_of_a_padded_postscript_file() {
    let own = b"%!PS\nshowpage\n%%EOF\n";
    for gap in (1..200).chain(GAPS) {
        let out = padded(own, "a.ps", gap);
        let added = out[own.len()..].split(|byte| *byte == b'\n');
        assert!(added.into_iter().all(|line| line.is_empty() || line[0] == b'%'), "{gap}");
    }
}

#[test]
fn lines_are_added_inside_of_what_encloses_them() {
    let cases = [
        ("a.ics", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "BEGIN:VCALENDAR\r\n", "END:VCALENDAR\r\n", "X-WAFCANARY:"),
        ("a.vcf", "BEGIN:VCARD\nEND:VCARD\n", "BEGIN:VCARD\n", "END:VCARD\n", "X-WAFCANARY:"),
        ("a.dxf", "  0\r\nSECTION\r\n  0\r\nEOF\r\n", "  0\r\nSECTION\r\n", "  0\r\nEOF\r\n", "999\r\n"),
    ];
    for (name, own, before, after, line) in cases {
        let end = if own.contains("\r\n") { "\r\n" } else { "\n" };
        let least = (line.len() + 1 + end.len()) as u64;
        for gap in (least..least + 130).chain([65_537]) {
            let out = String::from_utf8(padded(own.as_bytes(), name, gap)).unwrap();
            let added = out.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).unwrap();
            // The comments of a DXF file are two lines each.
            let lines = added.replace("999\r\n", "999 ");
            for one in lines.strip_suffix(end).unwrap().split(end) {
                assert!(
                    one.len() <= 75 && one.trim_end_matches('w') == line.replace("\r\n", " "),
                    "{name} {gap}: {one}"
                );
            }
        }
    }
}

#[test]
fn line_breaks_are_added_to_rtf_before_its_last_brace() {
    let out = padded(b"{\\rtf1 {a}}\r\n", "a.rtf", 3);
    assert_eq!(out, b"{\\rtf1 {a}\n\n\n}\r\n");
}

#[test]
fn a_padded_mail_ends_in_lines_of_white_space() {
    let own = "Subject: a\r\n\r\nb\r\n";
    for gap in (1..200).chain(GAPS) {
        let out = String::from_utf8(padded(own.as_bytes(), "a.eml", gap)).unwrap();
        let added = out.strip_prefix(own).unwrap();
        assert!(added.split("\r\n").all(|line| line.trim_matches(' ').is_empty() && line.len() < 78), "{gap}");
        assert_eq!(added.matches('\n').count(), added.matches("\r\n").count(), "{gap}");
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
    assert!(told(b"7z\xbc\xaf\x27\x1c", "a.7z", 100).contains("only PDF"));
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
