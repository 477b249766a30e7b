//! The waivers file: read anew for each decision, and whole after each.

use std::io;
use std::path::{Path, PathBuf};

use crate::compare::waiver::Waivers;
use crate::compare::{Acceptance, accept};
use crate::corpus::add::{Lock, Staged};
use crate::error::{Error, Result};

/// Where waivers are kept.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
}

/// What a decision made of the file.
#[derive(Debug)]
pub(super) struct Change {
    /// Its text before; `None`: there was no file.
    pub(super) before: Option<String>,
    pub(super) after: String,
}

impl Store {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its waivers; none where there is no file.
    pub(super) fn waivers(&self) -> Result<Waivers> {
        Waivers::parse(&self.read()?.unwrap_or_default(), &self.path)
    }

    fn read(&self) -> Result<Option<String>> {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                let error = Error::usage(format!("cannot read the waivers: {error}")).file(&self.path);
                Err(error.key("--waivers").help("check the path"))
            }
        }
    }

    /// What the file would become.
    pub(super) fn plan(&self, accepted: &[Acceptance]) -> Result<Change> {
        let before = self.read()?;
        let after = accept(before.as_deref().unwrap_or_default(), &self.path, accepted)?;
        Ok(Change { before, after })
    }

    /// Takes these waivers into the file. Killed at any moment, it leaves the old file or the new one.
    pub(super) fn write(&self, accepted: &[Acceptance], waiting: impl FnMut()) -> Result<Change> {
        let _lock = Lock::take(&self.folder(), "waivers", waiting)?;
        let change = self.plan(accepted)?;
        self.put(change.before.is_some(), &change.after)?;
        Ok(change)
    }

    /// Takes a change back. `false`: the file is no longer what the change made of it, and stays.
    pub(super) fn undo(&self, change: &Change, waiting: impl FnMut()) -> Result<bool> {
        let _lock = Lock::take(&self.folder(), "waivers", waiting)?;
        if self.read()?.as_ref() != Some(&change.after) {
            return Ok(false);
        }
        match &change.before {
            Some(before) => self.put(true, before)?,
            None => std::fs::remove_file(&self.path).map_err(|error| self.cannot(&error))?,
        }
        Ok(true)
    }

    fn put(&self, exists: bool, text: &str) -> Result<()> {
        // A link to the file stays one.
        let real = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        let folder = real.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let staged = Staged::bytes(folder, text.as_bytes());
        let done = staged.and_then(|staged| if exists { staged.replace(&real) } else { staged.place(&real) });
        done.map_err(|error| self.cannot(&error))
    }

    /// The folder of the file itself, so that those who come by different links wait for each other.
    fn folder(&self) -> PathBuf {
        let real = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        let folder = real.parent().filter(|folder| !folder.as_os_str().is_empty());
        folder.unwrap_or(Path::new(".")).to_path_buf()
    }

    fn cannot(&self, error: &io::Error) -> Error {
        let error = Error::usage(format!("cannot write the waivers: {error}")).file(&self.path);
        error.key("--waivers").help("make the folder writable, or name another file; what was waived before is in it")
    }
}
