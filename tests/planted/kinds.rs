//! The kinds of triggers, each drawn by chance.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use wafcanary::corpus::{Case, Client, Content, DeclaredType, Filename, PageCharset, canary};
use wafcanary::explain::{Factor, Place, references};

use super::chance::Chance;
use super::grade::Want;
use super::plant::{Nursery, Seedling, bytes, has_extension, overlaid, split};

/// A kind of trigger. `draw` gives nothing where chance drew what cannot be told apart from its surroundings.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) times: usize,
    pub(crate) draw: fn(&Nursery, &mut Chance) -> Option<Seedling>,
}

/// Bytes in a file of 10 MB.
pub(crate) const BYTES_IN_MUCH: &str = "bytes in 10 MB";

/// All kinds: 200 triggers.
pub(crate) const KINDS: &[Kind] = &[
    Kind { name: "name characters", times: 26, draw: name_characters },
    Kind { name: "name byte 5c", times: 6, draw: name_byte },
    Kind { name: "double extension", times: 8, draw: double_extension },
    Kind { name: "extension", times: 14, draw: extension },
    Kind { name: "type", times: 14, draw: declared_type },
    Kind { name: "bytes", times: 40, draw: content_bytes },
    Kind { name: BYTES_IN_MUCH, times: 10, draw: bytes_in_much },
    Kind { name: "window", times: 18, draw: window },
    Kind { name: "size", times: 20, draw: size },
    Kind { name: "request line", times: 8, draw: request_line },
    Kind { name: "part line", times: 4, draw: part_line },
    Kind { name: "pair: bytes, bytes", times: 8, draw: two_runs },
    Kind { name: "pair: name, bytes", times: 8, draw: name_and_bytes },
    Kind { name: "pair: extension, bytes", times: 8, draw: extension_and_bytes },
    Kind { name: "pair: type, extension", times: 8, draw: type_and_extension },
];

/// Parts of names that rules look for, and that people write.
pub(crate) const NAME_PARTS: &[&str] = &[
    "'",
    ";",
    ":",
    "&",
    "%00",
    "..",
    "../",
    "--",
    "(1)",
    "#",
    "<",
    "$(",
    "`",
    "|",
    "~",
    "select",
    "union",
    "backup",
    "config",
    "passwd",
    "eval",
    "alert",
    "表",
    "㈱",
    "髙",
    "📎",
    "/*",
    "申請書",
    "①",
    "ー",
    "’",
    "\u{3000}",
    "\u{308}",
    "sys",
    "_vti_",
    "cmd",
];

/// Letters that names are drawn from.
const LETTERS: &[char] = &[
    'a', 'b', 'c', 'e', 'i', 'n', 'o', 'r', 's', 't', 'x', '0', '1', '2', '7', '_', '-', ' ', '図', '面', '計', '画',
    '書', '年', '度', '号', 'あ', 'の', 'り', 'ト', 'ル', 'ン',
];

/// Extensions that a server may run.
const ACTIVE: &[&str] = &["php", "php5", "phtml", "asp", "aspx", "jsp", "cgi", "pl", "exe", "htaccess"];

const EXTENSIONS: &[&str] = &["heic", "lzh", "xdw", "jww", "dxf", "p21", "7z", "msg", "docm", "JTD"];

const TYPES: &[&str] = &[
    "application/octet-stream",
    "application/x-msdownload",
    "image/heic",
    "text/html",
    "application/x-php",
    "x-unknown/x-unknown",
    "application/vnd.ms-excel.sheet.macroEnabled.12",
];

/// Text that rules look for in files, cut to length.
const TOKENS: &[&[u8]] = &[
    b"<script>",
    b"<?php $a",
    b"/Launch ",
    b"vbaProje",
    b"eval(a);",
    b"onload=\"",
    b"\x00\x01\x00\x00\xff\xfe\x00\x80",
    b"${jndi:l",
    b"UNION SE",
    b"cmd.exe ",
    b"PK\x01\x02\x14\x00\x14\x00",
    b"<!ENTITY",
];

