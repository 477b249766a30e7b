//! `corpus add`: files copied into a corpus, and its manifest continued.

mod known;
mod slug;
mod text;
mod write;

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::lint::near_procedure;
use super::manifest::{self, Page};
use super::metadata::Field;
use super::store::told;
use super::{Content, Sha256Digest, folder};
use crate::error::{Error, Result};
use known::{Known, Verdict};
use text::continued;
use write::{copy, replace};

/// What to add, and what to say of it.
#[derive(Debug, Clone, Default)]
pub struct Addition {
    /// Files, and folders whose files are all added.
    pub files: Vec<PathBuf>,
    /// The id of the one file; by default it is made from format and filename.
    pub id: Option<String>,
    /// Procedures that receive them.
    pub procedures: Vec<String>,
    /// Labels.
    pub tags: Vec<String>,
    /// Share of real submissions.
    pub weight: Option<f64>,
    /// Where they come from; by default the program that wrote each, where it says so.
    pub source: Option<String>,
    /// SPDX licence expression.
    pub licence: Option<String>,
    /// Whether their metadata are removed.
    pub scrub: bool,
    /// The date of today, for `source`.
    pub today: String,
}

/// What adding comes to; nothing is written before [`Plan::apply`].
#[derive(Debug)]
pub struct Plan {
    root: PathBuf,
    /// The manifest's text before; where there was none, that of the new one.
    before: String,
    after: String,
    /// Whether there was no manifest.
    pub creates_manifest: bool,
    /// Files of a folder without a manifest that the new one lists.
    pub taken_over: usize,
    /// The files, in the order of the arguments.
    pub added: Vec<Added>,
    /// Files that are in the corpus already, with their ids.
    pub present: Vec<(PathBuf, String)>,
    /// What looks like a mistake.
    pub warnings: Vec<String>,
}

/// One file to add.
#[derive(Debug)]
pub struct Added {
    /// Its id.
    pub id: String,
    /// Its path relative to the manifest.
    pub file: String,
    /// The filename that it is sent with.
    pub filename: String,
    /// Bytes, after scrubbing.
    pub bytes: u64,
    /// What was removed from it.
    pub removed: Vec<Field>,
    /// What may be personal data and is still in it.
    pub hints: Vec<String>,
    sha256: Sha256Digest,
    source: String,
    origin: Origin,
}

/// Where the bytes come from.
#[derive(Debug)]
enum Origin {
    /// They are copied from there.
    Copy(PathBuf),
    /// They are what scrubbing left.
    Bytes(Vec<u8>),
    /// They lie in the corpus's folder already.
    InPlace,
}

impl Plan {
    /// Finds out what adding to the corpus in the folder `root` comes to.
    ///
    /// # Errors
    /// Everything that stands against it: nothing is added then. A corpus that is not sound, files that cannot be read or
    /// scrubbed, controls. Never empty.
    pub fn new(root: &Path, addition: &Addition) -> std::result::Result<Self, Vec<Error>> {
        let mut known = Known::open(root, addition)?;
        let mut errors = Vec::new();
        let mut warnings = std::mem::take(&mut known.warnings);
        let mut files = Vec::new();
        for path in &addition.files {
            match files_of(path) {
                Ok((found, left_out)) => {
                    files.extend(found);
                    warnings.extend(left_out);
                }
                Err(more) => errors.extend(more),
            }
        }
        if addition.id.is_some() && files.len() > 1 {
            let error = Error::usage(format!("`--id` names one file, and {} are given", files.len())).key("--id");
            errors.push(error.help("add them one by one, or leave `--id` out"));
        }
        if addition.weight.is_some_and(|weight| !weight.is_finite() || weight < 0.0) {
            errors.push(Error::usage("a weight is a number from 0 up").key("--weight").help("1 is usual"));
        }
        for procedure in &addition.procedures {
            if let Some(near) = near_procedure(procedure, known.procedures.iter().map(String::as_str)) {
                warnings.push(format!("no attachment has the procedure `{procedure}` yet: is `{near}` meant?"));
            }
        }
        let mut plan = Self {
            root: root.to_path_buf(),
            before: known.text.clone(),
            after: String::new(),
            creates_manifest: known.creates_manifest,
            taken_over: known.taken_over,
            added: Vec::new(),
            present: Vec::new(),
            warnings,
        };
        for path in files {
            match known.file(&path, addition) {
                Ok(Verdict::Add(added)) => plan.added.push(*added),
                Ok(Verdict::Present(id)) => plan.present.push((path, id)),
                Ok(Verdict::Manifest) => {}
                Err(error) => errors.push(error),
            }
        }
        plan.after = continued(&plan.before, &plan.added, addition);
        if errors.is_empty() {
            // Text that is appended fits any manifest whose attachments are tables of their own.
            let page = Page { path: plan.manifest().into(), text: plan.after.as_str().into() };
            if page.parse().is_err() {
                let error = Error::usage("the manifest cannot be continued: its attachments are written inline");
                errors.push(error.file(plan.manifest()).help("write each as an `[[attachment]]` of its own"));
            }
        }
        if errors.is_empty() { Ok(plan) } else { Err(errors) }
    }

