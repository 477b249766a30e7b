//! Whatever a log holds, what is kept of it is bounded.

use wafcanary::waf_log::{Format, MAX_HITS, MAX_SKIPPED, would_block};

use super::read_bytes;

fn message(id: &str, match_length: usize) -> String {
    format!(
        "{{\"message\":\"m\",\"details\":{{\"match\":\"Matched \\\"Operator `Rx' with parameter `x' against variable \
         `REQUEST_BODY' (Value: `{0}' )\",\"ruleId\":\"{id}\",\"data\":\"{0}\",\"severity\":\"2\",\"ver\":\"OWASP_CRS/4\",\
         \"tags\":[]}}}}",
        "v".repeat(match_length)
    )
}

fn record(messages: &[String]) -> String {
    format!(
        "{{\"transaction\":{{\"unique_id\":\"u\",\"request\":{{\"body\":\"{}\",\"headers\":{{\"x-wafcanary-attempt\":\"a\"}}}},\
         \"producer\":{{\"secrules_engine\":\"DetectionOnly\"}},\"messages\":[{}]}}}}\n",
        "\\u0000\u{e9}".repeat(2_000_000),
        messages.join(",")
    )
}

#[test]
fn a_record_with_megabytes_in_every_message_is_read() {
    let mut messages = vec![message("921110", 1_000_000); 10];
    messages.push(message("949110", 0));
    let (transactions, summary) = read_bytes(record(&messages).as_bytes(), Format::Auto);
    assert_eq!((transactions.len(), summary.skipped_total), (1, 0), "{summary:?}");
    assert_eq!(transactions[0].hits.len(), 11);
    assert_eq!(transactions[0].hits[0].variable.as_deref(), Some("REQUEST_BODY"));
    assert!(would_block(&transactions[0]));
}

#[test]
fn the_hit_that_decides_is_kept_when_there_are_more_than_are_kept() {
    let mut messages = vec![message("942100", 10); MAX_HITS + 20];
    messages.push(message("949110", 0));
    let (transactions, _) = read_bytes(record(&messages).as_bytes(), Format::Auto);
    assert_eq!(transactions[0].hits.len(), MAX_HITS);
    assert_eq!(transactions[0].hits_left_off, 21);
    assert!(would_block(&transactions[0]));
}

#[test]
fn skipped_records_are_told_up_to_a_bound_and_counted_past_it() {
    let (_, summary) = read_bytes("garbage\n".repeat(1000).as_bytes(), Format::ModSecurity3Json);
    assert_eq!((summary.skipped_total, summary.skipped.len()), (1000, MAX_SKIPPED));
    assert_eq!(summary.skipped[1].line, 2);
}

#[test]
fn lines_of_one_transaction_are_put_together_though_others_come_between() {
    let line = |id: &str, rule: &str| {
        format!(
            "2026/11/25 21:00:27 [info] 1#1: *1 ModSecurity: Warning. Matched \"Operator `Rx' with parameter `x' against \
             variable `ARGS:a' (Value: `v' ) [file \"r\"] [line \"1\"] [id \"{rule}\"] [msg \"m\"] [unique_id \"{id}\"] [ref \"\"]\n"
        )
    };
    let mut log = String::new();
    for rule in ["920120", "949110"] {
        for id in 0..300 {
            log += &line(&id.to_string(), rule);
        }
    }
    let (transactions, _) = read_bytes(log.as_bytes(), Format::Auto);
    assert_eq!(transactions.len(), 300);
    assert!(transactions.iter().all(would_block));
}

#[test]
fn a_hit_whose_line_was_cut_before_its_id_goes_to_the_next_of_its_connection() {
    let line = format!(
        "2026/11/25 21:00:27 [info] 1#1: *7 ModSecurity: Warning. Matched \"Operator `Rx' with parameter `{}",
        "x".repeat(3000)
    );
    let log = format!(
        "{}\n2026/11/25 21:00:27 [info] 1#1: *8 ModSecurity: Warning. [file \"r\"] [line \"1\"] [id \"920120\"] [unique_id \"other\"]\n\
         2026/11/25 21:00:27 [info] 1#1: *7 ModSecurity: Warning. [file \"r\"] [line \"1\"] [id \"949110\"] [unique_id \"mine\"]\n",
        &line[..2047]
    );
    let (transactions, _) = read_bytes(log.as_bytes(), Format::Auto);
    let hits: Vec<_> = transactions.iter().map(|transaction| transaction.hits.len()).collect();
    assert_eq!(hits, [1, 2]);
    assert_eq!(transactions[1].hits[0].id, None);
}
