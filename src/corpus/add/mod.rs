//! `corpus add`: files copied into a corpus, and its manifest continued.

mod known;
mod licence;
mod lock;
mod slug;
mod text;
mod write;

use std::path::{Path, PathBuf};
use std::{fs, io};

pub use lock::Lock;
pub(crate) use text::quoted;
pub(crate) use write::Staged;

use super::folder::{DROPPINGS, is_dropping};
use super::lint::{Hint, near_procedure};
use super::manifest::{self, Page};
use super::metadata::Field;
use super::store::told;
use super::{Content, Sha256Digest, folder};
use crate::error::{Error, Result};
use known::{Known, Verdict};
use text::continued;
use write::Made;

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
    /// What was left out, as it should be.
    pub notes: Vec<String>,
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
    pub hints: Vec<Hint>,
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
        let (mut files, mut notes) = (Vec::new(), Vec::new());
        for path in &addition.files {
            match files_of(path) {
                Ok(found) => {
                    files.extend(found.files);
                    warnings.extend(found.warnings);
                    notes.extend(found.note);
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
        if let Some(licence) = addition.licence.as_ref().filter(|licence| !licence::is_expression(licence)) {
            let error = Error::usage(format!("`{licence}` is no SPDX licence expression")).key("--licence");
            errors.push(error.help(
                "write identifiers of https://spdx.org/licenses/ joined by AND, OR and WITH, or `LicenseRef-` and a name of your own",
            ));
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
            notes,
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

    /// Copies the files, then puts the new manifest in the place of the old one. The folder's [`Lock`] is held.
    ///
    /// Killed at any moment, it leaves a whole manifest: the old one, or the new one with all its files.
    ///
    /// # Errors
    /// When something cannot be written, or changed since the plan was made. What was made is taken back then.
    pub fn apply(&self) -> Result<()> {
        if self.added.is_empty() {
            return Ok(());
        }
        let mut made = Made::default();
        self.write(&mut made)?;
        made.keep();
        Ok(())
    }

    fn write(&self, made: &mut Made) -> Result<()> {
        let manifest = self.manifest();
        let cannot = |error: &io::Error| {
            let error = Error::usage(format!("cannot write the corpus: {}", told(error))).file(&self.root);
            error.help(format!("make the folder writable; {}", self.untouched()))
        };
        made.folder(&self.root).map_err(|error| cannot(&error))?;
        let mut before = (!self.creates_manifest).then_some(self.before.as_str());
        self.unchanged(before)?;
        if self.creates_manifest && self.taken_over > 0 {
            // Listed before anything is copied, the files of a folder without a manifest are never mistaken for others.
            let staged = Staged::bytes(&self.root, self.before.as_bytes()).map_err(|error| cannot(&error))?;
            staged.place(&manifest).map_err(|error| cannot(&error))?;
            made.file(manifest.clone());
            before = Some(&self.before);
        }
        for (staged, to) in self.copy(made)? {
            staged.place(&to).map_err(|error| self.cannot_write(&to, &error))?;
            made.file(to);
        }
        self.unchanged(before)?;
        // A link to a manifest stays one.
        let real = manifest.canonicalize().unwrap_or(manifest);
        let staged = Staged::bytes(real.parent().unwrap_or(&self.root), self.after.as_bytes());
        let done = staged.and_then(|staged| if before.is_some() { staged.replace(&real) } else { staged.place(&real) });
        done.map_err(|error| cannot(&error))
    }

    /// Refuses a manifest that is no longer what the plan was made for.
    fn unchanged(&self, before: Option<&str>) -> Result<()> {
        let manifest = self.manifest();
        let same = match (fs::read(&manifest), before) {
            (Ok(now), Some(before)) => now == before.as_bytes(),
            (Err(error), None) => error.kind() == io::ErrorKind::NotFound,
            _ => false,
        };
        if same {
            return Ok(());
        }
        let error = Error::usage("the manifest changed while files were added").file(&manifest);
        Err(error.help("nothing was added to it: run the command again"))
    }

    /// The files, each whole beside its place.
    fn copy(&self, made: &mut Made) -> Result<Vec<(Staged, PathBuf)>> {
        let mut all = Vec::new();
        for added in &self.added {
            let to = self.root.join(&added.file);
            let Some(folder) = to.parent() else { continue };
            let staged = match &added.origin {
                Origin::InPlace => continue,
                Origin::Bytes(bytes) => made.folder(folder).and_then(|()| Staged::bytes(folder, bytes)),
                Origin::Copy(from) => made.folder(folder).and_then(|()| Staged::copy(folder, from)),
            };
            let staged = staged.map_err(|error| self.cannot_write(&to, &error))?;
            let arrived = Content::from_file(staged.path()).map_err(|error| self.cannot_write(&to, &error))?;
            if arrived.sha256() != added.sha256 {
                let error = Error::usage("the file changed while it was being copied").file(&to);
                return Err(error.help("run the command again"));
            }
            all.push((staged, to));
        }
        Ok(all)
    }

    fn cannot_write(&self, to: &Path, error: &io::Error) -> Error {
        let error = Error::usage(format!("cannot write the file: {}", told(error))).file(to);
        error.help(format!("make the folder writable; {}", self.untouched()))
    }

    fn untouched(&self) -> &'static str {
        if self.creates_manifest { "no manifest was made" } else { "the manifest is as it was" }
    }
}

/// The files that an argument stands for.
#[derive(Default)]
struct Given {
    files: Vec<PathBuf>,
    warnings: Vec<String>,
    /// What was left out of a folder.
    note: Option<String>,
}

fn files_of(path: &Path) -> std::result::Result<Given, Vec<Error>> {
    let metadata = fs::metadata(path).map_err(|error| {
        let error = Error::usage(format!("cannot read this file: {}", told(&error))).file(path);
        vec![error.help("give files, or folders of files")]
    })?;
    if metadata.is_dir() {
        let (all, warnings) = folder::files(path)?;
        let (left_out, files): (Vec<PathBuf>, Vec<PathBuf>) = all.into_iter().partition(|file| is_dropping(file));
        let note = (!left_out.is_empty()).then(|| {
            let (folder, count, names) = (path.display(), left_out.len(), DROPPINGS.join("`, `"));
            format!("left out of `{folder}`: {count} that Git or a system left there (`{names}`); name one to add it")
        });
        return Ok(Given { files: files.iter().map(|file| path.join(file)).collect(), warnings, note });
    }
    if !metadata.is_file() {
        let error = Error::usage("this is no regular file").file(path);
        return Err(vec![error.help("give files, or folders of files")]);
    }
    Ok(Given { files: vec![path.to_path_buf()], ..Given::default() })
}
