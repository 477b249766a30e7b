//! The commands of the recipes, run as the services run them: what is not proven stops a pipeline.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{passes, python_program, root, scrubbed, text};

/// A repository as the recipes have it, whose edges are these of the lab.
fn repository(now: &str, next: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    for (name, edge) in [("now", now), ("next", next)] {
        let edge = root().join(format!("profiles/lab/{edge}.toml"));
        let profile =
            format!("schema_version = 1\nname = \"{edge}\"\nextends = {edge:?}\n", edge = edge.display().to_string());
        write(&format!("edges/{name}.toml"), &profile);
        write(&format!("{name}.toml"), &profile);
    }
    write("waivers.toml", "");
    for name in ["note.txt", "plan.dxf"] {
        write(&format!("attachments/{name}"), "0\nSECTION\n");
    }
    folder
}

/// Runs a script in the repository with the shell of a service; returns its exit code and what it said.
fn shell(arguments: &[&str], script: &str, folder: &Path) -> (Option<i32>, String) {
    let mut command = scrubbed(Command::new("bash"), folder);
    let program = Path::new(env!("CARGO_BIN_EXE_wafcanary")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    command.args(arguments).arg(script).env("PATH", path).env("WAFCANARY_CLIENT", "curl");
    let output = command.output().unwrap();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

/// What another YAML parser reads of a document.
fn yaml(path: &Path) -> Value {
    let mut python = python_program("python3");
    python.args(["-c", "import json, sys; from ruamel.yaml import YAML; json.dump(YAML(typ='safe').load(open(sys.argv[1])), sys.stdout)"]);
    python.arg(path);
    serde_json::from_str(&passes(python)).unwrap()
}

const EDGES: [(&str, &str, i32); 4] =
    [("standard", "standard", 3), ("standard", "upper", 1), ("standard", "lie-throttle", 3), ("nowhere", "upper", 2)];

#[test]
fn gitlabs_job_ends_with_the_exit_code_and_nothing_lets_an_inconclusive_one_go_on() {
    let recipe = yaml(&root().join("docs/ci/gitlab-ci.yml"));
    let job = &recipe["canary uploads"];
    assert_eq!(job.get("allow_failure"), None);
    let lines = job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap());
    let script = lines.collect::<Vec<_>>().join("\n");
    for (now, next, code) in EDGES {
        let folder = repository(now, next);
        // Of an earlier job.
        std::fs::create_dir(folder.path().join("canary")).unwrap();
        std::fs::write(folder.path().join("canary/report.md"), "stale").unwrap();
        let (ended, said) = shell(&["-eo", "pipefail", "-c"], &script, folder.path());
        assert_eq!(ended, Some(code), "{now} {next}: {said}");
        let kept = std::fs::read_to_string(folder.path().join("canary/exit-code")).unwrap();
        assert_eq!(kept, format!("{code}\n"));
        let report = std::fs::read_to_string(folder.path().join("canary/report.md")).unwrap_or_default();
        assert!(report.is_empty() || report.starts_with("<!-- wafcanary -->\n"), "{report}");
    }
    let after = job["after_script"][0].as_str().unwrap();
    assert_eq!(after, "sh ci/gitlab-note.sh canary/report.md \"$(cat canary/exit-code)\"");
}

#[test]
fn jenkins_goes_on_after_a_pass_alone() {
    let recipe = std::fs::read_to_string(root().join("docs/ci/Jenkinsfile")).unwrap();
    let code: Vec<&str> = recipe.lines().map(str::trim).filter(|line| !line.starts_with("//")).collect();
    assert!(!code.iter().any(|line| line.starts_with("unstable") || line.starts_with("catchError")), "{recipe}");
    assert_eq!(code.iter().filter(|line| line.starts_with("error ")).count(), 2);
}

#[test]
fn githubs_step_ends_with_the_exit_code_and_its_annotations_are_obeyed() {
    let page = std::fs::read_to_string(root().join("docs/ci/github.md")).unwrap();
    let block = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("step.yml");
    std::fs::write(&file, block).unwrap();
    let step = yaml(&file);
    let script = step[0]["run"].as_str().unwrap();
    for (now, next, code) in EDGES {
        let folder = repository(now, next);
        let (ended, said) = shell(&["-e", "-c"], script, folder.path());
        assert_eq!(ended, Some(code), "{now} {next}: {said}");
        let word = said.lines().find_map(|line| line.strip_prefix("::stop-commands::")).unwrap();
        let obeyed = said.split(&format!("\n::{word}::\n")).nth(1).unwrap();
        assert_eq!(obeyed.contains("::error title=wafcanary::FAIL"), code == 1, "{said}");
    }
}
