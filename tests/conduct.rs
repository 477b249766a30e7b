//! What ends a run, and what the end does to the cases that were under way: nothing that a ban, a ceiling or a pause did
//! is ever put down to a file.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "support/edge.rs"]
mod edge;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use edge::{case, control, empty, from_shift_jis, jpeg, large, open, pdf};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use wafcanary::corpus::{Case, Content, Transport};
use wafcanary::profile::Profile;
use wafcanary::profile::target::Scheme;
use wafcanary::replay::Replayer;
use wafcanary::run::{Batch, CaseRecord, Ends, Event, Lane, Plan, RunEnding, SideName, conduct};
use wafcanary::verdict::Outcome;

struct Ran {
    endings: Vec<RunEnding>,
    /// Each with the number of its lane.
    events: Vec<(usize, Event)>,
}

impl Ran {
    fn cases(&self, side: SideName) -> Vec<&CaseRecord> {
        let records = self.events.iter().filter_map(|(_, event)| match event {
            Event::Case(record) => Some(record),
            _ => None,
        });
        records.filter(|record| record.side == side).collect()
    }

    fn outcomes(&self) -> Vec<Outcome> {
        self.cases(SideName::Baseline).iter().map(|record| record.verdict.outcome).collect()
    }

    fn ending(&self) -> &RunEnding {
        &self.endings[0]
    }
}

fn lane(side: SideName, profile: Profile, rounds: u32) -> Lane {
    let profile = Arc::new(profile);
    let replayer = Replayer::new(profile.clone(), "conduct").unwrap();
    Lane::new(side, replayer, profile, rounds, HashMap::new())
}

async fn run_lanes(cases: Vec<Case>, confirm: u32, lanes: Vec<Lane>, stop: watch::Receiver<bool>) -> Ran {
    run_ending(Ends::Together, cases, confirm, lanes, stop).await
}

async fn run_ending(ends: Ends, cases: Vec<Case>, confirm: u32, lanes: Vec<Lane>, stop: watch::Receiver<bool>) -> Ran {
    let events = Arc::new(Mutex::new(Vec::new()));
    let plan = Plan { cases: cases.into(), confirm, ends };
    let sink = {
        let events = events.clone();
        Arc::new(move |(lane, batch): Batch| {
            events.lock().unwrap().extend(batch.into_iter().map(|event| (lane, event)));
            Ok(())
        })
    };
    let endings = conduct(plan, lanes, stop, sink).await.unwrap();
    let events = std::mem::take(&mut *events.lock().unwrap());
    Ran { endings, events }
}

async fn run(cases: Vec<Case>, profile: Profile) -> Ran {
    let (_sender, stop) = watch::channel(false);
    run_lanes(cases, 1, vec![lane(SideName::Baseline, profile, 1)], stop).await
}

fn plans(count: usize) -> Vec<Case> {
    (0..count).map(|number| case(&format!("pdf/plan-{number}"), "plan.pdf", "chromium", pdf())).collect()
}

fn shells(count: usize) -> Vec<Case> {
    let content = || Content::from_bytes(&b"\x3c?php phpinfo(); ?>"[..]);
    (0..count).map(|number| control(case(&format!("control/{number}"), "shell.php", "curl", content()))).collect()
}

/// A server that counts requests, from 1, and answers each with what `answer` says.
async fn server(answer: impl Fn(usize) -> String + Send + Sync + 'static) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (answer, count) = (Arc::new(answer), Arc::new(AtomicUsize::new(0)));
    let seen = count.clone();
    tokio::spawn(async move {
        loop {
            let (mut tcp, _) = listener.accept().await.unwrap();
            tcp.set_nodelay(true).unwrap();
            let (answer, count) = (answer.clone(), count.clone());
            tokio::spawn(async move {
                let mut taken = Vec::new();
                while tcp.read_buf(&mut taken).await.unwrap() > 0 && !taken.ends_with(b"--\r\n") {}
                let text = answer(count.fetch_add(1, Ordering::SeqCst) + 1);
                tcp.write_all(text.as_bytes()).await.unwrap();
            });
        }
    });
    (port, seen)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let len = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {len}\r\nConnection: close\r\n{headers}\r\n{body}")
}

fn taken() -> String {
    answer("200 OK", "", "accepted 0001")
}

