//! The promise: an outcome is `delivered` only when the profile's proof holds.

use proptest::prelude::*;
use wafcanary::corpus::Sha256Digest;
use wafcanary::profile::{
    BodyMatch, HeaderMatch, JsonMatch, Oracle, Proof, ReadBack, ReceiptSource, ReceiptSpec, Secret, StatusSet,
};
use wafcanary::replay::{
    Answer, BodyHead, Ending, Observation, Phase, ReadBackFact, Receipt, ReceiptFact, Sent, StepFact, Timings,
    Unreachable,
};
use wafcanary::verdict::{Outcome, Signatures, UNRECOGNISED, Verdict, judge};

const FILE: &[u8] = b"the file";

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    Answer {
        status,
        reason: None,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: BodyHead(bytes::Bytes::copy_from_slice(body.as_bytes())),
        body_bytes: body.len() as u64,
    }
}

fn observed(ending: Ending, answer: Option<Answer>) -> Observation {
    let sent = Sent {
        sha256: Sha256Digest::of(FILE),
        size: FILE.len() as u64,
        filename_hex: Some("612e706466".to_owned()),
        filename_readings: vec!["a.pdf".to_owned()],
        content_type: Some("application/pdf".to_owned()),
        body_bytes: 1000,
        body_bytes_before_answer: 1000,
    };
    Observation {
        sent,
        answer,
        ending,
        timings: Timings::default(),
        peer: Some("127.0.0.1:8080".parse().expect("address")),
        protocol: Some("HTTP/1.1".to_owned()),
        reused: false,
        receipt: None,
        read_back: None,
        steps: Vec::new(),
    }
}

fn complete(status: u16, headers: &[(&str, &str)], body: &str) -> Observation {
    observed(Ending::Complete, Some(answer(status, headers, body)))
}

fn broken(phase: Phase, sent: u64, total: u64) -> Observation {
    let mut observation = observed(Ending::Broken { phase, detail: "connection reset".to_owned() }, None);
    observation.sent.body_bytes = total;
    observation.sent.body_bytes_before_answer = sent;
    observation
}

fn receipt() -> Receipt {
    Receipt {
        sha256: Sha256Digest::of(FILE),
        size: Some(FILE.len() as u64),
        filename: Some("a.pdf".to_owned()),
        filename_hex: None,
        content_type: Some("application/pdf".to_owned()),
    }
}

fn oracle(proof: Proof) -> Oracle {
    Oracle {
        proof,
        status: StatusSet(vec![200..=204]),
        header: None,
        body: None,
        json: None,
        receipt: None,
        read_back: None,
        rejected: None,
    }
}

fn receipt_spec(source: ReceiptSource) -> ReceiptSpec {
    ReceiptSpec {
        source,
        sha256: "/sha256".to_owned(),
        size: Some("/size".to_owned()),
        filename: Some("/filename".to_owned()),
        filename_hex: None,
        content_type: Some("/type".to_owned()),
    }
}

fn by_receipt() -> Oracle {
    let source = ReceiptSource::Url { url: Secret::new("http://127.0.0.1/receipt".to_owned()), headers: Vec::new() };
    Oracle { receipt: Some(receipt_spec(source)), ..oracle(Proof::Receipt) }
}

fn by_marker() -> Oracle {
    Oracle { body: Some(BodyMatch::Contains("受付完了".to_owned())), ..oracle(Proof::Marker) }
}

fn by_read_back() -> Oracle {
    let read_back = ReadBack { url: Secret::new("http://127.0.0.1/file".to_owned()), headers: Vec::new() };
    Oracle { read_back: Some(read_back), ..oracle(Proof::ReadBack) }
}

fn with_receipt(observation: Observation, receipt: Receipt) -> Observation {
    Observation { receipt: Some(ReceiptFact::Found(receipt)), ..observation }
}

fn without_receipt(observation: Observation) -> Observation {
    Observation { receipt: Some(ReceiptFact::Absent { detail: "status 404".to_owned() }), ..observation }
}

