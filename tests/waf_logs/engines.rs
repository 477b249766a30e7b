//! Each sample against what is known of the requests behind it.

use wafcanary::waf_log::EngineMode::{self, DetectionOnly, On};
use wafcanary::waf_log::{Format, MatchedData, would_block};

use super::Fate::{Passed, Refused, WouldBlock};
use super::{Expected, read_all, sample};

const LIMIT: &str = "Request body (Content-Length) is larger than the configured limit (13107200).";
const NO_END: &str = "Multipart parsing error: Multipart: Final boundary missing.";

/// Sample, format, mode, and case, rules and fate of each transaction.
const TABLE: &[(&str, Format, Option<EngineMode>, &[Expected])] = &[
    (
        "modsecurity2-json-det.log",
        Format::ModSecurity2Json,
        Some(DetectionOnly),
        &[("obrien", &["920120", "949110", "980130"], WouldBlock), ("pem", &["200004"], WouldBlock)],
    ),
    (
        "modsecurity2-json-on.log",
        Format::ModSecurity2Json,
        Some(On),
        &[("obrien", &["920120", "949110", "980130"], Refused), ("pem", &["200004"], Refused)],
    ),
    (
        "modsecurity2-json-rec-det.log",
        Format::ModSecurity2Json,
        Some(DetectionOnly),
        &[
            ("quoted", &["200003"], WouldBlock),
            // Status 500: in detection mode 2.9.7 refuses what it has truncated at the limit, as broken multipart.
            ("big", &[LIMIT, NO_END], Refused),
        ],
    ),
    (
        "modsecurity2-json-rec-on.log",
        Format::ModSecurity2Json,
        Some(On),
        &[("quoted", &["200003"], Refused), ("big", &[LIMIT], Refused)],
    ),
    // Part K tells the actions of a site's rules.
    (
        "modsecurity2-json-site-det.log",
        Format::ModSecurity2Json,
        Some(DetectionOnly),
        &[("deny", &["10001"], WouldBlock), ("pass", &["10002"], Passed)],
    ),
    (
        "modsecurity2-json-site-on.log",
        Format::ModSecurity2Json,
        Some(On),
        &[("deny", &["10001"], Refused), ("pass", &["10002"], Passed)],
    ),
    (
        "modsecurity2-native-det.log",
        Format::ModSecurity2Native,
        Some(DetectionOnly),
        &[("obrien", &["920120", "949110", "980130"], WouldBlock), ("pem", &["200004"], WouldBlock)],
    ),
    (
        "modsecurity2-native-on.log",
        Format::ModSecurity2Native,
        Some(On),
        &[("obrien", &["920120", "949110", "980130"], Refused), ("pem", &["200004"], Refused)],
    ),
    (
        "modsecurity2-native-rec-det.log",
        Format::ModSecurity2Native,
        Some(DetectionOnly),
        &[("quoted", &["200003"], WouldBlock), ("big", &[LIMIT, NO_END], Refused)],
    ),
    (
        "modsecurity2-native-rec-on.log",
        Format::ModSecurity2Native,
        Some(On),
        &[("quoted", &["200003"], Refused), ("big", &[LIMIT], Refused)],
    ),
    (
        "modsecurity2-native-body-det.log",
        Format::ModSecurity2Native,
        Some(DetectionOnly),
        &[("pem", &["200004"], WouldBlock), ("pass", &["10002"], Passed), ("evil", &["10007"], WouldBlock)],
    ),
    (
        "modsecurity2-native-body-on.log",
        Format::ModSecurity2Native,
        Some(On),
        &[("pem", &["200004"], Refused), ("pass", &["10002"], Passed), ("evil", &["10007"], Refused)],
    ),
    (
        "modsecurity2-concurrent-json",
        Format::ModSecurity2Json,
        Some(DetectionOnly),
        &[("obrien", &["920120", "949110", "980130"], WouldBlock), ("quoted", &["200003"], WouldBlock)],
    ),
    (
        "modsecurity2-concurrent-native",
        Format::ModSecurity2Native,
        Some(DetectionOnly),
        &[("obrien", &["920120", "949110", "980130"], WouldBlock), ("quoted", &["200003"], WouldBlock)],
    ),
    (
        "modsecurity3-json-det.log",
        Format::ModSecurity3Json,
        Some(DetectionOnly),
        &[
            ("obrien", &["920120", "949110"], WouldBlock),
            ("put", &["921110", "949110"], WouldBlock),
            ("quoted", &["200003"], WouldBlock),
        ],
    ),
    (
        "modsecurity3-json-on.log",
        Format::ModSecurity3Json,
        Some(On),
        &[
            ("obrien", &["920120", "949110"], Refused),
            ("put", &["921110", "949110"], Refused),
            ("quoted", &["200003"], Refused),
            // 403 over the limit: the audit log does not say why. The error log does.
            ("big", &[], Passed),
        ],
    ),
    // The action of a site's rule is in no log of version 3: one that only logs is taken for one that denies.
    (
        "modsecurity3-json-site-det.log",
        Format::ModSecurity3Json,
        Some(DetectionOnly),
        &[
            ("deny", &["10001"], WouldBlock),
            ("pass", &["10002"], WouldBlock),
            ("resp", &["10013"], WouldBlock),
            ("rand", &[], Passed),
            ("evil", &["10007"], WouldBlock),
        ],
    ),
    (
        "modsecurity3-json-site-on.log",
        Format::ModSecurity3Json,
        Some(On),
        &[
            ("deny", &["10001"], Refused),
            ("pass", &["10002"], Passed),
            // 404 in phase 3, which this log does not tell from a 404 of the application.
            ("resp", &["10013"], Passed),
            ("rand", &[], Passed),
            ("evil", &["10007"], Refused),
        ],
    ),
    (
        "modsecurity3-native-det.log",
        Format::ModSecurity3Native,
        None,
        &[
            ("obrien", &["920120", "949110"], WouldBlock),
            ("put", &["921110", "949110"], WouldBlock),
            ("quoted", &["200003"], WouldBlock),
        ],
    ),
    (
        "modsecurity3-native-on.log",
        Format::ModSecurity3Native,
        None,
        &[
            ("obrien", &["920120", "949110"], Refused),
            ("put", &["921110", "949110"], Refused),
            ("quoted", &["200003"], Refused),
            ("big", &[], Passed),
        ],
    ),
    // Without the mode, `Warning.` of a site's rule proves nothing.
    (
        "modsecurity3-native-body-det.log",
        Format::ModSecurity3Native,
        None,
        &[("pem", &[], Passed), ("rand", &[], Passed), ("evil", &["10007"], Passed)],
    ),
    (
        "modsecurity3-native-body-on.log",
        Format::ModSecurity3Native,
        None,
        &[("pem", &[], Passed), ("rand", &[], Passed), ("evil", &["10007"], Refused)],
    ),
    (
        "modsecurity3-concurrent-json",
        Format::ModSecurity3Json,
        Some(DetectionOnly),
        &[("obrien", &["920120", "949110"], WouldBlock), ("quoted", &["200003"], WouldBlock)],
    ),
    (
        "modsecurity3-concurrent-native",
        Format::ModSecurity3Native,
        None,
        &[("obrien", &["920120", "949110"], WouldBlock), ("quoted", &["200003"], WouldBlock)],
    ),
    (
        "nginx-error-det.log",
        Format::NginxError,
        None,
        &[
            ("obrien", &["920120", "949110"], WouldBlock),
            ("put", &["921110", "949110"], WouldBlock),
            ("quoted", &["200003"], WouldBlock),
        ],
    ),
    (
        "nginx-error-on.log",
        Format::NginxError,
        None,
        &[
            ("big", &["Request body limit is marked to reject the request"], Refused),
            ("obrien", &["920120", "949110"], Refused),
            ("put", &["921110", "949110"], Refused),
            ("quoted", &["200003"], Refused),
        ],
    ),
    (
        "nginx-error-limit.log",
        Format::NginxError,
        None,
        &[("big", &["client intended to send too large body: 13500196 bytes"], Refused)],
    ),
    // A line of 2047 bytes, cut in its request line.
    ("nginx-error-long.log", Format::NginxError, None, &[("long", &["200003"], WouldBlock)]),
    (
        "nginx-error-site-det.log",
        Format::NginxError,
        None,
        &[
            ("", &["10001"], Passed),
            ("pass", &["10002"], Passed),
            ("resp", &["10013"], Passed),
            ("evil", &["10007"], Passed),
        ],
    ),
    (
        "nginx-error-site-on.log",
        Format::NginxError,
        None,
        &[
            ("", &["10001"], Refused),
            ("pass", &["10002"], Passed),
            ("resp", &["10013"], Refused),
            ("evil", &["10007"], Refused),
        ],
    ),
    // Apache's error log has no request line: its transactions join by unique id alone.
    (
        "apache-error-det.log",
        Format::ApacheError,
        None,
        &[
            ("", &["920120", "949110", "980130"], WouldBlock),
            ("", &["200004"], WouldBlock),
            ("", &["200003"], WouldBlock),
            ("", &[LIMIT, NO_END], Passed),
            ("", &["Request body no files data length is larger than the configured limit (131072)."], Passed),
        ],
    ),
    (
        "apache-error-on.log",
        Format::ApacheError,
        None,
        &[
            ("", &["920120", "949110", "980130"], Refused),
            ("", &["200004"], Refused),
            ("", &["200003"], Refused),
            // The same words in both modes, and no status.
            ("", &[LIMIT], Passed),
        ],
    ),
    (
        "apache-error-limit.log",
        Format::ApacheError,
        None,
        &[
            ("", &["AH01588: Requested content-length of 200186 is larger than the configured limit of 1000"], Refused),
            ("", &["AH01591: Read content length of 8192 is larger than the configured limit of 1000"], Refused),
        ],
    ),
];

