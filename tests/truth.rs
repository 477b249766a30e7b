//! Each edge that lies, 200 times over plain HTTP and 200 times over TLS: the right outcome each time, and never a false
//! pass.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "support/edge.rs"]
mod edge;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use edge::{case, control, empty, from_shift_jis, jpeg, large, open, pdf};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use wafcanary::corpus::Case;
use wafcanary::lab::{Lab, edges};
use wafcanary::profile::Profile;
use wafcanary::profile::target::Scheme;
use wafcanary::replay::{Replayer, Try};
use wafcanary::verdict::{Outcome, Signatures, Verdict, judge};

const TIMES: usize = 200;

/// Uploads under way at once.
const AT_ONCE: usize = 32;

/// Files that an honest edge lets through, and what a lie about each must come to.
fn small(outcome: Outcome) -> Vec<(Case, Outcome)> {
    files().into_iter().map(|case| (case, outcome)).collect()
}

fn files() -> Vec<Case> {
    let mut files = Vec::new();
    for client in ["chromium", "curl"] {
        files.push(case(&format!("pdf/plan~client:{client}"), "plan.pdf", client, pdf()));
        files.push(case(&format!("image/site~client:{client}"), "site photo 1.jpg", client, jpeg()));
        let shift_jis = case(&format!("pdf/table~client:{client}"), "図面_表5.pdf", client, pdf());
        files.push(from_shift_jis(shift_jis));
        files.push(case(&format!("text/empty~client:{client}"), "memo.txt", client, empty()));
    }
    files
}

/// The same, where a lie about an empty file changes nothing: it arrives as it is.
fn but_empty_files_arrive(outcome: Outcome) -> Vec<(Case, Outcome)> {
    let told = |case: Case| if case.content.is_empty() { (case, Outcome::Delivered) } else { (case, outcome) };
    files().into_iter().map(told).collect()
}

/// Files well above what the buffers of both sides' sockets hold.
fn big(outcome: Outcome) -> Vec<(Case, Outcome)> {
    ["chromium", "curl"]
        .map(|client| case(&format!("pdf/large~client:{client}"), "large.pdf", client, large(24 << 20)))
        .map(|case| (case, outcome))
        .into()
}

struct Told {
    case: Case,
    expected: Outcome,
    tries: Vec<Try>,
    verdict: Verdict,
}

/// Asks an edge `TIMES` times about `cases` in turn.
async fn ask(profile: Profile, cases: &[(Case, Outcome)], at_once: usize) -> Vec<Told> {
    let profile = Arc::new(profile);
    let replayer = Arc::new(Replayer::new(profile.clone(), "truth").unwrap());
    let permits = Arc::new(Semaphore::new(at_once));
    let mut tasks = tokio::task::JoinSet::new();
    for (case, expected) in cases.iter().cycle().take(TIMES).cloned() {
        let (profile, replayer, permits) = (profile.clone(), replayer.clone(), permits.clone());
        tasks.spawn(async move {
            let _permit = permits.acquire().await.unwrap();
            let tries = replayer.round(&case).await.attempts;
            let observations: Vec<_> = tries.iter().map(|tried| tried.observation.clone()).collect();
            let verdict = judge(&observations, &profile.oracle, Signatures::builtin());
            Told { case, expected, tries, verdict }
        });
    }
    tasks.join_all().await
}

/// What the origin says of an attempt, asked without any part of the replayer.
async fn origin_has(origin: SocketAddr, told: &Told) -> bool {
    let id = &told.tries.last().unwrap().id;
    let mut tcp = TcpStream::connect(origin).await.unwrap();
    let request = format!("GET /receipts/{id} HTTP/1.1\r\nHost: origin.lab.test\r\nConnection: close\r\n\r\n");
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await.unwrap();
    answer.starts_with("HTTP/1.1 200 ") && answer.contains(&format!("\"{}\"", told.case.content.sha256()))
}