fn verdict(attempts: &[Observation], oracle: &Oracle) -> Verdict {
    judge(attempts, oracle, Signatures::builtin())
}

fn outcome(observation: Observation, oracle: &Oracle) -> Outcome {
    verdict(&[observation], oracle).outcome
}

const F5: &str = "<title>Request Rejected</title>The requested URL was rejected. Please consult with your \
                  administrator.<br>Your support ID is: 1234567890";
const AKAMAI: &str = "You don't have permission to access \"/a\" on this server. Reference #18.1a2b.170.3c";

#[test]
fn every_style_of_refusal_has_its_outcome_by_marker_and_by_receipt() {
    use Outcome::{Blocked, Challenged, Throttled, TooLarge, Unreachable};
    let none = Some(UNRECOGNISED);
    let table = [
        (200, ("cache-control", "no-cache"), F5, Blocked, Some("f5-asm")),
        (404, ("", ""), "The specified URL cannot be found.<!--0123456789-->", Blocked, Some("barracuda")),
        (404, ("", ""), "<h1>404 Not Found</h1>", Blocked, none),
        (404, ("", ""), "", Blocked, none),
        (200, ("", ""), "", Blocked, none),
        (200, ("", ""), "<h1>welcome</h1>", Blocked, none),
        (302, ("location", "/"), "", Blocked, none),
        (405, ("", ""), "see errors.aliyun.com", Blocked, Some("alibaba")),
        (405, ("x-amzn-waf-action", "captcha"), "", Challenged, Some("awswaf")),
        (202, ("x-amzn-waf-action", "challenge"), "", Challenged, Some("awswaf")),
        (406, ("x-served-by", "cache-nrt12345-NRT"), "Not Acceptable", Blocked, Some("fastly-ngwaf")),
        (406, ("", ""), "Not Acceptable", Blocked, none),
        (413, ("", ""), "<h1>413 Request Entity Too Large</h1><center>nginx/1.22</center>", TooLarge, Some("nginx")),
        (413, ("server", "cloudflare"), "", TooLarge, Some("cloudflare")),
        (413, ("", ""), "", TooLarge, none),
        (493, ("", ""), "", Blocked, Some("360-wangzhanbao")),
        (501, ("", ""), "Not Implemented", Blocked, none),
        (502, ("", ""), "", Blocked, none),
        (503, ("", ""), "", Blocked, none),
        (503, ("retry-after", "5"), "", Throttled, None),
        (429, ("", ""), "slow down", Throttled, None),
        (429, ("cf-mitigated", "challenge"), "", Challenged, Some("cloudflare")),
        (403, ("cf-mitigated", "challenge"), "Just a moment...", Challenged, Some("cloudflare")),
        (403, ("server", "cloudflare"), "Sorry, you have been blocked", Blocked, Some("cloudflare")),
        (403, ("server", "cloudflare"), "forbidden", Blocked, none),
        (200, ("", ""), "<script src=\"/.within.website/x/cmd/anubis/a.js\">", Challenged, Some("anubis")),
        (403, ("", ""), AKAMAI, Blocked, Some("akamai")),
        (403, ("x-azure-ref", "0abc"), "The request is blocked.", Blocked, Some("azure-front-door")),
        (222, ("", ""), "", Blocked, Some("nemesida")),
        (999, ("", ""), "", Blocked, none),
        (401, ("", ""), "", Unreachable, None),
        (407, ("", ""), "", Unreachable, None),
    ];
    for (status, header, body, expected, signature) in table {
        let seen = complete(status, &[header], body);
        for found in
            [verdict(std::slice::from_ref(&seen), &by_marker()), verdict(&[without_receipt(seen)], &by_receipt())]
        {
            let got = (found.outcome, found.signature.as_deref());
            assert_eq!(got, (expected, signature), "{status} {header:?} {body}: {}", found.evidence);
        }
    }
}

