//! What clients send cannot be taken for what the engine writes, and is not kept.

use proptest::prelude::*;
use wafcanary::waf_log::{Format, MATCHED_CHARS, MESSAGE_CHARS};

use super::{read_all, read_bytes, sample};

/// A native log of two transactions, the first with `body` as its part C.
fn log_with_body(body: &[u8]) -> Vec<u8> {
    let transaction = |token: &str, id: &str, body: &[u8]| {
        let mut log = format!(
            "--{token}-A--\n[25/Nov/2026:21:00:00 +0000] {id} 127.0.0.1 1 127.0.0.1 80\n--{token}-B--\n\
             POST /u HTTP/1.1\nX-Wafcanary-Attempt: {id}\n\n--{token}-C--\n"
        )
        .into_bytes();
        log.extend_from_slice(body);
        log.extend_from_slice(
            format!(
                "\n--{token}-F--\nHTTP/1.1 200 OK\n\n--{token}-H--\nMessage: Warning. Match of \"eq 0\" against \
                 \"REQBODY_ERROR\" required. [file \"r\"] [line \"1\"] [id \"200002\"] [msg \"m\"]\n\
                 Engine-Mode: \"DETECTION_ONLY\"\n\n--{token}-Z--\n\n"
            )
            .as_bytes(),
        );
        log
    };
    let mut log = transaction("0a1b2c3d", "first", body);
    log.extend(transaction("4e5f6071", "second", b"x=1"));
    log
}

fn attempts(log: &[u8]) -> Vec<String> {
    let (transactions, _) = read_bytes(log, Format::ModSecurity2Native);
    transactions.into_iter().map(|transaction| transaction.attempt.unwrap_or_default()).collect()
}

#[test]
fn an_audit_log_as_an_attachment_is_no_transaction() {
    let attachment = std::fs::read(sample("modsecurity2-native-on.log")).expect("a sample");
    assert_eq!(attempts(&log_with_body(&attachment)), ["first", "second"]);
}

#[test]
fn a_transaction_without_its_end_does_not_take_the_next_one_with_it() {
    let log = log_with_body(b"");
    let text = String::from_utf8(log).expect("text");
    let torn = text.replacen("\n--0a1b2c3d-Z--\n", "", 1);
    let (transactions, summary) = read_bytes(torn.as_bytes(), Format::Auto);
    assert_eq!(transactions.len(), 1);
    assert_eq!(transactions[0].attempt.as_deref(), Some("second"));
    assert_eq!((summary.skipped_total, summary.skipped[0].line), (1, 1));
}

#[test]
fn the_matched_value_of_a_rule_does_not_get_through_whole() {
    // Rule 921110 of version 3 logs the whole body.
    let log = std::fs::read(sample("modsecurity3-json-det.log")).expect("a sample");
    let log = String::from_utf8(log).expect("text").replace("put foo http/1", &"secret ".repeat(100_000));
    let (transactions, _) = read_bytes(log.as_bytes(), Format::Auto);
    let kept = format!("{transactions:?}");
    assert!(kept.matches("secret").count() <= 2 * MATCHED_CHARS / "secret ".len(), "{kept}");
    for hit in transactions.iter().flat_map(|transaction| &transaction.hits) {
        assert!(hit.data.as_ref().is_none_or(|data| data.as_str().chars().count() <= MATCHED_CHARS + 1));
        assert!(hit.message.chars().count() <= MESSAGE_CHARS + 1);
    }
    assert!(transactions[1].hits[0].data.as_ref().expect("data").as_str().ends_with('…'));
}

#[test]
fn a_body_that_is_not_utf_8_spoils_no_record() {
    for name in ["modsecurity3-json-site-det.log", "modsecurity3-native-body-det.log"] {
        assert!(std::str::from_utf8(&std::fs::read(sample(name)).expect("a sample")).is_err(), "{name}");
        let (transactions, summary) = read_all(&sample(name));
        assert!(transactions.iter().any(|transaction| transaction.case.as_deref() == Some("rand")), "{name}");
        assert_eq!(summary.skipped_total, 0, "{name}");
    }
}

#[test]
fn a_skipped_record_is_told_without_a_word_of_it() {
    let log = b"{\"transaction\":{\"unique_id\":7,\"secret\":\"hunter2\"}}\nhunter2\n{\"transaction\":hunter2}\n{}\n";
    let (transactions, summary) = read_bytes(log, Format::ModSecurity3Json);
    assert!(transactions.is_empty());
    assert_eq!(summary.skipped_total, 4);
    assert!(!format!("{summary:?}").contains("hunter2"));
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "--[0-9a-f]{8}-[A-Z]--",
        Just("--4e5f6071-A--".to_owned()),
        Just("--4e5f6071-Z--".to_owned()),
        Just("---ZNbhb4Ad---A--".to_owned()),
        Just("[25/Nov/2026:21:00:00 +0000] id 127.0.0.1 1 127.0.0.1 80".to_owned()),
        Just("X-Wafcanary-Attempt: third".to_owned()),
        Just("Message: Access denied with code 403 (phase 2). [id \"1\"]".to_owned()),
        any::<String>(),
    ]
}

proptest! {
    #[test]
    fn no_body_makes_or_hides_a_transaction(lines in prop::collection::vec(line(), 0..20), end in "\n|\r\n") {
        // The boundary of a transaction is drawn when its log is written: a client cannot know it.
        prop_assume!(!lines.iter().any(|line| line.contains("0a1b2c3d")));
        let log = log_with_body(lines.join(&end).as_bytes());
        let (transactions, summary) = read_bytes(&log, Format::Auto);
        let attempts: Vec<_> = transactions.iter().filter_map(|transaction| transaction.attempt.as_deref()).collect();
        prop_assert_eq!(attempts, ["first", "second"]);
        prop_assert!(transactions.iter().all(|transaction| transaction.hits.len() == 1 && !transaction.intercepted));
        prop_assert!(!summary.torn_tail);
    }
}
