//! Files that are whole or not there, and the undoing of what was made.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::corpus::folder::OWN;

/// A whole file under a name of this program's own, which goes unless it is given its place.
pub(crate) struct Staged {
    path: PathBuf,
    file: File,
}

impl Staged {
    /// A file in `folder` with what `write` writes, on the disk.
    fn new(folder: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let (path, file) = loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{OWN}{}-{number}.new", std::process::id()));
            match File::create_new(&path) {
                // What a kill left of another with this number: in a container, processes often have the same.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => break (path, made?),
            }
        };
        let mut staged = Self { path, file };
        write(&mut staged.file)?;
        staged.file.sync_all()?;
        Ok(staged)
    }

    pub(crate) fn bytes(folder: &Path, bytes: &[u8]) -> io::Result<Self> {
        Self::new(folder, |file| file.write_all(bytes))
    }

    pub(super) fn copy(folder: &Path, from: &Path) -> io::Result<Self> {
        Self::new(folder, |file| {
            let mut source = File::open(from)?;
            let mut buffer = vec![0; 1 << 16];
            loop {
                let read = source.read(&mut buffer)?;
                if read == 0 {
                    return Ok(());
                }
                file.write_all(&buffer[..read])?;
            }
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it a place where nothing is.
    pub(crate) fn place(self, to: &Path) -> io::Result<()> {
        match fs::hard_link(&self.path, to) {
            // A file system without links.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists && fs::symlink_metadata(to).is_err() => {
                fs::rename(&self.path, to)
            }
            done => done,
        }
    }

    /// Puts it in the place of an old file, with its permissions.
    pub(crate) fn replace(self, old: &Path) -> io::Result<()> {
        self.file.set_permissions(fs::metadata(old)?.permissions())?;
        fs::rename(&self.path, old)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // In its place it has another name.
        let _ = fs::remove_file(&self.path);
    }
}

/// What a run made: it goes again unless the run comes to its end. What cannot be removed lies there unlisted.
#[derive(Debug, Default)]
pub(super) struct Made {
    files: Vec<PathBuf>,
    /// The outer before the inner ones.
    folders: Vec<PathBuf>,
}

impl Made {
    /// Makes a folder and those that it lies in.
    pub(super) fn folder(&mut self, folder: &Path) -> io::Result<()> {
        let missing = folder.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists());
        let mut missing: Vec<PathBuf> = missing.map(Path::to_path_buf).collect();
        missing.reverse();
        for path in missing {
            match fs::create_dir(&path) {
                Ok(()) => self.folders.push(path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
                Err(error) => return Err(error),
            }
        }
        if folder.as_os_str().is_empty() || folder.is_dir() { Ok(()) } else { fs::create_dir(folder) }
    }

    pub(super) fn file(&mut self, path: PathBuf) {
        self.files.push(path);
    }

    /// Keeps all of it.
    pub(super) fn keep(mut self) {
        self.files.clear();
        self.folders.clear();
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        for folder in self.folders.iter().rev() {
            // One that holds something of another's stays.
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_staged_file_never_takes_the_place_of_another_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("a.txt");
        fs::write(&to, "theirs").unwrap();
        let staged = Staged::bytes(dir.path(), b"ours").unwrap();
        assert_eq!(staged.place(&to).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&to).unwrap(), b"theirs");
        let (one, two) = (Staged::bytes(dir.path(), b"1").unwrap(), Staged::bytes(dir.path(), b"2").unwrap());
        one.place(&dir.path().join("1")).unwrap();
        two.replace(&to).unwrap();
        let mut names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["1", "a.txt"]);
        assert_eq!(fs::read(&to).unwrap(), b"2");
    }

    #[test]
    fn what_a_killed_process_with_the_same_number_left_is_in_nobody_s_way() {
        let dir = tempfile::tempdir().unwrap();
        for number in 0..500 {
            fs::write(dir.path().join(format!("{OWN}{}-{number}.new", std::process::id())), "left").unwrap();
        }
        Staged::bytes(dir.path(), b"ours").unwrap().place(&dir.path().join("a.txt")).unwrap();
        assert_eq!(fs::read(dir.path().join("a.txt")).unwrap(), b"ours");
    }

    #[test]
    fn what_was_made_goes_again_and_what_was_there_stays() {
        let dir = tempfile::tempdir().unwrap();
        let mut made = Made::default();
        made.folder(&dir.path().join("a/b")).unwrap();
        made.folder(&dir.path().join("c/d")).unwrap();
        fs::write(dir.path().join("a/b/ours"), "1").unwrap();
        made.file(dir.path().join("a/b/ours"));
        fs::write(dir.path().join("c/theirs"), "2").unwrap();
        drop(made);
        assert!(!dir.path().join("a").exists());
        assert!(dir.path().join("c/theirs").exists() && !dir.path().join("c/d").exists());
    }
}