/// Fails on a pass of an upload that the origin does not have in these very bytes.
async fn no_false_pass(lab: &Lab, all: &[Told]) {
    for told in all.iter().filter(|told| told.verdict.outcome == Outcome::Delivered) {
        assert!(origin_has(lab.origin_addr(), told).await, "{}: {}", told.case.id, told.verdict.evidence);
    }
}

async fn told_over(name: &str, scheme: Scheme, cases: &[(Case, Outcome)], at_once: usize) -> Vec<Told> {
    let (lab, profile) = open(name, scheme).await;
    let all = ask(profile, cases, at_once).await;
    no_false_pass(&lab, &all).await;
    lab.stop().await;
    all
}

/// The edge is seen through `TIMES` of `TIMES`, plain and over TLS; `signature` is what it is known by.
async fn seen_through(name: &str, cases: Vec<(Case, Outcome)>, signature: Option<&str>) {
    seen_through_at_once(name, cases, signature, AT_ONCE).await;
}

async fn seen_through_at_once(name: &str, cases: Vec<(Case, Outcome)>, signature: Option<&str>, at_once: usize) {
    for (scheme, protocol) in [(Scheme::Http, "HTTP/1.1"), (Scheme::Https, "HTTP/1.1 TLSv1.3")] {
        let all = told_over(name, scheme, &cases, at_once).await;
        assert_eq!(all.len(), TIMES);
        let wrong: BTreeSet<String> = all
            .iter()
            .filter(|told| told.verdict.outcome != told.expected)
            .map(|told| format!("{}: {:?}: {}", told.case.id, told.verdict.outcome, told.verdict.evidence))
            .collect();
        let right = all.iter().filter(|told| told.verdict.outcome == told.expected).count();
        assert_eq!(right, TIMES, "{name} over {protocol}: {wrong:#?}");
        for told in &all {
            let observation = &told.tries.last().unwrap().observation;
            assert_eq!(observation.protocol.as_deref(), Some(protocol));
            if let (Some(signature), Outcome::Blocked | Outcome::Challenged) = (signature, told.verdict.outcome) {
                assert_eq!(told.verdict.signature.as_deref(), Some(signature), "{}", told.verdict.evidence);
            }
        }
    }
}

macro_rules! truths {
    ($($test:ident: $edge:literal, $cases:expr, $signature:expr;)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            seen_through($edge, $cases, $signature).await;
        })*

        /// Edges that the table tells the truth about.
        const TABLE: &[&str] = &[$($edge),*];
    };
}

truths! {
    the_standard_plan_refuses_plain_attacks_alone: "standard", plan(Outcome::Delivered), Some("unrecognised");
    the_upper_plan_refuses_what_it_does_not_know: "upper", plan(Outcome::Blocked), Some("unrecognised");
    a_block_page_with_status_200_is_blocked: "lie-block-page-200", small(Outcome::Blocked), Some("f5-asm");
    a_block_page_in_gzip_is_blocked: "lie-gzip-block-page", small(Outcome::Blocked), Some("f5-asm");
    an_empty_200_is_blocked: "lie-empty-200", small(Outcome::Blocked), Some("unrecognised");
    a_redirect_to_the_home_page_is_blocked: "lie-redirect-home", small(Outcome::Blocked), Some("unrecognised");
    a_success_page_without_delivery_is_blocked: "lie-fake-success", small(Outcome::Blocked), Some("unrecognised");
    a_challenge_is_challenged: "lie-challenge", small(Outcome::Challenged), Some("cloudflare");
    an_early_413_is_too_large: "lie-early-413", [small(Outcome::TooLarge), big(Outcome::TooLarge)].concat(), None;
    a_reset_in_the_body_is_too_large: "lie-reset", big(Outcome::TooLarge), None;
    a_truncated_file_is_altered: "lie-truncate", but_empty_files_arrive(Outcome::Altered), None;
    a_flipped_bit_is_altered: "lie-flip-byte", but_empty_files_arrive(Outcome::Altered), None;
    a_mojibake_name_is_altered: "lie-mojibake-name", small(Outcome::Altered), None;
    another_type_is_altered: "lie-rewrite-type", small(Outcome::Altered), None;
    bytes_that_are_not_http_are_dropped: "lie-broken-http", small(Outcome::Dropped), None;
    a_refusal_of_the_origin_is_rejected: "lie-origin-rejects", small(Outcome::Rejected), None;
    a_file_that_is_gone_later_is_lost: "lie-lost", small(Outcome::Lost), None;
}

