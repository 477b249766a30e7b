//! `corpus check`: what is wrong with a corpus, and what is only odd.

mod magic;
mod personal;
mod unlisted;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::path::PathBuf;

use file_format::FileFormat;
pub(super) use personal::look;
pub use personal::{Hint, Place, help, listed};
pub use unlisted::unlisted;

use super::manifest::did_you_mean;
use super::select::Family;
use super::variant::Setting;
use super::{Corpus, DeclaredType, Entry, Fidelity, Intent, Kind, Provenance, Sha256Digest};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The corpus proves less than it says.
    Error,
    /// It looks like a mistake.
    Warning,
    /// It is normal, and good to know.
    Note,
}

/// One finding. What a manifest says wrongly is not here: such a corpus does not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// How much it weighs.
    pub level: Level,
    /// What was found.
    pub message: String,
    /// What to do about it; `None`: nothing needs to be done.
    pub help: Option<String>,
    /// The manifest and the 1-based line of the attachment.
    pub place: Option<(PathBuf, usize)>,
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        };
        write!(f, "{level}: {}", self.message)?;
        if let Some((path, line)) = &self.place {
            write!(f, ", in `{}` line {line}", path.display())?;
        }
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "\n  help: {help}"))
    }
}

/// Everything that can be said about a corpus that opened, errors first, each level in the order of the corpus.
#[must_use]
pub fn lint(corpus: &Corpus) -> Vec<Lint> {
    let mut lints = Vec::new();
    let mut unread: Vec<&Entry> = Vec::new();
    let mut digests: HashMap<Sha256Digest, &Entry> = HashMap::new();
    for entry in &corpus.attachments {
        if let Some(first) = digests.get(&entry.content.sha256()) {
            lints.extend(same_content(first, entry));
        } else {
            digests.insert(entry.content.sha256(), entry);
        }
        // A folder without a manifest says nothing of its files, and need not.
        if entry.attachment.place.is_some() {
            lints.extend(unsaid(entry));
        }
        if entry.attachment.intent == Intent::Legit {
            lints.extend(bytes(entry, &mut unread));
        }
        if entry.content.is_empty() && entry.attachment.intent == Intent::Control {
            let help = "a control without bytes is blocked by nothing: restore its file";
            lints.push(about(entry, Level::Error, format!("the control `{}` is empty", entry.attachment.id), help));
        }
    }
    lints.extend(metadata_unread(&unread));
    lints.extend(procedures(corpus));
    lints.extend(unreachable(corpus));
    if !corpus.attachments.iter().any(|entry| entry.attachment.intent == Intent::Legit) {
        lints.push(Lint {
            level: Level::Error,
            message: "every attachment is a control: no legitimate file is tested".into(),
            help: Some("add the files that people really attach".into()),
            place: None,
        });
    }
    let left_out = |level, messages: &[String], help: Option<&str>| -> Vec<Lint> {
        let lint =
            |message: &String| Lint { level, message: message.clone(), help: help.map(str::to_owned), place: None };
        messages.iter().map(lint).collect()
    };
    lints.extend(left_out(Level::Warning, &corpus.warnings, Some("mend it, or take it out of the corpus")));
    lints.extend(left_out(Level::Note, &corpus.notes, None));
    lints.sort_by_key(|lint| lint.level);
    lints
}

fn about(entry: &Entry, level: Level, message: String, help: impl Into<String>) -> Lint {
    Lint { level, message, help: Some(help.into()), place: entry.attachment.place.clone() }
}

fn same_content(first: &Entry, entry: &Entry) -> Option<Lint> {
    let (a, b) = (&first.attachment, &entry.attachment);
    if a.intent != b.intent {
        let message = format!("`{}` and `{}` have the same bytes, and only one of them is a control", a.id, b.id);
        return Some(about(entry, Level::Error, message, "no edge can tell them apart by content: mend one of them"));
    }
    let same = first.filename == entry.filename
        && first.declared_type == entry.declared_type
        && first.client == entry.client
        && first.transport == entry.transport
        && first.form_overrides == entry.form_overrides
        && first.beside.is_empty()
        && entry.beside.is_empty();
    let message = format!("`{}` and `{}` have the same bytes", a.id, b.id);
    // The same bytes under another name, type, client or `wire` are another upload.
    same.then(|| {
        about(
            entry,
            Level::Warning,
            message,
            "remove one, or give it another filename, type, client, transport or `wire`",
        )
    })
}

