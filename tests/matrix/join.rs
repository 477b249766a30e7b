//! Runs joined by case id: cells, totals, shares, and what is never a quiet success.

use wafcanary::compare::Matrix;
use wafcanary::compare::matrix::{Agreement, Mark, NoteCode, Tally};
use wafcanary::corpus::{Intent, Kind, NameClass, Sha256Digest};
use wafcanary::run::{CaseRecord, Run, RunEnding};
use wafcanary::verdict::Outcome::{self, Blocked, Delivered, Throttled};

use super::fixture::{everything, named};
use super::support_compare::{record, run};

fn codes(matrix: &Matrix) -> Vec<(NoteCode, Option<usize>, u64)> {
    matrix.reasons.iter().map(|note| (note.code, note.column, note.cases)).collect()
}

#[test]
fn cells_stand_in_the_order_of_the_edges_and_rows_in_that_of_ids() {
    let matrix = everything();
    let ids: Vec<_> = matrix.cases.iter().map(|case| case.id.as_str()).collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    assert_eq!(ids, sorted);
    let of = |id: &str| matrix.cases.iter().find(|case| case.id.as_str() == id).unwrap();
    let outcomes =
        |id: &str| of(id).cells.iter().map(|cell| cell.as_ref().map(|cell| cell.outcome)).collect::<Vec<_>>();
    assert_eq!(outcomes("xlsx/list"), [Some(Delivered), Some(Blocked), Some(Outcome::Challenged)]);
    assert_eq!(outcomes("control/shell"), [Some(Blocked), Some(Delivered), None]);
    assert_eq!(of("xlsx/list").kind, Kind::Spreadsheet);
    let photo = of("image/photo~name:sjis~client:firefox");
    assert_eq!(photo.client.as_deref(), Some("firefox"));
    assert_eq!(*photo.name_classes, [NameClass::Sjis, NameClass::Sjis5c]);
}

#[test]
fn totals_count_what_ought_to_be_and_a_control_ought_to_be_blocked() {
    let matrix = everything();
    let tallies: Vec<_> = matrix.columns.iter().map(|column| (column.legit, column.controls)).collect();
    let tally = |of, good, bad, unknown, partly| Tally { of, good, bad, unknown, partly, unsteady: 0 };
    assert_eq!(tallies[0], (tally(5, 4, 1, 0, 1), tally(1, 1, 0, 0, 0)));
    assert_eq!(tallies[1], (tally(5, 1, 4, 0, 1), tally(1, 0, 1, 0, 0)));
    assert_eq!(tallies[2], (tally(5, 2, 2, 1, 1), tally(1, 0, 0, 1, 0)));
    for (at, column) in matrix.columns.iter().enumerate() {
        let kinds: u64 = matrix.by_kind().iter().map(|(_, tallies)| tallies[at].of).sum();
        assert_eq!(kinds, column.legit.of);
    }
}

#[test]
fn a_share_is_of_weights_and_leaves_out_what_is_not_known() {
    let weighted = |id: &str, outcome, weight| {
        let mut record = named(id, outcome, "a.pdf");
        record.weight = weight;
        record
    };
    // Half of the attachment with weight 3, nothing known of the one with weight 100, all of the one with weight 1.
    let cases = || {
        vec![
            weighted("pdf/a", Delivered, 3.0),
            weighted("pdf/a~name:nfd", Blocked, 3.0),
            weighted("pdf/b", Throttled, 100.0),
            weighted("pdf/c", Delivered, 1.0),
        ]
    };
    let matrix = Matrix::assemble(vec![run("a", cases()), run("b", vec![weighted("pdf/b", Throttled, 100.0)])]);
    assert_eq!(matrix.columns[0].share, Some(0.625));
    assert_eq!(matrix.columns[1].share, None);
    let procedures = matrix.by_procedure();
    assert_eq!((procedures[0].name, &procedures[0].shares[..]), ("道路相談", &[Some(0.625), None][..]));
}

#[test]
fn edges_differ_by_what_becomes_of_the_file_and_not_by_how_it_is_refused() {
    let pair = |left, right| {
        let edge = |name, outcome| run(name, vec![record("a/b", Intent::Legit, outcome)]);
        Matrix::assemble(vec![edge("a", left), edge("b", right)]).cases[0].agreement
    };
    assert_eq!(pair(Delivered, Blocked), Agreement::Differs);
    assert_eq!(pair(Outcome::Altered, Delivered), Agreement::Differs);
    assert_eq!(pair(Blocked, Outcome::TooLarge), Agreement::Same);
    assert_eq!(pair(Delivered, Throttled), Agreement::Unknown);
    assert_eq!(pair(Throttled, Throttled), Agreement::Unknown);
}

