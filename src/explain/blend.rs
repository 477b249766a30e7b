//! Cases between a refused one and a benign reference: each property is taken from the one or the other.

use std::fmt;
use std::sync::LazyLock;

use serde::Serialize;

use super::questions::{Questions, Stop};
use crate::corpus::name::split;
use crate::corpus::pad::pad;
use crate::corpus::{Case, Content, Corpus, DeclaredType, Entry, Filename, Intent, Piece};

/// A property of an upload that can be taken from another one.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Factor {
    /// The filename's last extension.
    Extension,
    /// The filename without it.
    Stem,
    /// The declared `Content-Type` of the file.
    Type,
    /// The charset of the page that holds the form.
    Page,
    /// How the client writes the request: part headers, boundary, order.
    Client,
    /// How the file travels.
    Transport,
    /// The text fields and files beside it.
    Fields,
    /// What the attachment says of its form: field name, boundary, parameters, part headers.
    Form,
    /// The number of bytes.
    Size,
    /// The bytes.
    Content,
}

impl Factor {
    /// Every factor, those first that are cheapest to be wrong about.
    pub const ALL: [Self; 10] = [
        Self::Extension,
        Self::Stem,
        Self::Type,
        Self::Page,
        Self::Client,
        Self::Transport,
        Self::Fields,
        Self::Form,
        Self::Size,
        Self::Content,
    ];

    /// Its name in a sentence.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Extension => "extension",
            Self::Stem => "filename",
            Self::Type => "declared type",
            Self::Page => "charset of the page",
            Self::Client => "client's way of writing the request",
            Self::Transport => "transport",
            Self::Fields => "fields beside the file",
            Self::Form => "form",
            Self::Size => "size",
            Self::Content => "content",
        }
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// A refused case and a reference that is delivered.
pub(super) struct Blend<'a> {
    pub(super) refused: &'a Case,
    pub(super) reference: &'a Case,
    /// What the two declare on the wire.
    types: [DeclaredType; 2],
    /// The reference's content in the size of the refused one's, where that is larger.
    padded: Option<Content>,
    /// The largest size that passes, once it is known: the refused content is then looked at without what is over it.
    pub(super) most: Option<u64>,
    /// Names have no extension where they would have the reference's.
    nameless: bool,
}

/// The content of `case` in a larger size: as its format allows, or with zeros behind it.
pub(super) fn grown(case: &Case, size: u64) -> Option<Content> {
    let padded = pad(&case.content, &case.filename.text, size).ok();
    padded.or_else(|| {
        let len = size.checked_sub(case.content.len())?;
        let zeros = Piece::Fill { pattern: [0][..].into(), len };
        Content::from_pieces(case.content.pieces().iter().cloned().chain([zeros]).collect()).ok()
    })
}

/// The attachments of the built-in corpus, opened and digested once, and only where one is needed.
static BUILTIN: LazyLock<Vec<Entry>> =
    LazyLock::new(|| Corpus::builtin().map(|corpus| corpus.attachments).unwrap_or_default());

impl<'a> Blend<'a> {
    pub(super) fn new(refused: &'a Case, reference: &'a Case, questions: &Questions) -> Result<Self, Stop> {
        let declared = |case: &Case| -> Result<DeclaredType, Stop> {
            let written = questions.request(case)?.content_type;
            Ok(written.map_or_else(|| case.declared_type.clone(), DeclaredType::Explicit))
        };
        let padded = grown(reference, refused.content.len());
        Ok(Self {
            types: [declared(refused)?, declared(reference)?],
            refused,
            reference,
            padded,
            most: None,
            nameless: false,
        })
    }

    /// The properties in which the two differ.
    pub(super) fn differing(&self) -> Vec<Factor> {
        let (refused, reference) = (self.refused, self.reference);
        let ((stem, extension), (other_stem, other_extension)) =
            (split(&refused.filename.text), split(&reference.filename.text));
        let differs = |factor: &Factor| match factor {
            Factor::Extension => extension != other_extension,
            Factor::Stem => stem != other_stem,
            Factor::Type => self.types[0] != self.types[1],
            Factor::Page => refused.filename.page != reference.filename.page,
            Factor::Client => refused.client != reference.client,
            Factor::Transport => refused.transport != reference.transport,
            Factor::Fields => format!("{:?}", refused.beside) != format!("{:?}", reference.beside),
            Factor::Form => refused.form_overrides != reference.form_overrides,
            Factor::Size => refused.content.len() != reference.content.len() && self.padded.is_some(),
            Factor::Content => refused.content.sha256() != reference.content.sha256(),
        };
        Factor::ALL.into_iter().filter(differs).collect()
    }