/// The attempt's id that the case was sent with.
fn attempt_of(case: &str) -> Option<String> {
    (!case.is_empty()).then(|| format!("{case:0<26}"))
}

#[test]
fn the_samples_of_real_engines_are_read_for_what_they_say() {
    for (name, format, mode, expected) in TABLE {
        let (transactions, summary) = read_all(&sample(name));
        assert_eq!(summary.format, Some(*format), "{name}");
        assert!(summary.skipped_total == 0 && !summary.torn_tail, "{name}: {summary:?}");
        let cases: Vec<_> = expected.iter().map(|(case, ..)| attempt_of(case)).collect();
        let read: Vec<_> = transactions.iter().map(|transaction| transaction.attempt.clone()).collect();
        assert_eq!(read, cases, "{name}");
        for (transaction, (case, rules, fate)) in transactions.iter().zip(*expected) {
            let place = format!("{name}, {case}: {transaction:#?}");
            let of_hits = transaction.hits.iter().map(|hit| hit.id.as_deref().unwrap_or(&hit.message));
            assert_eq!(of_hits.collect::<Vec<_>>(), *rules, "{place}");
            assert_eq!(transaction.engine_mode, *mode, "{place}");
            assert_eq!(transaction.intercepted, *fate == Refused, "{place}");
            assert_eq!(would_block(transaction), *fate == WouldBlock, "{place}");
            assert!(transaction.at.is_some(), "{place}");
            let scored = rules.contains(&"949110").then_some(5);
            assert_eq!(transaction.anomaly_score, scored, "{place}");
            let audited = !matches!(format, Format::NginxError | Format::ApacheError);
            assert_eq!(transaction.case.as_deref(), audited.then_some(*case), "{place}");
            assert!(transaction.unique_id.is_some() || transaction.hits.iter().all(|hit| hit.id.is_none()), "{place}");
            assert!(!audited || transaction.status.is_some(), "{place}");
        }
    }
}