#[test]
fn a_reason_phrase_alone_names_the_edge() {
    for (status, reason, signature) in [(999, "No Hacking", "webknight"), (200, "Condition Intercepted", "denyall")] {
        let mut seen = complete(status, &[], "");
        seen.answer.as_mut().expect("answer").reason = Some(reason.to_owned());
        let found = verdict(&[seen], &by_marker());
        assert_eq!((found.outcome, found.signature.as_deref()), (Outcome::Blocked, Some(signature)));
    }
}

#[test]
fn an_empty_404_is_never_a_pass() {
    for proof in [Proof::Receipt, Proof::ReadBack, Proof::Marker, Proof::Status] {
        assert_ne!(outcome(complete(404, &[], ""), &oracle(proof)), Outcome::Delivered, "{proof:?}");
    }
}

#[test]
fn a_receipt_with_the_same_digest_is_a_pass() {
    let good = verdict(&[with_receipt(complete(200, &[], "ok"), receipt())], &by_receipt());
    assert_eq!((good.outcome, good.signature, good.status), (Outcome::Delivered, None, Some(200)));
    assert_eq!(good.evidence, "the receipt has the same SHA-256");
}

#[test]
fn a_success_page_without_a_receipt_is_blocked() {
    let found = verdict(&[without_receipt(complete(200, &[], "受付完了"))], &by_receipt());
    assert_eq!((found.outcome, found.signature.as_deref()), (Outcome::Blocked, Some(UNRECOGNISED)));
    assert!(found.evidence.contains("no receipt"), "{}", found.evidence);
}

#[test]
fn an_upload_that_arrived_behind_an_error_is_not_delivered_and_the_evidence_says_so() {
    for (seen, expected) in
        [(complete(404, &[], ""), Outcome::Blocked), (broken(Phase::Waiting, 1000, 1000), Outcome::Dropped)]
    {
        let found = verdict(&[with_receipt(seen, receipt())], &by_receipt());
        assert_eq!(found.outcome, expected);
        assert!(found.evidence.contains("arrived at the origin"), "{}", found.evidence);
    }
}

#[test]
fn every_change_on_the_way_is_altered_and_named() {
    let changes: [(&str, Receipt); 5] = [
        ("content", Receipt { sha256: Sha256Digest::of(b"the fil"), size: Some(7), ..receipt() }),
        ("size", Receipt { size: Some(9), ..receipt() }),
        ("filename", Receipt { filename: Some("縺ゅ.pdf".to_owned()), ..receipt() }),
        ("filename", Receipt { filename: None, ..receipt() }),
        ("type", Receipt { content_type: Some("application/octet-stream".to_owned()), ..receipt() }),
    ];
    for (what, receipt) in changes {
        let found = verdict(&[with_receipt(complete(200, &[], "ok"), receipt)], &by_receipt());
        assert_eq!(found.outcome, Outcome::Altered, "{what}");
        assert!(found.evidence.contains(what), "{}", found.evidence);
    }
}

#[test]
fn the_bytes_of_a_filename_decide_where_the_receipt_has_them() {
    let decoded_otherwise =
        Receipt { filename: Some("?.pdf".to_owned()), filename_hex: Some("612E706466".to_owned()), ..receipt() };
    let other_bytes = Receipt { filename_hex: Some("622e706466".to_owned()), ..receipt() };
    assert_eq!(outcome(with_receipt(complete(200, &[], ""), decoded_otherwise), &by_receipt()), Outcome::Delivered);
    assert_eq!(outcome(with_receipt(complete(200, &[], ""), other_bytes), &by_receipt()), Outcome::Altered);
}

#[test]
fn the_case_of_a_type_is_no_change_and_a_parameter_is() {
    for (shown, expected) in
        [("Application/PDF", Outcome::Delivered), ("application/pdf; charset=utf-8", Outcome::Altered)]
    {
        let receipt = Receipt { content_type: Some(shown.to_owned()), ..receipt() };
        assert_eq!(outcome(with_receipt(complete(200, &[], ""), receipt), &by_receipt()), expected, "{shown}");
    }
}