/// Files and attacks, with what a plan must make of a drawing that the upper plan does not know.
fn plan(drawing: Outcome) -> Vec<(Case, Outcome)> {
    let bytes = |bytes: &'static [u8]| wafcanary::corpus::Content::from_bytes(bytes);
    let shell = case("control/shell", "shell.php", "curl", bytes(b"\x3c?php phpinfo(); ?>"));
    let hidden = case("control/photo", "photo.jpg", "chromium", bytes(b"\xff\xd8\xff\xe0 \x3c?php phpinfo();"));
    let program = case("control/program", "setup.exe", "chromium", bytes(b"MZ\x90\0"));
    let drawn = case("cad/plan", "配置図.jww", "chromium", bytes(b"JwwData."));
    // The upper plan takes an empty text for what its name says.
    let files = files().into_iter().map(|case| (case, Outcome::Delivered));
    let attacks = [shell, hidden, program].map(|case| (control(case), Outcome::Blocked));
    files.chain(attacks).chain([(drawn, drawing)]).collect()
}

/// Lies that take their time: side by side, since nearly all of it is waiting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_a_slow_drip_and_an_endless_page_are_dropped() {
    let at_once = 2 * AT_ONCE;
    tokio::join!(
        seen_through_at_once("lie-silence", small(Outcome::Dropped), None, at_once),
        seen_through_at_once("lie-slow-drip", small(Outcome::Dropped), None, at_once),
        seen_through_at_once("lie-endless", small(Outcome::Dropped), None, at_once),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_after_a_small_body_is_dropped() {
    for scheme in [Scheme::Http, Scheme::Https] {
        let all = told_over("lie-reset", scheme, &small(Outcome::Dropped), AT_ONCE).await;
        assert!(all.iter().all(|told| told.verdict.outcome == Outcome::Dropped && told.tries.len() == 2));
    }
}

fn counts(all: &[Told]) -> BTreeMap<&'static str, usize> {
    all.iter().fold(BTreeMap::new(), |mut counts, told| {
        *counts.entry(told.verdict.outcome.as_str()).or_default() += 1;
        counts
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_refusal_in_four_is_seen_as_just_that() {
    for scheme in [Scheme::Http, Scheme::Https] {
        let all = told_over("lie-flaky", scheme, &small(Outcome::Delivered), AT_ONCE).await;
        assert_eq!(counts(&all), [("blocked", TIMES / 4), ("delivered", TIMES - TIMES / 4)].into());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_after_the_fifth_request_is_throttled() {
    for scheme in [Scheme::Http, Scheme::Https] {
        let all = told_over("lie-throttle", scheme, &small(Outcome::Throttled), AT_ONCE).await;
        assert_eq!(counts(&all), [("delivered", 5), ("throttled", TIMES - 5)].into());
    }
}

#[test]
fn every_edge_of_the_lab_is_told_the_truth_about() {
    let beside = ["lie-silence", "lie-slow-drip", "lie-endless", "lie-flaky", "lie-throttle", "lie-ban"];
    let told: BTreeSet<&str> = TABLE.iter().copied().chain(beside).collect();
    let known: BTreeSet<&str> = edges().map(|(name, ..)| name).collect();
    assert_eq!(told, known);
}
