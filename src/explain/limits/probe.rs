//! Cases of any size or number: what is sent to find a limit.

use super::bracket::{Search, usual_bytes, usual_counts};
use super::{Amount, Quantity, Wanted};
use crate::corpus::pad::{self, pad};
use crate::corpus::{Beside, Case, CaseId, Content, Corpus, Filename, FormOverrides, Intent, Transport, Trips, canary};
use crate::error;
use crate::explain::{Questions, Stop};
use crate::wire::Segment;

/// Extensions of the files whose sizes are measured, the one that the others are compared with first.
const EXTENSIONS: [&str; 4] = ["pdf", "jpg", "docx", "txt"];

/// Bytes over its own size that a file is padded to at least: every format can be padded by so many.
const LEAST_GAP: u64 = 64;

/// The longest text field that is tried, in bytes.
const MOST_TEXT: u64 = 1 << 20;

/// The longest filename that is tried, in bytes.
const MOST_NAME: u64 = 4096;

/// Files that are tried in one form.
const MOST_FILES: u64 = 1024;

/// Text fields that are tried in one form.
const MOST_FIELDS: u64 = 2048;

/// Headers that are tried in the file's part, beside those that the client writes.
const MOST_PART_HEADERS: u64 = 2048;

/// A quantity that can be had in any number, and where its limit may be.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    pub(super) quantity: Quantity,
    pub(super) transport: Transport,
    /// Extension of the file; `None`: that does not matter.
    pub(super) format: Option<String>,
    pub(super) search: Search,
    base: Case,
    /// Of a size, the body bytes beside the file; of a number of fields or headers, those that are there anyway.
    around: u64,
}

/// The smallest case of its kind: what is refused as this is refused for another reason than a limit.
pub(super) fn plain(transport: Transport) -> Case {
    let canary = canary();
    // NOTE: not under the canary's name, which edges may be told to let pass.
    let filename = Filename { text: "attachment.pdf".into(), ..canary.filename.clone() };
    Case { id: id("plain", &canary), filename, transport, ..canary }
}

fn id(name: &str, canary: &Case) -> CaseId {
    CaseId::parse(&format!("limits/{name}")).unwrap_or_else(|| canary.id.clone())
}

/// Benign files of a few formats under plain names, those of the built-in corpus that are smallest.
pub(super) fn samples() -> error::Result<Vec<Case>> {
    let corpus = Corpus::builtin()?;
    let own = |extension: &str| {
        let fits = corpus.attachments.iter().filter(|entry| {
            let untripped = entry.attachment.provenance.trips.as_ref().is_none_or(Trips::is_empty);
            entry.attachment.intent == Intent::Legit
                && untripped
                && entry.filename.text.rsplit_once('.').is_some_and(|(_, own)| own == extension)
                && pad::check(&entry.content, &entry.filename.text, entry.content.len() + LEAST_GAP).is_ok()
        });
        fits.min_by_key(|entry| entry.content.len()).map(|entry| entry.content.clone())
    };
    let plain = plain(Transport::Multipart);
    let sample = |extension: &str| {
        let content = if extension == "pdf" { Some(plain.content.clone()) } else { own(extension) };
        let filename = Filename { text: format!("attachment.{extension}"), ..plain.filename.clone() };
        content.map(|content| Case { id: id(extension, &plain), content, filename, ..plain.clone() })
    };
    Ok(EXTENSIONS.into_iter().filter_map(sample).collect())
}

/// Bytes of the request body before the file's own.
pub(super) fn before_file(case: &Case, questions: &Questions) -> Result<u64, Stop> {
    let request = questions.request(case)?;
    let segments = request.body.segments().iter();
    Ok(segments.take_while(|segment| matches!(segment, Segment::Bytes(_))).map(Segment::len).sum())
}

/// Bytes of the largest file with which a request like that of `case` has a body of at most `body` bytes.
pub(super) fn largest_file(case: &Case, body: u64, questions: &Questions) -> Result<u64, Stop> {
    let around = body_len(case, questions)? - on_the_wire(case.content.len(), case.transport);
    let room = body.saturating_sub(around);
    Ok(match case.transport {
        Transport::Multipart | Transport::Put => room,
        Transport::Base64Json => room / 4 * 3,
    })
}

/// Bytes of a form's part heads and text fields: all but files and boundaries. What ModSecurity counts for
/// `SecRequestBodyNoFilesLimit`.
fn no_files(case: &Case, questions: &Questions) -> Result<u64, Stop> {
    let request = questions.request(case)?;
    let typed = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-type"));
    let boundary = typed.and_then(|header| Some(header.value.split(|byte| *byte == b'=').next_back()?.to_vec()));
    let delimiter = [b"\r\n--".to_vec(), boundary.unwrap_or_default()].concat();
    // The first delimiter has no line break before it.
    let mut text = b"\r\n".to_vec();
    for segment in request.body.segments() {
        if let Segment::Bytes(bytes) = segment {
            text.extend_from_slice(bytes);
        }
    }
    let starts: Vec<usize> = memchr::memmem::find_iter(&text, &delimiter).collect();
    let between = |pair: &[usize]| (pair[1] - pair[0] - delimiter.len()).saturating_sub(b"\r\n".len()) as u64;
    Ok(starts.windows(2).map(between).sum())
}

