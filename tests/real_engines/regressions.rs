//! What a comparison lists is what the witnesses list: each kind of change, between real engines.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use crate::heard::{Compared, compare};
use crate::lab::{Engines, lab};

/// Names that rules take exception to, or not.
const NAMES: [&str; 10] = [
    "driver_license.jpg",
    "version2.pdf",
    "himself.pdf",
    "myself.pdf",
    "plan.pdf",
    "図面.pdf",
    "a&amp;b.pdf",
    "O'Brien.pdf",
    ".env",
    "memo.txt",
];

/// Words of the kind that CRS 4 added to its list of restricted names.
const ADDED: [&str; 3] = ["driver", "version", "self"];

/// Cases over ModSecurity's own limit for a body: it refuses them without a rule, and does something else where it only
/// detects.
const OVER_BODY_LIMIT: &str = "trip/size-13107200*";

/// Compares, and holds the classes against the witnesses; gives how many cases are of each.
fn agrees(compared: &Compared, what: &str) -> BTreeMap<String, usize> {
    let wrong = compared.disagreements();
    assert!(wrong.is_empty(), "{what}: {} disagreements: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
    assert_eq!(compared.classes(), compared.by_witnesses(), "{what}");
    let otherwise = compared.told_otherwise();
    assert!(otherwise.is_empty(), "{what}: {} cases: {:#?}", otherwise.len(), &otherwise[..otherwise.len().min(20)]);
    let counts = compared.classes().into_values().fold(BTreeMap::new(), |mut counts, class| {
        *counts.entry(class).or_insert(0) += 1;
        counts
    });
    let mut by_rule: BTreeMap<String, usize> = BTreeMap::new();
    for rule in compared.rules("newly_blocked").into_values().flatten() {
        *by_rule.entry(rule).or_default() += 1;
    }
    println!("{what}: {counts:?}; newly blocked by {by_rule:?}");
    let fails =
        ["newly_blocked", "protection_lost", "would_block", "flaky"].iter().any(|class| counts.contains_key(*class));
    assert_eq!(compared.code, Some(i32::from(fails)), "{what}");
    counts
}

fn between(
    engines: &Engines,
    baseline: &str,
    candidate: &str,
    arguments: &[&str],
) -> (Compared, BTreeMap<String, usize>) {
    let compared = compare((engines, baseline), (engines, candidate), &engines.origin_log(), arguments);
    let counts = agrees(&compared, &format!("{baseline} -> {candidate}"));
    (compared, counts)
}

/// Files that differ in their names alone.
fn names(engines: &Engines) -> String {
    let folder = engines.path("names");
    std::fs::create_dir_all(&folder).unwrap();
    for name in NAMES {
        std::fs::write(folder.join(name), "as plain as can be\n").unwrap();
    }
    folder.display().to_string()
}

/// The rule is among those of every newly blocked case, of which there are some.
fn all_by(compared: &Compared, rule: &str) {
    let blocked = compared.rules("newly_blocked");
    assert!(!blocked.is_empty());
    assert!(blocked.values().all(|rules| rules.contains(rule)), "{blocked:#?}");
}

#[test]
fn each_paranoia_level_lists_what_it_refuses_anew() {
    let engines = lab();
    let names = names(&engines);
    let (compared, counts) = between(&engines, "ngx-crs-pl1", "ngx-crs-pl2", &["--corpus", &names]);
    assert_eq!(counts["newly_blocked"], 1);
    all_by(&compared, "920121");
    let (compared, counts) = between(&engines, "ngx-crs-pl2", "ngx-crs-pl3", &[]);
    assert!(counts["newly_blocked"] > 300 && counts["protection_gained"] > 0, "{counts:?}");
    all_by(&compared, "920272");
}

#[test]
fn a_waf_that_is_switched_on_lists_what_it_refuses() {
    let engines = lab();
    for (off, on) in [("ngx-off", "ngx-crs-pl1"), ("apa-off", "apa-crs-pl1")] {
        let (compared, counts) = between(&engines, off, on, &[]);
        assert!(counts["newly_blocked"] > 40 && counts["protection_gained"] > 1, "{counts:?}");
        let unnamed: Vec<String> = compared
            .rules("newly_blocked")
            .into_iter()
            .filter(|(_, rules)| rules.is_empty())
            .map(|(id, _)| id)
            .collect();
        assert!(unnamed.iter().all(|id| id.starts_with(OVER_BODY_LIMIT.trim_end_matches('*'))), "{unnamed:?}");
    }
}

#[test]
fn a_waf_that_only_detects_is_told_to_block_what_it_refuses_once_it_is_on() {
    let engines = lab();
    for (off, detecting, on) in
        [("ngx-off", "ngx-crs-pl1-detect", "ngx-crs-pl1"), ("apa-off", "apa-crs-pl1-detect", "apa-crs-pl1")]
    {
        detects_what_it_refuses(&engines, off, detecting, on);
    }
}

fn detects_what_it_refuses(engines: &Engines, off: &str, detecting: &str, on: &str) {
    let within = ["--exclude", OVER_BODY_LIMIT];
    let (detects, counts) = between(engines, off, detecting, &within);
    assert_eq!(counts.keys().collect::<Vec<_>>(), ["unchanged", "would_block"]);
    let (on_now, refused) = between(engines, detecting, on, &within);
    assert_eq!(counts["would_block"], refused["newly_blocked"]);
    let heard = &detects.candidate;
    let cases = heard.record.cases.iter();
    let would: BTreeSet<&str> = cases
        .filter(|case| heard.witnesses.would_deny(&case.attempts.last().unwrap().id))
        .map(|case| case.id.as_str())
        .collect();
    let classes = on_now.classes();
    let does: BTreeSet<&str> =
        classes.iter().filter(|(_, class)| *class != "unchanged").map(|(id, _)| id.as_str()).collect();
    assert_eq!(would, does);
}

#[test]
fn a_move_from_modsecurity_2_to_3_lists_both_directions() {
    let engines = lab();
    let (_, counts) = between(&engines, "apa-crs-pl1", "ngx-crs-pl1", &[]);
    assert!(counts["newly_blocked"] > 0 && counts["newly_delivered"] > 0, "{counts:?}");
}

#[test]
fn a_limit_of_1_mib_lists_what_is_larger() {
    let engines = lab();
    // NOTE: the body is what is limited, and it is longer than the file. ModSecurity has a limit of its own: 12.5 MiB.
    for (before, after, sizes) in [
        ("ngx-off", "ngx-cmbs1m", &[1_048_576, 10_485_760, 13_107_200][..]),
        ("hap-plain", "hap-limit", &[1_048_576, 10_485_760, 13_107_200]),
        ("apa-rec-only", "apa-limit", &[1_048_576, 10_485_760]),
    ] {
        let mut over = BTreeSet::from(["jpeg/photo-3mib".to_owned(), "pdf/scan-1mib".to_owned()]);
        for size in sizes {
            over.extend(["-under", "", "-over"].map(|beside| format!("trip/size-{size}{beside}")));
        }
        let (compared, _) = between(&engines, before, after, &[]);
        assert_eq!(compared.rules("newly_blocked").into_keys().collect::<BTreeSet<_>>(), over);
    }
}

/// The packaged rules in the layout of an upstream checkout, with a list of restricted names as CRS 4 has one.
fn modelled(folder: &Path) {
    let copied = Command::new("cp").arg("-r").arg("/usr/share/modsecurity-crs/rules").arg(folder).status().unwrap();
    assert!(copied.success(), "modsecurity-crs is missing: `tests/all.sh` installs it");
    std::fs::copy("/etc/modsecurity/crs/crs-setup.conf", folder.join("crs-setup.conf")).unwrap();
    let list = folder.join("rules/restricted-upload.data");
    let mut text = std::fs::read_to_string(&list).unwrap();
    for word in ADDED {
        text = format!("{text}\n{word}");
    }
    std::fs::write(list, text).unwrap();
}

/// With `WAFCANARY_CRS=DIR`, a checkout of another Core Rule Set takes the place of the modelled one.
#[test]
fn another_core_rule_set_lists_what_its_rules_refuse_anew() {
    let engines = lab();
    let names = names(&engines);
    let checkout = std::env::var("WAFCANARY_CRS").ok();
    let rules = checkout.clone().unwrap_or_else(|| {
        let folder = engines.path("crs");
        std::fs::create_dir_all(&folder).unwrap();
        modelled(&folder);
        folder.display().to_string()
    });
    let next = Engines::start("ngx-crs-pl1 apa-crs-pl1", &rules, Some(&engines.origin())).unwrap();
    for engine in ["ngx-crs-pl1", "apa-crs-pl1"] {
        for corpus in [&["--corpus", names.as_str()][..], &[]] {
            let compared = compare((&engines, engine), (&next, engine), &engines.origin_log(), corpus);
            agrees(&compared, &format!("{engine} -> {engine} of {rules}"));
            if checkout.is_none() && !corpus.is_empty() {
                all_by(&compared, "932180");
                let blocked: BTreeSet<String> = compared.rules("newly_blocked").into_keys().collect();
                let words = |name: &&&str| ADDED.iter().any(|word| name.contains(word));
                let expected: BTreeSet<String> = NAMES.iter().filter(words).map(id).collect();
                assert_eq!(blocked, expected);
            }
        }
    }
}

/// The id that a file of a folder without a manifest gets.
fn id(name: &&str) -> String {
    format!("{}/{name}", name.rsplit_once('.').unwrap().1)
}
