//! Each sample of a vendor's log, made after its documents, against what the documents say of such a record.

use std::path::Path;

use proptest::prelude::*;
use wafcanary::waf_log::{Action, Format, MATCHED_CHARS, MAX_HITS, MatchedData, Transaction, would_block};

use super::Fate::{Passed, Refused, WouldBlock};
use super::{Expected, read_all, read_bytes, sample};

const SCORE: &str = "6179ae15870a4bb7b2d480d4843b323c";
const XSS: &str = "874a3e315c344b0281ad4316046aab3d";
const ARMOR_XSS: &[&str] = &["owasp-crs-v030301-id941100-xss", "owasp-crs-v030301-id941110-xss"];
const REF: &str = "VFlPMjAxMDQwODA3MDM1ADEyMzQ1Njc4LTEyMzQtMTIzNC0xMjM0LTEyMzQ1Njc4OTAxMg==";

const GATEWAY_ON: &[Expected] = &[
    ("obrien", &["920120", "949110", "980130"], Refused),
    ("ip", &["920350"], Passed),
    ("custom", &["nomacros"], Refused),
    // Set to log, whatever the mode.
    ("log", &["942430"], WouldBlock),
    ("challenge", &["300700"], Refused),
    ("scored", &["99030001"], Passed),
];

const GATEWAY_DET: &[Expected] = &[
    ("obrien", &["920120", "949110", "980130"], WouldBlock),
    ("ip", &["920350"], Passed),
    ("custom", &["nomacros"], WouldBlock),
    ("log", &["942430"], WouldBlock),
    ("challenge", &["300700"], Refused),
    ("scored", &["99030001"], Passed),
];

const ARMOR: &[Expected] = &[
    ("sql", &["owasp-crs-v030301-id942100-sqli"], Refused),
    ("trial", ARMOR_XSS, WouldBlock),
    ("custom", &["form-policy/500"], Refused),
    ("clean", &[], Passed),
    ("spared", &["owasp-crs-v030301-id942260-sqli"], Passed),
    ("105445aa7843bc8bf206b12000100000", &["form-policy/400"], Refused),
];

