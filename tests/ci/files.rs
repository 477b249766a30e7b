//! The files of pipelines, by the schemas and checkers of others.

use std::process::Command;

use super::{files, passes, python_program, root};

fn check_schema(schema: &str, more: &[&str], paths: &[std::path::PathBuf]) {
    assert!(!paths.is_empty());
    let mut command = python_program("check-jsonschema");
    command.args(["--builtin-schema", schema]).args(more).args(paths);
    passes(command);
}

#[test]
fn action_workflows_and_recipes_are_valid_by_their_schemas() {
    check_schema("vendor.github-actions", &[], &[root().join("action.yml")]);
    let mut workflows = files(".github/workflows", &[".yml"]);
    workflows.extend(files("docs/ci", &["github-workflow.yml"]));
    check_schema("vendor.github-workflows", &[], &workflows);
    let transform = ["--data-transform", "gitlab-ci"];
    check_schema("vendor.gitlab-ci", &transform, &[root().join("docs/ci/gitlab-ci.yml")]);
    let mut wrong = python_program("check-jsonschema");
    wrong.args(["--builtin-schema", "vendor.github-actions"]).arg(root().join("docs/ci/github-workflow.yml"));
    assert!(!wrong.output().unwrap().status.success());
}

#[test]
fn an_auditor_of_workflows_finds_no_way_in() {
    let mut zizmor = python_program("zizmor");
    // A recipe names a repository that is not there, and a low finding asks for a way of writing that is younger than runners are.
    zizmor.args(["--offline", "--no-progress", "--min-severity", "medium"]);
    passes({
        zizmor.arg(root().join("action.yml")).arg(root().join(".github/workflows"));
        zizmor
    });
    let folder = tempfile::tempdir().unwrap();
    let action = std::fs::read_to_string(root().join("action.yml")).unwrap();
    let open = action.replace("run: exit \"$CODE\"", "run: exit ${{ inputs.baseline }}");
    assert_ne!(open, action);
    std::fs::write(folder.path().join("action.yml"), open).unwrap();
    let mut zizmor = python_program("zizmor");
    zizmor.args(["--offline", "--no-progress", "--min-severity", "medium"]).arg(folder.path().join("action.yml"));
    assert!(!zizmor.output().unwrap().status.success());
}

#[test]
fn the_scripts_pass_shellcheck() {
    let scripts = [files(".github/action", &[".sh"]), files("docs/ci", &[".sh"])].concat();
    assert_eq!(scripts.len(), 4, "{scripts:?}");
    let mut shellcheck = Command::new("shellcheck");
    shellcheck.arg("--norc").args(&scripts);
    passes(shellcheck);
}

#[test]
fn the_actions_table_of_inputs_is_that_of_the_action() {
    let page = std::fs::read_to_string(root().join("docs/ci/github.md")).unwrap();
    let action = std::fs::read_to_string(root().join("action.yml")).unwrap();
    let part = |from: &str, to: &str| {
        let start = action.find(from).unwrap() + from.len();
        let text = &action[start..start + action[start..].find(to).unwrap()];
        let names = text.lines().filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'));
        names.filter(|name| !name.starts_with(' ')).map(str::to_owned).collect::<Vec<_>>()
    };
    let names = [part("\ninputs:\n", "\noutputs:\n"), part("\noutputs:\n", "\nruns:\n")].concat();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        assert!(page.contains(&format!("`{name}`")), "`{name}` is not documented");
    }
}
