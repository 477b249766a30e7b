//! Kinds of triggers that no search may count on: some are not to be found at all, and none may be stated wrongly.

use encoding_rs::{SHIFT_JIS, UTF_8};
use memchr::memmem;
use wafcanary::corpus::{Beside, Case, Content, Filename, FormOverrides, Hex, PageCharset, Transport, canary};
use wafcanary::explain::{Detail, Factor, references};

use super::chance::Chance;
use super::grade::Want;
use super::kinds::{
    Kind, Marked, NAME_PARTS, anywhere, content_bytes, extension, lacks, letters, mark, name_characters, named,
    patterns, planted_bytes, planted_name, renamed, some_file, some_marked,
};
use super::plant::{Nursery, Seedling, bytes, has_extension, overlaid, split};

/// All hard kinds.
pub(crate) const HARD: &[Kind] = &[
    Kind { name: "name bytes", times: 14, draw: name_bytes },
    Kind { name: "not as named", times: 16, draw: not_as_named },
    Kind { name: "not as named, no kin", times: 8, draw: not_as_named_without_kin },
    Kind { name: "too small", times: 12, draw: too_small },
    Kind { name: "bytes beyond ascii", times: 10, draw: beyond_ascii },
    Kind { name: "random, bytes", times: 14, draw: random_and_bytes },
    Kind { name: "random, name", times: 10, draw: random_and_name },
    Kind { name: "ban", times: 18, draw: ban },
    Kind { name: "field characters", times: 10, draw: field_characters },
    Kind { name: "form", times: 14, draw: form },
    Kind { name: "put, bytes", times: 8, draw: put_and_bytes },
    Kind { name: "json, bytes", times: 4, draw: json_and_bytes },
    Kind { name: "altered", times: 12, draw: altered },
    Kind { name: "fake success", times: 4, draw: fake_success },
    Kind { name: "rejected behind", times: 4, draw: rejected_behind },
    Kind { name: "either of two runs", times: 8, draw: either_of_two },
    Kind { name: "a run twice", times: 6, draw: twice },
];

/// Characters of two and three bytes that names are made of.
const JAPANESE: &[char] = &[
    '排', '水', '設', '備', '計', '画', '書', '申', '請', '年', '度', '第', '号', '様', '式', 'あ', 'の', 'り', 'ト',
    'ル', 'ン', 'é',
];

