//! What of a guilty property: which characters, which bytes, how many.

use std::collections::BTreeSet;
use std::ops::Range;

use super::blend::{Blend, split};
use super::questions::{Questions, Stop};
use super::{Detail, Factor, Place, Run, lines, search};
use crate::corpus::pad::pad;
use crate::corpus::{Beside, Case, Content, Filename, Hex, Piece};

/// Bytes of a run that are shown.
const SHOWN: u64 = 32;

/// Requests that finding an inspection window may take.
const WINDOW_COST: u32 = 40;

/// Takes `factor` of `case`, which is refused for it, apart. `case` becomes what is refused with nothing more of the factor
/// than that.
pub(super) async fn look(
    blend: &Blend<'_>,
    factor: Factor,
    case: &mut Case,
    questions: &mut Questions,
) -> Result<Detail, Stop> {
    match factor {
        Factor::Stem => stem(case, questions).await,
        Factor::Size => size(blend, case, questions).await,
        Factor::Content => content(blend, case, questions).await,
        Factor::Extension => Ok(whole(split(&case.filename.text).1)),
        Factor::Type => Ok(whole(&questions.request(case)?.content_type.unwrap_or_default())),
        Factor::Page => Ok(whole(case.filename.page.0.name())),
        Factor::Client => lines::look(case, blend.reference.client, questions).await,
        Factor::Transport => Ok(whole(case.transport.as_str())),
        Factor::Fields => fields(case, questions).await,
    }
}

fn whole(value: &str) -> Detail {
    Detail::Whole { value: value.to_owned() }
}

/// The characters of text fields that are to blame, or all that travels beside the file.
async fn fields(smallest: &mut Case, questions: &mut Questions) -> Result<Detail, Stop> {
    let case = &smallest.clone();
    let texts: Vec<(usize, char)> = case
        .beside
        .iter()
        .enumerate()
        .filter_map(|(at, beside)| match beside {
            Beside::Text { value, .. } => Some((at, value)),
            Beside::File { .. } | Beside::EmptyFile { .. } => None,
        })
        .flat_map(|(at, value)| value.chars().map(move |c| (at, c)))
        .collect();
    let variant = |runs: &[Range<u64>]| {
        let mut variant = case.clone();
        for beside in &mut variant.beside {
            if let Beside::Text { value, .. } = beside {
                value.clear();
            }
        }
        for (position, (at, c)) in (0..).zip(&texts) {
            if let Beside::Text { value, .. } = &mut variant.beside[*at] {
                value.push(if runs.iter().any(|run| run.contains(&position)) { *c } else { 'a' });
            }
        }
        variant
    };
    let len = texts.len() as u64;
    if len == 0 || questions.refuses(&variant(&[])).await? {
        return Ok(whole(&beside(case)));
    }
    let runs = search::minimal(len, &mut async |runs: &[Range<u64>]| questions.refuses(&variant(runs)).await).await?;
    *smallest = variant(&runs);
    let guilty: Vec<&(usize, char)> = runs.iter().flat_map(|run| &texts[index(run.start)..index(run.end)]).collect();
    let names: BTreeSet<&str> = guilty.iter().filter_map(|(at, _)| name(&case.beside[*at])).collect();
    let text: String = guilty.iter().map(|(_, c)| *c).collect();
    let (bytes, _, _) = case.filename.page.0.encode(&text);
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    Ok(Detail::Field { names, wire: Hex(&bytes).to_string(), text })
}

fn name(beside: &Beside) -> Option<&str> {
    match beside {
        Beside::Text { name, .. } | Beside::EmptyFile { name } => Some(name),
        Beside::File { name, .. } => name.as_deref(),
    }
}

/// What travels beside the file, in words.
fn beside(case: &Case) -> String {
    let told = case.beside.iter().map(|beside| match beside {
        Beside::Text { name, value } => format!("{name}={value}"),
        Beside::File { filename, .. } => format!("file {filename}"),
        Beside::EmptyFile { name } => format!("empty {name}"),
    });
    told.collect::<Vec<_>>().join(", ")
}

