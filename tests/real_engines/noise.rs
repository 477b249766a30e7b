//! An engine beside itself.

use crate::heard::compare;
use crate::lab::lab;

const TIMES: usize = 5;

#[test]
fn an_engine_beside_itself_shows_no_difference_five_times() {
    let engines = lab();
    for engine in ["ngx-crs-pl1", "apa-crs-pl1"] {
        for time in 0..TIMES {
            let compared =
                compare((&engines, engine), (&engines, engine), &engines.origin_log(), &["--allow-same-edge"]);
            assert_eq!(compared.code, Some(0), "{engine}, time {time}");
            let classes = compared.classes();
            assert_eq!(classes.len(), 466, "{engine}, time {time}");
            let noise: Vec<_> = classes.iter().filter(|(_, class)| *class != "unchanged").collect();
            assert!(noise.is_empty(), "{engine}, time {time}: {noise:?}");
            let wrong = compared.disagreements();
            assert!(wrong.is_empty(), "{engine}, time {time}: {wrong:#?}");
        }
    }
}