#[test]
fn every_outcome_has_a_mark_and_the_unknown_ones_are_neither_good_nor_bad() {
    for outcome in Outcome::ALL {
        let edge =
            |name| run(name, vec![record("a/b", Intent::Legit, outcome), record("c/d", Intent::Control, outcome)]);
        let matrix = Matrix::assemble(vec![edge("a"), edge("b")]);
        let cell = matrix.cases[0].cells[0].as_ref();
        let known = !matches!(outcome, Throttled | Outcome::Unreachable);
        assert_eq!(Mark::of(cell) != Mark::Unknown, known, "{outcome:?}");
        assert_eq!(matrix.cases[0].is_good(0), known.then_some(outcome == Delivered), "{outcome:?}");
        assert_eq!(matrix.cases[1].is_good(0), known.then_some(!outcome.is_past_edge()), "{outcome:?}");
    }
}

#[test]
fn nothing_open_is_a_quiet_success() {
    let whole = || vec![record("a/b", Intent::Legit, Delivered), record("c/d", Intent::Control, Blocked)];
    assert!(Matrix::assemble(vec![run("a", whole()), run("b", whole())]).settled);

    let empty = Matrix::assemble(vec![run("a", Vec::new()), run("b", Vec::new())]);
    assert_eq!(codes(&empty), [(NoteCode::EmptyCorpus, None, 0)]);

    let half = Matrix::assemble(vec![run("a", whole()), run("b", Vec::new())]);
    assert_eq!(codes(&half), [(NoteCode::NothingAsked, Some(1), 2)]);

    let unknown = vec![record("a/b", Intent::Legit, Throttled), record("c/d", Intent::Control, Blocked)];
    let unknown = Matrix::assemble(vec![run("a", whole()), run("b", unknown)]);
    assert_eq!(codes(&unknown), [(NoteCode::Inconclusive, Some(1), 1)]);

    let dead = || vec![record("a/b", Intent::Legit, Blocked), record("c/d", Intent::Control, Blocked)];
    let dead = Matrix::assemble(vec![run("a", dead()), run("b", dead())]);
    assert_eq!(codes(&dead), [(NoteCode::NothingDelivered, None, 0)]);

    let mut killed = run("b", whole());
    killed.ending = None;
    assert_eq!(codes(&Matrix::assemble(vec![run("a", whole()), killed])), [(NoteCode::RunIncomplete, Some(1), 0)]);

    let mut other = run("b", whole());
    other.manifest.corpus_digest = Sha256Digest::of(b"another corpus");
    assert_eq!(codes(&Matrix::assemble(vec![run("a", whole()), other])), [(NoteCode::DifferentCorpora, None, 0)]);
}

#[test]
fn what_a_reader_must_know_is_told_of_the_edge_that_it_is_true_of() {
    let cases = |control| vec![record("a/b", Intent::Legit, Delivered), record("c/d", Intent::Control, control)];
    let mut weak = run("weak", cases(Delivered));
    weak.manifest.proof = wafcanary::profile::Proof::Status;
    weak.manifest.insecure = true;
    let mut flaky = run("flaky", cases(Blocked));
    flaky.cases[0].rounds = vec![Delivered, Blocked, Delivered].into();
    let matrix = Matrix::assemble(vec![weak, flaky, run("legit only", vec![record("a/b", Intent::Legit, Delivered)])]);
    let told: Vec<_> = matrix.warnings.iter().map(|note| (note.code, note.column)).collect();
    for expected in [
        (NoteCode::WeakProof, Some(0)),
        (NoteCode::Insecure, Some(0)),
        (NoteCode::ControlsPast, Some(0)),
        (NoteCode::Unsteady, Some(1)),
        (NoteCode::ControlsNotSent, Some(2)),
        (NoteCode::DifferentProofs, None),
    ] {
        assert!(told.contains(&expected), "{expected:?} is not among {told:?}");
    }
}

#[test]
fn edges_of_one_name_are_told_apart() {
    let whole = || vec![record("a/b", Intent::Legit, Delivered)];
    let mut later = run("plan", whole());
    later.manifest.started = "2026-12-01T00:00:00Z".into();
    let matrix = Matrix::assemble(vec![run("plan", whole()), later.clone(), later, run("other", whole())]);
    let names: Vec<_> = matrix.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(
        names,
        ["plan (2026-11-23T00:00:00Z)", "plan (2026-12-01T00:00:00Z) #2", "plan (2026-12-01T00:00:00Z) #3", "other"]
    );
}

#[test]
fn an_edge_in_two_columns_is_left_open_unless_it_is_meant() {
    let same = || vec![run("plan", steady()), run("other", steady()), run("plan", steady())];
    let matrix = Matrix::assemble(same());
    assert_eq!((matrix.settled, &codes(&matrix)[..]), (false, &[(NoteCode::SameEdge, Some(2), 0)][..]));
    let meant = Matrix::assemble_same_edge(same());
    assert!(meant.settled && meant.reasons.is_empty());
    assert!(meant.warnings.iter().any(|note| note.code == NoteCode::SameEdge && note.column == Some(2)));
}