fn unsaid(entry: &Entry) -> Vec<Lint> {
    let Provenance { source, licence, .. } = &entry.attachment.provenance;
    let id = &entry.attachment.id;
    let mut lints = Vec::new();
    if source.is_none() {
        let help = "add `source`: the program that wrote the file, or the thread or rule that it reproduces";
        lints.push(about(entry, Level::Warning, format!("`{id}` does not say where it comes from"), help));
    }
    if licence.is_none() {
        let help = "add `licence` to it or to the manifest, an SPDX expression";
        lints.push(about(entry, Level::Warning, format!("`{id}` has no licence"), help));
    }
    lints
}

/// Of a larger file, only the start is looked at.
pub(super) const LOOKED_AT: u64 = 64 << 20;

/// The tag of files whose bytes are not what their name promises, on purpose.
const MISMATCH: &str = "mismatch";

/// The tag of legitimate files without bytes, on purpose.
const EMPTY: &str = "empty";

/// What the bytes of a legitimate attachment say against its name, its type and its people. One whose metadata cannot be
/// read is `unread`.
fn bytes<'a>(entry: &'a Entry, unread: &mut Vec<&'a Entry>) -> Vec<Lint> {
    let id = &entry.attachment.id;
    let bytes = match entry.content.read_range(0..LOOKED_AT) {
        Ok(bytes) => bytes,
        Err(error) => {
            let help = "leave the files of the corpus alone while they are checked";
            return vec![about(entry, Level::Error, format!("`{id}` cannot be read: {error}"), help)];
        }
    };
    if bytes.is_empty() {
        let help = format!("restore its file; where it is meant so, add the tag `{EMPTY}`");
        let lint = about(entry, Level::Warning, format!("`{id}` is empty"), help);
        return if entry.attachment.tags.iter().any(|tag| tag == EMPTY) { Vec::new() } else { vec![lint] };
    }
    let mut lints = Vec::new();
    let format = FileFormat::from_bytes(&bytes);
    let declared = match &entry.declared_type {
        DeclaredType::Explicit(declared) => magic::against_type(declared, &bytes, format),
        DeclaredType::AsClient => None,
    };
    let mismatch = magic::against_name(&entry.filename.text, &bytes, format).or(declared);
    let tagged = entry.attachment.tags.iter().any(|tag| tag == MISMATCH);
    match mismatch {
        Some(found) if !tagged => {
            let message = format!("`{id}` is {} and not what `{}` promises", found.found, found.promise);
            let help = format!("mend the name or the file; where it is meant so, add the tag `{MISMATCH}`");
            lints.push(about(entry, Level::Warning, message, help));
        }
        None if tagged => {
            let message = format!("`{id}` has the tag `{MISMATCH}`, and its bytes are what its name promises");
            lints.push(about(entry, Level::Warning, message, "remove the tag, or mend the file"));
        }
        Some(_) | None => {}
    }
    let provenance = &entry.attachment.provenance;
    let looked = (!provenance.fictional).then(|| look(&bytes));
    if looked.as_ref().is_some_and(|looked| looked.unread) && provenance.fidelity != Fidelity::HeaderOnly {
        unread.push(entry);
    }
    let personal = looked.map(|looked| looked.hints).unwrap_or_default();
    if !personal.is_empty() {
        let message = format!("`{id}` may hold personal data: {}", listed(&personal));
        let help = help(&personal, "add a copy without its metadata by `wafcanary corpus add --scrub`");
        let help = format!("{help}; if its people and places are made up, say `fictional = true`");
        lints.push(about(entry, Level::Warning, message, help));
    }
    if provenance.fidelity == Fidelity::HeaderOnly {
        let message = format!("`{id}` is a header only: an edge that looks deeper may treat a whole file differently");
        lints.push(about(
            entry,
            Level::Note,
            message,
            "put a file that a program wrote in its place when you have one",
        ));
    }
    lints
}

/// One note for all attachments at whose metadata nobody looked.
fn metadata_unread(unread: &[&Entry]) -> Option<Lint> {
    let extension = |entry: &&Entry| match entry.filename.text.rsplit_once('.') {
        Some((_, extension)) => extension.to_lowercase(),
        None => "no extension".to_owned(),
    };
    let extensions: BTreeSet<String> = unread.iter().map(extension).collect();
    let extensions = extensions.into_iter().collect::<Vec<_>>().join(", ");
    (!unread.is_empty()).then(|| Lint {
        level: Level::Note,
        message: format!("metadata that cannot be read here, and may name people: {} of {extensions}", unread.len()),
        help: Some("look at them with exiftool or the programs that wrote them".into()),
        place: None,
    })
}

