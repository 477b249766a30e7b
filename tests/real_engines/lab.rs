//! The engines, brought up once for all tests of this file.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Seconds after which a command is ended: it hangs.
const PATIENCE: &str = "300";

/// `engines.sh` counts so many ports from its `PORT_BASE`.
const PORTS: u16 = 93;

/// Below the ports that Linux gives out by itself.
const BASES: std::ops::Range<u16> = 20_000..32_000;

/// Times that other ports are tried when a program takes one meanwhile.
const MOST_TRIES: u16 = 8;

/// Engines in a folder of their own.
pub(crate) struct Engines {
    dir: PathBuf,
    base: u16,
    /// Ends the engines and removes the folder once its standard input closes, be it that this process was killed.
    _keeper: Child,
}

/// What a command did.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engines/engines.sh")
}

/// All engines, for one test at a time: the logs that hold no id can then be told apart by when they were written.
pub(crate) fn lab() -> MutexGuard<'static, Engines> {
    static LAB: OnceLock<Result<Mutex<Engines>, String>> = OnceLock::new();
    let lab = LAB.get_or_init(|| Engines::start("", "packaged", None).map(Mutex::new));
    match lab {
        Ok(lab) => lab.lock().unwrap_or_else(PoisonError::into_inner),
        Err(why) => panic!("{why}"),
    }
}

impl Engines {
    /// Brings up those that `only` names (all when empty) with the rules of `crs`, before `origin` or one of their own.
    pub(crate) fn start(only: &str, crs: &str, origin: Option<&str>) -> Result<Self, String> {
        let dir = tempfile::Builder::new().prefix("wafcanary-engines-").tempdir().unwrap().keep();
        let mut keeper = Command::new("setsid");
        keeper.args(["sh", "-c", r#"cat; "$0" down "$1"; rm -rf "$1""#]).arg(script()).arg(&dir);
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut engines = Self { dir, base: 0, _keeper: keeper.spawn().unwrap() };
        let mut said = String::new();
        for number in 0..MOST_TRIES {
            engines.base = free_base(number);
            let ran = engines.up(only, crs, origin);
            if ran.code == Some(0) {
                return Ok(engines);
            }
            said = ran.err;
            if !said.contains("is taken by another program") {
                break;
            }
        }
        Err(format!(
            "the real engines do not start:\n{said}\n`tests/all.sh` installs their packages. By hand: \
             sudo apt-get install --no-install-recommends $(tests/engines/engines.sh packages)"
        ))
    }

    fn up(&self, only: &str, crs: &str, origin: Option<&str>) -> Ran {
        let mut command = Command::new("timeout");
        command.arg(PATIENCE).arg(script()).arg("up").arg(&self.dir);
        for name in ["AUDIT_FORMAT", "AUDIT_TYPE", "ORIGIN", "ORIGIN_COMMAND"] {
            command.env_remove(name);
        }
        command.env("ONLY", only).env("CRS", crs).env("PORT_BASE", self.base.to_string());
        match origin {
            Some(origin) => command.env("ORIGIN", origin),
            // NOTE: the words of a command line; neither path holds a blank.
            None => command.env(
                "ORIGIN_COMMAND",
                format!("{} origin --log {}", env!("CARGO_BIN_EXE_wafcanary"), self.origin_log().display()),
            ),
        };
        scrub(&mut command);
        Ran::of(&command.stdin(Stdio::null()).output().unwrap())
    }

    /// Puts the rules of a file, or none, before the Core Rule Set of an engine.
    pub(crate) fn reload(&self, engine: &str, file: Option<&Path>) -> Ran {
        let mut command = Command::new("timeout");
        command.arg(PATIENCE).arg(script()).arg("reload").arg(&self.dir).arg(engine).args(file);
        scrub(&mut command);
        Ran::of(&command.stdin(Stdio::null()).output().unwrap())
    }

    /// The shell command that does it with the exclusions that are tried.
    pub(crate) fn reload_command(&self, engine: &str) -> String {
        format!("'{}' reload '{}' {engine} \"$WAFCANARY_SNIPPET\"", script().display(), self.dir.display())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Address and port of its origin.
    pub(crate) fn origin(&self) -> String {
        format!("127.0.0.1:{}", self.base + 1)
    }

    /// One line for each upload that reached the origin.
    pub(crate) fn origin_log(&self) -> PathBuf {
        self.path("origin.jsonl")
    }

    /// A log of an engine.
    pub(crate) fn log(&self, engine: &str, name: &str) -> PathBuf {
        self.path(&format!("logs/{engine}/{name}"))
    }

    /// The profile by which an engine is asked.
    pub(crate) fn profile(&self, name: &str) -> String {
        self.path(&format!("profiles/{name}.toml")).display().to_string()
    }

    /// Names of all profiles: an engine each, and `NAME-h2` where it speaks HTTP/2.
    pub(crate) fn profiles(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.path("profiles"))
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .filter(|name| name != "base")
            .collect();
        names.sort();
        names
    }

    /// Runs the program in a folder without configuration.
    pub(crate) fn wafcanary(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new("timeout");
        command
            .args([PATIENCE, env!("CARGO_BIN_EXE_wafcanary")])
            .args(arguments)
            .args(["--no-config", "--no-progress"]);
        scrub(&mut command);
        Ran::of(&command.current_dir(&self.dir).stdin(Stdio::null()).output().unwrap())
    }

    /// A new folder for a record.
    pub(crate) fn out(&self) -> PathBuf {
        tempfile::Builder::new().prefix("out-").tempdir_in(&self.dir).unwrap().keep()
    }
}

fn scrub(command: &mut Command) {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("WAFCANARY_")) {
        command.env_remove(name);
    }
    command.env_remove("GITHUB_OUTPUT").env("NO_COLOR", "1");
}

/// A number from which all ports are free for now.
fn free_base(number: u16) -> u16 {
    let steps = (BASES.end - BASES.start) / PORTS;
    let first = u16::try_from(std::process::id() % u32::from(steps)).unwrap() + number;
    (0..steps)
        .map(|step| BASES.start + (first + step) % steps * PORTS)
        .find(|base| (*base..base + PORTS).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()))
        .expect("no row of free ports")
}