fn profile(port: u16, more: &str) -> Profile {
    let text = format!(
        "[target]\nurl = \"http://127.0.0.1:{port}/upload\"\n[oracle]\nproof = \"marker\"\nstatus = \"200\"\n\
         body = {{ contains = \"accepted\" }}\n[guard]\nallowed_hosts = [\"127.0.0.1\"]\nauthorized = true\n\
         [pace]\nrate = \"unlimited\"\nconcurrency = 1\nretries = 0\n{more}\n"
    );
    Profile::load_str(Path::new("p.toml"), &text, &|_| None).unwrap_or_else(|error| panic!("{}", error.render(false)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_is_told_from_refusals_200_times_of_200() {
    let permits = Arc::new(Semaphore::new(32));
    let mut runs = tokio::task::JoinSet::new();
    for number in 0..200 {
        let permits = permits.clone();
        runs.spawn(async move {
            let _permit = permits.acquire().await.unwrap();
            let scheme = if number % 2 == 0 { Scheme::Http } else { Scheme::Https };
            let (_lab, mut profile) = open("lie-ban", scheme).await;
            // One worker, and many that meet the ban at once.
            profile.pace.concurrency = if number % 4 < 2 { 1 } else { 8 };
            profile.pace.max_retry_after = Duration::from_millis(300);
            let alone = profile.pace.concurrency == 1;
            let cases = [plans(2), shells(8), plans(20)].concat();
            (alone, run(cases, profile).await)
        });
    }
    for (alone, ran) in runs.join_all().await {
        assert!(matches!(ran.ending(), RunEnding::Banned { .. }), "{:?}", ran.endings);
        let outcomes = ran.outcomes();
        if alone {
            use Outcome::{Blocked, Delivered, Throttled};
            assert_eq!(outcomes, [Delivered, Delivered, Blocked, Blocked, Throttled]);
        }
        let refused = outcomes.iter().filter(|outcome| **outcome == Outcome::Blocked).count();
        assert!(refused <= 2, "the third refusal brings the ban: {outcomes:?}");
        assert!(outcomes.contains(&Outcome::Throttled), "{outcomes:?}");
        for record in ran.cases(SideName::Baseline) {
            let legit = record.case.as_str().starts_with("pdf/");
            let right = match record.verdict.outcome {
                Outcome::Delivered => legit,
                Outcome::Blocked => !legit,
                Outcome::Throttled => true,
                _ => false,
            };
            assert!(right, "{}: {:?}", record.case, record.verdict);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_that_asks_for_too_long_a_pause_ends_the_run() {
    let mut runs = tokio::task::JoinSet::new();
    for number in 0..200 {
        runs.spawn(async move {
            let scheme = if number % 2 == 0 { Scheme::Http } else { Scheme::Https };
            let (_lab, mut profile) = open("lie-throttle", scheme).await;
            profile.pace.concurrency = 1;
            run(plans(20), profile).await
        });
    }
    for ran in runs.join_all().await {
        assert!(matches!(ran.ending(), RunEnding::Banned { detail } if detail.contains("120s")), "{:?}", ran.endings);
        // The canary control was the first of the five that are let through.
        let mut expected = vec![Outcome::Delivered; 4];
        expected.push(Outcome::Throttled);
        assert_eq!(ran.outcomes(), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_that_refuses_one_in_four_is_never_settled_as_regression() {
    let (_lab, mut baseline) = open("standard", Scheme::Http).await;
    let (_other, mut candidate) = open("lie-flaky", Scheme::Http).await;
    // One at a time: this edge counts, and workers in step could bring each fourth upload from the same case.
    (baseline.pace.concurrency, candidate.pace.concurrency) = (1, 1);
    let mut cases = plans(48);
    cases.push(case("image/site", "site.jpg", "curl", jpeg()));
    cases.push(from_shift_jis(case("pdf/table", "図面_表5.pdf", "chromium", pdf())));
    cases.push(case("text/empty", "memo.txt", "curl", empty()));
    cases.push(case("pdf/large", "large.pdf", "curl", large(1 << 20)));
    let (_sender, stop) = watch::channel(false);
    let lanes = vec![lane(SideName::Baseline, baseline, 2), lane(SideName::Candidate, candidate, 1)];
    let ran = run_lanes(cases, 5, lanes, stop).await;
    let records = ran.cases(SideName::Candidate);
    assert_eq!(records.len(), 52);
    let mut disagreeing = 0;
    for record in records {
        let refused = record.rounds.iter().filter(|outcome| **outcome == Outcome::Blocked).count();
        let passed = record.rounds.iter().filter(|outcome| **outcome == Outcome::Delivered).count();
        assert_eq!(refused + passed, record.rounds.len());
        if refused > 0 {
            disagreeing += 1;
            assert_eq!(record.rounds.len(), 5, "asked again before it is called anything");
            assert!(passed > 0, "one refusal in four among five is never all of them");
        }
    }
    assert!(disagreeing > 0, "the refusals are on record");
    assert!(ran.cases(SideName::Baseline).iter().all(|record| record.verdict.outcome == Outcome::Delivered));
}

#[tokio::test]
async fn an_edge_that_cannot_go_on_ends_its_neighbours_in_a_comparison_and_itself_alone_in_a_matrix() {
    let (port, _) = server(|_| taken()).await;
    let (small, _) = server(|_| taken()).await;
    // Nobody listens there once the listener is gone.
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    for (ends, whole) in [(Ends::Together, 0), (Ends::Alone, 6)] {
        let (_sender, stop) = watch::channel(false);
        let whole_lane = lane(SideName::Baseline, profile(port, ""), 1);
        let lanes = vec![
            lane(SideName::Candidate, profile(closed, ""), 1),
            whole_lane,
            lane(SideName::Candidate, profile(small, "max_requests = 3\ncanary_every = 0"), 1),
        ];
        let ran = run_ending(ends, plans(6), 1, lanes, stop).await;
        assert_eq!(ran.cases(SideName::Baseline).len(), whole, "{ends:?}");
        assert!(matches!(ran.endings[0], RunEnding::Unreachable { .. }), "{:?}", ran.endings);
        match ends {
            Ends::Together => assert_eq!(ran.endings[1..], [RunEnding::OtherSideEnded, RunEnding::OtherSideEnded]),
            Ends::Alone => {
                assert_eq!(ran.endings[1], RunEnding::Complete);
                assert!(matches!(ran.endings[2], RunEnding::Ceiling { .. }), "{:?}", ran.endings);
                assert_eq!(ran.cases(SideName::Candidate).len(), 3, "what was settled before the ceiling counts");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_is_the_end_of_every_edge_that_had_none() {
    let (sender, stop) = watch::channel(false);
    let (port, _) = server(move |number| {
        if number == 4 {
            let _ = sender.send(true);
        }
        taken()
    })
    .await;
    let (small, _) = server(|_| taken()).await;
    let lanes = vec![
        lane(SideName::Baseline, profile(small, "max_requests = 1\ncanary_every = 0"), 1),
        lane(SideName::Baseline, profile(port, ""), 1),
    ];
    let ran = run_ending(Ends::Alone, plans(500), 1, lanes, stop).await;
    assert!(matches!(ran.endings[0], RunEnding::Ceiling { .. }), "{:?}", ran.endings);
    assert_eq!(ran.endings[1], RunEnding::Interrupted);
}

#[tokio::test]
async fn a_ceiling_of_requests_ends_the_run_and_condemns_nothing() {
    let (port, seen) = server(|_| taken()).await;
    let ran = run(plans(10), profile(port, "max_requests = 4\ncanary_every = 2")).await;
    assert!(
        matches!(ran.ending(), RunEnding::Ceiling { detail } if detail.contains("4 requests")),
        "{:?}",
        ran.endings
    );
    assert!(ran.outcomes().iter().all(|outcome| *outcome == Outcome::Delivered), "{:?}", ran.outcomes());
    assert_eq!(seen.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_body_above_the_ceiling_of_bytes_is_not_asked_about() {
    let (port, _) = server(|_| taken()).await;
    let cases = vec![plans(1).remove(0), case("pdf/large", "large.pdf", "curl", large(1 << 20))];
    let ran = run(cases, profile(port, "max_bytes = 100000")).await;
    assert!(matches!(ran.ending(), RunEnding::Ceiling { detail } if detail.contains("100000")), "{:?}", ran.endings);
    assert_eq!(ran.outcomes(), [Outcome::Delivered]);
}

#[tokio::test]
async fn a_ceiling_between_two_attempts_leaves_the_case_open() {
    // The first request is the canary control; every later connection is closed without an answer.
    let (port, seen) = server(|number| if number == 1 { taken() } else { String::new() }).await;
    let ran = run(plans(3), profile(port, "max_requests = 2").with_retries(1)).await;
    assert!(matches!(ran.ending(), RunEnding::Ceiling { .. }), "{:?}", ran.endings);
    assert_eq!(ran.outcomes(), []);
    assert_eq!(seen.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_refusal_that_no_canary_can_vouch_for_any_more_stays_open() {
    let (port, _) = server(|number| if number == 1 { taken() } else { answer("403 Forbidden", "", "no") }).await;
    let ran = run(plans(3), profile(port, "max_requests = 2")).await;
    assert!(matches!(ran.ending(), RunEnding::Ceiling { .. }), "{:?}", ran.endings);
    assert_eq!(ran.outcomes(), []);
}

#[tokio::test]
async fn a_canary_control_is_sent_as_the_form_sends_files() {
    let server = wiremock::MockServer::start().await;
    let taken = wiremock::ResponseTemplate::new(200).set_body_string("accepted");
    wiremock::Mock::given(wiremock::matchers::method("PUT")).respond_with(taken).mount(&server).await;
    let mut profile = profile(server.address().port(), "");
    profile.upload.transport = Transport::Put;
    let ran = run(vec![Case { transport: Transport::Put, ..plans(1).remove(0) }], profile).await;
    let canary = |(_, event): &(usize, Event)| match event {
        Event::Canary { verdict, .. } => Some(verdict.outcome),
        _ => None,
    };
    assert_eq!(ran.events.iter().find_map(canary), Some(Outcome::Delivered));
    assert_eq!(ran.outcomes(), [Outcome::Delivered]);
}

#[tokio::test]
async fn a_first_canary_that_is_throttled_waits_as_asked() {
    let pause = || answer("429 Too Many Requests", "Retry-After: 0\r\n", "");
    let (port, _) = server(move |number| if number < 3 { pause() } else { taken() }).await;
    let ran = run(plans(2), profile(port, "")).await;
    assert_eq!(*ran.ending(), RunEnding::Complete);
    assert_eq!(ran.outcomes(), [Outcome::Delivered; 2]);
}

#[tokio::test]
async fn a_first_canary_that_is_throttled_for_too_long_ends_the_run_with_no_case() {
    for headers in ["", "Retry-After: 3600\r\n"] {
        let (port, seen) = server(move |_| answer("429 Too Many Requests", headers, "")).await;
        let ran = run(plans(2), profile(port, "max_retry_after = \"1s\"")).await;
        assert!(matches!(ran.ending(), RunEnding::Banned { .. }), "{:?}", ran.endings);
        assert_eq!(ran.outcomes(), []);
        assert_eq!(seen.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_run_whose_every_case_is_throttled_passes_nothing() {
    let (port, _) = server(|_| answer("429 Too Many Requests", "Retry-After: 0\r\n", "")).await;
    let ran = run(plans(3), profile(port, "canary_every = 0")).await;
    assert_eq!(*ran.ending(), RunEnding::Complete);
    assert_eq!(ran.outcomes(), [Outcome::Throttled; 3]);
    assert!(ran.cases(SideName::Baseline).iter().all(|record| record.attempts == 6));
}

#[tokio::test]
async fn what_was_refused_while_the_canary_did_not_get_through_is_asked_again() {
    // A ban from the second to the fourth request, which then passes.
    let refusal = || answer("403 Forbidden", "", "no");
    let (port, _) = server(move |number| if (2..=4).contains(&number) { refusal() } else { taken() }).await;
    let ran = run(plans(2), profile(port, "max_retry_after = \"5s\"")).await;
    assert_eq!(*ran.ending(), RunEnding::Complete);
    assert_eq!(ran.outcomes(), [Outcome::Delivered; 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_while_the_canary_waits_ends_the_run_at_once() {
    let refusal = || answer("403 Forbidden", "", "no");
    let (sender, stop) = watch::channel(false);
    // The fourth request is a canary control that is refused: from here on the run waits for a ban to pass.
    let (port, _) = server(move |number| match number {
        1 | 2 => taken(),
        3 => refusal(),
        _ => {
            let _ = sender.send(true);
            refusal()
        }
    })
    .await;
    let profile = profile(port, "max_retry_after = \"3600s\"");
    let ran = run_lanes(plans(5), 1, vec![lane(SideName::Baseline, profile, 1)], stop).await;
    assert_eq!(*ran.ending(), RunEnding::Interrupted);
    assert_eq!(ran.outcomes(), [Outcome::Delivered]);
}

trait WithRetries {
    fn with_retries(self, retries: u32) -> Self;
}

impl WithRetries for Profile {
    fn with_retries(mut self, retries: u32) -> Self {
        self.pace.retries = retries;
        self
    }
}
