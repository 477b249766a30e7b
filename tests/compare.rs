//! The promise: every case lands in exactly one class, and what is not known is never unchanged.

mod support_compare;

use proptest::prelude::*;
use support_compare::{record, run};
use wafcanary::compare::{Class, compare};
use wafcanary::corpus::Intent;
use wafcanary::verdict::{Count, Outcome};

#[test]
fn the_table_of_classes_holds_for_all_pairs() {
    for intent in [Intent::Legit, Intent::Control] {
        for baseline in Outcome::ALL {
            for candidate in Outcome::ALL {
                let class = Class::of(intent, baseline, candidate);
                let back = Class::of(intent, candidate, baseline);
                let what = format!("{intent:?} {baseline:?} {candidate:?}: {class:?}");
                let unknown = [baseline, candidate].iter().any(|side| side.count() == Count::Inconclusive);
                assert_eq!(unknown, class == Class::Inconclusive, "{what}");
                assert_eq!(class == Class::Unchanged, baseline == candidate && !unknown, "{what}");
                assert_eq!(class == Class::Unchanged, back == Class::Unchanged, "symmetric: {what}");
                if intent == Intent::Legit && baseline == Outcome::Delivered && candidate.count() == Count::Fail {
                    let expected =
                        if candidate == Outcome::Altered { Class::NewlyAltered } else { Class::NewlyBlocked };
                    assert_eq!(class, expected, "{what}");
                }
                if intent == Intent::Control && candidate == Outcome::Delivered {
                    let kept_out = !unknown && !matches!(baseline, Outcome::Delivered | Outcome::Lost);
                    assert_eq!(class == Class::ProtectionLost, kept_out, "{what}");
                }
                assert_eq!(class == Class::ProtectionLost, back == Class::ProtectionGained, "{what}");
            }
        }
    }
}

#[test]
fn a_control_that_the_edge_lets_through_to_the_origin_is_a_lost_protection() {
    assert_eq!(Class::of(Intent::Control, Outcome::Blocked, Outcome::Rejected), Class::ProtectionLost);
    assert_eq!(Class::of(Intent::Control, Outcome::Blocked, Outcome::Altered), Class::ProtectionLost);
}

#[test]
fn another_signature_or_status_is_another_reason() {
    let blocked = |signature: &str, status| {
        let mut record = record("a", Intent::Legit, Outcome::Blocked);
        record.verdict.signature = Some(signature.into());
        record.verdict.status = Some(status);
        record
    };
    let class = |left, right| compare(run("b", vec![left]), run("c", vec![right]))[0].class;
    assert_eq!(class(blocked("f5-asm", 200), blocked("f5-asm", 200)), Class::Unchanged);
    assert_eq!(class(blocked("f5-asm", 200), blocked("akamai", 200)), Class::ReasonChanged);
    assert_eq!(class(blocked("f5-asm", 200), blocked("f5-asm", 403)), Class::ReasonChanged);
}

#[test]
fn a_side_that_disagrees_with_itself_is_flaky_and_one_that_was_not_asked_is_inconclusive() {
    use Outcome::{Blocked, Delivered, Unreachable};
    let good = || record("a", Intent::Legit, Outcome::Delivered);
    let class = |outcome, rounds: &[Outcome]| {
        let mut other = record("a", Intent::Legit, outcome);
        other.rounds = rounds.to_vec().into();
        compare(run("b", vec![good()]), run("c", vec![other]))[0].class
    };
    assert_eq!(class(Blocked, &[Blocked, Delivered, Blocked]), Class::Flaky);
    assert_eq!(class(Delivered, &[Delivered, Blocked, Delivered]), Class::Flaky);
    assert_eq!(class(Delivered, &[Delivered, Unreachable, Delivered]), Class::Unchanged);
    assert_eq!(class(Unreachable, &[Unreachable, Delivered]), Class::Inconclusive);
    assert_eq!(class(Blocked, &[Blocked, Blocked]), Class::NewlyBlocked);
}

proptest! {
    #[test]
    fn every_case_lands_in_exactly_one_class(
        left in prop::collection::btree_map(0..40_u8, prop::sample::select(Outcome::ALL.to_vec()), 0..30),
        right in prop::collection::btree_map(0..40_u8, prop::sample::select(Outcome::ALL.to_vec()), 0..30),
    ) {
        let records = |side: &std::collections::BTreeMap<u8, Outcome>| -> Vec<_> {
            side.iter().rev().map(|(id, outcome)| record(&format!("c{id}"), Intent::Legit, *outcome)).collect()
        };
        let joined = compare(run("b", records(&left)), run("c", records(&right)));
        let mut ids: Vec<_> = left.keys().chain(right.keys()).map(|id| format!("c{id}")).collect();
        ids.sort();
        ids.dedup();
        let got: Vec<_> = joined.iter().map(|case| case.id.as_str().to_owned()).collect();
        prop_assert_eq!(got, ids, "each id once, in order");
        for case in &joined {
            prop_assert_eq!(case.class == Class::OnlyInBaseline, case.candidate.is_none());
            prop_assert_eq!(case.class == Class::OnlyInCandidate, case.baseline.is_none());
        }
    }
}