/// A stem of drawn letters.
pub(crate) fn letters(chance: &mut Chance) -> String {
    (0..chance.within(0..=12)).map(|_| *chance.pick(LETTERS)).collect()
}

/// A case under another stem.
pub(crate) fn named(case: Case, stem: &str) -> Case {
    let text = format!("{stem}{}", split(&case.filename.text).1);
    Case { filename: Filename { text, ..case.filename }, ..case }
}

/// A file of the corpus, and the same of a size by chance.
pub(crate) fn some_file(nursery: &Nursery, chance: &mut Chance) -> Option<(Case, Case)> {
    let size = chance.size();
    nursery.file(chance, size, false)
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// A stem with `part` in it once, and a case of that name.
pub(crate) fn planted_name(nursery: &Nursery, chance: &mut Chance, part: &str) -> Option<(Case, Case)> {
    let (small, _) = some_file(nursery, chance)?;
    let stem = format!("{}{part}{}", letters(chance), letters(chance));
    let case = named(small.clone(), &stem);
    let once = memmem::find_iter(case.filename.text.as_bytes(), part.as_bytes()).count() == 1;
    // A leading dot, or a dot at the end, would be another extension.
    (once && !stem.starts_with('.') && split(&case.filename.text).0 == stem).then_some((small, case))
}

pub(crate) fn lacks(case: &Case, part: &str) -> bool {
    !case.filename.text.contains(part)
}

pub(crate) fn name_characters(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let part = *chance.pick(NAME_PARTS);
    let (small, case) = planted_name(nursery, chance, part)?;
    Some(Seedling {
        rule: format!("refuse_name_parts = ['''{part}''']"),
        delivered: nursery.delivered(chance, &small, |case| lacks(case, part)),
        case,
        expected: vec![Want::Characters { text: part.to_owned(), byte: None }],
    })
}

fn name_byte(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let character = *chance.pick(&['表', 'ソ', '能', '十', '予', '貼', '構']);
    let (small, case) = planted_name(nursery, chance, &character.to_string())?;
    let page = PageCharset(encoding_rs::SHIFT_JIS);
    let on_page = |case: &Case| Case { filename: Filename { page, ..case.filename.clone() }, ..case.clone() };
    let encoded = |case: &Case| page.0.encode(&case.filename.text).0.into_owned();
    let case = on_page(&case);
    let slashes = memchr::memchr_iter(b'\\', &encoded(&case)).count();
    let same_page = chance.is_head();
    let delivered = nursery.delivered(chance, &small, |case| !encoded(case).contains(&b'\\'));
    let delivered = delivered.iter().map(|case| if same_page { on_page(case) } else { case.clone() }).collect();
    let expected = vec![Want::Characters { text: character.to_string(), byte: Some('\\') }];
    (slashes == 1).then_some(Seedling { rule: "refuse_name_parts = ['\\']".to_owned(), case, delivered, expected })
}

fn double_extension(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let active = *chance.pick(ACTIVE);
    let part = format!(".{active}");
    let (small, _) = some_file(nursery, chance)?;
    let case = named(small.clone(), &format!("{}x{part}", letters(chance)));
    Some(Seedling {
        rule: format!("refuse_any_extensions = [\"{active}\"]"),
        case,
        delivered: nursery.delivered(chance, &small, |case| lacks(case, &part)),
        expected: vec![Want::Characters { text: part.clone(), byte: None }],
    })
}

pub(crate) fn extension(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let (small, large) = some_file(nursery, chance)?;
    let (stem, own) = split(&small.filename.text);
    let extension = if chance.is_head() { own.to_owned() } else { format!(".{}", chance.pick(EXTENSIONS)) };
    let case = Case { filename: Filename { text: format!("{stem}{extension}"), ..small.filename.clone() }, ..large };
    let refused = extension.trim_start_matches('.');
    let delivered = nursery.delivered(chance, &small, |case| !has_extension(case, refused));
    if delivered.is_empty() {
        return None;
    }
    Some(Seedling {
        rule: format!("refuse_extensions = [\"{refused}\"]"),
        delivered,
        case,
        expected: vec![Want::Whole(Factor::Extension, extension.clone())],
    })
}

fn declared_type(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let (small, large) = some_file(nursery, chance)?;
    let refused = *chance.pick(TYPES);
    let case = Case { declared_type: DeclaredType::Explicit(refused.to_owned()), ..large };
    let case = if chance.is_head() { named(case, &format!("{}x", letters(chance))) } else { case };
    let own = |case: &Case| nursery.request(case).content_type;
    let delivered = nursery.delivered(chance, &small, |case| own(case).is_none_or(|own| own != refused));
    Some(Seedling {
        rule: format!("refuse_types = [\"{refused}\"]"),
        case,
        delivered,
        expected: vec![Want::Whole(Factor::Type, refused.to_owned())],
    })
}

/// A file with a run of one to eight bytes in it that is nowhere else, and the offset of the run.
pub(crate) struct Marked {
    pub(crate) case: Case,
    pub(crate) small: Case,
    pub(crate) delivered: Vec<Case>,
    pub(crate) run: Vec<u8>,
    pub(crate) offset: u64,
}

fn marked(nursery: &Nursery, chance: &mut Chance, size: u64, passes: impl Fn(&Case) -> bool) -> Option<Marked> {
    let len = chance.within(1..=8);
    // One byte that is nowhere else is to be had in text only.
    let (small, large) = nursery.file(chance, size, len == 1)?;
    let delivered = nursery.delivered(chance, &small, passes);
    let run = if chance.is_head() {
        chance.bytes(len)
    } else {
        chance.pick(TOKENS)[..usize::try_from(len).unwrap()].to_vec()
    };
    let (case, offset) = mark(chance, large, &run)?;
    Nursery::is_absent(&run, &case, &delivered).then_some(Marked { case, small, delivered, run, offset })
}

pub(crate) fn some_marked(nursery: &Nursery, chance: &mut Chance, passes: impl Fn(&Case) -> bool) -> Option<Marked> {
    let size = chance.size();
    marked(nursery, chance, size, passes)
}

/// Under another name than what was delivered, or under the same.
pub(crate) fn renamed(marked: Marked, chance: &mut Chance) -> Marked {
    if chance.is_head() {
        Marked { case: named(marked.case, &format!("{}x", letters(chance))), ..marked }
    } else {
        marked
    }
}

/// `case` with `run` somewhere in it, once.
pub(crate) fn mark(chance: &mut Chance, case: Case, run: &[u8]) -> Option<(Case, u64)> {
    let offset = chance.within(0..=case.content.len() - run.len() as u64);
    mark_at(offset, case, run)
}

/// `case` with `run` less than a hundred bytes after `other`, once.
fn mark_beside(chance: &mut Chance, case: Case, run: &[u8], other: u64) -> Option<(Case, u64)> {
    let offset = other + chance.within(9..=99);
    (offset + run.len() as u64 <= case.content.len()).then(|| mark_at(offset, case, run))?
}

fn mark_at(offset: u64, case: Case, run: &[u8]) -> Option<(Case, u64)> {
    let content = overlaid(&case.content, offset, run);
    let once = memmem::find_iter(&bytes(&content), run).count() == 1;
    once.then(|| (Case { content, ..case }, offset))
}

/// Where else the run must be said to be refused.
pub(crate) fn anywhere(content: &Content, offset: u64, run: &[u8]) -> Option<Place> {
    let last = content.len() - run.len() as u64;
    (offset != last).then_some(Place::Anywhere)
}

impl Marked {
    pub(crate) fn want(&self, place: Option<Place>) -> Want {
        Want::Bytes { runs: vec![(self.offset, self.run.clone())], place }
    }

    pub(crate) fn place(&self) -> Option<Place> {
        anywhere(&self.case.content, self.offset, &self.run)
    }
}

pub(crate) fn content_bytes(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    some_marked(nursery, chance, |_| true).map(|marked| planted_bytes(renamed(marked, chance)))
}

fn bytes_in_much(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    marked(nursery, chance, 10_000_000, |_| true).map(|marked| planted_bytes(renamed(marked, chance)))
}

pub(crate) fn planted_bytes(marked: Marked) -> Seedling {
    Seedling {
        rule: patterns(&[&marked.run]),
        expected: vec![marked.want(marked.place())],
        case: marked.case,
        delivered: marked.delivered,
    }
}

/// The rule that refuses each of these runs of bytes.
pub(crate) fn patterns(runs: &[&[u8]]) -> String {
    let entry = |run: &&[u8]| format!("{{ name = \"planted\", base64 = \"{}\" }}", base64(run));
    format!("refuse_patterns = [{}]", runs.iter().map(entry).collect::<Vec<_>>().join(", "))
}

/// By so much, and less, the heads of two parts differ: a run that a longer head pushes out of the window is another trigger.
const MOST_HEAD: u64 = 256;

fn window(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let marked = renamed(some_marked(nursery, chance, |_| true)?, chance);
    let (len, size) = (marked.run.len() as u64, marked.case.content.len());
    let end = marked.offset + len;
    if marked.offset == 0 || end + MOST_HEAD >= size {
        return None;
    }
    // Of the file, so many bytes are seen: before it stands the part's head, and a boundary's length is kept back.
    let seen = chance.within(end + MOST_HEAD..=size - 1);
    let before = nursery.before_file(&marked.case);
    let boundary = memmem::find(&before, b"\r\n").unwrap() - 2;
    let window = before.len() as u64 + seen + boundary as u64 + 3;
    let place = Place::Before { offset: seen - len + 1 };
    Some(Seedling {
        rule: format!("window = {window}\n{}", patterns(&[&marked.run])),
        expected: vec![marked.want(Some(place))],
        case: marked.case,
        delivered: marked.delivered,
    })
}

fn size(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let (small, large) = some_file(nursery, chance)?;
    let refused = chance.within(small.content.len() + 1..=large.content.len());
    let passes = |case: &Case| case.content.len() < refused;
    if !passes(&canary()) {
        return None;
    }
    Some(Seedling {
        rule: format!("refuse_size = {refused}"),
        delivered: nursery.delivered(chance, &small, passes),
        case: large,
        expected: vec![Want::Size(refused)],
    })
}

/// The lines of a head that hold nothing of the file, its name or its length.
fn lines(head: &[u8]) -> Vec<String> {
    let told = |line: &str| {
        ["content-length", "content-type", "host", "x-wafcanary"].iter().any(|own| line.to_lowercase().starts_with(own))
    };
    let text = String::from_utf8_lossy(head).into_owned();
    text.split("\r\n")
        .filter(|line| line.contains(": ") && !line.contains("filename") && !told(line))
        .map(str::to_owned)
        .collect()
}

/// A line of another client that none of those delivered writes.
fn line(nursery: &Nursery, chance: &mut Chance, heads: impl Fn(&Case) -> Vec<u8>) -> Option<Seedling> {
    let (small, large) = some_file(nursery, chance)?;
    let client = Client::parse(chance.pick(Client::ALL).0).unwrap();
    let case = Case { client, ..large };
    let delivered = nursery.delivered(chance, &small, |_| true);
    let known: Vec<Vec<u8>> = references(&case, &delivered).iter().map(&heads).collect();
    // The client writes it whatever the file is: curl's `Expect` is for large ones only.
    let always: Vec<Vec<u8>> =
        references(&case, &delivered).into_iter().map(|reference| heads(&Case { client, ..reference })).collect();
    let holds = |head: &Vec<u8>, line: &str| memmem::find(head, line.as_bytes()).is_some();
    let own: Vec<String> = lines(&heads(&case))
        .into_iter()
        .filter(|line| !known.iter().any(|head| holds(head, line)) && always.iter().all(|head| holds(head, line)))
        .collect();
    if own.is_empty() {
        return None;
    }
    let line = chance.pick(&own).clone();
    Some(Seedling {
        rule: format!("refuse_lines = ['''{line}''']"),
        expected: vec![Want::Line { client: client.as_str().to_owned(), line }],
        case,
        delivered,
    })
}

fn request_line(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    line(nursery, chance, |case| nursery.request(case).head())
}

fn part_line(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    line(nursery, chance, |case| nursery.before_file(case))
}

fn together(conditions: &str) -> String {
    format!("refuse_together = [{{ name = \"planted\", {conditions} }}]")
}

fn two_runs(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let first = some_marked(nursery, chance, |_| true)?;
    let len = chance.within(2..=8);
    let run = chance.bytes(len);
    let (case, offset) = if chance.is_head() {
        mark(chance, first.case.clone(), &run)?
    } else {
        mark_beside(chance, first.case.clone(), &run, first.offset)?
    };
    let mut runs = vec![(first.offset, first.run.clone()), (offset, run.clone())];
    runs.sort();
    // Runs that touch are one.
    let apart = runs[0].0 + (runs[0].1.len() as u64) < runs[1].0;
    let whole = memmem::find(&bytes(&case.content), &first.run) == Some(usize::try_from(first.offset).unwrap());
    (apart && whole && Nursery::is_absent(&run, &case, &first.delivered)).then(|| Seedling {
        rule: together(&format!("base64 = [\"{}\", \"{}\"]", base64(&first.run), base64(&run))),
        expected: vec![Want::Bytes { runs, place: None }],
        case,
        delivered: first.delivered,
    })
}

fn name_and_bytes(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let part = *chance.pick(NAME_PARTS);
    let marked = some_marked(nursery, chance, |case| lacks(case, part))?;
    let stem = format!("{}{part}{}x", letters(chance), letters(chance));
    let case = named(marked.case.clone(), &stem);
    let once = memmem::find_iter(case.filename.text.as_bytes(), part.as_bytes()).count() == 1;
    (once && !stem.starts_with('.')).then(|| Seedling {
        rule: together(&format!("name_part = '''{part}''', base64 = [\"{}\"]", base64(&marked.run))),
        expected: vec![Want::Characters { text: part.to_owned(), byte: None }, marked.want(marked.place())],
        case,
        delivered: marked.delivered,
    })
}

/// Whether the extension can be seen to matter: something is delivered under another one.
fn has_other_extension(case: &Case, delivered: &[Case]) -> bool {
    let extension = split(&case.filename.text).1.trim_start_matches('.');
    references(case, delivered).iter().any(|reference| !has_extension(reference, extension))
}

fn extension_and_bytes(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let marked = some_marked(nursery, chance, |_| true)?;
    let extension = split(&marked.small.filename.text).1.to_owned();
    let refused = extension.trim_start_matches('.');
    if !has_other_extension(&marked.case, &marked.delivered) {
        return None;
    }
    Some(Seedling {
        rule: together(&format!("extension = \"{refused}\", base64 = [\"{}\"]", base64(&marked.run))),
        expected: vec![Want::Whole(Factor::Extension, extension.clone()), marked.want(marked.place())],
        case: marked.case,
        delivered: marked.delivered,
    })
}

fn type_and_extension(nursery: &Nursery, chance: &mut Chance) -> Option<Seedling> {
    let (small, large) = some_file(nursery, chance)?;
    let content_type = *chance.pick(TYPES);
    let extension = split(&small.filename.text).1.to_owned();
    let refused = extension.trim_start_matches('.');
    let own = |case: &Case| nursery.request(case).content_type;
    let delivered = nursery.delivered(chance, &small, |case| own(case).is_none_or(|own| own != content_type));
    if !has_other_extension(&small, &delivered) {
        return None;
    }
    Some(Seedling {
        rule: together(&format!("type = \"{content_type}\", extension = \"{refused}\"")),
        case: Case { declared_type: DeclaredType::Explicit(content_type.to_owned()), ..large },
        delivered,
        expected: vec![
            Want::Whole(Factor::Extension, extension.clone()),
            Want::Whole(Factor::Type, content_type.to_owned()),
        ],
    })
}
