//! A corpus that is not sound is refused with its place and a way out; a sound one always makes the same cases.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use tempfile::TempDir;
use wafcanary::corpus::{Case, Corpus, Intent, Kind, Level, Selection, Set, lint, selection_digest};

const HEAD: &str = "schema_version = 1\nname = 'test'\n";
const ONE: &str = "[[attachment]]\nid = 'txt/a'\nfile = 'a.txt'\n";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (file, text) in files {
        let path = dir.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn with_manifest(manifest: &str) -> TempDir {
    folder(&[("a.txt", "one\n"), ("b.txt", "two\n"), ("manifest.toml", manifest)])
}

/// Every error of opening the folder, as people read them, without the place of the test.
fn errors(dir: &Path) -> String {
    let errors = Corpus::open_collecting(dir).unwrap_err();
    let text: Vec<String> = errors.iter().map(|error| error.render(false)).collect();
    text.join("\n").replace(&dir.display().to_string(), "DIR").replace('\\', "/")
}

fn builtin() -> Corpus {
    Corpus::builtin().unwrap()
}

fn select(corpus: &Corpus, set: Set) -> Vec<Case> {
    corpus.select(&Selection { set, controls: true, ..Selection::default() }).unwrap()
}

fn ids(cases: &[Case]) -> Vec<&str> {
    cases.iter().map(|case| case.id.as_str()).collect()
}

#[test]
fn every_bad_manifest_is_refused_with_its_place_and_a_way_out() {
    let zeros = "0".repeat(64);
    let cases = [
        ("unknown key", format!("{HEAD}{ONE}filname = 'x'\n")),
        ("duplicate id", format!("{HEAD}{ONE}{ONE}")),
        ("missing file", format!("{HEAD}[[attachment]]\nid = 'txt/a'\nfile = 'gone.txt'\n")),
        ("another digest", format!("{HEAD}{ONE}sha256 = '{zeros}'\n")),
        ("no digest", format!("{HEAD}{ONE}sha256 = 'abc'\n")),
        ("unknown client", format!("{HEAD}[axes]\nclient = ['chromium', 'firefix']\n{ONE}")),
        ("unknown name form", format!("{HEAD}{ONE}axes = {{ name = ['sjis-5d'] }}\n")),
        ("bad size", format!("{HEAD}{ONE}size = '1.5MB'\n")),
        ("smaller than the file", format!("{HEAD}{ONE}size = 1\n")),
        ("control without twin", format!("{HEAD}{ONE}intent = 'control'\n")),
        (
            "unknown twin",
            format!("{HEAD}{ONE}[[attachment]]\nid = 'c/b'\nfile = 'b.txt'\nintent = 'control'\ntwin = 'txt/b'\n"),
        ),
        ("outside the folder", format!("{HEAD}[[attachment]]\nid = 'txt/a'\nfile = '../a.txt'\n")),
        ("folder in place of a file", format!("{HEAD}[[attachment]]\nid = 'txt/a'\nfile = 'sub'\n")),
        ("syntax", format!("{HEAD}{ONE}tags = ['a'\n")),
        ("no attachment", HEAD.to_owned()),
        ("another version", "schema_version = 2\nname = 'test'\n".to_owned()),
        ("bad id", format!("{HEAD}[[attachment]]\nid = 'a b'\nfile = 'a.txt'\n")),
        ("bad weight", format!("{HEAD}{ONE}weight = -1\n")),
        ("unknown key of a form", format!("{HEAD}{ONE}wire = {{ feild = 'x' }}\n")),
        ("form without a form", format!("{HEAD}{ONE}transport = 'put'\nwire = {{ field = 'x' }}\n")),
        ("field without a name", format!("{HEAD}{ONE}wire = {{ field = '' }}\n")),
        ("bad boundary", format!("{HEAD}{ONE}wire = {{ boundary = 'a ' }}\n")),
        ("bare boundary that needs quotes", format!("{HEAD}{ONE}wire = {{ boundary = 'a:b' }}\n")),
        ("bad parameter", format!("{HEAD}{ONE}wire = {{ parameters = [{{ name = 'a b', value = 'x' }}] }}\n")),
        (
            "a header of the client's and a line end",
            format!("{HEAD}{ONE}wire = {{ part_headers = [{{ name = 'content-type', value = \"x\\r\\ny\" }}] }}\n"),
        ),
    ];
    let mut told = String::new();
    for (what, manifest) in cases {
        let dir = with_manifest(&manifest);
        fs::create_dir(dir.path().join("sub")).unwrap();
        write!(told, "## {what}\n{}\n\n", errors(dir.path())).unwrap();
    }
    insta::assert_snapshot!(told);
}

#[test]
fn a_folder_that_cannot_be_a_corpus_is_refused_with_a_way_out() {
    let dir = folder(&[("file", "x")]);
    fs::create_dir(dir.path().join("empty")).unwrap();
    fs::create_dir_all(dir.path().join("odd/manifest.toml")).unwrap();
    let mut told = String::new();
    for name in ["empty", "gone", "file"] {
        let text = errors(&dir.path().join(name));
        write!(told, "## {name}\n{text}\n\n").unwrap();
    }
    insta::assert_snapshot!(told);
    // The words of the operating system differ; what matters is that it is not taken for a folder without one.
    assert!(errors(&dir.path().join("odd")).contains("cannot read the manifest"));
}

#[test]
fn all_errors_of_a_manifest_are_told_at_once() {
    let dir = with_manifest(&format!("{HEAD}{ONE}weight = -1\nclient = 'x'\nsize = 'y'\n"));
    assert_eq!(Corpus::open_collecting(dir.path()).unwrap_err().len(), 3);
}

#[cfg(unix)]
#[test]
fn links_that_lead_nowhere_or_outside_are_refused() {
    let outside = folder(&[("secret", "x")]);
    let dir = with_manifest(&format!("{HEAD}[[attachment]]\nid = 'x/a'\nfile = 'link'\n"));
    std::os::unix::fs::symlink(dir.path().join("gone"), dir.path().join("link")).unwrap();
    assert!(errors(dir.path()).contains("cannot read `link`: there is no such file"));
    fs::remove_file(dir.path().join("link")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret"), dir.path().join("link")).unwrap();
    assert!(errors(dir.path()).contains("a link to a file outside the manifest's folder"));
    let bare = folder(&[("a.txt", "x")]);
    std::os::unix::fs::symlink(bare.path().join("gone"), bare.path().join("link")).unwrap();
    assert!(errors(bare.path()).contains("cannot read this file of the corpus: there is no such file"));
}

#[test]
fn the_built_in_corpus_opens_without_warnings_and_lints_without_errors() {
    let corpus = builtin();
    assert_eq!(corpus.warnings, Vec::<String>::new());
    let bad: Vec<_> = lint(&corpus).into_iter().filter(|lint| lint.level != Level::Note).collect();
    assert_eq!(bad, []);
    assert!(corpus.attachments.len() > 40);
}

#[test]
fn the_smoke_set_has_at_most_20_cases_and_controls_only_when_allowed() {
    let corpus = builtin();
    let smoke = select(&corpus, Set::Smoke);
    assert!((5..=20).contains(&smoke.len()), "{}", smoke.len());
    assert!(smoke.iter().any(|case| case.attachment.intent == Intent::Control));
    let legit = corpus.select(&Selection { set: Set::Smoke, ..Selection::default() }).unwrap();
    assert!(legit.iter().all(|case| case.attachment.intent == Intent::Legit) && !legit.is_empty());
}

/// The five axis values of a case, its own ones too.
fn values(case: &Case) -> [String; 5] {
    let axis = |name: &str| case.id.axis(name).unwrap_or("own").to_owned();
    let client = case.client.as_str().to_owned();
    // NOTE: the type that an attachment fixes may be one of the axis.
    let declared_type = format!("{:?}", case.declared_type);
    [axis("name"), declared_type, client, case.transport.as_str().to_owned(), axis("size")]
}

fn pairs(cases: &[Case]) -> HashSet<(usize, String, usize, String)> {
    let mut pairs = HashSet::new();
    for values in cases.iter().map(values) {
        for left in 0..values.len() {
            for right in left + 1..values.len() {
                pairs.insert((left, values[left].clone(), right, values[right].clone()));
            }
        }
    }
    pairs
}

/// The values that cases of each kind of file have. The kind is that of the attachment: forms change the case's name.
fn by_kind(corpus: &Corpus, cases: &[Case]) -> BTreeMap<Kind, HashSet<(usize, String)>> {
    let names = corpus.attachments.iter().map(|entry| (&entry.attachment.id, &entry.filename.text));
    let names: BTreeMap<&String, &String> = names.collect();
    let mut kinds: BTreeMap<Kind, HashSet<(usize, String)>> = BTreeMap::new();
    for case in cases {
        let kind = Kind::of(names[&case.attachment.id]);
        kinds.entry(kind).or_default().extend(values(case).into_iter().enumerate());
    }
    kinds
}

#[test]
fn the_standard_set_is_small_and_has_every_attachment_every_value_of_a_kind_and_every_pair() {
    let corpus = builtin();
    let (standard, full) = (select(&corpus, Set::Standard), select(&corpus, Set::Full));
    assert!(standard.len() <= 500, "{} cases: an A/A/B comparison needs over 1,500 requests", standard.len());
    let known: HashSet<&str> = ids(&standard).into_iter().collect();
    let missing: Vec<_> =
        corpus.attachments.iter().filter(|entry| !known.contains(entry.attachment.id.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(by_kind(&corpus, &standard), by_kind(&corpus, &full));
    assert_eq!(pairs(&standard), pairs(&full));
}

#[test]
fn each_control_is_one_case_and_none_where_nobody_agreed_to_controls() {
    let corpus = builtin();
    let is_control = |intent: Intent| intent == Intent::Control;
    let declared = corpus.attachments.iter().filter(|entry| is_control(entry.attachment.intent)).count();
    assert!(declared >= 25, "{declared} controls");
    for set in [Set::Smoke, Set::Standard, Set::Full] {
        let sent = select(&corpus, set).iter().filter(|case| is_control(case.attachment.intent)).count();
        assert_eq!(sent, if set == Set::Smoke { 2 } else { declared }, "{set:?}");
        let unauthorised = corpus.select(&Selection { set, ..Selection::default() }).unwrap();
        assert!(unauthorised.iter().all(|case| !is_control(case.attachment.intent)), "{set:?}");
    }
}

#[test]
fn the_ids_of_a_set_are_those_of_the_full_set_and_their_cases_are_the_same() {
    let corpus = builtin();
    let full: BTreeMap<String, Case> =
        select(&corpus, Set::Full).into_iter().map(|case| (case.id.to_string(), case)).collect();
    for set in [Set::Smoke, Set::Standard] {
        for case in select(&corpus, set) {
            let same = full.get(case.id.as_str()).unwrap();
            assert_eq!(selection_digest(std::slice::from_ref(same)), selection_digest(&[case]));
        }
    }
}

#[test]
fn a_form_that_an_attachment_writes_itself_is_another_upload_and_travels_as_a_form_only() {
    let axes = "axes = { transport = ['multipart', 'put'] }\n";
    let plain = with_manifest(&format!("{HEAD}{ONE}{axes}"));
    let plain = select(&Corpus::open(plain.path()).unwrap(), Set::Full);
    assert_eq!(ids(&plain), ["txt/a", "txt/a~transport:put"]);
    let mut digests = HashSet::from([selection_digest(&plain[..1])]);
    for wire in [
        "field = 'file'",
        "boundary = 'file'",
        "quoted_boundary = true",
        "parameters = [{ name = 'file', value = '' }]",
        "part_headers = [{ name = 'file', value = '' }]",
    ] {
        let dir = with_manifest(&format!("{HEAD}{ONE}{axes}wire = {{ {wire} }}\n"));
        let corpus = Corpus::open(dir.path()).unwrap();
        assert!(corpus.warnings[0].contains("only a form has what `wire` says"), "{:?}", corpus.warnings);
        let cases = select(&corpus, Set::Full);
        assert_eq!(ids(&cases), ["txt/a"], "{wire}");
        assert!(digests.insert(selection_digest(&cases)), "{wire} gives the digest of another");
        let boundaries = cases[0].under_boundaries(2).count();
        assert_eq!(boundaries, if wire.starts_with("boundary") { 1 } else { 3 }, "{wire}");
    }
    let dir = with_manifest(&format!("{HEAD}{ONE}wire = {{}}\n"));
    let empty = select(&Corpus::open(dir.path()).unwrap(), Set::Full);
    assert_eq!(selection_digest(&empty), selection_digest(&plain[..1]));
}

#[test]
fn two_selections_of_the_same_corpus_are_equal_and_their_digest_does_not_mind_the_order() {
    let (a, mut b) = (select(&builtin(), Set::Standard), select(&builtin(), Set::Standard));
    assert_eq!(ids(&a), ids(&b));
    b.reverse();
    assert_eq!(selection_digest(&a), selection_digest(&b));
    assert_ne!(selection_digest(&a), selection_digest(&b[1..]));
}

#[test]
fn a_whole_id_is_found_whatever_the_set() {
    let corpus = builtin();
    let id = "pdf/drainage-plan~name:sjis-5c~type:application/octet-stream~client:firefox";
    for set in [Set::Smoke, Set::Standard, Set::Full] {
        let selection = Selection { set, cases: vec![id.into()], ..Selection::default() };
        assert_eq!(ids(&corpus.select(&selection).unwrap()), [id]);
    }
}

#[test]
fn filters_of_one_kind_widen_and_of_different_kinds_narrow() {
    let dir = with_manifest(&format!(
        "{HEAD}{ONE}tags = ['x', 'y']\nprocedures = ['届出']\n\
         [[attachment]]\nid = 'txt/b'\nfile = 'b.txt'\ntags = ['y']\n\
         [[attachment]]\nid = 'c/c'\nfile = 'b.txt'\nintent = 'control'\ntwin = 'txt/a'\ntags = ['x']\n"
    ));
    let corpus = Corpus::open(dir.path()).unwrap();
    let pick = |change: fn(&mut Selection)| {
        let mut selection = Selection::default();
        change(&mut selection);
        let cases = corpus.select(&selection).map_err(|error| error.to_string())?;
        Ok::<_, String>(ids(&cases).join(" "))
    };
    assert_eq!(pick(|_| ()).unwrap(), "txt/a txt/b");
    assert_eq!(pick(|s| s.controls = true).unwrap(), "txt/a txt/b c/c");
    assert_eq!(pick(|s| s.tags = vec!["x".into()]).unwrap(), "txt/a");
    assert_eq!(pick(|s| s.tags = vec!["x".into(), "y".into()]).unwrap(), "txt/a txt/b");
    assert_eq!(pick(|s| s.procedures = vec!["届*".into()]).unwrap(), "txt/a");
    assert_eq!(pick(|s| s.cases = vec!["*/b".into()]).unwrap(), "txt/b");
    assert_eq!(pick(|s| s.exclude = vec!["*/b".into()]).unwrap(), "txt/a");
    assert!(pick(|s| s.tags = vec!["z".into()]).unwrap_err().contains("no attachment has a tag that matches `z`"));
    assert!(pick(|s| s.exclude = vec!["*".into()]).unwrap_err().contains("excluding `*` leaves no case"));
    assert!(pick(|s| s.cases = vec!["q*".into()]).unwrap_err().contains("none of the 2 cases matches `q*`"));
    assert!(pick(|s| s.cases = vec!["[".into()]).unwrap_err().contains("`[` is no glob"));
}

#[test]
fn a_folder_without_a_manifest_gives_the_same_ids_wherever_it_is() {
    let files = [("z.pdf", "1"), ("sub/申請 書.TXT", "2"), ("README", "3"), (".hidden", "4")];
    let mut turned = files;
    turned.reverse();
    let (a, b) = (folder(&files), folder(&turned));
    let (a, b) = (Corpus::open(a.path()).unwrap(), Corpus::open(b.path()).unwrap());
    let cases = select(&a, Set::Standard);
    assert_eq!(ids(&cases), ["other/.hidden", "other/README", "txt/sub/申請%20書.TXT", "pdf/z.pdf"]);
    assert_eq!(selection_digest(&cases), selection_digest(&select(&b, Set::Standard)));
    assert_eq!(a.digest, b.digest);
}

#[test]
fn a_file_that_changes_between_opening_and_sending_is_refused() {
    let dir = folder(&[("a.txt", "as it was")]);
    let cases = select(&Corpus::open(dir.path()).unwrap(), Set::Standard);
    fs::write(dir.path().join("a.txt"), "another and longer text").unwrap();
    let error = cases[0].content.reader().read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    assert!(error.to_string().contains("changed while it was being used"), "{error}");
}
