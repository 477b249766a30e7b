//! The corpus as it is, and what becomes of each file beside it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::slug::{extension, format_of, is_device, is_slug, slug, unique};
use super::text::{continued, template};
use super::{Added, Addition, Origin};
use crate::corpus::lint::{LOOKED_AT, look};
use crate::corpus::manifest::{self, Page, RawAttachment};
use crate::corpus::metadata::{Kept, Metadata};
use crate::corpus::store::told;
use crate::corpus::{CaseId, Content, Corpus, Entry, Intent, Sha256Digest, folder};
use crate::error::{Error, Result};

/// The largest file that is scrubbed: it is held in memory.
const SCRUBBED_MAX: u64 = 256 << 20;

/// What becomes of a file.
pub(super) enum Verdict {
    Add(Box<Added>),
    Present(String),
    /// It is the manifest itself.
    Manifest,
}

/// The corpus as it is.
pub(super) struct Known {
    root: PathBuf,
    pub(super) text: String,
    pub(super) creates_manifest: bool,
    pub(super) taken_over: usize,
    pub(super) warnings: Vec<String>,
    ids: HashSet<String>,
    /// Paths relative to the manifest, with ids.
    files: HashMap<String, String>,
    /// Content and filename of legitimate attachments, with ids.
    legit: HashMap<(Sha256Digest, String), String>,
    controls: HashMap<Sha256Digest, String>,
    eicar: Vec<u8>,
    pub(super) procedures: BTreeSet<String>,
    /// Procedures and tags of each id.
    labels: HashMap<String, HashSet<String>>,
}

impl Known {
    pub(super) fn open(root: &Path, addition: &Addition) -> std::result::Result<Self, Vec<Error>> {
        let path = root.join(manifest::FILE_NAME);
        if root.exists() && !root.is_dir() {
            let error = Error::usage("the corpus is a file, and a folder is wanted").file(root);
            return Err(vec![error.help("give a folder; one that does not exist is made")]);
        }
        let mut known = Self::empty(root);
        match fs::read(&path) {
            Ok(bytes) => {
                let entries = Corpus::entries(root, &bytes)?;
                known.text = String::from_utf8_lossy(&bytes).into_owned();
                let page = Page { path: path.into(), text: known.text.as_str().into() };
                let raws = page.parse().map_err(|error| vec![error])?.attachment;
                known.learn(&entries, raws.iter().map(RawAttachment::file));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(&path).is_err() => {
                known.creates_manifest = true;
                known.without_manifest(root, addition)?;
            }
            Err(error) => {
                let error = Error::usage(format!("cannot read the manifest: {}", told(&error))).file(path);
                return Err(vec![error.help("make it a readable file, or remove it")]);
            }
        }
        Ok(known)
    }

    fn empty(root: &Path) -> Self {
        let controls = Corpus::builtin().map(|corpus| corpus.attachments).unwrap_or_default();
        let controls: Vec<Entry> =
            controls.into_iter().filter(|entry| entry.attachment.intent == Intent::Control).collect();
        let eicar = controls.iter().find(|entry| entry.attachment.id == "control/eicar-text");
        let eicar = eicar.and_then(|entry| entry.content.read_range(0..u64::MAX).ok()).unwrap_or_default();
        Self {
            root: root.to_path_buf(),
            text: String::new(),
            creates_manifest: false,
            taken_over: 0,
            warnings: Vec::new(),
            ids: HashSet::new(),
            files: HashMap::new(),
            legit: HashMap::new(),
            controls: controls.iter().map(|entry| (entry.content.sha256(), entry.attachment.id.clone())).collect(),
            eicar,
            procedures: BTreeSet::new(),
            labels: HashMap::new(),
        }
    }

    /// A new manifest; the files that the folder has already are listed in it under the ids that they had.
    fn without_manifest(&mut self, root: &Path, addition: &Addition) -> std::result::Result<(), Vec<Error>> {
        let found = if root.is_dir() { folder::files(root)? } else { (Vec::new(), Vec::new()) };
        let name = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
        let name =
            name.file_name().map_or_else(|| "attachments".to_owned(), |name| name.to_string_lossy().into_owned());
        self.text = template(&name, found.0.is_empty());
        if found.0.is_empty() {
            return Ok(());
        }
        let found = folder::open(root)?;
        self.warnings = found.warnings;
        self.taken_over = found.entries.len();
        if addition.scrub {
            self.warnings.push("`--scrub` leaves the files that are in the folder already as they are".to_owned());
        }
        let mut old = Vec::new();
        for (file, entry) in found.files.iter().zip(&found.entries) {
            let bytes = entry.content.read_range(0..LOOKED_AT).unwrap_or_default();
            let added = Added {
                id: entry.attachment.id.clone(),
                file: file.clone(),
                filename: entry.filename.text.clone(),
                bytes: entry.content.len(),
                removed: Vec::new(),
                hints: Vec::new(),
                sha256: entry.content.sha256(),
                source: Metadata::read(&entry.filename.text, &bytes)
                    .program
                    .unwrap_or_else(|| by_hand(&addition.today)),
                origin: Origin::InPlace,
            };
            old.push(added);
        }
        self.text = continued(&self.text, &old, &Addition::default());
        self.learn(&found.entries, found.files.iter().map(String::as_str));
        Ok(())
    }

    fn learn<'a>(&mut self, entries: &[Entry], files: impl Iterator<Item = &'a str>) {
        for (entry, file) in entries.iter().zip(files) {
            let id = entry.attachment.id.clone();
            self.ids.insert(id.clone());
            self.files.insert(file.to_owned(), id.clone());
            self.procedures.extend(entry.attachment.procedures.iter().cloned());
            let labels = entry.attachment.procedures.iter().chain(&entry.attachment.tags);
            self.labels.insert(id.clone(), labels.cloned().collect());
            match entry.attachment.intent {
                Intent::Legit => self.legit.insert((entry.content.sha256(), entry.filename.text.clone()), id),
                Intent::Control => self.controls.insert(entry.content.sha256(), id),
            };
        }
    }