/// Headers that the client writes in the file's part.
fn own_part_headers(case: &Case, questions: &Questions) -> Result<u64, Stop> {
    let request = questions.request(case)?;
    let mut text = Vec::new();
    for segment in request.body.segments() {
        let Segment::Bytes(bytes) = segment else { break };
        text.extend_from_slice(bytes);
    }
    let lines = text.rsplit(|byte| *byte == b'\n').skip_while(|line| matches!(line, [] | [b'\r']));
    Ok(lines.take_while(|line| !line.starts_with(b"--")).count() as u64)
}

/// Extension of a case's file.
pub(super) fn extension(case: &Case) -> Option<String> {
    case.filename.text.rsplit_once('.').map(|(_, extension)| extension.to_owned())
}

pub(super) fn body_len(case: &Case, questions: &Questions) -> Result<u64, Stop> {
    Ok(questions.request(case)?.body.len())
}

impl Probe {
    /// Everything that is to be measured of one transport, but the window. What it has no place for is left out.
    pub(super) fn all(
        transport: Transport,
        samples: &[Case],
        wanted: &Wanted,
        questions: &Questions,
    ) -> Result<Vec<Self>, Stop> {
        let mut probes = Vec::new();
        if wanted.quantities.contains(&Quantity::Size) {
            for sample in samples {
                let probe = Self::of_size(&Case { transport, ..sample.clone() }, wanted.max_size, questions)?;
                probes.extend(probe);
            }
        }
        let base = plain(transport);
        let numbers = [Quantity::Text, Quantity::Filename, Quantity::Files, Quantity::Fields, Quantity::PartHeaders];
        for quantity in numbers {
            if wanted.quantities.contains(&quantity) {
                let probe = Self::of_number(quantity, &base, questions)?;
                probes.extend(probe.map(|probe| probe.within(wanted.max_size, questions)).transpose()?.flatten());
            }
        }
        Ok(probes)
    }

    /// `None`: the file is larger than `most` by itself.
    fn of_size(sample: &Case, most: u64, questions: &Questions) -> Result<Option<Self>, Stop> {
        let own = on_the_wire(sample.content.len(), sample.transport);
        let around = body_len(sample, questions)? - own;
        let lowest = around + own + LEAST_GAP;
        let range = lowest..=most;
        Ok((lowest < most).then(|| Self {
            quantity: Quantity::Size,
            transport: sample.transport,
            format: extension(sample),
            search: Search { range, usual: usual_bytes(around), guesses: Vec::new() },
            base: sample.clone(),
            around,
        }))
    }

    /// `None`: the transport has no place for it.
    fn of_number(quantity: Quantity, base: &Case, questions: &Questions) -> Result<Option<Self>, Stop> {
        let has_place = match (quantity, base.transport) {
            // All of a JSON body is text: its limit is that of the size.
            (Quantity::Files | Quantity::Text | Quantity::PartHeaders, transport) => transport == Transport::Multipart,
            (Quantity::Fields, transport) => transport != Transport::Put,
            (Quantity::Filename | Quantity::Size | Quantity::Window, _) => true,
        };
        if !has_place {
            return Ok(None);
        }
        let own = match quantity {
            Quantity::Fields => questions.profile().upload.fields.len() as u64,
            Quantity::PartHeaders => own_part_headers(base, questions)?,
            Quantity::Size | Quantity::Text | Quantity::Filename | Quantity::Files | Quantity::Window => 0,
        };
        let (lowest, most) = match quantity {
            Quantity::Text => (1, MOST_TEXT),
            Quantity::Filename => (8, MOST_NAME),
            Quantity::Files => (1, MOST_FILES),
            Quantity::Fields => (own + 1, own + MOST_FIELDS),
            Quantity::PartHeaders => (own + 1, own + MOST_PART_HEADERS),
            Quantity::Size | Quantity::Window => return Ok(None),
        };
        let usual = if quantity == Quantity::Text { usual_bytes(0) } else { usual_counts() };
        let probe = Self {
            quantity,
            transport: base.transport,
            format: None,
            search: Search { range: lowest..=most, usual, guesses: Vec::new() },
            base: Case { id: id(quantity.as_str(), base), ..base.clone() },
            around: own,
        };
        if quantity == Quantity::Filename {
            // A body that is the file alone has the name in its path, or nowhere.
            let written = |number: u64| -> Result<u64, Stop> {
                let request = questions.request(&probe.case(number)?)?;
                Ok(request.head().len() as u64 + request.body.len())
            };
            if written(lowest)? == written(lowest + 1)? {
                return Ok(None);
            }
        }
        Ok(Some(probe))
    }

