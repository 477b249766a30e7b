//! What the HTML report shows beside the record: answers, explanations, suggested exclusions.

use std::collections::BTreeSet;
use std::path::Path;

use super::compare::{self, CompareArgs};
use super::regressions::EXPLANATIONS;
use super::session;
use super::suggest::SUGGESTION;
use crate::compare::Comparison;
use crate::corpus::CaseId;
use crate::error::{Error, Result};
use crate::explain::Explanations;
use crate::report::{Beside, Format, RunView, Suggested, View};
use crate::run::{Answers, Run, SideName};

/// Answers that are looked up: as many as a report tells in full, and some to choose from.
const MOST: usize = 300;

/// What stands beside the comparison in the folder `dir`. Nothing, where none of the formats shows it.
pub(crate) fn of_comparison(comparison: &Comparison, dir: &Path, formats: &[Format]) -> Result<Beside> {
    if !formats.contains(&Format::Html) {
        return Ok(Beside::default());
    }
    let wanted = View::new(comparison).examples().take(MOST).map(|case| case.id.clone()).collect();
    let kept: Option<CompareArgs> = session::kept_options(dir).ok();
    let read = |side: SideName, wanted: &BTreeSet<CaseId>| match compare::record(dir, kept.as_ref(), side) {
        Some(record) => Answers::read(&record, wanted),
        None => Ok(Answers::default()),
    };
    let explanations = Explanations::read(&dir.join(EXPLANATIONS))?;
    let explanations = explanations.into_iter().flat_map(|document| document.explanations);
    Ok(Beside {
        baseline: read(SideName::Baseline, &BTreeSet::new())?,
        candidate: read(SideName::Candidate, &wanted)?,
        explanations: explanations.map(|explanation| (explanation.case.clone(), explanation)).collect(),
        suggested: suggested(&dir.join(SUGGESTION))?,
    })
}

/// What stands beside the run in the folder `dir`.
pub(crate) fn of_run(run: &Run, dir: &Path, formats: &[Format]) -> Result<Beside> {
    if !formats.contains(&Format::Html) {
        return Ok(Beside::default());
    }
    let view = RunView::new(run);
    let wanted = view.groups.iter().take(MOST).map(|group| group.example().case.clone()).collect();
    Ok(Beside { candidate: Answers::read(dir, &wanted)?, ..Beside::default() })
}

fn suggested(path: &Path) -> Result<Option<Suggested>> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::usage(format!("cannot read the exclusions: {error}")).file(path)),
    };
    serde_json::from_slice(&text).map(Some).map_err(|error| {
        Error::usage(format!("these are no exclusions: {error}"))
            .file(path)
            .help("let `wafcanary suggest` write them anew")
    })
}