    pub(super) fn file(&mut self, path: &Path, addition: &Addition) -> Result<Verdict> {
        let cannot = |error: &io::Error| {
            let error = Error::usage(format!("cannot read this file: {}", told(error))).file(path);
            error.help("make it readable, or leave it out; nothing was added")
        };
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
            let error = Error::usage("the name of this file is not valid UTF-8").file(path);
            error.help(folder::NAME_HELP)
        })?;
        let inside = self.inside(path);
        if inside.as_deref() == Some(manifest::FILE_NAME) {
            return Ok(Verdict::Manifest);
        }
        let listed = inside.as_ref().and_then(|file| self.files.get(file));
        if let (Some(id), false) = (listed, addition.scrub) {
            return self.present(path, id, addition);
        }
        let content = Content::from_file(path).map_err(|error| cannot(&error))?;
        let original = content.sha256();
        if let Some(id) = listed {
            let (_, scrubbed, _) = scrubbed(path, name, content)?;
            return if scrubbed.sha256() == original {
                self.present(path, id, addition)
            } else {
                Err(unscrubbed(path, id))
            };
        }
        let head = content.read_range(0..LOOKED_AT).map_err(|error| cannot(&error))?;
        self.refuse_control(path, content.sha256(), &head)?;
        let (metadata, content, origin) = if addition.scrub {
            if inside.is_some() {
                let error = Error::usage("this file lies in the corpus's folder, and its metadata with it").file(path);
                return Err(error.help("move it out of the folder, and add it with `--scrub` from there"));
            }
            let scrubbed = scrubbed(path, name, content)?;
            if scrubbed.1.sha256() != original
                && let Some(id) =
                    self.legit.iter().filter(|((sha256, _), _)| *sha256 == original).map(|(_, id)| id).min()
            {
                return Err(unscrubbed(path, id));
            }
            scrubbed
        } else {
            let origin = if inside.is_some() { Origin::InPlace } else { Origin::Copy(path.to_path_buf()) };
            (Metadata { kept: Kept::Unchanged, ..Metadata::read(name, &head) }, content, origin)
        };
        let key = (content.sha256(), name.to_owned());
        if let Some(id) = self.legit.get(&key) {
            return self.present(path, id, addition);
        }
        let id = self.id(name, content.sha256(), addition)?;
        let file = inside.unwrap_or_else(|| self.place(&id, name));
        let left = match &origin {
            Origin::Bytes(bytes) => bytes.as_slice(),
            Origin::Copy(_) | Origin::InPlace => &head,
        };
        let added = Added {
            hints: look(left).hints,
            bytes: content.len(),
            sha256: content.sha256(),
            source: addition.source.clone().or(metadata.program).unwrap_or_else(|| by_hand(&addition.today)),
            removed: if addition.scrub { metadata.fields } else { Vec::new() },
            filename: name.to_owned(),
            id: id.clone(),
            file: file.clone(),
            origin,
        };
        self.ids.insert(id.clone());
        self.files.insert(file, id.clone());
        self.labels.insert(id.clone(), addition.procedures.iter().chain(&addition.tags).cloned().collect());
        self.legit.insert(key, id);
        Ok(Verdict::Add(Box::new(added)))
    }

    /// A file that the corpus has; what is said of it must be what the manifest says.
    fn present(&self, path: &Path, id: &str, addition: &Addition) -> Result<Verdict> {
        let known = self.labels.get(id);
        let new = |label: &&String| known.is_none_or(|known| !known.contains(*label));
        let procedures = addition.procedures.iter().filter(new).map(|name| format!("the procedure `{name}`"));
        let tags = addition.tags.iter().filter(new).map(|tag| format!("the tag `{tag}`"));
        let missing: Vec<String> = procedures.chain(tags).collect();
        if missing.is_empty() {
            return Ok(Verdict::Present(id.to_owned()));
        }
        let message = format!("the corpus has this file as `{id}`, without {}", missing.join(" and "));
        let help = format!("write it to `{id}` in the manifest: `corpus add` changes nothing that is there");
        Err(Error::usage(message).file(path).help(help))
    }

    /// The path relative to the corpus's folder, if the file lies in it.
    fn inside(&self, path: &Path) -> Option<String> {
        let (real, root) = (path.canonicalize().ok()?, self.root.canonicalize().ok()?);
        let relative = real.strip_prefix(root).ok()?.to_str()?;
        Some(relative.replace(std::path::MAIN_SEPARATOR, "/"))
    }

    fn refuse_control(&self, path: &Path, sha256: Sha256Digest, head: &[u8]) -> Result<()> {
        let control = self.controls.get(&sha256).map(|id| format!("this file has the bytes of the control `{id}`"));
        let eicar = !self.eicar.is_empty() && memchr::memmem::find(head, self.eicar.trim_ascii()).is_some();
        let Some(message) = control.or_else(|| eicar.then(|| "this file holds the EICAR test string".to_owned()))
        else {
            return Ok(());
        };
        let help = "it is a control, which must be blocked: declare it by hand with `intent = \"control\"`, `twin` and `encoding`";
        Err(Error::usage(message).file(path).help(help))
    }

    fn id(&self, name: &str, sha256: Sha256Digest, addition: &Addition) -> Result<String> {
        if let Some(id) = &addition.id {
            let sound = CaseId::parse(id).is_some() && !id.contains('~');
            if !sound || !id.contains('/') || id.split('/').any(|segment| ["", ".", ".."].contains(&segment)) {
                let error = Error::usage(format!("`{id}` is no attachment id")).key("--id");
                let help =
                    "an id is `family/name`, without white space, control characters, `~` and segments `.` and `..`";
                return Err(error.help(help));
            }
            if self.ids.contains(id) {
                let error = Error::usage(format!("the corpus has an attachment `{id}` already")).key("--id");
                return Err(error.help("give another id"));
            }
            return Ok(id.clone());
        }
        let base = format!("{}/{}", format_of(name), slug(name, sha256));
        Ok(unique(&base, |id| self.ids.contains(id)))
    }

    /// A path of ASCII for a new file that is in neither the manifest nor the folder.
    fn place(&self, id: &str, name: &str) -> String {
        let family: String = id.split('/').next().unwrap_or_default().chars().filter(|c| is_slug(*c)).collect();
        let family = if family.is_empty() || is_device(&family) { "other".to_owned() } else { family };
        let last = id.rsplit('/').next().unwrap_or_default();
        let stem = slug(last, Sha256Digest::of(last.as_bytes()));
        let extension = extension(name).map(|extension| format!(".{extension}")).unwrap_or_default();
        let taken = |stem: &str| {
            let file = format!("files/{family}/{stem}{extension}");
            self.files.contains_key(&file) || fs::symlink_metadata(self.root.join(&file)).is_ok()
        };
        format!("files/{family}/{}{extension}", unique(&stem, taken))
    }
}