/// A procedure named once, beside one that is nearly spelt so, is likely a slip.
fn procedures(corpus: &Corpus) -> Vec<Lint> {
    const COMPARED_MAX: usize = 2_000;
    let mut uses: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in &corpus.attachments {
        for procedure in &entry.attachment.procedures {
            uses.entry(procedure).or_default().push(entry);
        }
    }
    let mut lints = Vec::new();
    if uses.len() > COMPARED_MAX {
        return lints;
    }
    for (name, entries) in uses.iter().filter(|(_, entries)| entries.len() == 1) {
        let others = uses.iter().filter(|(_, others)| others.len() > 1).map(|(other, _)| *other);
        if let Some(other) = near_procedure(name, others) {
            let message = format!("the procedure `{name}` is named once");
            lints.push(about(entries[0], Level::Warning, message, did_you_mean(name, [other])));
        }
    }
    lints
}

/// The first procedure that is nearly spelt like `name`; `None` where `name` itself is known.
pub(super) fn near_procedure<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const NEAR: f64 = 0.93;
    let mut near = None;
    for other in known {
        if other == name {
            return None;
        }
        if near.is_none() && strsim::normalized_damerau_levenshtein(name, other).max(jaro(name, other)) > NEAR {
            near = Some(other);
        }
    }
    near
}

fn jaro(a: &str, b: &str) -> f64 {
    strsim::jaro_winkler(a, b)
}

