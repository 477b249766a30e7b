//! One writer at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::write::Made;
use crate::corpus::folder::OWN;
use crate::corpus::store::told;
use crate::error::{Error, Result};

/// How often a folder that goes while it is taken is made anew.
const TRIES: u32 = 1000;

/// Holds a folder: another that adds to what lies in it waits. A process that ends, however, lets go.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    _file: File,
    /// A folder that was made for it goes again when nothing was added.
    _made: Made,
}

impl Lock {
    /// Waits for the folder `root`, which is made where it does not exist; calls `waiting` when another holds it. `None`:
    /// it is no folder. `what` lies in it, in the words of an error: `corpus`.
    ///
    /// # Errors
    /// When the folder cannot be made, written to or locked.
    pub fn take(root: &Path, what: &str, mut waiting: impl FnMut()) -> Result<Option<Self>> {
        if root.exists() && !root.is_dir() {
            return Ok(None);
        }
        let path = root.join(format!("{OWN}lock"));
        for tried in 0.. {
            // The one who held the folder may remove it, empty, at any moment.
            let again = |error: &io::Error| error.kind() == io::ErrorKind::NotFound && tried < TRIES;
            let mut made = Made::default();
            match made.folder(root) {
                Err(error) if again(&error) => continue,
                done => {
                    done.map_err(|error| cannot(&error, what, root, "make the folder writable; nothing was added"))?;
                }
            }
            let taken = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .and_then(|file| held(&file, &mut waiting).map(|()| file));
            let help =
                "make the folder writable; a lock that another user left may be removed when no other `wafcanary` runs";
            match taken {
                Ok(file) if is_at(&file, &path) => return Ok(Some(Self { path, _file: file, _made: made })),
                Ok(_) => {}
                Err(error) if again(&error) => {}
                Err(error) => return Err(cannot(&error, what, &path, help)),
            }
        }
        Ok(None)
    }
}

fn cannot(error: &io::Error, what: &str, path: &Path, help: &str) -> Error {
    Error::usage(format!("cannot write the {what}: {}", told(error))).file(path).help(help)
}

fn held(file: &File, waiting: &mut impl FnMut()) -> io::Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            waiting();
            file.lock()
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether the file that was locked is still the one at `path`.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(ours), Ok(there)) = (file.metadata(), fs::symlink_metadata(path)) else { return false };
    (ours.dev(), ours.ino()) == (there.dev(), there.ino())
}

/// The file is never removed there.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

impl Drop for Lock {
    fn drop(&mut self) {
        if cfg!(unix) {
            // What stays is taken again the next time.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn one_holds_the_folder_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("new/corpus");
        let (inside, most) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let _lock = Lock::take(&root, "corpus", || ()).unwrap().unwrap();
                        most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(most.into_inner(), 1);
    }

    #[test]
    fn a_folder_that_was_made_for_the_lock_goes_with_it_and_one_that_was_there_stays() {
        let dir = tempfile::tempdir().unwrap();
        drop(Lock::take(&dir.path().join("new/corpus"), "corpus", || ()).unwrap().unwrap());
        drop(Lock::take(dir.path(), "corpus", || ()).unwrap().unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), if cfg!(unix) { 0 } else { 2 });
        let held = Lock::take(dir.path(), "corpus", || ()).unwrap().unwrap();
        std::thread::scope(|scope| {
            let (said, heard) = std::sync::mpsc::channel();
            let root = dir.path();
            let waits = scope.spawn(move || Lock::take(root, "corpus", || said.send(()).unwrap()).unwrap().is_some());
            heard.recv().unwrap();
            drop(held);
            assert!(waits.join().unwrap());
        });
    }
}
