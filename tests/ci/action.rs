//! The action's comparison, with the environment that a runner gives it, on the lab.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use super::{root, scrubbed, text};

struct Step {
    code: Option<i32>,
    log: String,
    outputs: BTreeMap<String, String>,
    summary: String,
    _folder: tempfile::TempDir,
}

/// Runs `run.sh` in the repository, as the action's step does.
fn step(inputs: &[(&str, &str)]) -> Step {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let mut command = scrubbed(Command::new("bash"), root());
    command.arg(root().join(".github/action/run.sh")).env("CANARY_PROGRAM", env!("CARGO_BIN_EXE_wafcanary"));
    command.env("RUNNER_TEMP", folder.path());
    command.env("GITHUB_OUTPUT", file("output")).env("GITHUB_STEP_SUMMARY", file("summary"));
    command.envs(inputs.iter().copied());
    let output = command.output().unwrap();
    let read = |name| std::fs::read_to_string(file(name)).unwrap_or_default();
    let outputs = read("output")
        .lines()
        .map(|line| line.split_once('=').unwrap())
        .map(|(key, value)| (key.into(), value.into()))
        .collect();
    Step {
        code: output.status.code(),
        log: text(&output.stdout) + &text(&output.stderr),
        outputs,
        summary: read("summary"),
        _folder: folder,
    }
}

impl Step {
    fn output(&self, name: &str) -> &str {
        self.outputs.get(name).map_or("", String::as_str)
    }

    /// The commands that the runner obeys: those outside of what is stopped.
    fn commands(&self) -> Vec<&str> {
        let mut stopped: Option<String> = None;
        let mut commands = Vec::new();
        for line in self.log.lines().filter(|line| line.trim_start().starts_with("::")) {
            match (&stopped, line.strip_prefix("::stop-commands::")) {
                (None, Some(word)) => stopped = Some(format!("::{word}::")),
                (None, None) => commands.push(line),
                (Some(word), _) if line == word => stopped = None,
                (Some(_), _) => {}
            }
        }
        assert_eq!(stopped, None, "commands are never obeyed again: {}", self.log);
        commands
    }
}

const STANDARD: (&str, &str) = ("CANARY_BASELINE", "profiles/lab/standard.toml");
const UPPER: (&str, &str) = ("CANARY_CANDIDATE", "profiles/lab/upper.toml");
const SMOKE: (&str, &str) = ("CANARY_SET", "smoke");

#[test]
fn a_gate_that_fails_hands_on_everything_and_ends_the_step_well() {
    let step = step(&[STANDARD, UPPER, SMOKE]);
    assert_eq!(step.code, Some(0), "{}", step.log);
    let told = ["decision", "exit_code", "cases", "newly_blocked"].map(|name| step.output(name));
    assert_eq!(told, ["fail", "1", "14", "5"]);
    let report = PathBuf::from(step.output("report"));
    for file in ["report.html", "report.md", "junit.xml", "report.sarif", "cases.csv", "record/comparison.json"] {
        assert!(report.join(file).metadata().unwrap().len() > 0, "{file}");
    }
    assert_eq!(step.output("sarif"), report.join("report.sarif").to_str().unwrap());
    assert_eq!(std::fs::read_to_string(step.output("markdown")).unwrap().trim_end(), step.summary.trim_end());
    let commands = step.commands();
    assert!(commands[0].starts_with("::error title=wafcanary::FAIL  5 legitimate files"), "{commands:?}");
    assert_eq!(commands.len(), 6, "{commands:?}");
}

#[test]
fn a_gate_that_passes_is_no_error_anywhere() {
    let step = step(&[
        STANDARD,
        ("CANARY_CANDIDATE", STANDARD.1),
        SMOKE,
        ("CANARY_ARGS", "--allow-same-edge\n--confirm\n2\n"),
    ]);
    assert_eq!((step.code, step.output("decision"), step.output("exit_code")), (Some(0), "pass", "0"), "{}", step.log);
    assert!(step.commands().iter().all(|command| command.starts_with("::notice ")), "{}", step.log);
}

#[test]
fn what_ends_before_the_gate_is_an_error_or_inconclusive_and_never_a_pass() {
    let same = step(&[STANDARD, ("CANARY_CANDIDATE", STANDARD.1), SMOKE]);
    assert_eq!((same.code, same.output("decision"), same.output("exit_code")), (Some(0), "inconclusive", "3"));
    let nowhere = step(&[STANDARD, ("CANARY_CANDIDATE", "nowhere.toml"), SMOKE]);
    assert_eq!((nowhere.code, nowhere.output("decision"), nowhere.output("exit_code")), (Some(0), "error", "2"));
    for step in [&same, &nowhere] {
        assert!(step.commands()[0].starts_with("::error title=wafcanary::it ended with exit code "), "{}", step.log);
        assert_eq!((step.output("sarif"), step.output("markdown")), ("", ""), "an empty file is no report");
    }
    let missing = step(&[STANDARD]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.log.contains("the input 'candidate' is missing"), "{}", missing.log);
}

