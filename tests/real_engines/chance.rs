//! Rules that fire on what a file happens to hold.

use std::collections::{BTreeMap, BTreeSet};

use crate::heard::{compare, disagreements, run};
use crate::lab::{Engines, lab};

/// Megabytes of each file, and how many of them.
const SIZES: [(usize, usize); 3] = [(1, 12), (5, 5), (10, 4)];

/// With this one, some files of each size hold the bytes and some do not.
const SALT: usize = 90_000;

/// Bytes without a pattern, the same each time (`SplitMix64`).
fn random(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend((mixed ^ (mixed >> 31)).to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// A folder of random files; which of them hold a line that begins with `--`, as the end of a part does.
fn corpus(engines: &Engines) -> (String, BTreeMap<String, bool>) {
    let folder = engines.path("random");
    std::fs::create_dir_all(&folder).unwrap();
    let mut holds = BTreeMap::new();
    for (megabytes, count) in SIZES {
        for number in 1..=count {
            let name = format!("{megabytes}mb-{number}.bin");
            let bytes = random((SALT + megabytes * 100 + number) as u64, megabytes * 1_000_000);
            holds.insert(format!("bin/{name}"), memchr::memmem::find(&bytes, b"\n--").is_some());
            std::fs::write(folder.join(name), bytes).unwrap();
        }
    }
    (folder.display().to_string(), holds)
}

#[test]
fn chance_in_a_files_content_refuses_it_each_time_and_is_not_flaky() {
    let engines = lab();
    let (corpus, holds) = corpus(&engines);
    let expected: BTreeSet<&str> = holds.iter().filter(|(_, holds)| **holds).map(|(id, _)| id.as_str()).collect();
    for (megabytes, count) in SIZES {
        let of_size = expected.iter().filter(|id| id.starts_with(&format!("bin/{megabytes}mb-"))).count();
        assert!((1..count).contains(&of_size), "{expected:?}");
    }

    let heard = run(&engines, "apa-rec-only", &["--corpus", &corpus, "--rounds", "3"]);
    let wrong = disagreements(&heard);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let cases = heard.record.cases.iter();
    let blocked: BTreeSet<&str> =
        cases.filter(|case| case.rounds == ["blocked"; 3]).map(|case| case.id.as_str()).collect();
    assert_eq!(blocked, expected);

    let origin_log = engines.origin_log();
    let compared = compare((&engines, "apa-off"), (&engines, "apa-rec-only"), &origin_log, &["--corpus", &corpus]);
    assert_eq!(compared.classes(), compared.by_witnesses());
    let listed = compared.rules("newly_blocked");
    assert_eq!(listed.keys().map(String::as_str).collect::<BTreeSet<_>>(), expected);
    assert!(listed.values().all(|rules| rules.len() == 1 && rules.contains("200004")), "{listed:?}");
    let report = engines.wafcanary(&["report", compared.out.to_str().unwrap()]).out;
    assert_eq!(report.matches("rule      200004 ").count(), expected.len(), "{report}");
    assert_eq!(report.matches("decided   by the content").count(), expected.len(), "{report}");
    println!("{} of {} files are refused, each time: {expected:?}", expected.len(), holds.len());
}
