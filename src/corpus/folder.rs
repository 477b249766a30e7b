//! A folder without a manifest: each regular file below it is an attachment.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::store::{Job, Store, told};
use super::{Attachment, Axes, DeclaredType, Entry, Filename, FormOverrides, Intent, Provenance};
use crate::error::{Error, Result};

/// How the names of files begin that `corpus add` makes for itself: they are no attachments.
pub(super) const OWN: &str = ".wafcanary-";

/// What to do about a name that is not UTF-8.
pub(super) const NAME_HELP: &str = "rename it; `name = [\"sjis\"]` in the manifest's axes sends its name in Shift_JIS";

/// What systems and Git leave in folders: nobody attaches it.
pub(super) const DROPPINGS: &[&str] = &[".git", ".DS_Store", "Thumbs.db", "desktop.ini"];

/// Whether a path is one of [`DROPPINGS`], or below one.
pub(super) fn is_dropping(path: &Path) -> bool {
    path.iter().any(|part| DROPPINGS.iter().any(|name| part.eq_ignore_ascii_case(name)))
}

/// Directories nested deeper are refused: nobody keeps attachments there.
const DEPTH_MAX: usize = 64;

pub(super) struct Found {
    pub(super) entries: Vec<Entry>,
    /// The path of each entry's file, relative to the folder.
    pub(super) files: Vec<String>,
    pub(super) warnings: Vec<String>,
}

/// The paths of every file below `root`, relative to it and sorted, hidden ones too; and what was left out.
pub(super) fn files(root: &Path) -> std::result::Result<(Vec<PathBuf>, Vec<String>), Vec<Error>> {
    let mut walk = Walk { files: Vec::new(), warnings: Vec::new(), ancestors: HashSet::new() };
    walk.folder(root, Path::new(""), 0).map_err(|error| vec![error])?;
    walk.files.sort_unstable();
    Ok((walk.files, walk.warnings))
}

/// Every file below `root` as an attachment.
pub(super) fn open(root: &Path) -> std::result::Result<Found, Vec<Error>> {
    let (paths, warnings) = files(root)?;
    if paths.is_empty() {
        let error = Error::usage("the corpus is empty: there is no file below this folder").file(root);
        return Err(vec![error.help("put the files to upload into it; an empty corpus can prove nothing")]);
    }
    let jobs: Vec<Job> =
        paths.iter().filter_map(|path| path.to_str()).map(|path| Job { file: path.to_owned(), armour: None }).collect();
    let opened = Store::Folder(root.to_path_buf()).open_all(&jobs);
    let mut entries = Vec::with_capacity(jobs.len());
    let mut errors = Vec::new();
    for (job, content) in jobs.iter().zip(opened) {
        match content {
            Ok(content) => entries.push(entry(&job.file, content)),
            Err(why) => errors.push(unreadable(&root.join(&job.file), &why)),
        }
    }
    let files = jobs.into_iter().map(|job| job.file).collect();
    if errors.is_empty() { Ok(Found { entries, files, warnings }) } else { Err(errors) }
}

fn unreadable(path: &Path, why: &str) -> Error {
    Error::usage(format!("cannot read this file of the corpus: {why}"))
        .file(path)
        .help("make it readable or take it out: a corpus that shrinks in silence proves less than it says")
}

struct Walk {
    /// Relative to the root.
    files: Vec<PathBuf>,
    warnings: Vec<String>,
    /// The real paths of the folders that lead here: a link to one of them is a loop.
    ancestors: HashSet<PathBuf>,
}

impl Walk {
    fn folder(&mut self, root: &Path, relative: &Path, depth: usize) -> Result<()> {
        let folder = root.join(relative);
        if depth > DEPTH_MAX {
            let error = Error::usage(format!("folders are nested more than {DEPTH_MAX} deep")).file(folder);
            return Err(error.help("give the folder that holds the files"));
        }
        let real = folder.canonicalize().map_err(|error| unreadable(&folder, &told(&error)))?;
        if !self.ancestors.insert(real.clone()) {
            self.warnings.push(format!("`{}` is a link to a folder above it and was left out", folder.display()));
            return Ok(());
        }
        for entry in fs::read_dir(&folder).map_err(|error| unreadable(&folder, &told(&error)))? {
            let entry = entry.map_err(|error| unreadable(&folder, &told(&error)))?;
            if entry.file_name().to_string_lossy().starts_with(OWN) {
                continue;
            }
            self.one(root, &relative.join(entry.file_name()), depth)?;
        }
        self.ancestors.remove(&real);
        Ok(())
    }

    fn one(&mut self, root: &Path, relative: &Path, depth: usize) -> Result<()> {
        let path = root.join(relative);
        let metadata = fs::metadata(&path).map_err(|error| unreadable(&path, &told(&error)))?;
        if metadata.is_dir() {
            return self.folder(root, relative, depth + 1);
        }
        if !metadata.is_file() {
            self.warnings.push(format!("`{}` is no regular file and was left out", path.display()));
            return Ok(());
        }
        if relative.to_str().is_none() {
            let error = Error::usage("the name of this file is not valid UTF-8").file(&path);
            return Err(error.help(NAME_HELP));
        }
        self.files.push(relative.to_path_buf());
        Ok(())
    }
}

fn entry(file: &str, content: super::Content) -> Entry {
    let path = file.replace('\\', "/");
    let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
    let family = match name.rsplit_once('.') {
        Some((stem, ext)) if !stem.is_empty() && !ext.is_empty() => ext.to_lowercase(),
        Some(_) | None => "other".to_owned(),
    };
    let attachment = Attachment {
        id: escape(&format!("{family}/{path}")),
        intent: Intent::Legit,
        twin: None,
        procedures: Vec::new(),
        tags: Vec::new(),
        weight: 1.0,
        provenance: Provenance::default(),
        place: None,
    };
    Entry {
        attachment: Arc::new(attachment),
        content,
        filename: Filename { text: name, ..Filename::default() },
        page_fixed: false,
        declared_type: DeclaredType::AsClient,
        client: None,
        transport: None,
        beside: Vec::new(),
        form_overrides: FormOverrides::default(),
        axes: Axes::default(),
    }
}

/// Text as part of a case id: what an id may not hold, percent-encoded; distinct texts stay distinct.
pub(super) fn escape(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    let mut buffer = [0; 4];
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() || matches!(c, '%' | '~') {
            for byte in c.encode_utf8(&mut buffer).bytes() {
                // Writing to a string cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::CaseId;

    #[test]
    fn every_escaped_text_is_part_of_a_case_id() {
        for text in ["a b/申請 書.pdf", "x~y", "100%", "tab\there", "nel\u{85}", "\u{3000}"] {
            let escaped = escape(text);
            assert!(CaseId::parse(&escaped).is_some(), "{escaped}");
            assert!(!escaped.contains('~'));
        }
        assert_ne!(escape("a b"), escape("a%20b"));
    }
}