#[test]
fn findings_of_a_run_that_was_banned_half_way_are_not_for_code_scanning() {
    let folder = tempfile::tempdir().unwrap();
    for edge in ["standard", "lie-ban"] {
        let mut command = scrubbed(Command::new(env!("CARGO_BIN_EXE_wafcanary")), folder.path());
        command.args(["--no-progress", "run", "--set", "smoke", "--out", edge, "--profile"]);
        command.arg(root().join(format!("profiles/lab/{edge}.toml"))).output().unwrap();
    }
    let edge = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let step = step(&[("CANARY_BASELINE", &edge("standard")), ("CANARY_CANDIDATE", &edge("lie-ban"))]);
    assert_eq!((step.output("decision"), step.output("exit_code")), ("fail", "1"), "{}", step.log);
    assert!(step.log.contains("edge banned the run"), "{}", step.log);
    assert_eq!(step.output("sarif"), "", "alerts of what was not asked for would be closed");
    assert!(PathBuf::from(step.output("report")).join("report.sarif").is_file(), "it is in the artifact");
}

#[test]
fn inputs_are_arguments_and_never_shell() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark");
    let attack = format!("$(touch {0}); touch {0} `touch {0}` \"; touch {0}; \"", mark.display());
    let inputs = [
        ("CANARY_BASELINE", attack.as_str()),
        ("CANARY_CANDIDATE", &attack),
        ("CANARY_CORPUS", &attack),
        ("CANARY_ARGS", &attack),
    ];
    assert_eq!(step(&inputs).output("exit_code"), "2");
    assert!(!mark.exists());
}

#[test]
fn a_filename_that_is_a_command_is_not_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().join("corpus");
    std::fs::create_dir(&corpus).unwrap();
    // Words that a report breaks its lines at, so that a line of it may begin with any of them.
    let name = "a ::add-mask::x ::error::y ##[error]z ::stop-commands::w.xlsm";
    std::fs::copy(root().join("corpus/files/xlsm/waste-reduction.xlsm"), corpus.join(name)).unwrap();
    std::fs::copy(root().join("corpus/files/xlsm/waste-reduction.xlsm"), corpus.join("plain.xlsm")).unwrap();
    let step = step(&[STANDARD, UPPER, ("CANARY_CORPUS", corpus.to_str().unwrap())]);
    assert_eq!(step.output("decision"), "fail", "{}", step.log);
    assert!(step.log.contains("::add-mask::x"), "{}", step.log);
    let commands = step.commands();
    assert!(commands.iter().all(|command| command.starts_with("::error title=")), "{commands:?}");
}

#[test]
fn the_program_is_built_from_what_the_digest_covers() {
    let digest = || {
        let folder = tempfile::tempdir().unwrap();
        let mut command = scrubbed(Command::new("bash"), root());
        command.arg(root().join(".github/action/build.sh")).arg("digest");
        command.env("GITHUB_OUTPUT", folder.path().join("output")).env("GITHUB_ACTION_PATH", root());
        super::passes(command);
        std::fs::read_to_string(folder.path().join("output")).unwrap()
    };
    let first = digest();
    assert_eq!(first, digest());
    assert_eq!(first.strip_prefix("digest=").unwrap().trim_end().len(), 64, "{first}");
}

/// The inputs that the action declares and the variables that its scripts read are the same ones.
#[test]
fn every_input_reaches_the_script() {
    let action = std::fs::read_to_string(root().join("action.yml")).unwrap();
    let script = std::fs::read_to_string(root().join(".github/action/run.sh")).unwrap();
    for name in ["BASELINE", "CANDIDATE", "CORPUS", "SET", "WAIVERS", "ARGS", "PROGRAM"] {
        let input = name.to_lowercase();
        assert!(action.contains(&format!("\n  {input}:\n")), "{input}");
        assert!(action.contains(&format!("CANARY_{name}: ${{{{ inputs.{input}")), "{input}");
        assert!(script.contains(&format!("CANARY_{name}")), "{input}");
    }
    // What a user gives stands in `env`, `if` and `with`, where it is data; in a script it would be code.
    for line in action.lines().filter(|line| line.trim_start().starts_with("run:")) {
        assert!(!line.contains("${{"), "{line}");
    }
}

#[test]
fn findings_point_at_the_lines_that_declare_their_attachments() {
    let step = step(&[STANDARD, UPPER, SMOKE, ("CANARY_CORPUS", "corpus")]);
    let document: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(step.output("sarif")).unwrap()).unwrap();
    let results = document["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 5);
    for result in results {
        let place = &result["locations"][0]["physicalLocation"];
        let file = root().join(place["artifactLocation"]["uri"].as_str().unwrap());
        let line = usize::try_from(place["region"]["startLine"].as_u64().unwrap()).unwrap();
        let manifest = std::fs::read_to_string(file).unwrap();
        let entry = manifest.lines().skip(line - 1).take(2).collect::<Vec<_>>().join("\n");
        let attachment = result["properties"]["case"].as_str().unwrap().split('~').next().unwrap();
        assert!(entry.contains(&format!("id = \"{attachment}\"")), "{entry}");
        let command = format!("::error file=corpus/manifest.toml,line={line},");
        assert!(step.commands().iter().any(|told| told.starts_with(&command)), "{command}");
    }
}