fn steady() -> Vec<CaseRecord> {
    vec![record("a/b", Intent::Legit, Delivered), record("c/d", Intent::Control, Blocked)]
}

/// A run in which each case is asked in these rounds; the first is what is said of it.
fn asked(name: &str, legit: &[Outcome], control: &[Outcome]) -> Run {
    let mut cases = vec![record("a/b", Intent::Legit, legit[0]), record("c/d", Intent::Control, control[0])];
    cases[0].rounds = legit.to_vec().into();
    cases[1].rounds = control.to_vec().into();
    run(name, cases)
}

#[test]
fn what_an_edge_does_now_and_then_is_neither_delivered_nor_kept_out() {
    let flaky = asked("flaky", &[Delivered, Blocked, Delivered], &[Blocked, Delivered, Blocked]);
    let matrix = Matrix::assemble(vec![flaky.clone(), run("steady", steady())]);
    for case in &matrix.cases {
        assert_eq!((case.mark(0), case.is_good(0)), (Mark::Unsteady, Some(false)));
        assert_eq!(case.agreement, Agreement::Differs);
    }
    let column = &matrix.columns[0];
    for tally in [column.legit, column.controls] {
        assert_eq!((tally.of, tally.good, tally.bad, tally.unsteady), (1, 0, 1, 1));
    }
    assert_eq!(column.outcomes.values().sum::<u64>(), 0);
    // Two of three rounds.
    assert_eq!((column.share, matrix.columns[1].share), (Some(0.666_667), Some(1.0)));
    // Asked, and known: that it is not steady is a finding.
    assert!(matrix.settled);
    assert!(matrix.warnings.iter().any(|note| (note.code, note.cases) == (NoteCode::Unsteady, 2)));

    let mut other = flaky.clone();
    other.manifest.profile_digest = Sha256Digest::of(b"other");
    assert_eq!(Matrix::assemble(vec![flaky, other]).cases[0].agreement, Agreement::Unsteady);
}

#[test]
fn another_way_of_refusing_and_a_round_without_an_answer_are_not_unsteady() {
    let varied = asked("varied", &[Blocked, Outcome::Dropped, Blocked], &[Blocked, Throttled, Blocked]);
    let matrix = Matrix::assemble(vec![varied, run("steady", steady())]);
    assert_eq!(matrix.cases.iter().map(|case| case.mark(0)).collect::<Vec<_>>(), [Mark::Refused, Mark::Refused]);
    assert_eq!(matrix.cases[0].cells[0].as_ref().unwrap().rounds.len(), 3);
    assert!(matrix.warnings.iter().all(|note| note.code != NoteCode::Unsteady));
}

#[test]
fn controls_without_an_answer_were_sent_and_controls_that_no_edge_was_given_were_not() {
    let codes = |control: &[Outcome]| {
        let matrix = Matrix::assemble(vec![asked("a", &[Delivered], control), run("b", steady())]);
        let codes = matrix.warnings.iter().filter(|note| note.column == Some(0)).map(|note| note.code);
        codes.collect::<Vec<_>>()
    };
    assert_eq!(codes(&[Throttled]), [NoteCode::ControlsUnknown]);
    assert_eq!(codes(&[Blocked]), []);
    assert_eq!(codes(&[Outcome::Altered]), [NoteCode::ControlsPast]);
    let legit = vec![record("a/b", Intent::Legit, Delivered)];
    let matrix = Matrix::assemble(vec![run("a", legit), run("b", steady())]);
    assert!(matrix.warnings.iter().any(|note| note.code == NoteCode::ControlsNotSent && note.column == Some(0)));
}

#[test]
fn of_two_records_of_one_case_the_last_counts() {
    let twice = vec![record("a/b", Intent::Legit, Throttled), record("a/b", Intent::Legit, Delivered)];
    let matrix = Matrix::assemble(vec![run("a", twice), run("b", vec![record("a/b", Intent::Legit, Delivered)])]);
    assert!(matrix.settled, "{:?}", matrix.reasons);
}

#[test]
fn an_edge_that_was_stopped_is_told_with_its_end() {
    let matrix = everything();
    assert!(matches!(matrix.columns[2].ending, Some(RunEnding::Banned { .. })));
    let told = codes(&matrix);
    assert_eq!(
        told,
        [
            (NoteCode::RunIncomplete, Some(2), 0),
            (NoteCode::NotCovered, Some(2), 1),
            (NoteCode::Inconclusive, Some(2), 1)
        ]
    );
}
