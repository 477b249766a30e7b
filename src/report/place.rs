//! Where a case is declared, as a pipeline finds it.

use crate::run::RunManifest;

/// A line of the corpus' manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    /// Folder of the corpus, from the root of the repository; `None`: the manifest is not in it.
    pub(crate) folder: Option<&'a str>,
    /// The file in that folder.
    pub(crate) file: &'a str,
    /// 1-based.
    pub(crate) line: Option<u64>,
}

impl<'a> Place<'a> {
    /// The place that a run calls `manifest.toml:12`.
    pub(crate) fn of(run: &'a RunManifest, place: &'a str) -> Self {
        let numbered = place.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?)));
        let (file, line) = numbered.map_or((place, None), |(file, line)| (file, Some(line)));
        Self { folder: run.corpus_folder.as_deref(), file, line }
    }

    /// The path from the root of the repository; of a manifest elsewhere, its name alone.
    pub(crate) fn path(&self) -> String {
        match self.folder {
            None | Some("") => self.file.to_owned(),
            Some(folder) => format!("{folder}/{}", self.file),
        }
    }
}
