//! Where the files of a corpus are: a folder on disk, or the program itself.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::control::{ARMOURED_MAX, Armour};
use super::{Content, manifest};

/// The built-in files, by path relative to `corpus/`; written by the build script.
pub(super) const EMBEDDED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/corpus.rs"));

#[derive(Debug, Clone)]
pub(super) enum Store {
    Folder(PathBuf),
    Embedded(&'static [(&'static str, &'static [u8])]),
}

/// One file to open: its path relative to the manifest, and its armour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) file: String,
    pub(super) armour: Option<Armour>,
}

/// Files are digested by at most so many threads: an edge is waiting, not this computer.
const THREADS: usize = 2;

impl Store {
    /// The manifest's path as people see it.
    pub(super) fn manifest_path(&self) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.join(manifest::FILE_NAME),
            Self::Embedded(_) => Path::new("corpus").join(manifest::FILE_NAME),
        }
    }

    /// Opens and digests every job, in their order.
    pub(super) fn open_all(&self, jobs: &[Job]) -> Vec<Result<Content, String>> {
        let root = match self {
            Self::Folder(folder) => folder.canonicalize().map_err(|error| told(&error)),
            Self::Embedded(_) => Ok(PathBuf::new()),
        };
        let next = AtomicUsize::new(0);
        let done: Mutex<Vec<Option<Result<Content, String>>>> = Mutex::new(vec![None; jobs.len()]);
        let work = || {
            while let Some((at, job)) =
                Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, jobs.get(at)?)))
            {
                let opened = root.clone().and_then(|root| self.open(&root, job));
                done.lock().unwrap_or_else(PoisonError::into_inner)[at] = Some(opened);
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..THREADS.min(jobs.len()) {
                scope.spawn(work);
            }
        });
        let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.into_iter().map(|opened| opened.unwrap_or_else(|| Err("it was not read".into()))).collect()
    }

    /// Opens and digests one file; `root` is the folder's real path.
    fn open(&self, root: &Path, job: &Job) -> Result<Content, String> {
        let content = match self {
            Self::Folder(folder) => from_folder(folder, root, &job.file)?,
            Self::Embedded(files) => {
                let found = files.iter().find(|(path, _)| *path == job.file);
                found.map(|(_, bytes)| Content::from_bytes(*bytes)).ok_or("it is not part of the program")?
            }
        };
        let Some(armour) = job.armour else { return Ok(content) };
        if content.len() > ARMOURED_MAX {
            return Err(format!("it has {} bytes, and an encoded file at most {ARMOURED_MAX}", content.len()));
        }
        let armoured = content.read_range(0..content.len()).map_err(|error| told(&error))?;
        armour.decode(&armoured).map(Content::from_bytes)
    }
}

fn from_folder(folder: &Path, root: &Path, file: &str) -> Result<Content, String> {
    let relative = Path::new(file);
    let below = !file.is_empty() && relative.components().all(|part| matches!(part, Component::Normal(_)));
    if !below {
        return Err("it is not below the manifest's folder".into());
    }
    let path = folder.join(relative);
    // Only a link can lead out of the folder; resolving each path would cost more than opening it.
    let below = relative.ancestors().take_while(|part| !part.as_os_str().is_empty());
    if below.into_iter().any(|part| folder.join(part).is_symlink()) {
        let real = path.canonicalize().map_err(|error| told(&error))?;
        if !real.starts_with(root) {
            return Err("it is a link to a file outside the manifest's folder".into());
        }
    }
    if !path.metadata().map_err(|error| told(&error))?.is_file() {
        return Err("it is not a regular file".into());
    }
    Content::from_file(path).map_err(|error| told(&error))
}

/// An operating system's error without its number, which differs between systems.
pub(super) fn told(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}