#[test]
fn a_client_that_sends_no_type_is_content_with_the_defaults() {
    for (shown, expected) in [
        (None, Outcome::Delivered),
        (Some("text/plain"), Outcome::Delivered),
        (Some("application/octet-stream"), Outcome::Delivered),
        (Some("image/png"), Outcome::Altered),
    ] {
        let receipt = Receipt { content_type: shown.map(str::to_owned), ..receipt() };
        let mut seen = with_receipt(complete(200, &[], ""), receipt);
        seen.sent.content_type = None;
        assert_eq!(outcome(seen, &by_receipt()), expected, "{shown:?}");
    }
}

#[test]
fn a_receipt_that_cannot_be_asked_for_is_neither_a_pass_nor_a_block() {
    for status in [200, 403, 404] {
        let mut seen = complete(status, &[], "");
        seen.receipt = Some(ReceiptFact::Unavailable { status: None, detail: "connection refused".to_owned() });
        assert_eq!(outcome(seen, &by_receipt()), Outcome::Unreachable, "{status}");
    }
    assert_eq!(outcome(complete(200, &[], ""), &by_receipt()), Outcome::Unreachable, "it was not asked for");
}

#[test]
fn a_receipt_in_an_answer_that_is_no_receipt_is_a_refusal() {
    let oracle = Oracle { receipt: Some(receipt_spec(ReceiptSource::Answer)), ..oracle(Proof::Receipt) };
    let mut seen = complete(403, &[], "forbidden");
    seen.receipt = Some(ReceiptFact::Unavailable { status: None, detail: "no JSON".to_owned() });
    assert_eq!(outcome(seen, &oracle), Outcome::Blocked);
}

#[test]
fn what_is_no_longer_there_is_lost_and_what_never_was_is_blocked() {
    let mut seen = complete(200, &[], "受付完了");
    seen.read_back = Some(ReadBackFact::Absent { status: 404 });
    assert_eq!(outcome(seen.clone(), &by_read_back()), Outcome::Blocked, "a status is no delivery");
    let with_marker = Oracle { read_back: by_read_back().read_back, ..by_marker() };
    assert_eq!(outcome(seen.clone(), &with_marker), Outcome::Lost);
    let with_receipt_too = Oracle { read_back: by_read_back().read_back, ..by_receipt() };
    assert_eq!(outcome(with_receipt(seen, receipt()), &with_receipt_too), Outcome::Lost);
}

#[test]
fn read_back_must_have_the_same_digest() {
    let mut seen = complete(200, &[], "");
    for (fact, expected) in [
        (ReadBackFact::Found { sha256: Sha256Digest::of(FILE), size: 8 }, Outcome::Delivered),
        (ReadBackFact::Found { sha256: Sha256Digest::of(b"x"), size: 1 }, Outcome::Altered),
        (ReadBackFact::Unavailable { status: None, detail: "timed out".to_owned() }, Outcome::Unreachable),
    ] {
        seen.read_back = Some(fact);
        assert_eq!(outcome(seen.clone(), &by_read_back()), expected);
    }
    seen.answer = Some(answer(403, &[], ""));
    assert_eq!(outcome(seen, &by_read_back()), Outcome::Blocked, "the page already says so");
}

