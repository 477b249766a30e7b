//! Which bytes of a file.

use std::ops::Range;

use super::super::blend::Blend;
use super::super::questions::{Questions, Stop};
use super::super::{Detail, Place, Run, search};
use crate::corpus::{Case, Content, Hex, Piece};

/// Bytes of a run that are shown.
const SHOWN: u64 = 32;

/// Requests that finding an inspection window may take.
const WINDOW_COST: u32 = 40;

/// Bytes beside a run in which a part of what is guilty may be that the background happens to have as well.
const BESIDE: u64 = 8;

/// Files begin with what tells their kind; what is missed there is shown from the first byte on.
const HEAD: u64 = 16;

/// Other bytes than a file's own, never the same, and none alike.
const OTHERS: [fn(u8) -> u8; 4] = [
    |byte| byte ^ 0x15,
    |byte| if byte == b'A' { b'B' } else { b'A' },
    |byte| if byte == b' ' { b'.' } else { b' ' },
    |byte| if byte == b'0' { b'1' } else { b'0' },
];

/// Surroundings of more bytes than this in all are not looked at: chance brings no such long part.
const MOST_BESIDE: u64 = 256;

pub(super) async fn look(blend: &Blend<'_>, smallest: &mut Case, questions: &mut Questions) -> Result<Detail, Stop> {
    let case = smallest.clone();
    let mut benign = None;
    for background in blend.backgrounds() {
        let overlay = Overlay { case: &case, background };
        if !questions.refuses(&overlay.with(&[])?).await? {
            benign = Some(overlay);
            break;
        }
    }
    let Some(overlay) = benign else { return too_small(blend, smallest, questions).await };
    let runs = search::minimal(case.content.len(), &mut async |runs: &[Range<u64>]| {
        questions.refuses(&overlay.with(runs)?).await
    })
    .await?;
    let (overlay, runs) = with_surroundings(overlay, runs, questions).await?;
    *smallest = overlay.with(&runs)?;
    let mut refused = Vec::new();
    for other in OTHERS {
        refused.push(questions.refuses(&overlay.with_others(&runs, other)?).await?);
    }
    if refused.iter().all(|refused| *refused) {
        // Whatever stands there is refused: it is what the reference has that is missed.
        let first = runs.first().map_or(0, |run| run.start);
        return not_as_named(&overlay.background, if first < HEAD { 0 } else { first });
    }
    let mut others = false;
    for (other, _) in OTHERS.iter().zip(&refused).filter(|(_, refused)| **refused) {
        // They disagree: what was refused once may have been so by chance.
        let case = overlay.with_others(&runs, *other)?;
        others |= questions.surely_refuses(&case, 2).await? == Some(true);
    }
    // The refused file itself, with nothing but these bytes changed: it may hold more that is refused.
    let own = Overlay { case: &case, background: case.content.clone() };
    let more = !others && questions.refuses(&own.with_others(&runs, OTHERS[0])?).await?;
    let place = place(blend, &overlay, &runs, questions).await?;
    let shown = |run: &Range<u64>| {
        let bytes = read(&case.content, run.start..run.end.min(run.start + SHOWN))?;
        Ok(Run { offset: run.start, len: run.end - run.start, hex: Hex(&bytes).to_string() })
    };
    Ok(Detail::Bytes { runs: runs.iter().map(shown).collect::<Result<_, _>>()?, place, others, more })
}

/// Where no benign content of the size is delivered: whether the file is too small.
async fn too_small(blend: &Blend<'_>, smallest: &mut Case, questions: &mut Questions) -> Result<Detail, Stop> {
    let (case, reference) = (smallest.clone(), &blend.reference.content);
    let cut = |size: u64| {
        let content =
            Content::from_pieces(reference.range(0..size)).map_err(|error| Stop::Variant(error.to_string()))?;
        Ok(Case { content, ..case.clone() })
    };
    let (refused, passes) = (case.content.len(), reference.len());
    if refused >= passes || !questions.refuses(&cut(refused)?).await? {
        return Ok(Detail::Unclear);
    }
    let least =
        search::threshold(refused, passes, &mut async |size| Ok::<bool, Stop>(!questions.refuses(&cut(size)?).await?))
            .await?;
    // It is the number of bytes only if the refused file is delivered with so many as well.
    let fill = Piece::Fill { pattern: b"\n"[..].into(), len: least - refused };
    let pieces = case.content.pieces().iter().cloned().chain([fill]).collect();
    let content = Content::from_pieces(pieces).map_err(|error| Stop::Variant(error.to_string()))?;
    if questions.refuses(&Case { content, ..case.clone() }).await? {
        return Ok(Detail::Unclear);
    }
    *smallest = cut(least - 1)?;
    Ok(Detail::TooSmall { up_to: least - 1 })
}

/// A refused case and a benign content of the same size, over which bytes of the refused one are laid.
struct Overlay<'a> {
    case: &'a Case,
    background: Content,
}