    /// The reference with these properties of the refused case. Its bytes bring their number with them, unless the size
    /// is known to be a cause by itself.
    pub(super) fn with(&self, factors: &[Factor]) -> Case {
        let takes = |factor: Factor| factors.contains(&factor);
        let from = |factor: Factor| if takes(factor) { self.refused } else { self.reference };
        let (stem, _) = split(&from(Factor::Stem).filename.text);
        let (stem, extension) = match split(&from(Factor::Extension).filename.text).1 {
            _ if self.nameless && !takes(Factor::Extension) => (stem.split('.').next().unwrap_or(stem), ""),
            extension => (stem, extension),
        };
        let content = match (&self.padded, takes(Factor::Content), takes(Factor::Size)) {
            (_, true, false) => self.small_enough(),
            (_, true, true) => self.refused.content.clone(),
            (Some(padded), false, true) => padded.clone(),
            (_, false, _) => self.reference.content.clone(),
        };
        Case {
            // The boundary is drawn from the id: with another one, it would be one more thing that differs.
            id: self.refused.id.clone(),
            attachment: self.refused.attachment.clone(),
            content,
            filename: Filename { text: format!("{stem}{extension}"), page: from(Factor::Page).filename.page },
            declared_type: self.types[usize::from(!takes(Factor::Type))].clone(),
            client: from(Factor::Client).client,
            transport: from(Factor::Transport).transport,
            beside: from(Factor::Fields).beside.clone(),
            form_overrides: from(Factor::Form).form_overrides.clone(),
        }
    }

    /// The reference, as it is known to be delivered.
    pub(super) fn benign(&self) -> Case {
        Case { id: self.refused.id.clone(), ..self.reference.clone() }
    }

    /// A delivered case with the refused one's extension, where the reference has another one and the refused case is
    /// delivered with that case's content: one of the references, a few letters, or a file of the built-in corpus.
    pub(super) async fn kin(&self, references: &[Case], questions: &mut Questions) -> Result<Option<Case>, Stop> {
        let extension = |name: &str| split(name).1.to_lowercase();
        let own = extension(&self.refused.filename.text);
        if extension(&self.reference.filename.text) == own {
            return Ok(None);
        }
        let near = references.iter().filter(|other| extension(&other.filename.text) == own).take(2).cloned();
        let plain = |content: &Content| {
            let text = format!("attachment{}", split(&self.refused.filename.text).1);
            let filename = Filename { text, page: self.refused.filename.page };
            Case { content: content.clone(), filename, beside: Vec::new(), ..self.reference.clone() }
        };
        let letters = Content::from_bytes(&b"A letter.\n"[..]);
        let same = |entry: &&Entry| extension(&entry.filename.text) == own && entry.attachment.intent == Intent::Legit;
        let others = std::iter::once_with(|| BUILTIN.iter()).flatten().filter(same).take(2).map(|entry| &entry.content);
        for kin in near.chain(std::iter::once(&letters).chain(others).map(plain)) {
            let case = Case { content: kin.content.clone(), ..self.refused.clone() };
            if kin.content.sha256() != self.refused.content.sha256() && !questions.refuses(&case).await? {
                return Ok(Some(kin));
            }
        }
        Ok(None)
    }

    /// Compares without any extension from now on, where the reference is delivered without one.
    pub(super) async fn without_extension(&mut self, questions: &mut Questions) -> Result<(), Stop> {
        self.nameless = true;
        self.nameless = !questions.refuses(&self.with(&[])).await?;
        Ok(())
    }

    /// The refused content, without what is over a size that is known to be refused whatever it holds.
    fn small_enough(&self) -> Content {
        let content = &self.refused.content;
        match self.most.filter(|most| *most < content.len()) {
            // What cannot be read now could be read when it was refused: the whole of it says so when it is sent.
            Some(most) => Content::from_pieces(content.range(0..most)).unwrap_or_else(|_| content.clone()),
            None => content.clone(),
        }
    }

    /// What may stand around a few bytes of the refused content: of its size and benign, the likeliest first.
    pub(super) fn backgrounds(&self) -> Vec<Content> {
        let len = self.refused.content.len();
        let cut = Content::from_pieces(self.reference.content.range(0..len));
        let fill = |byte: &'static [u8]| Content::from_pieces(vec![Piece::Fill { pattern: byte.into(), len }]);
        let cut = cut.ok().filter(|cut| cut.len() == len);
        self.padded.clone().into_iter().chain(cut).chain(fill(b"A")).chain(fill(b"\n")).collect()
    }
}
