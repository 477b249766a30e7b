//! A log that is still being written is read as far as it is whole.

use std::collections::HashSet;

use proptest::prelude::*;
use wafcanary::waf_log::{Format, RuleHit, Transaction};

use super::{read_all, read_bytes, sample};

const LOGS: &[(&str, Format)] = &[
    ("modsecurity2-json-rec-det.log", Format::ModSecurity2Json),
    ("modsecurity2-native-body-on.log", Format::ModSecurity2Native),
    ("modsecurity3-json-det.log", Format::ModSecurity3Json),
    ("modsecurity3-native-body-det.log", Format::ModSecurity3Native),
];

#[test]
fn an_audit_log_cut_at_any_byte_gives_the_transactions_before_the_cut_and_no_other() {
    for (name, format) in LOGS {
        let log = std::fs::read(sample(name)).expect("a sample");
        let (whole, _) = read_all(&sample(name));
        let mut given = 0;
        for cut in 0..=log.len() {
            let (transactions, summary) = read_bytes(&log[..cut], *format);
            assert_eq!(transactions, whole[..transactions.len()], "{name} cut at {cut}");
            assert!(transactions.len() >= given, "{name} cut at {cut}: a transaction is lost");
            assert_eq!(summary.skipped_total, 0, "{name} cut at {cut}: {summary:?}");
            given = transactions.len();
        }
        assert_eq!(given, whole.len(), "{name}");
        let (_, summary) = read_bytes(&log[..log.len() - 30], *format);
        assert!(summary.torn_tail, "{name}");
    }
}

#[test]
fn an_error_log_cut_at_any_byte_gives_no_hit_that_was_not_logged() {
    for (name, format) in [("nginx-error-on.log", Format::NginxError), ("apache-error-det.log", Format::ApacheError)] {
        let log = std::fs::read(sample(name)).expect("a sample");
        let (whole, _) = read_all(&sample(name));
        let hits = |transactions: &[Transaction]| -> HashSet<(Option<String>, String)> {
            let key = |hit: &RuleHit| (hit.id.clone(), hit.message.clone());
            transactions
                .iter()
                .flat_map(|transaction| {
                    transaction.hits.iter().map(move |hit| (transaction.unique_id.clone(), key(hit)))
                })
                .map(|(of, (id, message))| (of, format!("{id:?} {message}")))
                .collect()
        };
        let all = hits(&whole);
        for cut in 0..=log.len() {
            let (transactions, summary) = read_bytes(&log[..cut], format);
            assert!(hits(&transactions).is_subset(&all), "{name} cut at {cut}");
            assert_eq!(summary.torn_tail, cut > 0 && log[cut - 1] != b'\n', "{name} cut at {cut}");
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
        which in 0..LOGS.len(),
        at in 0_usize..8000,
    ) {
        let (name, format) = LOGS[which];
        let mut log = std::fs::read(sample(name)).expect("a sample");
        let at = at.min(log.len());
        log.splice(at..(at + bytes.len()).min(log.len()), bytes);
        for format in [format, Format::NginxError, Format::ApacheError] {
            read_bytes(&log, format);
        }
    }
}