impl Overlay<'_> {
    fn len(&self) -> u64 {
        self.case.content.len()
    }

    /// The case with nothing more of its bytes than these.
    fn with(&self, runs: &[Range<u64>]) -> Result<Case, Stop> {
        self.laid(runs, |run| Ok(self.case.content.range(run)))
    }

    /// The same places with other bytes than the case has there.
    fn with_others(&self, runs: &[Range<u64>], other: fn(u8) -> u8) -> Result<Case, Stop> {
        self.laid(runs, |run| {
            let other: Vec<u8> = read(&self.case.content, run)?.into_iter().map(other).collect();
            Ok(vec![Piece::Bytes(other.into())])
        })
    }

    /// The bytes of `run` at another place.
    fn moved(&self, run: &Range<u64>, offset: u64) -> Result<Case, Stop> {
        let place = offset..offset + (run.end - run.start);
        self.laid(std::slice::from_ref(&place), |_| Ok(self.case.content.range(run.clone())))
    }

    fn laid(&self, runs: &[Range<u64>], bytes: impl Fn(Range<u64>) -> Result<Vec<Piece>, Stop>) -> Result<Case, Stop> {
        let mut pieces = Vec::new();
        let mut at = 0;
        for run in runs {
            pieces.extend(self.background.range(at..run.start));
            pieces.extend(bytes(run.clone())?);
            at = run.end;
        }
        pieces.extend(self.background.range(at..self.len()));
        let content = Content::from_pieces(pieces).map_err(|error| Stop::Variant(error.to_string()))?;
        Ok(Case { content, ..self.case.clone() })
    }
}

fn read(content: &Content, range: Range<u64>) -> Result<Vec<u8>, Stop> {
    content.read_range(range).map_err(|error| Stop::Variant(error.to_string()))
}

/// What a delivered file has at `offset`, where a refused one has something else.
fn not_as_named(delivered: &Content, offset: u64) -> Result<Detail, Stop> {
    let shown = read(delivered, offset..offset + BESIDE)?;
    Ok(Detail::NotAsNamed { offset, hex: Hex(&shown).to_string() })
}

/// The runs, longer where the background happens to have beside them what is needed, and the background of which it is so.
async fn with_surroundings<'a>(
    overlay: Overlay<'a>,
    runs: Vec<Range<u64>>,
    questions: &mut Questions,
) -> Result<(Overlay<'a>, Vec<Range<u64>>), Stop> {
    let around = around(&runs, overlay.len());
    let total: u64 = around.iter().map(|run| run.end - run.start).sum();
    if total == 0 || total > MOST_BESIDE {
        return Ok((overlay, runs));
    }
    // The same background, with other bytes than the refused ones at each place around.
    let strange = Overlay { case: overlay.case, background: overlay.with_others(&around, OTHERS[0])?.content };
    if questions.refuses(&strange.with(&runs)?).await? {
        return Ok((overlay, runs));
    }
    let whole: Vec<Range<u64>> = std::iter::once(0..total).collect();
    if questions.refuses(&strange.with(&[])?).await?
        || !questions.refuses(&strange.with(&placed(&around, &whole))?).await?
    {
        return Ok((overlay, runs));
    }
    let kept = search::minimal(total, &mut async |kept: &[Range<u64>]| {
        questions.refuses(&strange.with(&placed(&around, kept))?).await
    })
    .await?;
    Ok((strange, placed(&around, &kept)))
}

/// The runs with what stands beside them; those that then touch are one.
fn around(runs: &[Range<u64>], len: u64) -> Vec<Range<u64>> {
    let mut around: Vec<Range<u64>> = Vec::new();
    for run in runs {
        let wide = run.start.saturating_sub(BESIDE)..(run.end + BESIDE).min(len);
        match around.last_mut() {
            Some(last) if last.end >= wide.start => last.end = wide.end,
            _ => around.push(wide),
        }
    }
    around
}

/// Runs of the places `around`, counted through, as runs of the file.
fn placed(around: &[Range<u64>], kept: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut base = 0;
    let mut runs = Vec::new();
    for wide in around {
        let len = wide.end - wide.start;
        let within = kept.iter().map(|run| run.start.max(base)..run.end.min(base + len));
        let within = within.filter(|run| !run.is_empty());
        runs.extend(within.map(|run| wide.start + run.start - base..wide.start + run.end - base));
        base += len;
    }
    runs
}

/// Whether one run of bytes trips elsewhere as well, and if not, from where on it passes.
async fn place(
    blend: &Blend<'_>,
    overlay: &Overlay<'_>,
    runs: &[Range<u64>],
    questions: &mut Questions,
) -> Result<Option<Place>, Stop> {
    let ([run], true) = (runs, questions.left() > WINDOW_COST) else { return Ok(None) };
    let last = overlay.len() - (run.end - run.start);
    if run.start == last {
        return Ok(None);
    }
    // A window is told of the file under its own name, where that is not guilty itself: the part's head takes its share.
    let own = Case { content: overlay.case.content.clone(), ..blend.refused.clone() };
    let own = Overlay { case: &own, background: overlay.background.clone() };
    let overlay = if questions.refuses(&own.with(&[])?).await? { overlay } else { &own };
    if questions.refuses(&overlay.moved(run, last)?).await? {
        return Ok(Some(Place::Anywhere));
    }
    if !questions.refuses(&overlay.moved(run, run.start + 1)?).await? {
        return Ok(Some(Place::Only));
    }
    // Passing is what is looked for here: the first offset at which it does.
    let offset = search::threshold(run.start + 1, last, &mut async |offset| {
        Ok::<bool, Stop>(!questions.refuses(&overlay.moved(run, offset)?).await?)
    })
    .await?;
    Ok(Some(Place::Before { offset }))
}
