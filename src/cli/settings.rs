//! `wafcanary.toml`: what a repository says once instead of in every call.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::Global;
use super::console::Console;
use super::options::SetName;
use crate::compare::Policy;
use crate::error::{Error, Result};

/// Name of the configuration file.
const NAME: &str = "wafcanary.toml";

/// `wafcanary.toml`. Paths are relative to its folder.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Folder of attachments.
    pub(crate) corpus: Option<PathBuf>,
    /// `smoke`, `standard` or `full`.
    #[schemars(with = "Option<String>")]
    pub(crate) set: Option<SetName>,
    /// Profile of `run`.
    pub(crate) profile: Option<PathBuf>,
    /// Profile or stored run of `compare`: the edge as it is.
    pub(crate) baseline: Option<PathBuf>,
    /// Profile or stored run of `compare`: the edge as it will be.
    pub(crate) candidate: Option<PathBuf>,
    /// File of accepted findings.
    pub(crate) waivers: Option<PathBuf>,
    /// What the gate tolerates.
    #[serde(default)]
    pub(crate) gate: Policy,
}

impl Settings {
    /// Reads `--config`, or the first `wafcanary.toml` (or `.config/wafcanary.toml`) from the working folder upwards to
    /// the repository's root. None: the built-in settings.
    pub(crate) fn find(global: &Global, console: &Console) -> Result<Self> {
        let found = match &global.config {
            Some(path) => Some(path.clone()),
            None if global.no_config => None,
            None => std::env::current_dir().ok().and_then(|folder| upwards(&folder)),
        };
        let Some(path) = found else {
            if global.verbose {
                console.note("no wafcanary.toml is used");
            }
            return Ok(Self::default());
        };
        if global.verbose {
            console.note(&format!("configuration: {}", path.display()));
        }
        Self::read(&path)
    }

    fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::usage(format!("cannot read the configuration: {error}")).file(path).help("check `--config`")
        })?;
        let gate = Policy::parse(&text, path)?;
        let mut settings: Self = toml::from_str(&text).map_err(|error| {
            let span = error.span().unwrap_or_default();
            Error::usage(error.message()).file(path).span(text.as_str(), span).help(
                "the keys are `corpus`, `set`, `profile`, `baseline`, `candidate`, `waivers` and the table `[gate]`; \
                 `wafcanary generate schema DIR` writes their schema",
            )
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for file in [
            &mut settings.corpus,
            &mut settings.profile,
            &mut settings.baseline,
            &mut settings.candidate,
            &mut settings.waivers,
        ]
        .into_iter()
        .flatten()
        {
            *file = folder.join(&*file);
        }
        settings.gate = gate;
        Ok(settings)
    }
}

fn upwards(folder: &Path) -> Option<PathBuf> {
    for folder in folder.ancestors() {
        for name in [NAME.into(), Path::new(".config").join(NAME)] {
            let path = folder.join(name);
            if path.is_file() {
                return Some(path);
            }
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}