#[test]
fn every_marker_that_is_set_must_hold() {
    let json = JsonMatch { pointer: "/ok".to_owned(), equals: None };
    let digits = regex::Regex::new("^[0-9]+$").expect("regex");
    let header = HeaderMatch { name: "X-Receipt".to_owned(), matches: Some(digits) };
    let oracle = Oracle { json: Some(json), header: Some(header), ..oracle(Proof::Marker) };
    for (status, header, body, expected) in [
        (200, "12", r#"{"ok":true}"#, Outcome::Delivered),
        (200, "none", r#"{"ok":true}"#, Outcome::Blocked),
        (200, "12", r#"{"ok":false}"#, Outcome::Blocked),
        (200, "12", r#"{"ok":null}"#, Outcome::Blocked),
        (200, "12", "{", Outcome::Blocked),
        (500, "12", r#"{"ok":true}"#, Outcome::Blocked),
    ] {
        assert_eq!(outcome(complete(status, &[("x-receipt", header)], body), &oracle), expected, "{header} {body}");
    }
}

#[test]
fn a_marker_is_read_in_the_charset_of_the_page() {
    let (page, _, _) = encoding_rs::SHIFT_JIS.encode("<p>受付完了</p>");
    let mut seen = complete(200, &[("content-type", "text/html; charset=Shift_JIS")], "");
    seen.answer.as_mut().expect("answer").body = BodyHead(bytes::Bytes::copy_from_slice(&page));
    assert_eq!(outcome(seen, &by_marker()), Outcome::Delivered);
}

#[test]
fn a_marker_profile_without_a_marker_proves_nothing() {
    assert_eq!(outcome(complete(200, &[], "ok"), &oracle(Proof::Marker)), Outcome::Blocked);
    let empty = Oracle { body: Some(BodyMatch::Contains(String::new())), ..oracle(Proof::Marker) };
    assert_eq!(outcome(complete(200, &[], "ok"), &empty), Outcome::Blocked);
}

#[test]
fn a_status_that_came_before_the_upload_was_out_proves_nothing() {
    let mut seen = complete(200, &[], "");
    assert_eq!(outcome(seen.clone(), &oracle(Proof::Status)), Outcome::Delivered);
    seen.sent.body_bytes_before_answer = 500;
    assert_eq!(outcome(seen, &oracle(Proof::Status)), Outcome::Blocked);
}

#[test]
fn the_origins_own_words_are_a_rejection() {
    let oracle = Oracle { rejected: Some(BodyMatch::Contains("形式が違います".to_owned())), ..by_marker() };
    assert_eq!(outcome(complete(422, &[], "ファイル形式が違います"), &oracle), Outcome::Rejected);
    assert_eq!(outcome(complete(422, &[], ""), &oracle), Outcome::Blocked);
}

#[test]
fn an_origin_that_refuses_what_the_edge_altered_is_not_to_blame() {
    let oracle = Oracle { rejected: Some(BodyMatch::Contains("refused".to_owned())), ..by_receipt() };
    let cut = Receipt { sha256: Sha256Digest::of(b"the"), size: Some(3), ..receipt() };
    assert_eq!(outcome(with_receipt(complete(422, &[], "refused"), cut), &oracle), Outcome::Altered);
}

#[test]
fn breaks_at_the_same_place_of_the_body_are_a_size_limit_and_others_are_not() {
    let mib = 1 << 20;
    let at = |bytes: u64| broken(Phase::Sending, bytes, 50 * mib);
    let round = |attempts: &[Observation]| verdict(attempts, &by_marker()).outcome;
    assert_eq!(round(&[at(mib), at(2 * mib)]), Outcome::TooLarge);
    assert_eq!(round(&[at(mib), at(40 * mib)]), Outcome::Dropped, "another place");
    assert_eq!(round(&[at(mib)]), Outcome::Dropped, "once is not repeatable");
    assert_eq!(round(&[at(0), at(0)]), Outcome::Dropped, "before the body");
    let buffered = at(mib * 3 / 4);
    assert_eq!(
        round(&[buffered.clone(), buffered.clone()]),
        Outcome::Dropped,
        "444 at the head, and buffers took some"
    );
    assert_eq!(round(&[buffered, at(2 * mib)]), Outcome::Dropped, "perhaps the same");
    let out = || broken(Phase::Waiting, 1000, 1000);
    assert_eq!(round(&[out(), out()]), Outcome::Dropped, "444: closed after the request");
}

#[test]
fn silence_and_broken_http_are_dropped() {
    for ending in [
        Ending::TimedOut { phase: Phase::Waiting },
        Ending::TimedOut { phase: Phase::Sending },
        Ending::Malformed { detail: "no status line".to_owned() },
    ] {
        let twice = [observed(ending.clone(), None), observed(ending.clone(), None)];
        assert_eq!(verdict(&twice, &by_marker()).outcome, Outcome::Dropped, "{ending:?}");
    }
}

#[test]
fn an_answer_that_is_cut_off_is_never_a_pass() {
    let cut = Ending::Truncated { detail: "closed after 12 bytes".to_owned() };
    let page = observed(cut.clone(), Some(answer(200, &[], "受付完了")));
    assert_eq!(outcome(page.clone(), &by_marker()), Outcome::Dropped);
    assert_eq!(outcome(with_receipt(page, receipt()), &by_receipt()), Outcome::Dropped);
    let refusal = observed(cut, Some(answer(403, &[], "Sorry, you have been bl")));
    let found = verdict(&[refusal], &by_marker());
    assert_eq!((found.outcome, found.signature.as_deref()), (Outcome::Blocked, Some(UNRECOGNISED)));
}

#[test]
fn what_never_reached_the_edge_is_unreachable() {
    for ending in [
        Ending::Unreachable { layer: Unreachable::Dns, detail: "no such host".to_owned() },
        Ending::Unreachable { layer: Unreachable::Tls, detail: "expired".to_owned() },
        Ending::StepFailed { step: "sign-in".to_owned(), detail: "status 401".to_owned() },
        Ending::FileError { detail: "it changed".to_owned() },
    ] {
        let never = observed(ending, None);
        let broke = broken(Phase::Waiting, 1000, 1000);
        for attempts in [vec![never.clone()], vec![broke.clone(), never.clone()], vec![never, broke]] {
            assert_eq!(verdict(&attempts, &by_marker()).outcome, Outcome::Unreachable, "{attempts:?}");
        }
    }
    assert_eq!(verdict(&[], &by_marker()).outcome, Outcome::Unreachable, "no attempts");
}

#[test]
fn a_retry_that_got_through_is_judged_by_itself_and_told() {
    let found = verdict(&[broken(Phase::Sending, 10, 1000), complete(200, &[], "受付完了")], &by_marker());
    assert_eq!(found.outcome, Outcome::Delivered);
    assert!(found.evidence.contains("sent again after the connection broke"), "{}", found.evidence);
}

#[test]
fn a_failed_step_after_the_upload_is_never_a_pass_and_is_named() {
    for (status, expected) in
        [(Some(403), Outcome::Blocked), (None, Outcome::Unreachable), (Some(401), Outcome::Unreachable)]
    {
        let mut seen = with_receipt(complete(200, &[], ""), receipt());
        seen.steps = vec![StepFact { name: "confirm".to_owned(), status, error: Some("not as expected".to_owned()) }];
        let found = verdict(&[seen], &by_receipt());
        assert_eq!(found.outcome, expected, "{status:?}");
        assert!(found.evidence.contains("`confirm`"), "{}", found.evidence);
    }
}

#[test]
fn a_rule_that_only_counts_is_told_beside_a_pass() {
    let found = verdict(&[complete(200, &[("x-waf-action", "count")], "受付完了")], &by_marker());
    assert!(found.would_block && found.outcome == Outcome::Delivered);
    assert!(found.evidence.contains("x-waf-action: count"), "{}", found.evidence);
}

#[test]
fn support_ids_are_no_part_of_a_signature() {
    let with_id = |id: &str| verdict(&[complete(200, &[], &F5.replace("1234567890", id))], &by_marker());
    let (left, right) = (with_id("1"), with_id("2"));
    assert_eq!((left.signature, left.status), (right.signature, right.status));
}

#[test]
fn the_presence_of_a_product_is_no_reason() {
    let through = [("cf-ray", "abc"), ("server", "cloudflare")];
    let found = verdict(&[complete(200, &through, "home")], &by_marker());
    assert_eq!((found.outcome, found.signature.as_deref()), (Outcome::Blocked, Some(UNRECOGNISED)));
    assert_eq!(outcome(complete(200, &through, "受付完了"), &by_marker()), Outcome::Delivered);
}

// Arbitrary facts and oracles, of values that meet often enough to matter.

fn any_ending() -> impl Strategy<Value = Ending> {
    let phase = || prop_oneof![Just(Phase::Sending), Just(Phase::Waiting)];
    let detail = || "x".to_owned();
    prop_oneof![
        8 => Just(Ending::Complete),
        1 => Just(Ending::Truncated { detail: detail() }),
        2 => phase().prop_map(|phase| Ending::Broken { phase, detail: "reset".to_owned() }),
        1 => phase().prop_map(|phase| Ending::TimedOut { phase }),
        1 => Just(Ending::Malformed { detail: detail() }),
        1 => Just(Ending::Unreachable { layer: Unreachable::Connect, detail: detail() }),
        1 => Just(Ending::StepFailed { step: "form".to_owned(), detail: detail() }),
        1 => Just(Ending::FileError { detail: detail() }),
    ]
}

fn any_answer() -> impl Strategy<Value = Answer> {
    let refusals = prop::sample::select(vec![302, 401, 403, 413, 429, 503]);
    let status = prop_oneof![4 => Just(200_u16), 1 => any::<u16>(), 1 => refusals];
    let header = prop::sample::select(vec![
        ("x-ok", "1"),
        ("server", "cloudflare"),
        ("cf-mitigated", "challenge"),
        ("retry-after", "1"),
        ("location", "/"),
        ("x-waf-action", "count"),
    ]);
    let known = prop::sample::select(vec!["", "done", F5, r#"{"ok":true}"#, "refused", AKAMAI]);
    let body = prop_oneof![
        3 => known.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ];
    (status, prop::collection::vec(header, 0..3), body).prop_map(|(status, headers, body)| Answer {
        body_bytes: body.len() as u64,
        body: BodyHead(body.into()),
        ..answer(status, &headers, "")
    })
}

fn any_receipt() -> impl Strategy<Value = Option<ReceiptFact>> {
    let found = (prop::bool::weighted(0.8), any::<[bool; 4]>()).prop_map(|(same, [size, name, hex, kind])| {
        let good = receipt();
        ReceiptFact::Found(Receipt {
            sha256: Sha256Digest::of(if same { FILE } else { b"x" }),
            size: good.size.filter(|_| size),
            filename: if name { good.filename } else { Some("b".to_owned()) },
            filename_hex: hex.then(|| "612e706466".to_owned()),
            content_type: good.content_type.filter(|_| kind),
        })
    });
    prop_oneof![
        1 => Just(None),
        4 => found.prop_map(Some),
        1 => Just(Some(ReceiptFact::Absent { detail: "404".to_owned() })),
        1 => Just(Some(ReceiptFact::Unavailable { status: None, detail: "refused".to_owned() })),
    ]
}

fn any_read_back() -> impl Strategy<Value = Option<ReadBackFact>> {
    prop_oneof![
        2 => Just(None),
        3 => Just(Some(ReadBackFact::Found { sha256: Sha256Digest::of(FILE), size: 8 })),
        1 => Just(Some(ReadBackFact::Found { sha256: Sha256Digest::of(b"x"), size: 1 })),
        1 => Just(Some(ReadBackFact::Absent { status: 404 })),
        1 => Just(Some(ReadBackFact::Unavailable { status: None, detail: "refused".to_owned() })),
    ]
}

prop_compose! {
    fn any_observation()(
        ending in any_ending(),
        answer in prop::option::weighted(0.8, any_answer()),
        receipt in any_receipt(),
        read_back in any_read_back(),
        failed_step in prop::bool::weighted(0.1),
        before in 0..1200_u64,
    ) -> Observation {
        let mut observation = observed(ending, answer);
        observation.sent.body_bytes_before_answer = before;
        let error = failed_step.then(|| "bad".to_owned());
        let steps = vec![StepFact { name: "s".to_owned(), status: Some(403), error }];
        Observation { receipt, read_back, steps, ..observation }
    }
}

prop_compose! {
    fn any_oracle()(
        proof in prop::sample::select(vec![Proof::Receipt, Proof::ReadBack, Proof::Marker, Proof::Status]),
        [header, body, json, rejected] in any::<[bool; 4]>(),
        receipt in prop::option::of(prop::bool::ANY),
        read_back in prop::bool::weighted(0.3),
    ) -> Oracle {
        let url = || ReceiptSource::Url { url: Secret::default(), headers: Vec::new() };
        let source = |answer: bool| if answer { ReceiptSource::Answer } else { url() };
        Oracle {
            header: header.then(|| HeaderMatch { name: "x-ok".to_owned(), matches: None }),
            body: body.then(|| BodyMatch::Contains("done".to_owned())),
            json: json.then(|| JsonMatch { pointer: "/ok".to_owned(), equals: None }),
            rejected: rejected.then(|| BodyMatch::Contains("refused".to_owned())),
            receipt: receipt.map(|answer| receipt_spec(source(answer))),
            read_back: read_back.then(|| ReadBack { url: Secret::default(), headers: Vec::new() }),
            ..oracle(proof)
        }
    }
}

/// The proof, written a second time and from the other side: what a pass must show.
fn is_proven(last: &Observation, oracle: &Oracle) -> bool {
    let Some(answer) = &last.answer else { return false };
    let text = String::from_utf8_lossy(&answer.body.0);
    let sent = &last.sent;
    let receipt = matches!(&last.receipt, Some(ReceiptFact::Found(found)) if found.sha256 == sent.sha256);
    let read_back = matches!(&last.read_back, Some(ReadBackFact::Found { sha256, .. }) if *sha256 == sent.sha256);
    let markers = [
        (oracle.header.is_some(), answer.header("x-ok").is_some()),
        (oracle.body.is_some(), text.contains("done")),
        (oracle.json.is_some(), text == r#"{"ok":true}"#),
        (oracle.receipt.is_some(), receipt),
        (oracle.read_back.is_some(), read_back),
    ];
    let by_kind = match oracle.proof {
        Proof::Receipt => receipt,
        Proof::ReadBack => read_back,
        Proof::Marker => markers[..3].iter().any(|(set, holds)| *set && *holds),
        Proof::Status => sent.body_bytes_before_answer >= sent.body_bytes,
    };
    by_kind
        && markers.iter().all(|(set, holds)| *holds || !*set)
        && last.ending == Ending::Complete
        && oracle.status.contains(answer.status)
        && last.steps.iter().all(|step| step.error.is_none())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn no_verdict_is_delivered_without_proof(
        attempts in prop::collection::vec(any_observation(), 0..4),
        oracle in any_oracle(),
    ) {
        let found = verdict(&attempts, &oracle);
        if found.outcome == Outcome::Delivered {
            let last = attempts.last().expect("a pass has an attempt");
            prop_assert!(is_proven(last, &oracle), "{}", found.evidence);
            prop_assert_eq!(&found.signature, &None);
        }
        prop_assert_eq!(&found, &verdict(&attempts, &oracle), "the same facts, the same verdict");
        // Signatures name reasons: without any, the passes are the same.
        let none = Signatures::parse("signature = []").expect("no signatures");
        let bare = judge(&attempts, &oracle, &none).outcome == Outcome::Delivered;
        prop_assert_eq!(bare, found.outcome == Outcome::Delivered);
    }

    #[test]
    fn every_verdict_says_what_was_seen(
        attempts in prop::collection::vec(any_observation(), 0..4),
        oracle in any_oracle(),
    ) {
        let found = verdict(&attempts, &oracle);
        prop_assert!(found.evidence.starts_with(|c: char| !c.is_uppercase()), "{}", found.evidence);
        prop_assert!(found.outcome != Outcome::Blocked || found.signature.is_some());
    }
}