    /// The path of the manifest.
    #[must_use]
    pub fn manifest(&self) -> PathBuf {
        self.root.join(manifest::FILE_NAME)
    }

    /// Copies the files, then puts the new manifest in the place of the old one.
    ///
    /// Killed at any moment, it leaves a whole manifest: the old one, or the new one with all its files.
    ///
    /// # Errors
    /// When something cannot be written, or changed since the plan was made. The manifest is the old one then.
    pub fn apply(&self) -> Result<()> {
        if self.added.is_empty() {
            return Ok(());
        }
        let manifest = self.manifest();
        let cannot = |error: &io::Error| {
            let error = Error::usage(format!("cannot write the corpus: {}", told(error))).file(&self.root);
            error.help("make the folder writable; the corpus is as it was")
        };
        fs::create_dir_all(&self.root).map_err(|error| cannot(&error))?;
        if self.creates_manifest {
            // Listed before anything is copied, the files of a folder without a manifest are never mistaken for others.
            replace(&manifest, self.before.as_bytes()).map_err(|error| cannot(&error))?;
        }
        let mut written = Vec::new();
        let done = self.copy(&mut written).and_then(|()| {
            if fs::read(&manifest).map_err(|error| cannot(&error))? != self.before.as_bytes() {
                let error = Error::usage("the manifest changed while files were added").file(&manifest);
                return Err(error.help("nothing was added to it: run the command again"));
            }
            replace(&manifest, self.after.as_bytes()).map_err(|error| cannot(&error))
        });
        if done.is_err() {
            for path in written {
                // What cannot be removed lies there unlisted, and harms nothing.
                let _ = fs::remove_file(path);
            }
        }
        done
    }

    fn copy(&self, written: &mut Vec<PathBuf>) -> Result<()> {
        for added in &self.added {
            let to = self.root.join(&added.file);
            let cannot = |error: &io::Error| {
                let error = Error::usage(format!("cannot write the file: {}", told(error))).file(&to);
                error.help("make the folder writable; the manifest is as it was")
            };
            let Some(folder) = to.parent() else { continue };
            match &added.origin {
                Origin::InPlace => continue,
                Origin::Bytes(bytes) => {
                    fs::create_dir_all(folder).and_then(|()| replace(&to, bytes)).map_err(|error| cannot(&error))?;
                }
                Origin::Copy(from) => {
                    fs::create_dir_all(folder).and_then(|()| copy(from, &to)).map_err(|error| cannot(&error))?;
                }
            }
            written.push(to.clone());
            let arrived = Content::from_file(&to).map_err(|error| cannot(&error))?;
            if arrived.sha256() != added.sha256 {
                let error = Error::usage("the file changed while it was being copied").file(&to);
                return Err(error.help("run the command again"));
            }
        }
        Ok(())
    }
}

/// The files that an argument stands for, and what was left out.
fn files_of(path: &Path) -> std::result::Result<(Vec<PathBuf>, Vec<String>), Vec<Error>> {
    let metadata = fs::metadata(path).map_err(|error| {
        let error = Error::usage(format!("cannot read this file: {}", told(&error))).file(path);
        vec![error.help("give files, or folders of files")]
    })?;
    if metadata.is_dir() {
        let (files, warnings) = folder::files(path)?;
        return Ok((files.iter().map(|file| path.join(file)).collect(), warnings));
    }
    if !metadata.is_file() {
        let error = Error::usage("this is no regular file").file(path);
        return Err(vec![error.help("give files, or folders of files")]);
    }
    Ok((vec![path.to_path_buf()], Vec::new()))
}