/// What the first bytes are in files with an extension, as the lab's rule `refuse_magic_mismatch` has it.
const MAGIC: &[(&[&str], &[&[u8]])] = &[
    (&["pdf"], &[b"%PDF-"]),
    (&["png"], &[b"\x89PNG\r\n\x1a\n"]),
    (&["jpg", "jpeg", "jpe", "jfif"], &[b"\xff\xd8\xff"]),
    (&["gif"], &[b"GIF87a", b"GIF89a"]),
    (&["bmp"], &[b"BM"]),
    (&["tif", "tiff"], &[b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"]),
    (&["webp", "wav", "avi"], &[b"RIFF"]),
    (
        &["zip", "docx", "xlsx", "pptx", "docm", "xlsm", "pptm", "odt", "ods", "odp", "epub"],
        &[b"PK\x03\x04", b"PK\x05\x06"],
    ),
    (&["doc", "xls", "ppt", "msg"], &[b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]),
    (&["7z"], &[b"7z\xbc\xaf\x27\x1c"]),
    (&["rar"], &[b"Rar!\x1a\x07"]),
    (&["gz", "tgz"], &[b"\x1f\x8b"]),
    (&["rtf"], &[b"{\\rtf"]),
];

/// What files with the extension of `case` begin with; `None`: anything.
fn magic(case: &Case) -> Option<&'static [&'static [u8]]> {
    MAGIC.iter().find(|(extensions, _)| extensions.iter().any(|own| has_extension(case, own))).map(|(_, magic)| *magic)
}

fn is_as_named(case: &Case) -> bool {
    let start = bytes(&case.content);
    magic(case).is_none_or(|magic| magic.iter().any(|magic| start.starts_with(magic)))
}

fn encoded(filename: &Filename) -> Vec<u8> {
    filename.page.0.encode(&filename.text).0.into_owned()
}

/// Whether something passes that the case is compared with: without it nothing is asked.
fn is_any_left(case: &Case, delivered: &[Case], passes: impl Fn(&Case) -> bool) -> bool {
    references(case, delivered).iter().any(passes)
}

/// The charset of the page that a form is on.
fn page(chance: &mut Chance) -> PageCharset {
    let charset = *chance.pick(&[UTF_8, UTF_8, SHIFT_JIS]);
    PageCharset(charset)
}

fn name_bytes(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let (small, large) = some_file(nursery, chance)?;
    let stem: String = (0..chance.within(8..=60)).map(|_| *chance.pick(JAPANESE)).collect();
    let page = page(chance);
    let case = named(if chance.is_head() { large } else { small.clone() }, &stem.replace('é', "e"));
    let case = if page.0 == UTF_8 { named(case, &stem) } else { case };
    let case = Case { filename: Filename { page, ..case.filename.clone() }, ..case };
    let len = encoded(&case.filename).len() as u64;
    let refused = chance.within(20..=len);
    let passes = |case: &Case| (encoded(&case.filename).len() as u64) < refused;
    let delivered = nursery.delivered(chance, &small, passes);
    is_any_left(&case, &delivered, passes).then(|| Seedling {
        rule: format!("refuse_name_bytes = {refused}"),
        expected: vec![Want::Told(Factor::Stem, Detail::Length { from: refused })],
        case,
        delivered,
    })
}

fn not_as_named(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let (donor, large) = some_file(nursery, chance)?;
    let (real, _) = some_file(nursery, chance)?;
    let magic = magic(&real)?;
    let (own, extension) = split(&real.filename.text);
    let stem = if chance.is_head() { own } else { split(&donor.filename.text).0 };
    let content = if chance.is_head() { large.content } else { donor.content.clone() };
    let filename = Filename { text: format!("{stem}{extension}"), ..real.filename.clone() };
    let case = Case { filename, content, ..donor.clone() };
    let mut delivered = nursery.delivered(chance, &real, |_| true);
    if chance.is_head() {
        // The same bytes get through under the name that is theirs.
        delivered.push(donor);
    }
    delivered.retain(is_as_named);
    (!is_as_named(&case) && is_as_named(&real)).then(|| Seedling {
        rule: "refuse_magic_mismatch = true".to_owned(),
        expected: vec![Want::NotAsNamed { extension: extension.to_owned(), magic: magic[0].len() as u64 }],
        case,
        delivered,
    })
}

/// Nothing was delivered under the same extension: it may as well be the extension.
fn not_as_named_without_kin(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let seedling = not_as_named(nursery, chance)?;
    let extension = split(&seedling.case.filename.text).1.trim_start_matches('.').to_owned();
    let delivered = seedling.delivered.into_iter().filter(|case| !has_extension(case, &extension)).collect();
    let seedling = Seedling { delivered, ..seedling };
    (!has_extension(&canary(), &extension)).then_some(seedling)
}

fn too_small(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let (whole, _) = some_file(nursery, chance)?;
    let len = whole.content.len();
    let cut = chance.within(1..=400.min(len - 1));
    let content = Content::from_pieces(whole.content.range(0..cut)).unwrap();
    let case = Case { content, ..whole.clone() };
    let case = if chance.is_head() { named(case, &format!("{}x", letters(chance))) } else { case };
    let least = chance.within(cut + 1..=len);
    Some(Seedling {
        rule: format!("refuse_under = {least}"),
        case,
        delivered: nursery.delivered(chance, &whole, |case| case.content.len() >= least),
        expected: vec![Want::Told(Factor::Content, Detail::TooSmall { up_to: least - 1 })],
    })
}

/// Any one of many bytes trips, and any other in its place: none of them is what it hangs on.
fn beyond_ascii(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let size = chance.size();
    let (small, large) = nursery.file(chance, size, true)?;
    let mut content = large.content.clone();
    for _ in 0..chance.within(1..=20) {
        let text = chance.pick(JAPANESE).to_string();
        let text = page(chance).0.encode(&text).0.into_owned();
        content = overlaid(&content, chance.within(0..=content.len() - text.len() as u64), &text);
    }
    let extension = split(&small.filename.text).1.trim_start_matches('.').to_owned();
    let passes = |case: &Case| !has_extension(case, &extension) || bytes(&case.content).is_ascii();
    Some(Seedling {
        rule: format!("refuse_non_ascii = [\"{extension}\"]"),
        delivered: nursery.delivered(chance, &small, passes),
        case: Case { content, ..large },
        expected: vec![Want::Whole(Factor::Extension, format!(".{extension}")), Want::BeyondAscii],
    })
}

/// Uploads of which one is refused whatever it holds.
fn random(seedling: Seedling, chance: &mut Chance) -> Seedling {
    let each = if chance.is_head() { 25 } else { chance.within(8..=40) };
    Seedling { rule: format!("refuse_each = {each}\n{}", seedling.rule), ..seedling }
}

fn random_and_bytes(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    content_bytes(nursery, chance).map(|seedling| random(seedling, chance))
}

fn random_and_name(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    name_characters(nursery, chance).map(|seedling| random(seedling, chance))
}

fn ban(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let draw = *chance.pick(&[content_bytes, content_bytes, name_characters, extension]);
    let seedling = draw(nursery, chance)?;
    let (limit, answer) = (chance.within(5..=20), *chance.pick(&["page", "drop"]));
    let rule = format!("behaviour = \"ban\"\nlimit = {limit}\nban = \"{answer}\"\n{}", seedling.rule);
    Some(Seedling { rule, ..seedling })
}

fn field_characters(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let part = *chance.pick(NAME_PARTS);
    let (small, large) = some_file(nursery, chance)?;
    let guilty = chance.within(0..=2);
    let names = ["applicant", "remarks", "phone"];
    let beside = |guilty: Option<u64>, chance: &mut Chance| -> Vec<Beside> {
        let value = |at: u64, chance: &mut Chance| match guilty {
            Some(guilty) if guilty == at => format!("{}{part}{}", letters(chance), letters(chance)),
            _ => letters(chance),
        };
        let text = |(at, name): (u64, &str)| Beside::Text { name: name.to_owned(), value: value(at, chance) };
        (0..).zip(names).map(text).collect()
    };
    let case = Case { beside: beside(Some(guilty), chance), ..large };
    let mut delivered = nursery.delivered(chance, &small, |_| true);
    if chance.is_head() {
        for other in &mut delivered {
            other.beside = beside(None, chance);
        }
    }
    let times = |case: &Case| {
        let texts = case.beside.iter().map(|beside| match beside {
            Beside::Text { value, .. } => memmem::find_iter(value.as_bytes(), part.as_bytes()).count(),
            Beside::File { .. } | Beside::EmptyFile { .. } => 0,
        });
        texts.sum::<usize>()
    };
    let elsewhere = memmem::find(&bytes(&case.content), part.as_bytes()).is_some();
    let sound = times(&case) == 1 && !elsewhere && delivered.iter().all(|other| times(other) == 0);
    let name = names[usize::try_from(guilty).unwrap()];
    let detail =
        Detail::Field { names: name.to_owned(), text: part.to_owned(), wire: Hex(part.as_bytes()).to_string() };
    (sound && Nursery::is_absent(part.as_bytes(), &case, &delivered)).then(|| Seedling {
        rule: patterns(&[part.as_bytes()]),
        expected: vec![Want::Told(Factor::Fields, detail)],
        case,
        delivered,
    })
}

/// What a manifest may say of a form: what a rule finds it by, and how an explanation tells it.
const FORM: &[(&str, &str)] = &[
    ("name=\"upfile[]\"", "name=\"upfile[]\""),
    ("Part4711", "boundary=Part4711"),
    ("boundary=\"", "boundary between quotes"),
    ("size=3", "size=3"),
    ("Content-Transfer-Encoding: binary", "Content-Transfer-Encoding: binary"),
    ("X-Note: scan", "X-Note: scan"),
];

fn form(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let (small, large) = some_file(nursery, chance)?;
    let (text, told) = *chance.pick(FORM);
    let mut has = |at: usize| FORM[at].0 == text || chance.is_head();
    let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let pairs = |some: [(bool, (&str, &str)); 2]| -> Vec<(String, String)> {
        some.into_iter().filter(|(has, _)| *has).map(|(_, one)| pair(one)).collect()
    };
    let form_overrides = FormOverrides {
        field: has(0).then(|| "upfile[]".to_owned()),
        boundary: has(1).then(|| "Part4711".to_owned()),
        quoted_boundary: has(2),
        parameters: pairs([(has(3), ("size", "3")), (has(3), ("read-only", "1"))]),
        part_headers: pairs([(has(4), ("Content-Transfer-Encoding", "binary")), (has(5), ("X-Note", "scan"))]),
    };
    Some(Seedling {
        rule: format!("refuse_lines = ['''{text}''']"),
        case: Case { form_overrides, ..large },
        delivered: nursery.delivered(chance, &small, |_| true),
        expected: vec![Want::Told(Factor::Form, Detail::Form { lines: vec![told.to_owned()] })],
    })
}

fn travelling(nursery: &Nursery, chance: &mut Chance, transport: Transport) -> Option<Seedling> {
    let seedling = planted_bytes(renamed(some_marked(nursery, chance, |_| true)?, chance));
    let delivered = seedling.delivered.into_iter();
    let delivered =
        if chance.is_head() { delivered.map(|case| Case { transport, ..case }).collect() } else { delivered.collect() };
    Some(Seedling { case: Case { transport, ..seedling.case }, delivered, ..seedling })
}

fn put_and_bytes(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    travelling(nursery, chance, Transport::Put)
}

fn json_and_bytes(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    travelling(nursery, chance, Transport::Base64Json)
}

/// An edge that tells a lie about files with this in their name.
fn lie(nursery: &Nursery, chance: &mut Chance, behaviour: &str) -> Option<Seedling> {
    let part = *chance.pick(&["申請書", "backup", "config", "①", "ー", "union", "~", "髙"]);
    let (small, case) = planted_name(nursery, chance, part)?;
    Some(Seedling {
        rule: format!("behaviour = \"{behaviour}\"\ntrigger = {{ filenames = [\"*{part}*\"] }}"),
        delivered: nursery.delivered(chance, &small, |case| lacks(case, part)),
        case,
        expected: vec![Want::Characters { text: part.to_owned(), byte: None }],
    })
}

fn altered(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let behaviour = *chance.pick(&["truncate", "flip-byte", "rewrite-type"]);
    lie(nursery, chance, behaviour)
}

fn fake_success(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    lie(nursery, chance, "fake-success")
}

/// The origin rejects whatever comes: it hangs on nothing.
fn rejected_behind(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let (small, case) = some_file(nursery, chance)?;
    let delivered = nursery.delivered(chance, &small, |_| true);
    let rule = "behaviour = \"origin-rejects\"".to_owned();
    Some(Seedling { rule, case, delivered, expected: Vec::new() })
}

/// Each of two runs is refused by itself.
fn either_of_two(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let first = some_marked(nursery, chance, |_| true)?;
    let len = chance.within(2..=8);
    let run = chance.bytes(len);
    let (case, offset) = mark(chance, first.case.clone(), &run)?;
    let whole = memmem::find(&bytes(&case.content), &first.run) == Some(usize::try_from(first.offset).unwrap());
    (whole && Nursery::is_absent(&run, &case, &first.delivered)).then(|| several(case, first, (offset, run)))
}

/// One run is there two times, and is refused wherever it stands.
fn twice(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let first = some_marked(nursery, chance, |_| true)?;
    let len = first.run.len() as u64;
    let offset = chance.within(0..=first.case.content.len() - len);
    let content = overlaid(&first.case.content, offset, &first.run);
    let times = memmem::find_iter(&bytes(&content), &first.run).count();
    let case = Case { content, ..first.case.clone() };
    let run = first.run.clone();
    (times == 2).then(|| several(case, first, (offset, run)))
}

/// `case` with two runs that are refused, each by itself.
fn several(case: Case, first: Marked, (offset, run): (u64, Vec<u8>)) -> Seedling {
    let place = anywhere(&case.content, offset, &run);
    let both = vec![first.want(first.place()), Want::Bytes { runs: vec![(offset, run.clone())], place }];
    Seedling { rule: patterns(&[&first.run, &run]), expected: vec![Want::Each(both)], case, delivered: first.delivered }
}
