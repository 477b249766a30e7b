//! What is sent: a folder of attachments with a manifest, multiplied by axes into cases.

pub mod add;
mod canary;
pub mod case;
pub mod client;
pub mod content;
pub mod control;
mod cover;
mod digest;
mod folder;
pub mod kind;
pub mod lint;
mod load;
pub mod manifest;
pub mod metadata;
pub mod name;
pub mod name_class;
pub mod pad;
pub mod select;
pub mod stats;
mod store;
pub mod variant;

use std::fs;
use std::path::Path;

pub use canary::{CANARY_ID, canary};
pub use case::{
    Attachment, Beside, Case, CaseId, DeclaredType, Fidelity, Filename, FormOverrides, Intent, PageCharset, Provenance,
    Transport, Trips,
};
pub use client::Client;
pub use content::{Content, Hex, Piece, Sha256Digest, Stamp};
pub use digest::selection_digest;
pub use kind::Kind;
pub use lint::{Level, Lint, lint};
pub use manifest::schema;
pub use name::NameForm;
pub use name_class::NameClass;
pub use select::{Selection, Set};
pub use stats::{SizeClass, Stats};
pub use variant::{Axes, Entry};

use crate::error::{Error, Result};
use manifest::Page;
use store::Store;

/// Attachments and what multiplies them, every value checked and every file digested.
#[derive(Debug, Clone)]
pub struct Corpus {
    /// Name in reports: the manifest's, or the folder's.
    pub name: String,
    /// Digest of all that the manifest and the files say about what is sent.
    pub digest: Sha256Digest,
    /// The attachments, in the manifest's order, or sorted by path.
    pub attachments: Vec<Entry>,
    /// What was left out and looks like a mistake, for people to read.
    pub warnings: Vec<String>,
    /// Axis values and pairs that some attachments cannot have, and need not: for `corpus check`.
    pub notes: Vec<String>,
}

impl Corpus {
    /// Opens a folder: by its manifest, or, where it has none, with each file below it as an attachment.
    ///
    /// # Errors
    /// The first of [`Corpus::open_collecting`]'s.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_collecting(path).map_err(first)
    }

    /// As [`Corpus::open`], with every error that there is.
    ///
    /// # Errors
    /// Each names file, line and key: unknown keys and values, duplicate ids, missing and changed files, sizes that
    /// cannot be had, controls without a twin, an empty corpus. Never empty.
    pub fn open_collecting(path: &Path) -> std::result::Result<Self, Vec<Error>> {
        let metadata = fs::metadata(path).map_err(|error| {
            let error = Error::usage(format!("cannot open the corpus: {}", store::told(&error))).file(path);
            vec![error.help("give a folder of files to upload, with or without a `manifest.toml`")]
        })?;
        if !metadata.is_dir() {
            let error = Error::usage("the corpus is a file, and a folder is wanted").file(path);
            return Err(vec![error.help("give the folder that holds it; with `--case` a single file of it is sent")]);
        }
        let manifest = path.join(manifest::FILE_NAME);
        match fs::read(&manifest) {
            Ok(bytes) => Self::load(&Store::Folder(path.to_path_buf()), &bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && fs::symlink_metadata(&manifest).is_err() => {
                let found = folder::open(path)?;
                let name =
                    path.canonicalize().ok().and_then(|real| Some(real.file_name()?.to_string_lossy().into_owned()));
                Ok(Self::of(name.unwrap_or_else(|| "folder".into()), found.entries, found.warnings))
            }
            Err(error) => {
                let message = format!("cannot read the manifest: {}", store::told(&error));
                Err(vec![Error::usage(message).file(manifest).help("make it a readable file, or remove it")])
            }
        }
    }

    /// The corpus that is part of the program.
    ///
    /// # Errors
    /// When the program was built without one, or it is not sound.
    pub fn builtin() -> Result<Self> {
        let store = Store::Embedded(store::EMBEDDED);
        let Some((_, bytes)) = store::EMBEDDED.iter().find(|(path, _)| *path == manifest::FILE_NAME) else {
            let error = Error::usage("this program was built without a corpus");
            return Err(error.help("give one with `--corpus`, or build the program from a whole checkout"));
        };
        Self::load(&store, bytes).map_err(first)
    }

    /// The attachments of a folder whose manifest has these bytes; there may be none.
    fn entries(root: &Path, manifest: &[u8]) -> std::result::Result<Vec<Entry>, Vec<Error>> {
        Ok(Self::loaded(&Store::Folder(root.to_path_buf()), manifest)?.entries)
    }

    fn load(store: &Store, manifest: &[u8]) -> std::result::Result<Self, Vec<Error>> {
        let loaded = Self::loaded(store, manifest)?;
        if loaded.entries.is_empty() {
            let error = Error::usage("the corpus is empty: its manifest has no attachment").file(store.manifest_path());
            return Err(vec![error.help("add files with `wafcanary corpus add`; an empty corpus can prove nothing")]);
        }
        Ok(Self::of(loaded.name, loaded.entries, Vec::new()))
    }

    fn loaded(store: &Store, manifest: &[u8]) -> std::result::Result<load::Loaded, Vec<Error>> {
        let path = store.manifest_path();
        let text = std::str::from_utf8(manifest).map_err(|error| {
            let message = format!("the manifest is not UTF-8: byte {} is wrong", error.valid_up_to());
            vec![Error::usage(message).file(&path).help("save it as UTF-8")]
        })?;
        load::load(store, Page { path: path.into(), text: text.into() })
    }

    fn of(name: String, attachments: Vec<Entry>, mut warnings: Vec<String>) -> Self {
        let left_out = variant::left_out(&attachments);
        warnings.extend(left_out.warnings);
        Self { name, digest: digest::corpus_digest(&attachments), attachments, warnings, notes: left_out.notes }
    }
}

fn first(errors: Vec<Error>) -> Error {
    errors.into_iter().next().unwrap_or_else(|| Error::usage("the corpus cannot be opened"))
}
