//! Files that lie where attachments do, and that the manifest does not name.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use super::{Level, Lint};
use crate::corpus::folder::{self, is_dropping};
use crate::corpus::manifest::{self, Page, RawAttachment};

/// The folder that `corpus add` copies to.
const FILES: &str = "files";

/// One finding for all files below `files/` of the corpus in `root` that its manifest does not name.
#[must_use]
pub fn unlisted(root: &Path) -> Option<Lint> {
    const NAMED: usize = 5;
    let path = root.join(manifest::FILE_NAME);
    let text = fs::read_to_string(&path).ok()?;
    let raws = Page { path: path.clone().into(), text: text.into() }.parse().ok()?.attachment;
    let also = raws.iter().flat_map(|raw| raw.also.iter().map(|also| also.file.get_ref().as_str()));
    let listed: HashSet<&Path> = raws.iter().map(RawAttachment::file).chain(also).map(Path::new).collect();
    let (files, _) = folder::files(&root.join(FILES)).ok()?;
    let files = files.iter().map(|file| Path::new(FILES).join(file));
    let stray: Vec<String> = files
        .filter(|file| !listed.contains(file.as_path()) && !is_dropping(file))
        .map(|file| file.display().to_string())
        .collect();
    let more = if stray.len() > NAMED { ", …" } else { "" };
    let names = stray[..stray.len().min(NAMED)].join("`, `");
    let count = if stray.len() == 1 { "1 file".to_owned() } else { format!("{} files", stray.len()) };
    (!stray.is_empty()).then(|| Lint {
        level: Level::Warning,
        message: format!("{count} below `{FILES}/` that the manifest does not list: `{names}`{more}"),
        help: Some("add what belongs to the corpus with `wafcanary corpus add`, and delete the rest".into()),
        place: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_nothing_names_is_found_and_one_that_is_sent_beside_another_is_not() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("files/txt")).unwrap();
        for file in ["files/txt/a", "files/txt/b", "files/.DS_Store", "elsewhere"] {
            fs::write(dir.path().join(file), "1").unwrap();
        }
        let manifest = "schema_version = 1\nname = 'x'\n[[attachment]]\nid = 'a/a'\nfile = 'files/txt/a'\nalso = [{ file = 'files/txt/b' }]\n";
        fs::write(dir.path().join("manifest.toml"), manifest).unwrap();
        assert_eq!(unlisted(dir.path()), None);
        fs::write(dir.path().join("files/txt/c"), "1").unwrap();
        let found = unlisted(dir.path()).unwrap();
        assert_eq!(found.message, "1 file below `files/` that the manifest does not list: `files/txt/c`");
        assert_eq!(found.level, Level::Warning);
    }
}