    /// The case with so many; of a size, with so long a body.
    pub(super) fn case(&self, number: u64) -> Result<Case, Stop> {
        match self.quantity {
            Quantity::Size | Quantity::Window => self.sized(number, 0),
            Quantity::Text => Ok(self.with(vec![text("wafcanary", "a".repeat(index(number)))])),
            Quantity::Filename => {
                let text = format!("{}.pdf", "a".repeat(index(number.saturating_sub(4))));
                Ok(Case { filename: Filename { text, ..self.base.filename.clone() }, ..self.base.clone() })
            }
            Quantity::Files => {
                let content = Content::from_bytes(&b"attachment\n"[..]);
                let file =
                    |at: u64| Beside::File { name: None, filename: format!("{at}.txt"), content: content.clone() };
                Ok(self.with((1..number).map(file).collect()))
            }
            Quantity::Fields => {
                let fields = 1..=number.saturating_sub(self.around);
                Ok(self.with(fields.map(|at| text(&format!("f{at}"), "1".to_owned())).collect()))
            }
            Quantity::PartHeaders => {
                let more = (1..=number.saturating_sub(self.around)).map(|at| (format!("X-H{at}"), "1".to_owned()));
                let form_overrides = FormOverrides { part_headers: more.collect(), ..FormOverrides::default() };
                Ok(Case { form_overrides, ..self.base.clone() })
            }
        }
    }

    fn with(&self, beside: Vec<Beside>) -> Case {
        Case { beside, ..self.base.clone() }
    }

    /// With a body of `body` bytes, and a filename that is `longer` by so many.
    pub(super) fn sized(&self, body: u64, longer: u64) -> Result<Case, Stop> {
        let room = body.saturating_sub(self.around + longer);
        let (size, rest) = match self.transport {
            Transport::Multipart | Transport::Put => (room, 0),
            // Base64 comes in fours; the filename has room for the rest.
            Transport::Base64Json => (room / 4 * 3, room % 4),
        };
        let own = &self.base.filename;
        let (stem, extension) = own.text.rsplit_once('.').unwrap_or((&own.text, ""));
        let text = format!("{stem}{}.{extension}", "a".repeat(index(longer + rest)));
        Ok(Case { filename: Filename { text, ..own.clone() }, ..self.with_file(size)? })
    }

    /// With a file of `size` bytes under its own name.
    pub(super) fn with_file(&self, size: u64) -> Result<Case, Stop> {
        let own = &self.base.filename.text;
        let padded = pad(&self.base.content, own, size);
        let content = padded.map_err(|why| Stop::Variant(format!("the `{own}` to send {why}")))?;
        Ok(Case { content, ..self.base.clone() })
    }

    /// Leaves out numbers whose bodies are over `body` bytes: they are refused for that.
    pub(super) fn within(mut self, body: u64, questions: &Questions) -> Result<Option<Self>, Stop> {
        let (mut fits, most) = (*self.search.range.start(), *self.search.range.end());
        if self.quantity == Quantity::Size {
            // A larger body is what is looked for: formats need not have the same limit.
            return Ok((fits < body).then_some(self));
        }
        if self.body(fits, questions)? > body {
            return Ok(None);
        }
        let mut over = most + 1;
        while over - fits > 1 {
            let middle = fits + (over - fits) / 2;
            if self.body(middle, questions)? > body {
                over = middle;
            } else {
                fits = middle;
            }
        }
        self.search.range = *self.search.range.start()..=fits;
        Ok(Some(self))
    }

    /// Body bytes of the case with so many.
    pub(super) fn body(&self, number: u64, questions: &Questions) -> Result<u64, Stop> {
        match self.quantity {
            // NOTE: it is what was asked for, and to pad a large file takes a while.
            Quantity::Size => Ok(number),
            Quantity::Text
            | Quantity::Filename
            | Quantity::Files
            | Quantity::Fields
            | Quantity::PartHeaders
            | Quantity::Window => body_len(&self.case(number)?, questions),
        }
    }

    /// How much it is, in the quantity's own measure and as a body.
    pub(super) fn amount(&self, number: u64, questions: &Questions) -> Result<Amount, Stop> {
        let case = self.case(number)?;
        let value = if self.quantity == Quantity::Size { case.content.len() } else { number };
        let no_files = if self.quantity == Quantity::Text { Some(no_files(&case, questions)?) } else { None };
        Ok(Amount { value, body: body_len(&case, questions)?, no_files })
    }
}

/// Bytes of a file in the body.
pub(super) fn on_the_wire(len: u64, transport: Transport) -> u64 {
    match transport {
        Transport::Multipart | Transport::Put => len,
        Transport::Base64Json => len.div_ceil(3) * 4,
    }
}

fn text(name: &str, value: String) -> Beside {
    Beside::Text { name: name.to_owned(), value }
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