/// The filename with only these characters of its stem, the others an `a` each.
fn renamed(case: &Case, stem: &[char], extension: &str, runs: &[Range<u64>]) -> Case {
    let kept = |at: usize| runs.iter().any(|run| run.contains(&(at as u64)));
    let text: String = stem.iter().enumerate().map(|(at, c)| if kept(at) { *c } else { 'a' }).collect();
    let filename = Filename { text: text + extension, page: case.filename.page };
    Case { filename, ..case.clone() }
}

async fn stem(smallest: &mut Case, questions: &mut Questions) -> Result<Detail, Stop> {
    let case = &smallest.clone();
    let (text, extension) = split(&case.filename.text);
    let stem: Vec<char> = text.chars().collect();
    let len = stem.len() as u64;
    if questions.refuses(&renamed(case, &stem, extension, &[])).await? {
        let shortened = |size: u64| {
            let text: String = std::iter::repeat_n('a', usize::try_from(size).unwrap_or(usize::MAX)).collect();
            let filename = Filename { text: text + extension, page: case.filename.page };
            Case { filename, ..case.clone() }
        };
        if len < 2 || questions.refuses(&shortened(1)).await? {
            return Ok(whole(text));
        }
        let from = search::threshold(1, len, &mut async |size| questions.refuses(&shortened(size)).await).await?;
        *smallest = shortened(from);
        return Ok(Detail::Length { from });
    }
    let runs = search::minimal(len, &mut async |runs: &[Range<u64>]| {
        questions.refuses(&renamed(case, &stem, extension, runs)).await
    })
    .await?;
    *smallest = renamed(case, &stem, extension, &runs);
    let text: String = runs.iter().flat_map(|run| &stem[index(run.start)..index(run.end)]).collect();
    let (bytes, _, _) = case.filename.page.0.encode(&text);
    let byte = byte(case, &stem, extension, &runs, &bytes, questions).await?;
    Ok(Detail::Characters { wire: Hex(&bytes).to_string(), text, byte })
}

/// Of one character that is several bytes: the ASCII byte among them that is refused as a character of its own.
async fn byte(
    case: &Case,
    stem: &[char],
    extension: &str,
    runs: &[Range<u64>],
    bytes: &[u8],
    questions: &mut Questions,
) -> Result<Option<char>, Stop> {
    let [run] = runs else { return Ok(None) };
    if run.end - run.start != 1 || bytes.len() < 2 {
        return Ok(None);
    }
    for byte in bytes.iter().filter(|byte| byte.is_ascii_graphic()) {
        let mut alone = stem.to_vec();
        alone[index(run.start)] = char::from(*byte);
        if questions.refuses(&renamed(case, &alone, extension, runs)).await? {
            return Ok(Some(char::from(*byte)));
        }
    }
    Ok(None)
}

