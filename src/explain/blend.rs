//! Cases between a refused one and a benign reference: each property is taken from the one or the other.

use std::fmt;

use serde::Serialize;

use super::questions::{Questions, Stop};
use crate::corpus::pad::pad;
use crate::corpus::{Case, Content, DeclaredType, Filename, Piece};

/// A property of an upload that can be taken from another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
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
    /// The number of bytes.
    Size,
    /// The bytes.
    Content,
}

impl Factor {
    /// Every factor, those first that are cheapest to be wrong about.
    pub const ALL: [Self; 9] = [
        Self::Extension,
        Self::Stem,
        Self::Type,
        Self::Page,
        Self::Client,
        Self::Transport,
        Self::Fields,
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
    /// The reference's content in the size of the refused one's, where it can be had.
    padded: Option<Content>,
}

/// Stem and extension, the dot with the extension; a leading dot begins no extension.
pub(super) fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(at) if at > 0 => name.split_at(at),
        _ => (name, ""),
    }
}

impl<'a> Blend<'a> {
    pub(super) fn new(refused: &'a Case, reference: &'a Case, questions: &Questions) -> Result<Self, Stop> {
        let declared = |case: &Case| -> Result<DeclaredType, Stop> {
            let written = questions.request(case)?.content_type;
            Ok(written.map_or_else(|| case.declared_type.clone(), DeclaredType::Explicit))
        };
        let padded = pad(&reference.content, &reference.filename.text, refused.content.len()).ok();
        Ok(Self { types: [declared(refused)?, declared(reference)?], refused, reference, padded })
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
            Factor::Fields => !(refused.beside.is_empty() && reference.beside.is_empty()),
            Factor::Size => refused.content.len() != reference.content.len() && self.padded.is_some(),
            Factor::Content => refused.content.sha256() != reference.content.sha256(),
        };
        Factor::ALL.into_iter().filter(differs).collect()
    }

    /// The reference with these properties of the refused case. Its bytes bring their number with them.
    pub(super) fn with(&self, factors: &[Factor]) -> Case {
        let takes = |factor: Factor| factors.contains(&factor);
        let from = |factor: Factor| if takes(factor) { self.refused } else { self.reference };
        let (stem, _) = split(&from(Factor::Stem).filename.text);
        let (_, extension) = split(&from(Factor::Extension).filename.text);
        let content = match &self.padded {
            _ if takes(Factor::Content) => self.refused.content.clone(),
            Some(padded) if takes(Factor::Size) => padded.clone(),
            _ => self.reference.content.clone(),
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