/// A file without its metadata: what it said, what is left, and where that comes from.
fn scrubbed(path: &Path, name: &str, content: Content) -> Result<(Metadata, Content, Origin)> {
    let refused = |why: &str, help: &str| Error::usage(format!("this file {why}")).file(path).help(help);
    if content.len() > SCRUBBED_MAX {
        let why = format!("has {} bytes, and at most {SCRUBBED_MAX} are scrubbed", content.len());
        return Err(refused(&why, "remove its metadata with exiftool, and add it without `--scrub`"));
    }
    let bytes = content.read_range(0..SCRUBBED_MAX).map_err(|error| refused(&told(&error), "make it readable"))?;
    let mut metadata = Metadata::read(name, &bytes);
    match std::mem::replace(&mut metadata.kept, Kept::Unchanged) {
        Kept::Unchanged => Ok((metadata, content, Origin::Copy(path.to_path_buf()))),
        Kept::Bytes(kept) => Ok((metadata, Content::from_bytes(kept.clone()), Origin::Bytes(kept))),
        Kept::Unscrubbable(refusal) => Err(refused(&refusal.why, refusal.help)),
    }
}

fn unscrubbed(path: &Path, id: &str) -> Error {
    let help = format!("take `{id}` out of the manifest and delete its file; then add the file anew with `--scrub`");
    Error::usage(format!("the corpus has this file as `{id}`, with its metadata")).file(path).help(help)
}

fn by_hand(today: &str) -> String {
    format!("added by hand on {today}")
}
