//! Triggers planted in the embedded edge: what `explain` says of a refused upload is compared with what makes the edge
//! refuse it, character for character and byte for byte.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![expect(clippy::print_stdout, reason = "with `--nocapture`, what was found at which cost is to be read")]

mod chance;
mod grade;
mod hard;
mod kinds;
mod plant;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use grade::{Grade, grade};
use hard::HARD;
use kinds::{BYTES_IN_MUCH, KINDS, Kind};
use plant::{Nursery, Plant};
use wafcanary::explain::{Explanation, Questions, explain, references};
use wafcanary::lab::{Lab, Options};
use wafcanary::profile::{ConnectTo, Profile};
use wafcanary::replay::Replayer;
use wafcanary::verdict::Outcome;

/// What every trigger is drawn from: another seed gives other 200.
const SEED: u64 = 0x7761_6663_616e_6172;

/// Requests that one explanation may take.
const BUDGET: u32 = 200;

/// Edges that run at once.
const AT_ONCE: usize = 6;

/// A plant and what was found of it.
struct Found {
    plant: Plant,
    /// What becomes of its case.
    outcome: Outcome,
    explanation: Explanation,
    grade: Grade,
}

/// The lab's profile of this name, for another edge than its own.
fn profile(name: &str) -> Profile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("profiles/lab/{name}.toml"));
    Profile::load(&path, &|_| None).unwrap()
}

/// Starts an edge with the rule of `plant` and asks it what becomes of the case, then why.
async fn dig(plant: &Plant) -> (Outcome, Explanation) {
    let lab = Lab::start(&plant.table, Path::new("planted.toml"), &Options::default()).await.unwrap();
    let rejects = plant.table["behaviour"].as_str() == Some("origin-rejects");
    let mut profile = profile(if rejects { "lie-origin-rejects" } else { "standard" });
    profile.target.connect_to.extend(lab.connect_to().into_iter().map(|(host, port, address)| ConnectTo {
        from_host: host,
        from_port: Some(port),
        to_host: address.ip().to_string(),
        to_port: Some(address.port()),
    }));
    let profile = Arc::new(profile);
    let mut questions = Questions::new(Replayer::new(profile.clone(), "planted").unwrap(), profile);
    let near = references(&plant.case, &plant.delivered);
    questions.begin(1);
    let Ok(verdict) = questions.ask(&plant.case).await else {
        panic!("{} {} can't be asked", plant.number, plant.kind)
    };
    let explanation = explain(&plant.case, verdict.outcome, &near, BUDGET, &mut questions).await;
    lab.stop().await;
    (verdict.outcome, explanation)
}

/// Every plant of these kinds, the first with this number, and what was found of it, in order.
fn found(kinds: &[Kind], first: usize) -> Vec<Found> {
    let nursery = Nursery::new(profile("standard"));
    let kinds: Vec<_> = kinds.iter().flat_map(|kind| std::iter::repeat_n(kind, kind.times)).collect();
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::new());
    // NOTE: a search's future cannot go from thread to thread: each thread has a runtime of its own.
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(kind) = kinds.get(at) else { break };
            let plant = nursery.plant(kind, (first + at) as u64, SEED);
            let (outcome, explanation) = runtime.block_on(dig(&plant));
            let grade = grade(&plant.expected, &explanation.finding);
            all.lock().unwrap().push(Found { plant, outcome, explanation, grade });
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let mut all = all.into_inner().unwrap();
    all.sort_by_key(|found| found.plant.number);
    all
}

/// The value below which the given part of the numbers lies, by the nearest rank.
fn percentile(numbers: &[u32], part: usize) -> u32 {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted.get((sorted.len() * part).div_ceil(100).saturating_sub(1)).copied().unwrap_or(0)
}

fn print_table(all: &[Found]) {
    let mut kinds: BTreeMap<&str, Vec<&Found>> = BTreeMap::new();
    for found in all {
        kinds.entry(found.plant.kind).or_default().push(found);
    }
    println!(
        "{:<24} {:>7} {:>6} {:>9} {:>6} {:>11} {:>7} {:>4}",
        "kind", "planted", "exact", "not found", "coarse", "wrong, sure", "median", "p95"
    );
    let row = |name: &str, some: &[&Found]| {
        let count = |grade: Grade| some.iter().filter(|found| found.grade == grade).count();
        let requests: Vec<u32> = some.iter().map(|found| found.explanation.requests).collect();
        println!(
            "{name:<24} {:>7} {:>6} {:>9} {:>6} {:>11} {:>7} {:>4}",
            some.len(),
            count(Grade::Exact),
            count(Grade::NotFound),
            count(Grade::Coarse),
            count(Grade::WrongAndSure),
            percentile(&requests, 50),
            percentile(&requests, 95),
        );
    };
    for (kind, some) in &kinds {
        row(kind, some);
    }
    row("all", &all.iter().collect::<Vec<_>>());
    for found in all.iter().filter(|found| found.grade != Grade::Exact) {
        let Plant { number, kind, case, expected, delivered, .. } = &found.plant;
        let near: Vec<&str> = delivered.iter().map(|case| case.filename.text.as_str()).collect();
        println!(
            "\n{number} {kind}, {:?}: `{}`, {}, {} bytes; delivered: {near:?}",
            found.grade,
            case.filename.text,
            found.outcome.as_str(),
            case.content.len()
        );
        println!("  planted {expected:?}");
        println!("  found   {:?} ({} requests)", found.explanation.finding, found.explanation.requests);
    }
}

#[test]
fn planted_triggers_are_found_exactly_and_never_stated_wrongly() {
    let all = found(KINDS, 0);
    print_table(&all);
    assert_eq!(all.len(), 200);
    let count = |grade: Grade| all.iter().filter(|found| found.grade == grade).count();
    assert_eq!(count(Grade::WrongAndSure), 0, "no wrong trigger is stated as sure");
    assert!(count(Grade::Exact) >= 195, "{} of 200 are exact", count(Grade::Exact));
    let requests: Vec<u32> = all.iter().map(|found| found.explanation.requests).collect();
    assert!(percentile(&requests, 50) <= 40, "the median is {} requests", percentile(&requests, 50));
    assert!(percentile(&requests, 95) <= 120, "the 95th percentile is {} requests", percentile(&requests, 95));
    let of_content =
        all.iter().filter(|found| found.plant.kind == BYTES_IN_MUCH).map(|found| found.explanation.requests);
    assert!(of_content.clone().max() <= Some(80), "a content trigger in 10 MB took {:?} requests", of_content.max());
}

#[test]
fn hard_triggers_are_never_stated_wrongly() {
    let first = KINDS.iter().map(|kind| kind.times).sum();
    let all = found(HARD, first);
    print_table(&all);
    for Found { plant, outcome, .. } in &all {
        assert_ne!(*outcome, Outcome::Delivered, "{} {} does not trip", plant.number, plant.kind);
    }
    let wrong = all.iter().filter(|found| found.grade == Grade::WrongAndSure).count();
    assert_eq!(wrong, 0, "no wrong trigger is stated as sure");
}
