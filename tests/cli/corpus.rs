//! `corpus add`, `check` and `stats`: a team's own files, without an accident.

use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;
use std::process::Stdio;

use super::{Place, Ran, ran};

const NAME: &str = "Tanaka Hanako";
/// `ガイド.pdf`, decomposed as macOS stores it.
const NFD: &str = "カ\u{3099}イト\u{3099}.pdf";
const PDF: &[u8] = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n";

impl Place {
    fn bytes(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn manifest(&self) -> String {
        self.read("att/manifest.toml")
    }

    /// `corpus add --corpus att`, with more arguments.
    fn add(&self, arguments: &[&str]) -> Ran {
        self.run(&[&["corpus", "add", "--corpus", "att"], arguments].concat())
    }

    /// Every file below `att`, sorted.
    fn files(&self) -> Vec<String> {
        fn below(folder: &Path, root: &Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    below(&path, root, found);
                } else {
                    found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        let mut found = Vec::new();
        below(&self.path("att"), &self.path("att"), &mut found);
        found.sort();
        found
    }
}

fn built_in(file: &str) -> String {
    format!("{}/corpus/files/{file}", env!("CARGO_MANIFEST_DIR"))
}

/// A document whose author is [`NAME`].
fn docx() -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let core = format!(
        "<c:coreProperties xmlns:c='urn:c' xmlns:dc='urn:dc'><dc:creator>{NAME}</dc:creator></c:coreProperties>"
    );
    let types = "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>";
    for (name, text) in
        [("[Content_Types].xml", types), ("word/document.xml", "<document/>"), ("docProps/core.xml", &core)]
    {
        writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn a_new_folder_gets_a_manifest_that_opens_and_says_what_it_was_told() {
    let place = Place::new();
    place.bytes("in/現況届_2024.PDF", PDF);
    let arguments = [
        "in/現況届_2024.PDF",
        "--procedure",
        "現況届提出フォーム",
        "--tag",
        "smoke",
        "--weight",
        "2.5",
        "--licence",
        "CC0-1.0",
    ];
    place.add(&arguments).says(0, &["added pdf/2024-", "as `現況届_2024.PDF`", "to a new manifest"]);
    let manifest = place.manifest();
    for line in [
        "filename = \"現況届_2024.PDF\"",
        "procedures = [\"現況届提出フォーム\"]",
        "tags = [\"smoke\"]",
        "weight = 2.5",
        "licence = \"CC0-1.0\"",
        "source = \"added by hand on ",
    ] {
        assert!(manifest.contains(line), "{line} is missing in:\n{manifest}");
    }
    let stored = place.files().into_iter().find(|file| file.starts_with("files/pdf/2024-")).unwrap();
    assert!(stored.is_ascii(), "{stored}");
    assert_eq!(std::fs::read(place.path("att").join(stored)).unwrap(), PDF);
    place.run(&["corpus", "check", "att"]).says(0, &["att: 1 attachment, 0 errors, 0 warnings"]);
    place.run(&["corpus", "list", "--corpus", "att", "--set", "full"]).says(0, &["client:firefox", "name:nfd"]);
}

#[test]
fn comments_and_order_of_the_manifest_are_kept_and_its_line_ends_too() {
    let place = Place::new();
    place.bytes("att/old.txt", b"old\n");
    place.bytes("new.txt", b"new\n");
    for newline in ["\n", "\r\n"] {
        let before =
            "# ours\nname = 'x' # why\nschema_version=1\n\n[[attachment]]\nid='txt/old'\nfile='old.txt'\n  # last"
                .replace('\n', newline);
        place.write("att/manifest.toml", &before);
        place.add(&["new.txt"]).says(0, &["added txt/new: files/txt/new"]);
        let after = place.manifest();
        assert!(after.starts_with(&format!("{before}{newline}")), "{after}");
        assert!(after.replace("\r\n", "\n").contains("[[attachment]]\nid = \"txt/new\"\n"), "{after}");
        assert_eq!(after.matches('\n').count(), after.matches(newline).count(), "{after:?}");
    }
}

#[test]
fn a_decomposed_filename_stays_decomposed() {
    let place = Place::new();
    place.bytes(&format!("in/{NFD}"), PDF);
    place.add(&["in"]).says(0, &["added pdf/"]);
    assert!(place.manifest().contains(&format!("filename = \"{NFD}\"")), "{}", place.manifest());
    let listed = place.run(&["corpus", "list", "--corpus", "att", "--set", "smoke", "--json"]);
    let case: serde_json::Value = serde_json::from_str(listed.out.lines().next().unwrap()).unwrap();
    assert_eq!(case["filename"], NFD);
    assert!(place.files().iter().all(|file| file.is_ascii()), "{:?}", place.files());
}

#[test]
fn a_filename_that_toml_would_read_otherwise_is_escaped() {
    let place = Place::new();
    let name = "a\"b\\c\t'見積'.txt";
    place.bytes(&format!("in/{name}"), b"1");
    place.add(&["in"]).says(0, &[]);
    let listed = place.run(&["corpus", "list", "--corpus", "att", "--set", "smoke", "--json"]);
    let case: serde_json::Value = serde_json::from_str(listed.out.lines().next().unwrap()).unwrap();
    assert_eq!(case["filename"], name);
}

#[test]
fn what_is_in_the_corpus_already_is_not_added_again() {
    let place = Place::new();
    place.bytes("a.txt", b"same");
    place.bytes("b.txt", b"same");
    place.add(&["a.txt"]).says(0, &["added txt/a-"]);
    let before = place.manifest();
    place.add(&["a.txt"]).says(0, &["in the corpus already: a.txt is `txt/a-", "nothing to add"]);
    assert_eq!(place.manifest(), before);
    // The same bytes under another name are another upload.
    place.add(&["a.txt", "b.txt"]).says(0, &["in the corpus already: a.txt", "added txt/b-"]);
    place.run(&["corpus", "check", "att"]).says(0, &["att: 2 attachments, 0 errors"]);
}

#[test]
fn two_names_of_one_slug_get_two_ids_and_two_files() {
    let place = Place::new();
    place.bytes("1/Plan (1).txt", b"one");
    place.bytes("2/plan 1.txt", b"two");
    place
        .add(&["1/Plan (1).txt", "2/plan 1.txt"])
        .says(0, &["added txt/plan-1: files/txt/plan-1.txt", "added txt/plan-1-2: files/txt/plan-1-2.txt"]);
    place.bytes("3/PLAN_1.txt", b"three");
    place.add(&["3/PLAN_1.txt"]).says(0, &["added txt/plan-1-3"]);
    place.run(&["corpus", "check", "att"]).says(0, &["3 attachments, 0 errors"]);
}

#[test]
fn the_files_of_a_folder_without_a_manifest_keep_their_ids_and_are_not_lost() {
    let place = Place::new();
    place.bytes("att/sub/申請 書.TXT", b"1");
    place.bytes("att/README", b"2");
    place.bytes("new.txt", b"3");
    let ids = |ran: &Ran| ran.out.lines().map(|line| line.split("  ").next().unwrap().to_owned()).collect::<Vec<_>>();
    let list = ["corpus", "list", "--corpus", "att"];
    let before = ids(&place.run(&list));
    place.add(&["new.txt"]).says(0, &["which lists the 2 files that were here as well"]);
    let after = ids(&place.run(&list));
    assert_eq!(after[..2], before);
    assert_eq!(after.len(), 3);
    std::fs::remove_file(place.path("att/manifest.toml")).unwrap();
    place.bytes("more.txt", b"4");
    place.add(&["more.txt", "--scrub"]).says(0, &["leaves the files that are in the folder already as they are"]);
}

#[test]
fn a_file_that_lies_in_the_folder_is_listed_where_it_is() {
    let place = Place::new();
    place.bytes("a.txt", b"1");
    place.add(&["a.txt"]).says(0, &[]);
    place.bytes("att/files/ours/図面.txt", b"2");
    place.add(&["att"]).says(0, &["in the corpus already", "added txt/", "files/ours/図面.txt"]);
    assert_eq!(place.files().len(), 3, "{:?}", place.files());
    place.bytes("att/files/ours/more.txt", b"3");
    place.add(&["att/files/ours/more.txt", "--scrub"]).says(2, &["lies in the corpus's folder", "move it out"]);
}

#[test]
fn scrubbing_says_what_it_removed_and_leaves_none_of_it() {
    let place = Place::new();
    place.bytes("in/届.docx", &docx());
    let photo = built_in("jpeg/site-photo.jpg");
    let words = ["removed OOXML creator `Tanaka Hanako`", "removed EXIF GPS `35.53090,139.70300`", "faces in pictures"];
    place.add(&["in/届.docx", &photo, "--scrub"]).says(0, &words);
    let files = place.files();
    assert_eq!(files.len(), 3, "{files:?}");
    for file in files.iter().filter(|file| file.starts_with("files/")) {
        let bytes = std::fs::read(place.path("att").join(file)).unwrap();
        assert!(memchr::memmem::find(&bytes, b"Exif").is_none(), "{file}");
        if file.starts_with("files/docx/") {
            let mut text = String::new();
            zip::ZipArchive::new(Cursor::new(bytes))
                .unwrap()
                .by_name("docProps/core.xml")
                .unwrap()
                .read_to_string(&mut text)
                .unwrap();
            assert!(!text.contains(NAME), "{text}");
        }
    }
    place.run(&["corpus", "check", "att"]).says(0, &["0 errors"]);
    assert!(!place.run(&["corpus", "check", "att"]).out.contains("personal data"));
    // The same originals again are known by what is left of them.
    place.add(&["in/届.docx", &photo, "--scrub"]).says(0, &["nothing to add"]);
}

#[test]
fn without_scrubbing_a_warning_says_what_is_in_the_file() {
    let place = Place::new();
    place.bytes("in/届.docx", &docx());
    place
        .add(&["in/届.docx"])
        .says(0, &["may hold personal data: OOXML creator `Tanaka Hanako`", "`--scrub` removes metadata"]);
    place.run(&["corpus", "check", "att"]).says(0, &["OOXML creator `Tanaka Hanako`", "--scrub", "fictional = true"]);
    place.write("att/manifest.toml", &(place.manifest() + "fictional = true\n"));
    assert!(!place.run(&["corpus", "check", "att"]).out.contains("personal data"));
}

#[test]
fn one_file_that_cannot_be_scrubbed_keeps_all_out() {
    let place = Place::new();
    place.bytes("a.txt", b"1");
    let (locked, zip) = (built_in("pdf/encrypted.pdf"), built_in("zip/photos-utf8.zip"));
    place.add(&["a.txt", &locked, &zip, "gone.txt", "--scrub"]).says(
        2,
        &[
            "is encrypted",
            "qpdf --decrypt",
            "cannot be scrubbed",
            "exiftool",
            "gone.txt",
            "there is no such file",
            "nothing was added: 3 errors",
        ],
    );
    assert!(!place.path("att").exists());
}

#[test]
fn a_control_is_not_added_as_a_legitimate_file() {
    let place = Place::new();
    // Put together here, so that no scanner takes this file away.
    let eicar = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$EI", "CAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat();
    place.write("in/ご意見.txt", &format!("{eicar}\n"));
    place.add(&["in"]).says(2, &["EICAR test string", "intent = \"control\"", "nothing was added"]);
    place.write("in/ご意見.txt", "a comment");
    place.bytes("att/shell.txt", b"bad");
    place.bytes("att/good.txt", b"good");
    place.write(
        "att/manifest.toml",
        "schema_version = 1\nname = 'x'\n[[attachment]]\nid = 'txt/g'\nfile = 'good.txt'\n\
         [[attachment]]\nid = 'c/s'\nfile = 'shell.txt'\nintent = 'control'\ntwin = 'txt/g'\n",
    );
    place.bytes("copy.txt", b"bad");
    place.add(&["copy.txt"]).says(2, &["has the bytes of the control `c/s`"]);
}

#[test]
fn a_dry_run_says_it_all_and_writes_nothing() {
    let place = Place::new();
    let photo = built_in("jpeg/site-photo.jpg");
    place.add(&[&photo, "--scrub", "--dry-run"]).says(0, &["would add jpeg/site-photo", "would remove EXIF GPS"]);
    assert!(!place.path("att").exists());
}

#[test]
fn wrong_usage_says_what_to_do() {
    let place = Place::new();
    place.bytes("a.txt", b"1");
    place.bytes("b.txt", b"2");
    place
        .run(&["corpus", "add", "a.txt"])
        .says(2, &["the built-in one is part of the program", "--corpus DIR", "wafcanary.toml"]);
    place.run(&["corpus", "add", "--corpus", "a.txt", "b.txt"]).says(2, &["the corpus is a file"]);
    place.add(&["a.txt", "b.txt", "--id", "txt/x"]).says(2, &["`--id` names one file"]);
    place.add(&["a.txt", "--id", "no family"]).says(2, &["is no attachment id"]);
    place.add(&["a.txt", "--weight", "nan"]).says(2, &["a weight is a number"]);
    place.add(&["a.txt", "--id", "届/計画"]).says(0, &["added 届/計画: files/other/"]);
    place.add(&["b.txt", "--id", "届/計画"]).says(2, &["has an attachment `届/計画` already"]);
    place.write("wafcanary.toml", "corpus = \"att\"\n");
    place.run(&["corpus", "add", "b.txt"]).says(0, &["added txt/b-"]);
}

#[test]
fn a_procedure_that_is_nearly_spelt_like_another_is_a_warning() {
    let place = Place::new();
    place.bytes("a.txt", b"1");
    place.bytes("b.txt", b"2");
    let right = "市民文化局事業等の共催及び後援申請";
    place.add(&["a.txt", "--procedure", right]).says(0, &[]);
    let slip = "市民文化局事業等の共催および後援申請";
    place
        .add(&["b.txt", "--procedure", slip])
        .says(0, &["warning: no attachment has the procedure", &format!("is `{right}` meant?")]);
}

#[test]
fn a_manifest_that_is_not_sound_is_shown_and_left_alone() {
    let place = Place::new();
    place.bytes("a.txt", b"1");
    let broken = "schema_version = 1\nname = 'x'\n[[attachment]]\nid = 'txt/a'\nfil = 'a.txt'\n";
    place.write("att/manifest.toml", broken);
    place.add(&["a.txt"]).says(2, &["unknown key", "manifest.toml:5", "did you mean `file`"]);
    assert_eq!(place.manifest(), broken);
    place.write("att/manifest.toml", "schema_version = 1\nname = 'x'\nattachment = []\n");
    place.add(&["a.txt"]).says(2, &["attachments are written inline", "[[attachment]]"]);
    std::fs::remove_file(place.path("att/manifest.toml")).unwrap();
    std::fs::create_dir(place.path("att/manifest.toml")).unwrap();
    place.add(&["a.txt"]).says(2, &["cannot read the manifest"]);
    assert_eq!(place.files(), Vec::<String>::new());
}

#[test]
fn an_empty_manifest_is_filled() {
    let place = Place::new();
    place.bytes("a.txt", b"1");
    place.write("att/manifest.toml", "schema_version = 1\nname = 'x'\n");
    place.run(&["corpus", "check", "att"]).says(2, &["the corpus is empty", "corpus add"]);
    place.add(&["a.txt"]).says(0, &["added txt/a-"]);
    place.run(&["corpus", "check", "att"]).says(0, &["x: 1 attachment"]);
}

#[test]
fn a_folder_that_cannot_be_written_leaves_the_corpus_as_it_was() {
    let place = Place::new();
    place.bytes("a.txt", b"1");
    place.bytes("b.pdf", PDF);
    place.add(&["a.txt"]).says(0, &[]);
    let before = place.manifest();
    // Root may write anywhere, but not below a file.
    place.bytes("att/files/pdf", b"in the way");
    place.bytes("c.txt", b"3");
    place.add(&["c.txt", "b.pdf"]).says(2, &["cannot write the file", "the manifest is as it was"]);
    assert_eq!(place.manifest(), before);
    assert!(
        !place.files().iter().any(|file| file.contains("/c-")),
        "what was copied is taken back: {:?}",
        place.files()
    );
    place.run(&["corpus", "add", "--corpus", "/proc/wafcanary", "a.txt"]).says(2, &["cannot write the corpus"]);
}

#[test]
fn killed_while_it_copies_it_leaves_a_corpus_that_opens() {
    let place = Place::new();
    place.bytes("a.txt", b"1");
    place.add(&["a.txt"]).says(0, &[]);
    let before = place.manifest();
    let large = std::fs::File::create(place.path("large.bin")).unwrap();
    large.set_len(96 << 20).unwrap();
    let mut child = place
        .command(&["corpus", "add", "--corpus", "att", "large.bin"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let copying = || place.files().iter().any(|file| file.starts_with("files/bin/"));
    while !copying() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(copying());
    assert_eq!(place.manifest(), before, "it was killed too late to prove anything");
    place.run(&["corpus", "check", "att"]).says(0, &["1 attachment, 0 errors"]);
    place.add(&["large.bin"]).says(0, &["added bin/large"]);
    place.run(&["corpus", "check", "att"]).says(0, &["2 attachments, 0 errors"]);
}

#[test]
fn killed_in_a_new_folder_it_leaves_no_manifest_and_nothing_that_is_taken_for_an_attachment() {
    let place = Place::new();
    place.bytes("a.txt", b"1");
    std::fs::File::create(place.path("large.bin")).unwrap().set_len(96 << 20).unwrap();
    let mut command = place.command(&["corpus", "add", "--corpus", "att", "large.bin"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !place.files().iter().any(|file| file.starts_with("files/bin/")) && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!place.path("att/manifest.toml").exists(), "{:?}", place.files());
    place.add(&["a.txt"]).says(0, &["added 1 attachment to a new manifest; say in it"]);
    place.run(&["corpus", "check", "att"]).says(0, &["att: 1 attachment, 0 errors"]);
}

#[test]
fn check_gives_one_object_a_finding() {
    let place = Place::new();
    place.write("att/a.jpg", "%PDF-1.7");
    place.write("att/manifest.toml", "schema_version = 1\nname = 'x'\nlicence = 'CC0-1.0'\n[[attachment]]\nid = 'a/a'\nfile = 'a.jpg'\nsource = 's'\n");
    let ran = place.run(&["corpus", "check", "att", "--json"]);
    ran.says(0, &["x: 1 attachment, 0 errors, 1 warning"]);
    let found: serde_json::Value = serde_json::from_str(ran.out.lines().next().unwrap()).unwrap();
    assert_eq!(found["level"], "warning");
    assert_eq!(found["message"], "`a/a` is PDF and not what `.jpg` promises");
    assert_eq!((found["file"].as_str(), found["line"].as_u64()), (Some("att/manifest.toml"), Some(5)));
    assert!(found["help"].as_str().unwrap().contains("tag `mismatch`"));
}

#[test]
fn a_corpus_that_does_not_open_is_json_lines_too() {
    let place = Place::new();
    place.bytes("att/a.txt", b"1");
    let manifest = "schema_version = 1\nname = 'x'\n[[attachment]]\nid = 'a/a'\nfile = 'gone.txt'\n\
                    [[attachment]]\nid = 'a/b'\nfile = 'a.txt'\nclient = 'netscape'\n";
    place.write("att/manifest.toml", manifest);
    let ran = place.run(&["corpus", "check", "att", "--json"]);
    ran.says(2, &["the corpus does not open: 2 errors"]);
    let found: Vec<serde_json::Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    for (line, message) in [(5, "cannot read `gone.txt`"), (9, "unknown client `netscape`")] {
        let error = found.iter().find(|error| error["line"] == line).unwrap();
        assert!(error["message"].as_str().unwrap().contains(message), "{error}");
        assert_eq!((&error["level"], &error["file"]), (&"error".into(), &"att/manifest.toml".into()));
        assert!(error["help"].is_string());
    }
    place.run(&["corpus", "check", "att"]).says(2, &["gone.txt", "netscape"]);
    place.run(&["corpus", "check", "nowhere", "--json"]).says(2, &["\"level\":\"error\"", "cannot open the corpus"]);
}

#[test]
fn check_finds_files_that_nothing_lists() {
    let place = Place::new();
    place.bytes("a.txt", b"1");
    place.add(&["a.txt"]).says(0, &[]);
    place.bytes("att/files/txt/stray.txt", b"2");
    place.run(&["corpus", "check", "att"]).says(0, &["warning: 1 file below `files/`", "files/txt/stray.txt"]);
}

#[test]
fn scrubbing_what_lies_unscrubbed_in_the_corpus_is_no_success() {
    let place = Place::new();
    place.bytes("in/届.docx", &docx());
    place.bytes("in/copy.docx", &docx());
    place.add(&["in/届.docx", "--id", "docx/form"]).says(0, &[]);
    let before = place.manifest();
    for file in ["in/届.docx", "in/copy.docx", "att/files/docx/form.docx"] {
        place.add(&[file, "--scrub"]).says(
            2,
            &["the corpus has this file as `docx/form`, with its metadata", "take `docx/form` out of the manifest"],
        );
    }
    assert_eq!(place.manifest(), before);
    place.bytes("a.txt", b"1");
    place.add(&["a.txt"]).says(0, &[]);
    place.add(&["a.txt", "--scrub"]).says(0, &["in the corpus already"]);
}

#[test]
fn an_address_in_text_is_not_promised_to_be_scrubbed() {
    let place = Place::new();
    place.bytes("a.txt", b"taro@city.kawasaki.jp");
    let ran = place.add(&["a.txt"]);
    ran.says(0, &["the mail address `taro@city.kawasaki.jp`", "text cannot be scrubbed"]);
    assert!(!ran.err.contains("`--scrub` removes"), "{}", ran.err);
    let checked = place.run(&["corpus", "check", "att"]);
    checked.says(0, &["text cannot be scrubbed", "fictional = true"]);
    assert!(!checked.out.contains("corpus add --scrub"), "{}", checked.out);
}

#[test]
fn a_mail_that_is_named_like_text_is_not_called_clean() {
    let place = Place::new();
    place.bytes("mail.txt", "\u{feff}From: Tanaka Hanako\nTo: a\n\nhello\n".as_bytes());
    place.bytes("map.geojson", b"{\"author\": \"Tanaka Hanako\"}");
    place.add(&["mail.txt", "map.geojson", "--scrub"]).says(2, &["like that of a mail", "nothing was added: 2 errors"]);
}

#[test]
fn what_is_said_of_a_file_that_is_there_already_is_not_lost_in_silence() {
    let place = Place::new();
    place.bytes("a.txt", b"1");
    place.add(&["a.txt", "--id", "txt/a", "--procedure", "届出", "--tag", "smoke"]).says(0, &[]);
    place.add(&["a.txt", "--procedure", "届出", "--tag", "smoke"]).says(0, &["in the corpus already"]);
    place.add(&["a.txt", "--procedure", "申請", "--tag", "photo"]).says(
        2,
        &["as `txt/a`, without the procedure `申請` and the tag `photo`", "write it to `txt/a` in the manifest"],
    );
}

#[test]
fn two_at_a_time_lose_nothing() {
    const EACH: usize = 12;
    let place = Place::new();
    for number in 0..EACH {
        place.bytes(&format!("{number}/same.txt"), format!("number {number}").as_bytes());
    }
    let children: Vec<_> = (0..EACH)
        .map(|number| {
            let file = format!("{number}/same.txt");
            let mut command = place.command(&["corpus", "add", "--corpus", "att", &file]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    place.run(&["corpus", "check", "att"]).says(0, &[&format!("att: {EACH} attachments, 0 errors, ")]);
    assert_eq!(place.files().len(), EACH + 1, "{:?}", place.files());
}

#[test]
fn a_new_folder_that_cannot_be_filled_is_taken_back() {
    let place = Place::new();
    place.bytes("a.txt", b"1");
    place.bytes("att/files", b"in the way");
    place.add(&["a.txt"]).says(2, &["cannot write the file", "no manifest was made"]);
    assert_eq!(place.files(), ["files"]);
    place.run(&["corpus", "list", "--corpus", "att"]).says(0, &["1 cases"]);
}

#[test]
fn a_licence_is_an_expression_and_an_id_has_no_dots_for_segments() {
    let place = Place::new();
    place.bytes("a.txt", b"1");
    place.add(&["a.txt", "--licence", "our own"]).says(2, &["`our own` is no SPDX licence expression", "LicenseRef-"]);
    for id in ["../a", "txt/..", "./a", "txt/./a"] {
        place.add(&["a.txt", "--id", id]).says(2, &["is no attachment id"]);
    }
    assert!(!place.path("att").exists());
}

#[test]
fn what_git_and_systems_leave_in_a_folder_is_left_out_and_told() {
    let place = Place::new();
    for file in ["in/a.txt", "in/.git/config", "in/.DS_Store", "in/sub/thumbs.db", "in/.hidden.txt"] {
        place.bytes(file, file.as_bytes());
    }
    place.add(&["in"]).says(0, &["left out of `in`: 3 that", ".DS_Store", "added 2 attachments"]);
    place.add(&["in/.DS_Store"]).says(0, &["added 1 attachment"]);
}

#[test]
fn names_of_windows_devices_are_not_names_of_files() {
    let place = Place::new();
    place.bytes("in/AUX.txt", b"1");
    place.bytes("in/table.aux", b"2");
    place.add(&["in"]).says(0, &["files/txt/aux-", "files/other/table.aux"]);
}

#[test]
fn check_and_stats_take_the_folder_of_the_variable() {
    let place = Place::new();
    place.write("att/a.txt", "1");
    for command in ["check", "stats"] {
        ran(place.command(&["corpus", command]).env("WAFCANARY_CORPUS", "att")).says(0, &["att: 1 attachment"]);
    }
}

#[test]
fn the_built_in_corpus_has_no_warning() {
    Place::new().run(&["corpus", "check"]).says(0, &[" 0 errors, 0 warnings"]);
}

#[test]
fn stats_count_and_name_the_gaps() {
    let place = Place::new();
    place.bytes("att/申請 書.pdf", PDF);
    place.bytes("att/b.txt", &[b'a'; 9000]);
    let words = [
        "att: 2 attachments, 0 controls, 2 cases",
        "Not covered",
        "common formats: jpg, png",
        "16 KiB to 32 KiB",
        "sjis-5c",
    ];
    let ran = place.run(&["corpus", "stats", "--corpus", "att"]);
    ran.says(0, &words);
    let row = |name: &str| {
        ran.out.lines().find(|line| line.starts_with(name)).unwrap().split_whitespace().collect::<Vec<_>>()
    };
    assert_eq!(row("txt")[..5], ["txt", "1", "1", "·", "1"]);
    assert_eq!(row("japanese"), ["japanese", "1"]);
    let json = place.run(&["corpus", "stats", "--corpus", "att", "--json"]);
    let stats: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(stats["schema_version"], 1);
    assert_eq!(stats["formats"]["txt"]["sizes"]["16KiB"], 1);
    assert_eq!(stats["names"]["space"], 1);
    assert!(stats["cells"].as_array().unwrap().contains(&serde_json::json!({
        "format": "pdf", "size": "8KiB", "name": "japanese", "cases": 1,
    })));
    assert!(stats["not_covered"]["formats"].as_array().unwrap().contains(&"jtd".into()));
    place
        .run(&["corpus", "stats", "--corpus", "att", "--case", "txt/*"])
        .says(0, &["1 attachment, 0 controls, 1 case"]);
}

#[test]
fn columns_of_japanese_text_stand_below_each_other() {
    let ran = Place::new().run(&["corpus", "stats"]);
    let start = ran.out.lines().position(|line| line.starts_with("Procedure")).unwrap();
    let rows: Vec<&str> = ran.out.lines().skip(start).take_while(|line| !line.is_empty()).collect();
    assert!(rows.len() > 10);
    let ends: std::collections::BTreeSet<usize> =
        rows.iter().map(|row| unicode_width::UnicodeWidthStr::width(*row)).collect();
    assert_eq!(ends.len(), 1, "{rows:#?}");
}
