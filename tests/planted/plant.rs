//! Uploads with something planted in them, over files of the corpus.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use memchr::memmem;
use wafcanary::corpus::pad::pad;
use wafcanary::corpus::{
    Case, CaseId, Client, Content, Corpus, DeclaredType, Entry, Filename, Intent, PageCharset, Piece, canary,
};
use wafcanary::explain::references;
use wafcanary::profile::Profile;
use wafcanary::replay::Replayer;
use wafcanary::wire::{Segment, WireRequest};

use super::chance::Chance;
use super::grade::Want;
use super::kinds::Kind;

/// One trigger: the rule, what it refuses, and what it lets through.
pub(crate) struct Plant {
    pub(crate) number: u64,
    pub(crate) kind: &'static str,
    /// The edge's table `[lab]`.
    pub(crate) table: toml::Table,
    pub(crate) case: Case,
    pub(crate) delivered: Vec<Case>,
    pub(crate) expected: Vec<Want>,
}

/// What a kind of trigger is drawn as: a rule in the words of the table `[lab]`, and what it makes of a case.
pub(crate) struct Seedling {
    pub(crate) rule: String,
    pub(crate) case: Case,
    pub(crate) delivered: Vec<Case>,
    pub(crate) expected: Vec<Want>,
}

/// Where plants come from.
pub(crate) struct Nursery {
    files: Vec<Entry>,
    replayer: Replayer,
}

/// The stem and the extension of a filename, the dot with the extension.
pub(crate) fn split(name: &str) -> (&str, &str) {
    name.split_at(name.rfind('.').filter(|at| *at > 0).unwrap_or(name.len()))
}

/// The bytes of `content`, all of them.
pub(crate) fn bytes(content: &Content) -> Vec<u8> {
    content.read_range(0..content.len()).unwrap()
}

/// `content` with these bytes over it.
pub(crate) fn overlaid(content: &Content, offset: u64, bytes: &[u8]) -> Content {
    let mut pieces = content.range(0..offset);
    pieces.push(Piece::Bytes(Bytes::copy_from_slice(bytes)));
    pieces.extend(content.range(offset + bytes.len() as u64..content.len()));
    Content::from_pieces(pieces).unwrap()
}

impl Nursery {
    pub(crate) fn new(profile: Profile) -> Self {
        let files = Corpus::builtin().unwrap().attachments.into_iter().filter(|entry| {
            entry.attachment.intent == Intent::Legit
                && entry.beside.is_empty()
                && !split(&entry.filename.text).1.is_empty()
        });
        Self { files: files.collect(), replayer: Replayer::new(Arc::new(profile), "nursery").unwrap() }
    }

    /// The plant of this number: drawn again until it is what makes the difference.
    pub(crate) fn plant(&self, kind: &Kind, number: u64, seed: u64) -> Plant {
        let mut chance = Chance::of(seed, number);
        let seedling = (0..1000).find_map(|_| (kind.draw)(self, &mut chance)).unwrap();
        let mut table: toml::Table = seedling.rule.parse().unwrap();
        // What the rule says itself of the edge is kept.
        let behaviour = table.entry("behaviour").or_insert_with(|| "filter".into());
        if matches!(behaviour.as_str(), Some("filter" | "ban")) {
            table.entry("window").or_insert_with(|| "16MiB".into());
        }
        Plant {
            number,
            kind: kind.name,
            table,
            case: seedling.case,
            delivered: seedling.delivered,
            expected: seedling.expected,
        }
    }

    /// A file of the corpus as it is.
    pub(crate) fn case(entry: &Entry) -> Case {
        Case {
            id: CaseId::parse(&entry.attachment.id).unwrap(),
            attachment: entry.attachment.clone(),
            content: entry.content.clone(),
            filename: Filename { text: entry.filename.text.clone(), page: PageCharset::default() },
            declared_type: DeclaredType::AsClient,
            client: Client::DEFAULT,
            ..canary()
        }
    }

    /// A file of the corpus, and the same of a larger size: as its format allows, or with noise behind it.
    pub(crate) fn file(&self, chance: &mut Chance, size: u64, text: bool) -> Option<(Case, Case)> {
        let is_text =
            |entry: &&Entry| matches!(split(&entry.filename.text).1, ".csv" | ".txt" | ".xml" | ".json" | ".svg");
        let some: Vec<&Entry> =
            self.files.iter().filter(|entry| entry.content.len() < size && (!text || is_text(entry))).collect();
        if some.is_empty() {
            return None;
        }
        let entry = *chance.pick(&some);
        let small = Self::case(entry);
        let padded =
            pad(&entry.content, &entry.filename.text, size).ok().filter(|_| is_text(&entry) || chance.is_head());
        let content = match padded {
            Some(padded) => padded,
            None if is_text(&entry) => return None,
            None => {
                let noise = Piece::Bytes(chance.bytes(size - entry.content.len()).into());
                Content::from_pieces(entry.content.pieces().iter().cloned().chain([noise]).collect()).unwrap()
            }
        };
        let large = Case { content, id: CaseId::parse(&format!("{}~size:{size}", small.id)).unwrap(), ..small.clone() };
        Some((small, large))
    }

    /// What was delivered: the small file itself, one of its kind where there is one, and others.
    pub(crate) fn delivered(&self, chance: &mut Chance, small: &Case, passes: impl Fn(&Case) -> bool) -> Vec<Case> {
        let extension = split(&small.filename.text).1;
        let kin = self
            .files
            .iter()
            .map(Self::case)
            .filter(|case| split(&case.filename.text).1 == extension && case.id != small.id);
        let kin: Vec<Case> = kin.collect();
        let mut delivered = vec![small.clone()];
        if !kin.is_empty() {
            delivered.push(chance.pick(&kin).clone());
        }
        for _ in 0..chance.within(0..=2) {
            delivered.push(Self::case(chance.pick(&self.files)));
        }
        delivered.retain(passes);
        delivered
    }

    /// Whether these bytes are nowhere in what `case` is compared with, however explaining fills it up.
    pub(crate) fn is_absent(run: &[u8], case: &Case, delivered: &[Case]) -> bool {
        let holds = |content: &Content| memmem::find(&bytes(content), run).is_some();
        references(case, delivered).iter().all(|reference| {
            let padded = pad(&reference.content, &reference.filename.text, case.content.len());
            !holds(&reference.content) && !padded.is_ok_and(|padded| holds(&padded))
        })
    }

    /// The request that `case` makes.
    pub(crate) fn request(&self, case: &Case) -> WireRequest {
        self.replayer.request(case, "nursery").unwrap()
    }

    /// The body of `case` before its file's bytes.
    pub(crate) fn before_file(&self, case: &Case) -> Vec<u8> {
        match self.request(case).body.segments().first() {
            Some(Segment::Bytes(bytes)) => bytes.to_vec(),
            _ => Vec::new(),
        }
    }
}

/// Whether the last extension is this one, in letters of either case.
pub(crate) fn has_extension(case: &Case, extension: &str) -> bool {
    Path::new(&case.filename.text).extension().is_some_and(|own| own.eq_ignore_ascii_case(extension))
}