const TABLE: &[(&str, Format, &[Expected])] = &[
    (
        "coraza-det.log",
        Format::Coraza,
        &[
            ("obrien", &["920120", "949110"], WouldBlock),
            ("sql", &["942100", "949110"], WouldBlock),
            ("ip", &["920350"], Passed),
            ("big", &[], Passed),
        ],
    ),
    (
        "coraza-on.log",
        Format::Coraza,
        &[
            ("obrien", &["920120", "949110"], Refused),
            ("sql", &["942100", "949110"], Refused),
            ("ip", &["920350"], Passed),
            // Over the limit of the body: interrupted, and no rule.
            ("big", &[], Refused),
        ],
    ),
    (
        "coraza-rules-det.log",
        Format::Coraza,
        &[
            ("obrien", &["920120", "949110"], WouldBlock),
            ("deny", &["10001"], WouldBlock),
            ("pass", &["10002"], Passed),
        ],
    ),
    (
        "coraza-rules-on.log",
        Format::Coraza,
        &[("obrien", &["920120", "949110"], Refused), ("deny", &["10001"], Refused), ("pass", &["10002"], Passed)],
    ),
    (
        "aws-waf.log",
        Format::AwsWaf,
        &[
            ("size", &["SizeRestrictions_BODY"], Refused),
            ("sql", &["SizeRestrictions_BODY", "SQLi_BODY"], Refused),
            ("count", &["CrossSiteScripting_BODY"], WouldBlock),
            ("excluded", &["SizeRestrictions_BODY"], WouldBlock),
            // The group as a whole is set to count.
            ("group", &["SizeRestrictions_BODY", "common"], WouldBlock),
            ("ours", &["no-macros"], WouldBlock),
            // It counts, and would allow.
            ("label", &["jp"], Passed),
            ("captcha", &["bots"], Refused),
            ("clean", &[], Passed),
            ("kY3t6_Zm0Q7n1s4uVxBdEfGhJkLmNoPqRsTuVwXyZ0123456789AB==", &["no-macros"], Refused),
        ],
    ),
    (
        "cloudflare-events.log",
        Format::Cloudflare,
        &[
            ("9a7b3c1d2e4f5061", &[SCORE, XSS], Refused),
            ("9a7b3c1d2e4f5062", &[XSS], WouldBlock),
            ("9a7b3c1d2e4f5063", &["5de7edfa648c4d6891dc3e7f84534ffa"], Refused),
            ("9a7b3c1d2e4f5064", &["5de7edfa648c4d6891dc3e7f84534ffb"], Passed),
            ("simulate", &["100173"], WouldBlock),
        ],
    ),
    (
        "cloudflare-requests.log",
        Format::Cloudflare,
        &[("block", &[XSS, SCORE], Refused), ("log", &[XSS], WouldBlock), ("clean", &[], Passed)],
    ),
    ("azure-waf-gateway-on.log", Format::AzureWaf, GATEWAY_ON),
    ("azure-waf-gateway-records.json", Format::AzureWaf, GATEWAY_ON),
    ("azure-waf-gateway-det.log", Format::AzureWaf, GATEWAY_DET),
    ("azure-waf-gateway-packed.json", Format::AzureWaf, GATEWAY_DET),
    (
        "azure-waf-front-door-on.log",
        Format::AzureWaf,
        &[
            ("0Aq4lZwAAAAB6dGVzdHJlZmVyZW5jZTA1", &["942100", "949110"], Refused),
            ("0Aq4lZwAAAAB6dGVzdHJlZmVyZW5jZTA2", &["920350"], Passed),
            ("0Aq4lZwAAAAB6dGVzdHJlZmVyZW5jZTA3", &["nomacros"], Refused),
            ("0Aq4lZwAAAAB6dGVzdHJlZmVyZW5jZTA4", &["trial"], WouldBlock),
        ],
    ),
    (
        "azure-waf-front-door-det.log",
        Format::AzureWaf,
        &[
            ("0Aq4lZwAAAAB6dGVzdHJlZmVyZW5jZTA1", &["942100", "949110"], WouldBlock),
            ("0Aq4lZwAAAAB6dGVzdHJlZmVyZW5jZTA2", &["920350"], Passed),
            ("0Aq4lZwAAAAB6dGVzdHJlZmVyZW5jZTA3", &["nomacros"], WouldBlock),
            ("0Aq4lZwAAAAB6dGVzdHJlZmVyZW5jZTA4", &["trial"], WouldBlock),
        ],
    ),
    ("cloud-armor.log", Format::CloudArmor, ARMOR),
    ("cloud-armor.json", Format::CloudArmor, ARMOR),
];

/// What joins a transaction, as [`Expected`] names it.
fn joins(transaction: &Transaction) -> String {
    match &transaction.attempt {
        Some(attempt) => attempt.trim_end_matches('0').to_owned(),
        None => transaction.unique_id.clone().expect("an id").trim_end_matches(REF).to_owned(),
    }
}

#[test]
fn the_samples_of_vendors_are_read_for_what_their_documents_say() {
    for (name, format, expected) in TABLE {
        let (transactions, summary) = read_all(&sample(name));
        assert_eq!(summary.format, Some(*format), "{name}");
        assert!(summary.skipped_total == 0 && !summary.torn_tail, "{name}: {summary:?}");
        let read: Vec<_> = transactions.iter().map(joins).collect();
        assert_eq!(read, expected.iter().map(|(joined, ..)| *joined).collect::<Vec<_>>(), "{name}");
        for (transaction, (joined, rules, fate)) in transactions.iter().zip(*expected) {
            let place = format!("{name}, {joined}: {transaction:#?}");
            let ids: Vec<_> = transaction.hits.iter().map(|hit| hit.id.as_deref().unwrap_or("none")).collect();
            assert_eq!(ids, *rules, "{place}");
            assert_eq!(transaction.intercepted, *fate == Refused, "{place}");
            assert_eq!(would_block(transaction), *fate == WouldBlock, "{place}");
            assert!(transaction.at.is_some(), "{place}");
            assert!(transaction.unique_id.is_some(), "{place}");
            let scored = rules.contains(&"949110").then_some(5);
            assert_eq!(transaction.anomaly_score, scored, "{place}");
        }
    }
}

