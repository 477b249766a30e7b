//! The hooks for pre-commit, by pre-commit itself.

use std::path::Path;
use std::process::Command;

use super::{passes, python_program, root, scrubbed, text};

#[test]
fn pre_commit_accepts_the_manifest_of_hooks() {
    let mut command = python_program("pre-commit");
    command.arg("validate-manifest").arg(root().join(".pre-commit-hooks.yaml"));
    passes(command);
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=test", "-c", "user.email=test@example.invalid", "-c", "commit.gpgsign=false"]);
    passes(scrubbed(
        {
            git.args(arguments);
            git
        },
        folder,
    ));
}

/// A repository whose hooks are ours word for word, but for their language: the program is there already, and is not built again.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let hooks = std::fs::read_to_string(root().join(".pre-commit-hooks.yaml")).unwrap();
    assert_eq!(hooks.matches("language: rust").count(), hooks.matches("- id: ").count());
    let hooks = hooks.replace("language: rust", "language: system");
    let hooks = hooks.replace("entry: wafcanary", &format!("entry: {}", env!("CARGO_BIN_EXE_wafcanary")));
    let lines = hooks.lines().filter(|line| !line.starts_with('#')).map(|line| format!("      {line}"));
    let hooks = lines.collect::<Vec<_>>().join("\n") + "\n";
    let hooks = hooks.replace(
        "pass_filenames: false",
        "pass_filenames: false\n        args: [attachments]\n        files: ^attachments/",
    );
    std::fs::write(
        folder.path().join(".pre-commit-config.yaml"),
        format!("repos:\n  - repo: local\n    hooks:\n{hooks}"),
    )
    .unwrap();
    std::fs::create_dir_all(folder.path().join("attachments")).unwrap();
    std::fs::create_dir_all(folder.path().join("profiles")).unwrap();
    git(folder.path(), &["init", "--quiet"]);
    folder
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(folder.join(name), bytes).unwrap();
    git(folder, &["add", "--all"]);
}

/// Runs the hooks over what is staged: whether they pass, and what they say.
fn hooks(folder: &Path) -> (bool, String) {
    let mut command = scrubbed(python_program("pre-commit"), folder);
    command.args(["run", "--verbose", "--color", "never"]).env("PRE_COMMIT_HOME", folder.join(".git/pre-commit"));
    let output = command.output().unwrap();
    (output.status.success(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn the_hooks_pass_what_is_sound_and_stop_what_is_not() {
    let repository = repository();
    let folder = repository.path();
    write(folder, "attachments/plan.pdf", &std::fs::read(root().join("corpus/files/pdf/plan-a1.pdf")).unwrap());
    for name in ["base", "standard", "upper"] {
        let text = std::fs::read(root().join(format!("profiles/lab/{name}.toml"))).unwrap();
        write(folder, &format!("profiles/{name}.toml"), &text);
    }
    let (passed, said) = hooks(folder);
    assert!(passed, "{said}");
    assert!(said.contains("1 attachment, 0 errors"), "{said}");
    assert_eq!(said.matches("is sound").count(), 3, "{said}");

    write(folder, "profiles/upper.toml", b"[target]\nurll = \"http://upload.example/\"\n");
    let (passed, said) = hooks(folder);
    assert!(!passed && said.contains("unknown key `urll`") && said.contains("profiles/upper.toml:2"), "{said}");
    git(folder, &["rm", "--quiet", "--force", "profiles/upper.toml"]);

    let entry = b"schema_version = 1\nname = \"forms\"\n[[attachment]]\nid = \"pdf/plan\"\nfile = \"plann.pdf\"\n";
    write(folder, "attachments/manifest.toml", entry);
    let (passed, said) = hooks(folder);
    assert!(!passed && said.contains("plann.pdf"), "{said}");
}
