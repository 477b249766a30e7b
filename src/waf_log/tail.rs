//! Where a log ended before a run began, and where its continuation is after a rotation.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::error::{Error, Result};

/// A place in a log: what was there before it is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position(pub(super) Place);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The log as a whole.
    Start,
    /// A file's identity (device and inode, where the system has them) and the bytes that it had.
    File { identity: Option<Identity>, offset: u64 },
    /// A storage directory of concurrent audit logs: files that changed since then are read, those known then apart.
    ///
    /// NOTE: the times are the file system's. It stamps files with a clock that lags behind the system's, and on a
    /// network it has a clock of its own: the time of now would leave out files that come right after it.
    Directory { since: SystemTime, known: HashSet<PathBuf> },
}

/// Device and inode.
pub(super) type Identity = (u64, u64);

impl Position {
    /// The start: the whole log is read.
    #[must_use]
    pub fn start() -> Self {
        Self(Place::Start)
    }

    /// The end of the log at `path` as it is now. A log that is not there yet is read from its start.
    ///
    /// # Errors
    /// When the log is there and cannot be looked at.
    pub fn now(path: &Path) -> Result<Self> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => end_of_directory(path).map_err(|error| unreadable(path, &error)),
            Ok(metadata) => Ok(Self(Place::File { identity: identity(&metadata), offset: metadata.len() })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::start()),
            Err(error) => Err(unreadable(path, &error)),
        }
    }
}

/// The newest files of a storage directory, by which later ones are told.
fn end_of_directory(folder: &Path) -> io::Result<Position> {
    /// Time stamps may be as coarse as this.
    const COARSE: Duration = Duration::from_secs(2);
    let mut newest: Option<SystemTime> = None;
    walk(folder, &mut |_, metadata| {
        newest = newest.max(Some(metadata.modified()?));
        Ok(())
    })?;
    let Some(since) = newest.and_then(|newest| newest.checked_sub(COARSE)) else { return Ok(Position::start()) };
    let mut known = HashSet::new();
    walk(folder, &mut |path, metadata| {
        if metadata.modified()? >= since {
            known.insert(path.to_path_buf());
        }
        Ok(())
    })?;
    Ok(Position(Place::Directory { since, known }))
}

/// The files below a storage directory, in the order of their names, which begin with the time. Links are not
/// followed: a storage directory has none.
pub(super) fn walk(folder: &Path, visit: &mut dyn FnMut(&Path, &Metadata) -> io::Result<()>) -> io::Result<()> {
    walk_down(folder, visit, DEPTH)
}

/// Levels of folders that are searched for the files of a concurrent audit log.
const DEPTH: usize = 8;

fn walk_down(folder: &Path, visit: &mut dyn FnMut(&Path, &Metadata) -> io::Result<()>, depth: usize) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type()?;
        if kind.is_dir() && depth > 0 {
            walk_down(&entry.path(), visit, depth - 1)?;
        } else if kind.is_file() {
            visit(&entry.path(), &entry.metadata()?)?;
        }
    }
    Ok(())
}

/// What to read of a log: parts of files, in order, and whether something between them is lost.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Continuation {
    /// Each file with the offset that its reading starts at.
    pub(super) parts: Vec<(PathBuf, u64)>,
    /// What became of the file that was remembered.
    pub(super) rotated: Rotated,
}

/// Whether the log was rotated since its position was taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Rotated {
    /// It is the same file.
    #[default]
    No,
    /// It was, and the rest of the old file was read before the new one.
    Followed,
    /// It was, and what was written between is not to be had: in words, with what to do.
    Lost(String),
}

/// Finds where the log at `path` goes on after `from`.
pub(super) fn continuation(path: &Path, from: &Position) -> Result<Continuation> {
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    let whole = |rotated| Continuation { parts: vec![(path.to_owned(), 0)], rotated };
    let Place::File { identity: remembered, offset } = from.0 else {
        return Ok(whole(Rotated::No));
    };
    if identity(&metadata) == remembered {
        if metadata.len() >= offset {
            return Ok(Continuation { parts: vec![(path.to_owned(), offset)], rotated: Rotated::No });
        }
        return Ok(whole(Rotated::Lost(
            "the log was cut in place (`copytruncate`): what was written before that is in the copy only".to_owned(),
        )));
    }
    let mut rotated = rotated_siblings(path);
    rotated.sort_by_key(|sibling| sibling.modified);
    let Some(at) = rotated.iter().position(|sibling| remembered.is_some() && sibling.identity == remembered) else {
        let gz = if rotated.iter().any(|sibling| sibling.compressed) { "; compressed logs are not read" } else { "" };
        return Ok(whole(Rotated::Lost(format!("the log was rotated, and the old file is not beside it{gz}"))));
    };
    if rotated[at].length < offset {
        return Ok(whole(Rotated::Lost("the rotated log is shorter than it was".to_owned())));
    }
    // A log may have been rotated more than once: those in between are read whole.
    let later = &rotated[at + 1..];
    let mut parts = vec![(rotated[at].path.clone(), offset)];
    parts.extend(later.iter().filter(|sibling| !sibling.compressed).map(|sibling| (sibling.path.clone(), 0)));
    parts.push((path.to_owned(), 0));
    let lost = later.iter().find(|sibling| sibling.compressed);
    let rotated = match lost {
        None => Rotated::Followed,
        Some(gz) => Rotated::Lost(format!("`{}` is compressed, and compressed logs are not read", gz.path.display())),
    };
    Ok(Continuation { parts, rotated })
}

struct Sibling {
    path: PathBuf,
    identity: Option<Identity>,
    length: u64,
    modified: Option<SystemTime>,
    compressed: bool,
}

/// The files beside `path` that logrotate or a log pipe makes of it: `path.1`, `path-20261125`, and `.gz` of those.
fn rotated_siblings(path: &Path) -> Vec<Sibling> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let sibling = |entry: fs::DirEntry| {
        let file_name = entry.file_name();
        let rest = file_name.to_str()?.strip_prefix(name)?.strip_prefix(['.', '-'])?;
        let plain = rest.trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim_end_matches('.');
        let compressed = plain.len() < rest.len();
        let numbered = plain.starts_with(|c: char| c.is_ascii_digit())
            && plain.chars().all(|c| c.is_ascii_digit() || ['.', '-', '_'].contains(&c));
        if !numbered {
            return None;
        }
        let metadata = entry.metadata().ok().filter(Metadata::is_file)?;
        Some(Sibling {
            path: entry.path(),
            identity: identity(&metadata),
            length: metadata.len(),
            modified: metadata.modified().ok(),
            compressed,
        })
    };
    entries.filter_map(std::result::Result::ok).filter_map(sibling).collect()
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
fn identity(metadata: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<Identity> {
    None
}

/// A log that cannot be read.
pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::usage(format!("the WAF's log cannot be read: {error}"))
        .file(path)
        .help("give the file that `SecAuditLog` or `error_log` names, or the folder of `SecAuditLogStorageDir`")
}