#[test]
fn the_vendors_id_of_a_request_is_kept_whole() {
    for name in ["azure-waf-front-door-on.log", "azure-waf-front-door-det.log"] {
        let (transactions, _) = read_all(&sample(name));
        let id = transactions[0].unique_id.as_deref().expect("an id");
        assert_eq!(id, format!("0Aq4lZwAAAAB6dGVzdHJlZmVyZW5jZTA1{REF}"), "{name}");
    }
}

/// A log that does not say whether it interrupted: what denied by its own words did.
#[test]
fn refusals_of_coraza_are_derived_from_its_sentences_where_nothing_else_tells() {
    let samples: [(&str, &[&str]); 4] = [
        ("coraza-on.log", &["obrien", "sql"]),
        ("coraza-det.log", &[]),
        // Of the rule that passes the sentence says that it denied, too.
        ("coraza-rules-on.log", &["obrien", "deny"]),
        ("coraza-rules-det.log", &[]),
    ];
    for (name, expected) in samples {
        let mut log = std::fs::read_to_string(sample(name)).unwrap();
        for value in ["true", "false"] {
            log = log.replace(&format!(",\"is_interrupted\":{value}"), "");
        }
        assert!(!log.contains("is_interrupted"));
        let (transactions, _) = read_bytes(log.as_bytes(), Format::Coraza);
        let cases = |chosen: &dyn Fn(&Transaction) -> bool| -> Vec<String> {
            transactions.iter().filter(|one| chosen(one)).filter_map(|one| one.case.clone()).collect()
        };
        let hit = |one: &Transaction| one.hits.iter().any(|hit| hit.action == Action::Refused);
        assert_eq!(cases(&hit), expected, "{name}");
        assert_eq!(cases(&|one| one.intercepted), expected, "{name}");
    }
}