fn index(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

async fn size(blend: &Blend<'_>, smallest: &mut Case, questions: &mut Questions) -> Result<Detail, Stop> {
    let (case, reference) = (&smallest.clone(), blend.reference);
    let sized = |size: u64| -> Result<Case, Stop> {
        let content = pad(&reference.content, &reference.filename.text, size)
            .map_err(|why| Stop::Variant(format!("`{}` {why}", reference.id)))?;
        Ok(Case { content, ..case.clone() })
    };
    let from = search::threshold(reference.content.len(), case.content.len(), &mut async |size| {
        questions.refuses(&sized(size)?).await
    })
    .await?;
    *smallest = sized(from)?;
    Ok(Detail::Size { from })
}

/// `background` with these bytes of the case's content over it.
fn overlaid(case: &Case, background: &Content, runs: &[Range<u64>]) -> Result<Case, Stop> {
    overlaid_with(case, background, runs, Ok)
}

fn overlaid_with(
    case: &Case,
    background: &Content,
    runs: &[Range<u64>],
    change: impl Fn(Vec<Piece>) -> Result<Vec<Piece>, Stop>,
) -> Result<Case, Stop> {
    let mut pieces = Vec::new();
    let mut at = 0;
    for run in runs {
        pieces.extend(background.range(at..run.start));
        pieces.extend(change(case.content.range(run.clone()))?);
        at = run.end;
    }
    pieces.extend(background.range(at..case.content.len()));
    Ok(Case { content: composed(pieces)?, ..case.clone() })
}

/// Other bytes, each of them.
fn changed(pieces: Vec<Piece>) -> Result<Vec<Piece>, Stop> {
    let content = composed(pieces)?;
    let bytes = read(&content, 0..content.len())?;
    let other: Vec<u8> = bytes.iter().map(|byte| byte ^ 0x15).collect();
    Ok(vec![Piece::Bytes(other.into())])
}

fn read(content: &Content, range: Range<u64>) -> Result<Vec<u8>, Stop> {
    content.read_range(range).map_err(|error| Stop::Variant(error.to_string()))
}

/// The bytes that the reference has where the refused file has others.
fn missed(background: &Content, runs: &[Range<u64>]) -> Result<Detail, Stop> {
    let Some(first) = runs.first() else { return Ok(Detail::NotAsNamed { offset: 0, hex: String::new() }) };
    let shown = read(background, first.start..first.start + 8)?;
    Ok(Detail::NotAsNamed { offset: first.start, hex: Hex(&shown).to_string() })
}

fn composed(pieces: Vec<Piece>) -> Result<Content, Stop> {
    Content::from_pieces(pieces).map_err(|error| Stop::Variant(error.to_string()))
}

async fn content(blend: &Blend<'_>, smallest: &mut Case, questions: &mut Questions) -> Result<Detail, Stop> {
    let case = &smallest.clone();
    let mut background = None;
    for candidate in blend.backgrounds() {
        if !questions.refuses(&overlaid(case, &candidate, &[])?).await? {
            background = Some(candidate);
            break;
        }
    }
    let Some(background) = background else { return Ok(Detail::NotAsNamed { offset: 0, hex: String::new() }) };
    let runs = search::minimal(case.content.len(), &mut async |runs: &[Range<u64>]| {
        questions.refuses(&overlaid(case, &background, runs)?).await
    })
    .await?;
    *smallest = overlaid(case, &background, &runs)?;
    if !runs.is_empty() && questions.refuses(&overlaid_with(case, &background, &runs, changed)?).await? {
        // Other bytes in their place are refused as well: it is those of the reference that are missed.
        return missed(&background, &runs);
    }
    let place = place(case, &background, &runs, questions).await?;
    let shown = |run: &Range<u64>| {
        let bytes = read(&case.content, run.start..run.end.min(run.start + SHOWN))?;
        Ok(Run { offset: run.start, len: run.end - run.start, hex: Hex(&bytes).to_string() })
    };
    Ok(Detail::Bytes { runs: runs.iter().map(shown).collect::<Result<_, _>>()?, place })
}

/// Whether one run of bytes trips at the end of the file as well, and if not, from where on it passes.
async fn place(
    case: &Case,
    background: &Content,
    runs: &[Range<u64>],
    questions: &mut Questions,
) -> Result<Option<Place>, Stop> {
    let ([run], true) = (runs, questions.left() > WINDOW_COST) else { return Ok(None) };
    let last = case.content.len() - (run.end - run.start);
    if run.start == last || run.start == 0 {
        return Ok(None);
    }
    let moved = |offset: u64| {
        let mut pieces = background.range(0..offset);
        pieces.extend(case.content.range(run.clone()));
        pieces.extend(background.range(offset + (run.end - run.start)..case.content.len()));
        composed(pieces).map(|content| Case { content, ..case.clone() })
    };
    if questions.refuses(&moved(last)?).await? {
        return Ok(Some(Place::Anywhere));
    }
    // Passing is what is looked for here: the first offset at which it does.
    let offset =
        search::threshold(run.start, last, &mut async |offset| Ok(!questions.refuses(&moved(offset)?).await?)).await?;
    Ok(Some(Place::Before { offset }))
}
