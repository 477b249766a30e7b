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
    let Some(overlay) = benign else { return Ok(Detail::NotAsNamed { offset: 0, hex: String::new() }) };
    let runs = search::minimal(case.content.len(), &mut async |runs: &[Range<u64>]| {
        questions.refuses(&overlay.with(runs)?).await
    })
    .await?;
    let runs = with_surroundings(&overlay, runs, questions).await?;
    *smallest = overlay.with(&runs)?;
    if questions.refuses(&overlay.with_others(&runs)?).await? {
        // Other bytes in their place are refused as well: it is those of the reference that are missed.
        return missed(&overlay.background, &runs);
    }
    let place = place(blend, &overlay, &runs, questions).await?;
    let shown = |run: &Range<u64>| {
        let bytes = read(&case.content, run.start..run.end.min(run.start + SHOWN))?;
        Ok(Run { offset: run.start, len: run.end - run.start, hex: Hex(&bytes).to_string() })
    };
    Ok(Detail::Bytes { runs: runs.iter().map(shown).collect::<Result<_, _>>()?, place })
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
    fn with_others(&self, runs: &[Range<u64>]) -> Result<Case, Stop> {
        self.laid(runs, |run| {
            let other: Vec<u8> = read(&self.case.content, run)?.iter().map(|byte| byte ^ 0x15).collect();
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

/// The bytes that the reference has where the refused file has others.
fn missed(background: &Content, runs: &[Range<u64>]) -> Result<Detail, Stop> {
    let Some(first) = runs.first() else { return Ok(Detail::NotAsNamed { offset: 0, hex: String::new() }) };
    let shown = read(background, first.start..first.start + BESIDE)?;
    Ok(Detail::NotAsNamed { offset: first.start, hex: Hex(&shown).to_string() })
}

/// The runs, longer where the background happens to have beside them what is needed.
async fn with_surroundings(
    overlay: &Overlay<'_>,
    runs: Vec<Range<u64>>,
    questions: &mut Questions,
) -> Result<Vec<Range<u64>>, Stop> {
    let around = around(&runs, overlay.len());
    let total: u64 = around.iter().map(|run| run.end - run.start).sum();
    if total == 0 || total > MOST_BESIDE {
        return Ok(runs);
    }
    // The same background, with other bytes than the refused ones at each place around.
    let strange = Overlay { case: overlay.case, background: overlay.with_others(&around)?.content };
    if questions.refuses(&strange.with(&runs)?).await? {
        return Ok(runs);
    }
    let whole: Vec<Range<u64>> = std::iter::once(0..total).collect();
    if questions.refuses(&strange.with(&[])?).await?
        || !questions.refuses(&strange.with(&placed(&around, &whole))?).await?
    {
        return Ok(runs);
    }
    let kept = search::minimal(total, &mut async |kept: &[Range<u64>]| {
        questions.refuses(&strange.with(&placed(&around, kept))?).await
    })
    .await?;
    Ok(placed(&around, &kept))
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

/// Whether one run of bytes trips at the end of the file as well, and if not, from where on it passes.
async fn place(
    blend: &Blend<'_>,
    overlay: &Overlay<'_>,
    runs: &[Range<u64>],
    questions: &mut Questions,
) -> Result<Option<Place>, Stop> {
    let ([run], true) = (runs, questions.left() > WINDOW_COST) else { return Ok(None) };
    let last = overlay.len() - (run.end - run.start);
    if run.start == last || run.start == 0 {
        return Ok(None);
    }
    // A window is told of the file under its own name, where that is not guilty itself: the part's head takes its share.
    let own = Case { content: overlay.case.content.clone(), ..blend.refused.clone() };
    let own = Overlay { case: &own, background: overlay.background.clone() };
    let overlay = if questions.refuses(&own.with(&[])?).await? { overlay } else { &own };
    if questions.refuses(&overlay.moved(run, last)?).await? {
        return Ok(Some(Place::Anywhere));
    }
    // Passing is what is looked for here: the first offset at which it does.
    let offset = search::threshold(run.start, last, &mut async |offset| {
        Ok(!questions.refuses(&overlay.moved(run, offset)?).await?)
    })
    .await?;
    Ok(Some(Place::Before { offset }))
}