/// Message, variable, data and action of the hit of a sample.
type Told = (&'static str, Option<&'static str>, Option<&'static str>, Action);

#[test]
fn a_hit_of_a_vendor_says_where_and_what_as_far_as_its_log_does() {
    let told: &[(&str, usize, usize, Told)] = &[
        (
            "coraza-det.log",
            0,
            0,
            ("Attempted multipart/form-data bypass", None, Some("O'Brien.pdf"), Action::NonDisruptive),
        ),
        (
            "coraza-det.log",
            1,
            0,
            (
                "SQL Injection Attack Detected via libinjection",
                Some("ARGS:memo"),
                Some("Matched Data: s&1c found within ARGS:memo: ' OR 1=1"),
                Action::NonDisruptive,
            ),
        ),
        (
            "coraza-rules-on.log",
            1,
            0,
            ("no macros", Some("FILES:file"), Some(".xlsm found within FILES:file: 名簿.xlsm"), Action::Refused),
        ),
        ("aws-waf.log", 0, 0, ("AWSManagedRulesCommonRuleSet", None, None, Action::Refused)),
        (
            "aws-waf.log",
            1,
            1,
            ("AWSManagedRulesSQLiRuleSet, SQL_INJECTION", Some("BODY"), Some("10 AND 1"), Action::Refused),
        ),
        ("aws-waf.log", 1, 0, ("AWSManagedRulesCommonRuleSet", None, None, Action::Disruptive)),
        ("aws-waf.log", 6, 0, ("labels", None, None, Action::NonDisruptive)),
        ("cloudflare-events.log", 0, 0, ("949110: Inbound Anomaly Score Exceeded", None, None, Action::Refused)),
        (
            "azure-waf-gateway-on.log",
            0,
            0,
            ("Attempted multipart/form-data bypass", Some("FILES:file"), Some("O'Brien.pdf"), Action::NonDisruptive),
        ),
        (
            "azure-waf-gateway-on.log",
            0,
            1,
            ("Inbound Anomaly Score Exceeded (Total Score: 5)", Some("TX:anomaly_score"), None, Action::Refused),
        ),
        (
            "azure-waf-front-door-on.log",
            0,
            0,
            (
                "SQL Injection Attack Detected via libinjection",
                Some("PostParamValue:memo"),
                Some("' or 1=1"),
                Action::NonDisruptive,
            ),
        ),
        (
            "cloud-armor.log",
            0,
            0,
            ("policy form-policy, rule 1000", Some("ARG_VALUES:memo"), Some("' or 1=1"), Action::Refused),
        ),
    ];
    for (name, transaction, hit, (message, variable, data, action)) in told {
        let (transactions, _) = read_all(&sample(name));
        let hit = &transactions[*transaction].hits[*hit];
        assert_eq!(hit.message, *message, "{name}: {hit:?}");
        assert_eq!(hit.variable.as_deref(), *variable, "{name}: {hit:?}");
        assert_eq!(hit.data.as_ref().map(MatchedData::as_str), *data, "{name}: {hit:?}");
        assert_eq!(hit.action, *action, "{name}: {hit:?}");
    }
}

#[test]
fn a_log_cut_at_any_byte_gives_what_was_logged_before_the_cut_and_nothing_else() {
    for (name, format, _) in TABLE {
        let log = std::fs::read(sample(name)).expect("a sample");
        let (whole, _) = read_all(&sample(name));
        let mut given = 0;
        for cut in (0..log.len()).step_by(37) {
            let (transactions, summary) = read_bytes(&log[..cut], *format);
            assert_eq!(summary.skipped_total, 0, "{name} cut at {cut}: {summary:?}");
            assert!(transactions.len() >= given, "{name} cut at {cut}: a transaction is lost");
            given = transactions.len();
            for (read, whole) in transactions.iter().zip(&whole) {
                let place = format!("{name} cut at {cut}");
                assert_eq!(read.unique_id, whole.unique_id, "{place}");
                // Where each rule has a record the last ones may be missing.
                assert!(whole.hits.starts_with(&read.hits), "{place}: {read:?}");
            }
        }
        let (_, summary) = read_bytes(&log[..log.len() - 30], *format);
        assert!(summary.torn_tail, "{name}");
    }
}

#[test]
fn a_torn_record_in_the_midst_of_a_log_of_lines_costs_that_record_alone() {
    let of_lines = TABLE.iter().filter(|(name, ..)| Path::new(name).extension().is_some_and(|kind| kind == "log"));
    for (name, format, _) in of_lines {
        let log = std::fs::read_to_string(sample(name)).expect("a sample");
        let first = log.lines().next().expect("a line");
        for cut in (1..first.len() - 1).filter(|at| first.is_char_boundary(*at)).step_by(97) {
            let (transactions, summary) = read_bytes(format!("{}\n{log}", &first[..cut]).as_bytes(), *format);
            let (whole, _) = read_all(&sample(name));
            assert_eq!(transactions, whole, "{name} cut at {cut}");
            assert_eq!((summary.skipped_total, summary.skipped[0].line), (1, 1), "{name} cut at {cut}");
        }
    }
}

#[test]
fn records_on_one_line_without_line_ends_are_read_one_by_one() {
    for name in ["coraza-on.log", "aws-waf.log", "cloud-armor.log", "cloudflare-events.log"] {
        let log = std::fs::read_to_string(sample(name)).expect("a sample");
        let (transactions, summary) = read_bytes(log.replace('\n', "").as_bytes(), Format::Auto);
        assert_eq!(transactions, read_all(&sample(name)).0, "{name}");
        assert!(summary.skipped_total == 0 && !summary.torn_tail, "{name}: {summary:?}");
    }
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_change_nothing() {
    for (name, format, _) in TABLE {
        let log = std::fs::read_to_string(sample(name)).expect("a sample");
        let log = format!("\u{feff}{}", log.replace('\n', "\r\n"));
        let (transactions, summary) = read_bytes(log.as_bytes(), Format::Auto);
        assert_eq!(summary.format, Some(*format), "{name}");
        assert_eq!(transactions, read_all(&sample(name)).0, "{name}");
    }
}

#[test]
fn megabytes_in_a_value_are_read_past_and_not_kept() {
    let filler = "secret ".repeat(300_000);
    let matched = [
        ("coraza-on.log", "O'Brien.pdf"),
        ("aws-waf.log", "\"AND\""),
        ("cloudflare-events.log", "XSS, HTML Injection - Script Tag"),
        ("azure-waf-gateway-on.log", "O'Brien.pdf"),
        ("azure-waf-gateway-records.json", "O'Brien.pdf"),
        ("azure-waf-front-door-on.log", "' or 1=1"),
        ("cloud-armor.json", "' or 1=1"),
    ];
    for (name, matched) in matched {
        let log = std::fs::read_to_string(sample(name)).expect("a sample");
        let value = if matched.starts_with('"') { format!("\"{filler}\"") } else { filler.clone() };
        assert!(log.contains(matched), "{name}");
        let (transactions, summary) = read_bytes(log.replace(matched, &value).as_bytes(), Format::Auto);
        let (whole, _) = read_all(&sample(name));
        assert_eq!((transactions.len(), summary.skipped_total), (whole.len(), 0), "{name}: {summary:?}");
        for (read, whole) in transactions.iter().zip(&whole) {
            assert_eq!((read.intercepted, would_block(read)), (whole.intercepted, would_block(whole)), "{name}");
            for data in read.hits.iter().filter_map(|hit| hit.data.as_ref()) {
                assert!(data.as_str().chars().count() <= MATCHED_CHARS + 1, "{name}");
            }
        }
    }
}

#[test]
fn the_rule_that_refused_is_kept_when_more_fired_than_are_kept() {
    let counted = r#"{"ruleId":"SizeRestrictions_BODY","action":"COUNT"},"#.repeat(MAX_HITS + 20);
    let log = std::fs::read_to_string(sample("aws-waf.log")).expect("a sample");
    let many = log.replacen(
        r#""nonTerminatingMatchingRules":[]"#,
        &format!(r#""nonTerminatingMatchingRules":[{}]"#, counted.trim_end_matches(',')),
        1,
    );
    let (transactions, _) = read_bytes(many.as_bytes(), Format::Auto);
    assert_eq!(transactions[0].hits.len(), MAX_HITS);
    assert!(transactions[0].hits.iter().any(|hit| hit.action == Action::Refused));
    assert!(transactions[0].intercepted && transactions[0].hits_left_off > 0);
}

#[test]
fn what_is_no_record_is_told_with_its_line_and_without_a_word_of_it() {
    let formats = [Format::Coraza, Format::AwsWaf, Format::Cloudflare, Format::AzureWaf, Format::CloudArmor];
    for format in formats {
        let log = b"{\"secret\":\"hunter2\"}\n\nhunter2\n{\"transaction\":hunter2}\n[hunter2]\n";
        let (transactions, summary) = read_bytes(log, format);
        assert!(transactions.is_empty(), "{format}: {transactions:?}");
        let lines: Vec<_> = summary.skipped.iter().map(|skipped| skipped.line).collect();
        assert_eq!(lines, [1, 3, 4, 5], "{format}: {summary:?}");
        assert!(!format!("{summary:?}").contains("hunter2"), "{format}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_of_a_vendors_log_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..500),
        which in 0..TABLE.len(),
        at in 0_usize..8000,
    ) {
        let (name, format, _) = TABLE[which];
        let mut log = std::fs::read(sample(name)).expect("a sample");
        let at = at.min(log.len());
        log.splice(at..(at + bytes.len()).min(log.len()), bytes);
        for format in [format, Format::Coraza, Format::AwsWaf, Format::Cloudflare, Format::AzureWaf, Format::CloudArmor] {
            read_bytes(&log, format);
        }
    }

    #[test]
    fn what_a_client_sends_makes_no_record(text in any::<String>(), tail in "[{}\\[\\]\",:a-z]{0,40}") {
        let sent = format!("{text}{tail}{{\"webaclId\":\"x\",\"action\":\"BLOCK\"}}");
        let log = std::fs::read_to_string(sample("aws-waf.log")).expect("a sample");
        let value = serde_json::to_string(&sent).expect("a text");
        let log = log.replace("\"multipart/form-data; boundary=abc\"", &value);
        let (transactions, _) = read_bytes(log.as_bytes(), Format::Auto);
        prop_assert_eq!(transactions, read_all(&sample("aws-waf.log")).0);
    }
}
