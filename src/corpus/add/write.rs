//! Files that are whole or not there.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Writes a file beside its place, whole and on the disk, and renames it there.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A link to a manifest stays one.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let beside = beside(&path);
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    finish(&file, &beside, &path)
}

pub(super) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let beside = beside(to);
    let mut file = File::create(&beside)?;
    let mut source = File::open(from)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = source.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        file.write_all(&buffer[..read])?;
    }
    finish(&file, &beside, to)
}

fn finish(file: &File, beside: &Path, to: &Path) -> io::Result<()> {
    if let Ok(old) = fs::metadata(to) {
        file.set_permissions(old.permissions())?;
    }
    file.sync_all()?;
    fs::rename(beside, to)
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.new"))
}
