//! The cases of a comparison or a run, as tables show them.

use crate::compare::{Class, ComparedCase, SideCase};
use crate::corpus::{CaseId, Filename, Intent, Kind, NameClass, NameForm, PageCharset};
use crate::report::run_view::Mark;
use crate::run::CaseRecord;
use crate::verdict::{Count, Outcome, Text};

/// A case in a table.
pub(crate) struct Item<'a> {
    pub(crate) id: &'a CaseId,
    pub(crate) filename: &'a str,
    pub(crate) intent: Intent,
    pub(crate) standing: Standing,
    pub(crate) before: Option<Seen>,
    pub(crate) after: Option<Seen>,
    pub(crate) procedures: &'a [Text],
    pub(crate) kind: Kind,
    pub(crate) names: Vec<NameClass>,
}

/// What a case comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// Of a comparison.
    Class(Class),
    /// Of a run; `None`: as it ought to be.
    Mark(Option<Mark>),
}

/// What was seen of a case on one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) outcome: Outcome,
    pub(crate) status: Option<u16>,
}

impl Seen {
    fn of(side: &SideCase) -> Self {
        Self { outcome: side.outcome, status: side.status }
    }

    pub(crate) fn passes(self) -> bool {
        self.outcome.count() == Count::Pass
    }
}

impl<'a> Item<'a> {
    pub(crate) fn compared(case: &'a ComparedCase) -> Self {
        Self {
            id: &case.id,
            filename: &case.filename,
            intent: case.intent,
            standing: Standing::Class(case.class),
            before: case.baseline.as_ref().map(Seen::of),
            after: case.candidate.as_ref().map(Seen::of),
            procedures: &case.procedures,
            kind: Kind::of(&case.filename),
            names: names(&case.id, &case.filename),
        }
    }

    pub(crate) fn recorded(case: &'a CaseRecord) -> Self {
        Self {
            id: &case.case,
            filename: &case.filename,
            intent: case.intent,
            standing: Standing::Mark(Mark::of(case)),
            before: None,
            after: Some(Seen { outcome: case.verdict.outcome, status: case.verdict.status }),
            procedures: &case.procedures,
            kind: Kind::of(&case.filename),
            names: names(&case.case, &case.filename),
        }
    }

    /// The value of an axis; `None`: the attachment's own.
    pub(crate) fn axis(&self, axis: &str) -> Option<&'a str> {
        self.id.axis(axis)
    }
}

/// The classes of a name. A record holds the name as its user sees it; what page it was sent from, the case's id tells.
fn names(id: &CaseId, filename: &str) -> Vec<NameClass> {
    let page = id.axis("name").and_then(NameForm::parse).and_then(NameForm::page);
    NameClass::of(&Filename { text: filename.to_owned(), page: page.map(PageCharset).unwrap_or_default() })
}
