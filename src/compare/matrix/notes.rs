//! What is left open in a matrix, and what else its reader must know.

use super::super::gate::{cases as count, incomplete};
use super::{Column, Mark, MatrixCase, Note, NoteCode};
use crate::corpus::Intent;
use crate::profile::Proof;

/// What is left open, and what else a reader must know.
pub(super) fn notes(columns: &[Column], cases: &[MatrixCase]) -> (Vec<Note>, Vec<Note>) {
    let note = |code, column, cases, message| Note { code, column, cases, message };
    let (mut open, mut known) = (Vec::new(), Vec::new());
    if cases.is_empty() {
        open.push(note(NoteCode::EmptyCorpus, None, 0, "no case is settled on any edge".to_owned()));
    }
    if columns.iter().any(|column| column.run.corpus_digest != columns[0].run.corpus_digest) {
        let message = "the runs were sent from different states or selections of a corpus: send them again together";
        open.push(note(NoteCode::DifferentCorpora, None, 0, message.to_owned()));
    }
    let legit: u64 = columns.iter().map(|column| column.legit.good + column.legit.bad).sum();
    if legit > 0 && columns.iter().all(|column| column.legit.good + column.legit.unsteady == 0) {
        let message = "no edge delivers any legitimate file: are the profiles right?";
        open.push(note(NoteCode::NothingDelivered, None, 0, message.to_owned()));
    }
    for (at, column) in columns.iter().enumerate() {
        let name = &column.name;
        let missing = cases.iter().filter(|case| matches!(case.cells.get(at), Some(None))).count() as u64;
        let unknown = column.legit.unknown + column.controls.unknown - missing;
        let all = cases.len() as u64;
        if let Some(message) = incomplete(&format!("`{name}`"), column.ending.as_ref()) {
            open.push(note(NoteCode::RunIncomplete, Some(at), 0, message));
        }
        if all > 0 && missing + unknown == all {
            open.push(note(NoteCode::NothingAsked, Some(at), all, format!("nothing is known of `{name}`")));
        } else {
            if missing > 0 {
                let message = format!("`{name}` was not asked for {}", count(missing));
                open.push(note(NoteCode::NotCovered, Some(at), missing, message));
            }
            if unknown > 0 {
                let told = count(unknown);
                let message = format!("`{name}` gave no answer that means anything for {told}");
                open.push(note(NoteCode::Inconclusive, Some(at), unknown, message));
            }
        }
        known.extend(column_warnings(at, column, cases));
    }
    if columns.iter().any(|column| column.run.proof != columns[0].run.proof) {
        let message = "the columns rest on different kinds of proof".to_owned();
        known.push(note(NoteCode::DifferentProofs, None, 0, message));
    }
    open.sort_by_key(|note| note.code);
    (open, known)
}

/// Edges that stand in several columns.
pub(super) fn same_edge(columns: &[Column]) -> Vec<Note> {
    let mut found = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let digest = column.run.profile_digest;
        if let Some(first) = columns[..at].iter().find(|other| other.run.profile_digest == digest) {
            let message = format!("`{}` and `{}` are the same edge", first.name, column.name);
            found.push(Note { code: NoteCode::SameEdge, column: Some(at), cases: 0, message });
        }
    }
    found
}

fn column_warnings(at: usize, column: &Column, cases: &[MatrixCase]) -> Vec<Note> {
    let mut found = Vec::new();
    let mut add = |code, cases, message: String| found.push(Note { code, column: Some(at), cases, message });
    let (name, run) = (&column.name, &column.run);
    if run.proof == Proof::Status {
        let why = "they rest on the status alone, and an edge may answer 200 for a refusal";
        add(NoteCode::WeakProof, 0, format!("the passes of `{name}` are weak: {why}"));
    }
    if run.insecure {
        add(NoteCode::Insecure, 0, format!("the certificates of `{name}` were not checked (`insecure`)"));
    }
    let controls = column.controls;
    let is_sent = |case: &MatrixCase| case.intent == Intent::Control && matches!(case.cells.get(at), Some(Some(_)));
    if cases.is_empty() {
        // Nothing is said of controls where nothing is known at all.
    } else if !cases.iter().any(is_sent) {
        add(NoteCode::ControlsNotSent, 0, format!("no control was asked of `{name}`: its protection was not tested"));
    } else if controls.of == controls.unknown {
        let message = format!("no control gave an answer that means anything on `{name}`: its protection is not known");
        add(NoteCode::ControlsUnknown, controls.unknown, message);
    } else if controls.good == 0 {
        let every = if controls.unknown > 0 { "every control whose result is known" } else { "every control" };
        let gets = if controls.unsteady > 0 { "gets past, if not each time," } else { "gets past" };
        add(NoteCode::ControlsPast, controls.bad, format!("{every} {gets} `{name}`: is its WAF on?"));
    }
    let unsteady = cases.iter().filter(|case| case.mark(at) == Mark::Unsteady).count() as u64;
    if unsteady > 0 {
        let message = format!("`{name}` gave different answers for {}", count(unsteady));
        add(NoteCode::Unsteady, unsteady, message);
    }
    found
}
