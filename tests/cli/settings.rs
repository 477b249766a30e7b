//! Where settings come from: flag, variable, `wafcanary.toml`, built-in, in this order.

use super::{Place, lab, ran};

/// The number of cases that `corpus list` says.
fn cases(said: &str) -> usize {
    let line = said.lines().find(|line| line.contains(" cases of ")).unwrap_or_else(|| panic!("{said}"));
    line.split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_flag_goes_before_a_variable_before_the_file_before_the_built_in() {
    let place = Place::new();
    for (folder, files) in [("one", 1), ("two", 2), ("three", 3)] {
        for file in 0..files {
            place.write(&format!("{folder}/{file}.txt"), folder);
        }
    }
    let count = |arguments: &[&str], variable: Option<&str>| {
        let mut command = place.command(&[&["corpus", "list", "--client", "chromium"], arguments].concat());
        let listed = ran(command.envs(variable.map(|value| ("WAFCANARY_CORPUS", value))));
        listed.says(0, &[]);
        (cases(&listed.err), listed.err.contains("wafcanary-builtin"))
    };
    assert!(count(&[], None).1);
    place.write("wafcanary.toml", "corpus = \"one\"\n");
    let (one, two, three) =
        (count(&[], None).0, count(&[], Some("two")).0, count(&["--corpus", "three"], Some("two")).0);
    assert!(0 < one && one < two && two < three, "{one} {two} {three}");
}

#[test]
fn the_configuration_is_found_upwards_to_the_root_of_the_repository() {
    let place = Place::new();
    place.write("wafcanary.toml", "profile = \"p.toml\"\n");
    std::fs::create_dir_all(place.path("deep/below")).unwrap();
    let below = ran(place.command(&["run"]).current_dir(place.path("deep/below")));
    // Paths in it are relative to its folder.
    below.says(2, &["p.toml", "cannot be read"]);
    std::fs::create_dir_all(place.path("other/.git")).unwrap();
    ran(place.command(&["run"]).current_dir(place.path("other"))).says(2, &["no profile is given"]);
    place.run(&["--no-config", "run"]).says(2, &["no profile is given"]);
}

#[test]
fn an_unknown_key_of_the_configuration_is_shown_in_its_line() {
    let place = Place::new();
    place.write("wafcanary.toml", "set = \"smoke\"\nprofil = \"x\"\n");
    place.run(&["run"]).says(2, &["profil", "wafcanary.toml:2", "`baseline`"]);
    place.write("wafcanary.toml", "[gate]\nnewly_bloked = 1\n");
    place.run(&["run"]).says(2, &["newly_bloked", "wafcanary.toml:2"]);
    place.run(&["--config", "nowhere.toml", "run"]).says(2, &["cannot read the configuration", "nowhere.toml"]);
}

#[test]
fn the_gate_of_the_configuration_decides() {
    let place = Place::new();
    place.write("wafcanary.toml", "set = \"smoke\"\n[gate]\nnewly_blocked = \"unlimited\"\n");
    place.run(&["compare", "--baseline", &lab("standard"), "--candidate", &lab("upper"), "--out", "out"]).says(0, &[]);
}

#[test]
fn a_variable_turns_a_switch_on_and_off() {
    let place = Place::new();
    for (value, sent) in [("1", false), ("true", false), ("0", true)] {
        let arguments = ["run", "--profile", &lab("standard"), "--set", "smoke", "--out", value];
        ran(place.command(&arguments).env("WAFCANARY_DRY_RUN", value)).says(0, &[]);
        assert_eq!(place.path(value).join("journal.jsonl").exists(), sent, "{value}");
    }
}

#[test]
fn the_folder_of_a_flag_goes_before_that_of_a_variable() {
    let place = Place::new();
    let run = ["run", "--profile", &lab("standard"), "--set", "smoke"];
    ran(place.command(&[&run[..], &["--out", "out"]].concat()).env("WAFCANARY_RESUME", "elsewhere"))
        .says(0, &["record: out"]);
    ran(place.command(&["run", "--resume", "out"]).env("WAFCANARY_OUT", "elsewhere")).says(0, &["record: out"]);
    assert!(!place.path("elsewhere").exists());
}