fn unreachable(corpus: &Corpus) -> Vec<Lint> {
    let entries: Vec<&Entry> = corpus.attachments.iter().collect();
    let mut kinds: BTreeMap<Kind, Vec<usize>> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        kinds.entry(Kind::of(&entry.filename.text)).or_default().push(index);
    }
    let mut lints = Vec::new();
    for (kind, members) in kinds {
        for value in Family::new(&members, &entries, &Setting::default()).unreachable() {
            let message = format!("no attachment of the kind `{kind}` can have `{value}`");
            let help = "take the value off the axis, or add an attachment or a client that can have it";
            lints.push(about(entries[members[0]], Level::Warning, message, help));
        }
    }
    lints
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULTS: &str = "source = 'by hand'\nlicence = 'CC0-1.0'\n";

    fn lints(manifest: &str, files: &[(&str, &str)]) -> Vec<(Level, String)> {
        let dir = tempfile::tempdir().unwrap();
        for (file, text) in files {
            std::fs::write(dir.path().join(file), text).unwrap();
        }
        let mut toml = String::from("schema_version = 1\nname = 'x'\n");
        toml += &manifest.replace("SAID", DEFAULTS);
        std::fs::write(dir.path().join("manifest.toml"), toml).unwrap();
        lint(&Corpus::open(dir.path()).unwrap()).into_iter().map(|lint| (lint.level, lint.message)).collect()
    }

    /// Without what is only good to know.
    fn warnings(manifest: &str, files: &[(&str, &str)]) -> Vec<(Level, String)> {
        let mut found = lints(manifest, files);
        found.retain(|(level, _)| *level != Level::Note);
        found
    }

    #[test]
    fn files_whose_metadata_cannot_be_read_are_one_note() {
        let files = [("a.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>"), ("c.txt", "1")];
        let svg = attachment("a/a", "a.svg", "") + &attachment("a/c", "c.txt", "");
        let found = lints(&svg, &files);
        let message = "metadata that cannot be read here, and may name people: 1 of svg";
        assert_eq!(found, [(Level::Note, message.to_owned())]);
        let fictional = attachment("a/a", "a.svg", "fictional = true");
        assert_eq!(lints(&fictional, &files), []);
    }

    #[test]
    fn an_empty_legitimate_file_is_a_warning_unless_the_tag_says_so() {
        let found = lints(&attachment("a/a", "a.pdf", ""), &[("a.pdf", "")]);
        assert_eq!(found, [(Level::Warning, "`a/a` is empty".to_owned())]);
        assert_eq!(lints(&attachment("a/a", "a.pdf", "tags = ['empty']"), &[("a.pdf", "")]), []);
    }

    fn attachment(id: &str, file: &str, keys: &str) -> String {
        format!("[[attachment]]\nid = '{id}'\nfile = '{file}'\nSAID\n{keys}\n")
    }

    #[test]
    fn a_sound_corpus_has_nothing_to_say() {
        assert_eq!(lints(&attachment("a/a", "a", ""), &[("a", "1")]), []);
    }

    #[test]
    fn the_same_bytes_twice_are_a_warning_and_under_another_name_nothing() {
        let twice = attachment("a/a", "a", "") + &attachment("a/b", "b", "filename = 'a'");
        let found = lints(&twice, &[("a", "1"), ("b", "1")]);
        assert_eq!(found, [(Level::Warning, "`a/a` and `a/b` have the same bytes".to_owned())]);
        let renamed = attachment("a/a", "a", "") + &attachment("a/b", "b", "");
        assert_eq!(lints(&renamed, &[("a", "1"), ("b", "1")]), []);
    }

    #[test]
    fn a_control_with_the_bytes_of_a_legitimate_file_and_an_empty_one_are_errors() {
        let keys = "intent = 'control'\ntwin = 'a/a'";
        let same = attachment("a/a", "a", "") + &attachment("c/b", "b", keys);
        assert_eq!(lints(&same, &[("a", "1"), ("b", "1")])[0].0, Level::Error);
        let empty = lints(&same, &[("a", "1"), ("b", "")]);
        assert_eq!(empty, [(Level::Error, "the control `c/b` is empty".to_owned())]);
    }

    #[test]
    fn bytes_that_break_the_promise_of_their_name_or_type_are_a_warning_unless_the_tag_says_so() {
        let jpeg = [("a.jpg", "%PDF-1.7")];
        let found = warnings(&attachment("a/a", "a.jpg", ""), &jpeg);
        assert_eq!(found, [(Level::Warning, "`a/a` is PDF and not what `.jpg` promises".to_owned())]);
        assert_eq!(warnings(&attachment("a/a", "a.jpg", "tags = ['mismatch']"), &jpeg), []);
        let typed = warnings(&attachment("a/a", "a", "type = 'image/png'"), &[("a", "%PDF-1.7")]);
        assert_eq!(typed, [(Level::Warning, "`a/a` is PDF and not what `image/png` promises".to_owned())]);
        let vain = warnings(&attachment("a/a", "a.pdf", "tags = ['mismatch']"), &[("a.pdf", "%PDF-1.7")]);
        assert_eq!(vain.len(), 1);
        assert!(vain[0].1.contains("has the tag `mismatch`"), "{vain:?}");
    }

    #[test]
    fn personal_data_are_a_warning_unless_they_are_fictional() {
        let mail = [("a.txt", "mail taro@city.kawasaki.jp")];
        let found = lints(&attachment("a/a", "a.txt", ""), &mail);
        let message = "`a/a` may hold personal data: the mail address `taro@city.kawasaki.jp`";
        assert_eq!(found, [(Level::Warning, message.to_owned())]);
        assert_eq!(lints(&attachment("a/a", "a.txt", "fictional = true"), &mail), []);
    }

    #[test]
    fn a_header_only_file_is_a_note() {
        let found = lints(&attachment("a/a", "a.dwg", "fidelity = 'header-only'"), &[("a.dwg", "AC1032")]);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].0, found[0].1.starts_with("`a/a` is a header only")), (Level::Note, true), "{found:?}");
    }

    #[test]
    fn a_control_may_lie_about_its_type() {
        let pair = attachment("a/a", "a", "") + &attachment("c/b", "b.gif", "intent = 'control'\ntwin = 'a/a'");
        assert_eq!(lints(&pair, &[("a", "1"), ("b.gif", "no picture, x@city.kawasaki.jp")]), []);
    }

    #[test]
    fn a_procedure_that_is_named_once_beside_a_near_one_is_a_warning() {
        let near = attachment("a/a", "a", "procedures = ['後援申請フォーム提出']")
            + &attachment("a/b", "b", "procedures = ['後援申請フォーム提出']")
            + &attachment("a/c", "c", "procedures = ['後援申請フオーム提出']");
        let found = lints(&near, &[("a", "1"), ("b", "2"), ("c", "3")]);
        assert_eq!(found, [(Level::Warning, "the procedure `後援申請フオーム提出` is named once".to_owned())]);
    }

    #[test]
    fn an_attachment_without_source_and_licence_is_two_warnings_and_a_normal_gap_is_a_note() {
        let bare = "[axes]\nclient = ['chromium', 'curl']\nname = ['sjis']\n[[attachment]]\nid = 'a/a'\nfile = 'a'\n";
        let levels: Vec<Level> = lints(bare, &[("a", "1")]).into_iter().map(|(level, _)| level).collect();
        assert_eq!(levels, [Level::Warning, Level::Warning, Level::Note]);
    }
}