#[test]
fn what_would_be_blocked_in_detection_mode_is_what_the_same_engine_refuses_when_it_is_on() {
    let pairs = [
        "modsecurity2-json-",
        "modsecurity2-json-rec-",
        "modsecurity2-json-site-",
        "modsecurity2-native-",
        "modsecurity2-native-rec-",
        "modsecurity2-native-body-",
        "modsecurity3-json-",
        "modsecurity3-native-",
    ];
    for pair in pairs {
        let (detected, _) = read_all(&sample(&format!("{pair}det.log")));
        let (refused, _) = read_all(&sample(&format!("{pair}on.log")));
        for transaction in detected {
            let other = refused.iter().find(|other| other.attempt == transaction.attempt).expect("sent to both");
            // Version 2 refuses some broken bodies in detection mode as well.
            assert_eq!(transaction.intercepted || would_block(&transaction), other.intercepted, "{pair}: {other:#?}");
        }
    }
}

#[test]
fn a_hit_says_where_what_and_how_grave_in_every_format() {
    for name in [
        "modsecurity2-json-det.log",
        "modsecurity2-native-det.log",
        "modsecurity3-json-det.log",
        "modsecurity3-native-det.log",
        "nginx-error-det.log",
        "apache-error-det.log",
    ] {
        let (transactions, _) = read_all(&sample(name));
        let hit = &transactions[0].hits[0];
        assert_eq!(hit.message, "Attempted multipart/form-data bypass", "{name}");
        assert_eq!(hit.variable.as_deref(), Some("FILES:f"), "{name}");
        assert_eq!(hit.data.as_ref().map(MatchedData::as_str), Some("O'Brien.pdf"), "{name}");
        assert_eq!(hit.severity.as_deref(), Some("CRITICAL"), "{name}");
        assert!(hit.crs && !hit.disruptive(), "{name}");
        let evaluation = &transactions[0].hits[1];
        assert!(evaluation.crs && evaluation.disruptive(), "{name}");
        assert!(evaluation.variable.as_deref().is_some_and(|at| at.eq_ignore_ascii_case("tx:anomaly_score")), "{name}");
    }
}

#[test]
fn a_refusal_tells_its_phase_where_the_log_has_it() {
    for name in
        ["modsecurity2-json-on.log", "modsecurity2-native-on.log", "modsecurity3-native-on.log", "apache-error-on.log"]
    {
        let (transactions, _) = read_all(&sample(name));
        assert_eq!(transactions[0].hits[1].phase, Some(2), "{name}");
    }
}

#[test]
fn a_storage_directory_is_read_without_its_index() {
    for name in ["modsecurity2-concurrent-json", "modsecurity3-concurrent-native"] {
        let index = sample(name);
        let (by_index, _) = read_all(&index);
        let (by_walk, _) = read_all(&index.with_file_name("store"));
        let sorted = |mut all: Vec<wafcanary::waf_log::Transaction>| {
            all.sort_by(|a, b| a.attempt.cmp(&b.attempt));
            all
        };
        assert_eq!(sorted(by_index), sorted(by_walk), "{name}");
        // The folder of both: the index in it is not read twice.
        let (both, _) = read_all(index.parent().expect("a folder"));
        assert_eq!(both.len(), 2, "{name}");
    }
}
