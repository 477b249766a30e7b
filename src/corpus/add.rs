//! `corpus add`: files copied into a corpus, and its manifest continued.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::lint::{LOOKED_AT, near_procedure, personal};
use super::manifest::{self, Page, RawAttachment};
use super::metadata::{Field, Kept, Metadata};
use super::store::told;
use super::{CaseId, Content, Corpus, Entry, Intent, Sha256Digest, folder};
use crate::error::{Error, Result};

/// What to add, and what to say of it.
#[derive(Debug, Clone, Default)]
pub struct Addition {
    /// Files, and folders whose files are all added.
    pub files: Vec<PathBuf>,
    /// The id of the one file; by default it is made from format and filename.
    pub id: Option<String>,
    /// Procedures that receive them.
    pub procedures: Vec<String>,
    /// Labels.
    pub tags: Vec<String>,
    /// Share of real submissions.
    pub weight: Option<f64>,
    /// Where they come from; by default the program that wrote each, where it says so.
    pub source: Option<String>,
    /// SPDX licence expression.
    pub licence: Option<String>,
    /// Whether their metadata are removed.
    pub scrub: bool,
    /// The date of today, for `source`.
    pub today: String,
}

/// What adding comes to; nothing is written before [`Plan::apply`].
#[derive(Debug)]
pub struct Plan {
    root: PathBuf,
    /// The manifest's text before; where there was none, that of the new one.
    before: String,
    after: String,
    /// Whether there was no manifest.
    pub creates_manifest: bool,
    /// Files of a folder without a manifest that the new one lists.
    pub taken_over: usize,
    /// The files, in the order of the arguments.
    pub added: Vec<Added>,
    /// Files that are in the corpus already, with their ids.
    pub present: Vec<(PathBuf, String)>,
    /// What looks like a mistake.
    pub warnings: Vec<String>,
}

/// One file to add.
#[derive(Debug)]
pub struct Added {
    /// Its id.
    pub id: String,
    /// Its path relative to the manifest.
    pub file: String,
    /// The filename that it is sent with.
    pub filename: String,
    /// Bytes, after scrubbing.
    pub bytes: u64,
    /// What was removed from it.
    pub removed: Vec<Field>,
    /// What may be personal data and is still in it.
    pub hints: Vec<String>,
    sha256: Sha256Digest,
    source: String,
    origin: Origin,
}

/// Where the bytes come from.
#[derive(Debug)]
enum Origin {
    /// They are copied from there.
    Copy(PathBuf),
    /// They are what scrubbing left.
    Bytes(Vec<u8>),
    /// They lie in the corpus's folder already.
    InPlace,
}

/// The largest file that is scrubbed: it is held in memory.
const SCRUBBED_MAX: u64 = 256 << 20;

impl Plan {
    /// Finds out what adding to the corpus in the folder `root` comes to.
    ///
    /// # Errors
    /// Everything that stands against it: nothing is added then. A corpus that is not sound, files that cannot be read or
    /// scrubbed, controls. Never empty.
    pub fn new(root: &Path, addition: &Addition) -> std::result::Result<Self, Vec<Error>> {
        let mut known = Known::open(root, addition)?;
        let mut errors = Vec::new();
        let mut warnings = std::mem::take(&mut known.warnings);
        let mut files = Vec::new();
        for path in &addition.files {
            match files_of(path) {
                Ok((found, left_out)) => {
                    files.extend(found);
                    warnings.extend(left_out);
                }
                Err(more) => errors.extend(more),
            }
        }
        if addition.id.is_some() && files.len() > 1 {
            let error = Error::usage(format!("`--id` names one file, and {} are given", files.len())).key("--id");
            errors.push(error.help("add them one by one, or leave `--id` out"));
        }
        if addition.weight.is_some_and(|weight| !weight.is_finite() || weight < 0.0) {
            errors.push(Error::usage("a weight is a number from 0 up").key("--weight").help("1 is usual"));
        }
        for procedure in &addition.procedures {
            if let Some(near) = near_procedure(procedure, known.procedures.iter().map(String::as_str)) {
                warnings.push(format!("no attachment has the procedure `{procedure}` yet: is `{near}` meant?"));
            }
        }
        let mut plan = Self {
            root: root.to_path_buf(),
            before: known.text.clone(),
            after: String::new(),
            creates_manifest: known.creates_manifest,
            taken_over: known.taken_over,
            added: Vec::new(),
            present: Vec::new(),
            warnings,
        };
        for path in files {
            match known.file(&path, addition) {
                Ok(Verdict::Add(added)) => plan.added.push(*added),
                Ok(Verdict::Present(id)) => plan.present.push((path, id)),
                Ok(Verdict::Manifest) => {}
                Err(error) => errors.push(error),
            }
        }
        plan.after = continued(&plan.before, &plan.added, addition);
        if errors.is_empty() {
            // Text that is appended fits any manifest whose attachments are tables of their own.
            let page = Page { path: plan.manifest().into(), text: plan.after.as_str().into() };
            if page.parse().is_err() {
                let error = Error::usage("the manifest cannot be continued: its attachments are written inline");
                errors.push(error.file(plan.manifest()).help("write each as an `[[attachment]]` of its own"));
            }
        }
        if errors.is_empty() { Ok(plan) } else { Err(errors) }
    }

    /// The path of the manifest.
    #[must_use]
    pub fn manifest(&self) -> PathBuf {
        self.root.join(manifest::FILE_NAME)
    }

    /// Copies the files, then puts the new manifest in the place of the old one.
    ///
    /// Killed at any moment, it leaves a whole manifest: the old one, or the new one with all its files.
    ///
    /// # Errors
    /// When something cannot be written, or changed since the plan was made. The manifest is the old one then.
    pub fn apply(&self) -> Result<()> {
        if self.added.is_empty() {
            return Ok(());
        }
        let manifest = self.manifest();
        let cannot = |error: &io::Error| {
            let error = Error::usage(format!("cannot write the corpus: {}", told(error))).file(&self.root);
            error.help("make the folder writable; the corpus is as it was")
        };
        fs::create_dir_all(&self.root).map_err(|error| cannot(&error))?;
        if self.creates_manifest {
            // Listed before anything is copied, the files of a folder without a manifest are never mistaken for others.
            replace(&manifest, self.before.as_bytes()).map_err(|error| cannot(&error))?;
        }
        let mut written = Vec::new();
        let done = self.copy(&mut written).and_then(|()| {
            if fs::read(&manifest).map_err(|error| cannot(&error))? != self.before.as_bytes() {
                let error = Error::usage("the manifest changed while files were added").file(&manifest);
                return Err(error.help("nothing was added to it: run the command again"));
            }
            replace(&manifest, self.after.as_bytes()).map_err(|error| cannot(&error))
        });
        if done.is_err() {
            for path in written {
                // What cannot be removed lies there unlisted, and harms nothing.
                let _ = fs::remove_file(path);
            }
        }
        done
    }

    fn copy(&self, written: &mut Vec<PathBuf>) -> Result<()> {
        for added in &self.added {
            let to = self.root.join(&added.file);
            let cannot = |error: &io::Error| {
                let error = Error::usage(format!("cannot write the file: {}", told(error))).file(&to);
                error.help("make the folder writable; the manifest is as it was")
            };
            let Some(folder) = to.parent() else { continue };
            match &added.origin {
                Origin::InPlace => continue,
                Origin::Bytes(bytes) => {
                    fs::create_dir_all(folder).and_then(|()| replace(&to, bytes)).map_err(|error| cannot(&error))?;
                }
                Origin::Copy(from) => {
                    fs::create_dir_all(folder).and_then(|()| copy(from, &to)).map_err(|error| cannot(&error))?;
                }
            }
            written.push(to.clone());
            let arrived = Content::from_file(&to).map_err(|error| cannot(&error))?;
            if arrived.sha256() != added.sha256 {
                let error = Error::usage("the file changed while it was being copied").file(&to);
                return Err(error.help("run the command again"));
            }
        }
        Ok(())
    }
}

/// What becomes of a file.
enum Verdict {
    Add(Box<Added>),
    Present(String),
    /// It is the manifest itself.
    Manifest,
}

/// The corpus as it is.
struct Known {
    root: PathBuf,
    text: String,
    creates_manifest: bool,
    taken_over: usize,
    warnings: Vec<String>,
    ids: HashSet<String>,
    /// Paths relative to the manifest, with ids.
    files: HashMap<String, String>,
    /// Content and filename of legitimate attachments, with ids.
    legit: HashMap<(Sha256Digest, String), String>,
    controls: HashMap<Sha256Digest, String>,
    eicar: Vec<u8>,
    procedures: BTreeSet<String>,
}

impl Known {
    fn open(root: &Path, addition: &Addition) -> std::result::Result<Self, Vec<Error>> {
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
                source: Metadata::read(&bytes).program.unwrap_or_else(|| by_hand(&addition.today)),
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
            match entry.attachment.intent {
                Intent::Legit => self.legit.insert((entry.content.sha256(), entry.filename.text.clone()), id),
                Intent::Control => self.controls.insert(entry.content.sha256(), id),
            };
        }
    }

    fn file(&mut self, path: &Path, addition: &Addition) -> Result<Verdict> {
        let cannot = |error: &io::Error| {
            let error = Error::usage(format!("cannot read this file: {}", told(error))).file(path);
            error.help("make it readable, or leave it out; nothing was added")
        };
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
            let error = Error::usage("the name of this file is not valid UTF-8").file(path);
            error.help("rename it; `page = \"Shift_JIS\"` in the manifest sends its name in Shift_JIS")
        })?;
        let inside = self.inside(path);
        if inside.as_deref() == Some(manifest::FILE_NAME) {
            return Ok(Verdict::Manifest);
        }
        if let Some(id) = inside.as_ref().and_then(|file| self.files.get(file)) {
            return Ok(Verdict::Present(id.clone()));
        }
        let content = Content::from_file(path).map_err(|error| cannot(&error))?;
        let head = content.read_range(0..LOOKED_AT).map_err(|error| cannot(&error))?;
        self.refuse_control(path, content.sha256(), &head)?;
        let (metadata, content, origin) = if addition.scrub {
            if inside.is_some() {
                let error = Error::usage("this file lies in the corpus's folder, and its metadata with it").file(path);
                return Err(error.help("move it out of the folder, and add it with `--scrub` from there"));
            }
            scrubbed(path, content)?
        } else {
            let origin = if inside.is_some() { Origin::InPlace } else { Origin::Copy(path.to_path_buf()) };
            (Metadata { kept: Kept::Unchanged, ..Metadata::read(&head) }, content, origin)
        };
        let key = (content.sha256(), name.to_owned());
        if let Some(id) = self.legit.get(&key) {
            return Ok(Verdict::Present(id.clone()));
        }
        let id = self.id(name, content.sha256(), addition)?;
        let file = inside.unwrap_or_else(|| self.place(&id, name));
        let left = match &origin {
            Origin::Bytes(bytes) => bytes.as_slice(),
            Origin::Copy(_) | Origin::InPlace => &head,
        };
        let added = Added {
            hints: personal::hints(left),
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
        self.legit.insert(key, id);
        Ok(Verdict::Add(Box::new(added)))
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
            if !sound || !id.contains('/') || id.split('/').any(str::is_empty) {
                let error = Error::usage(format!("`{id}` is no attachment id")).key("--id");
                return Err(error.help("an id is `family/name`, without white space, control characters and `~`"));
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
        let family = if family.is_empty() { "other".to_owned() } else { family };
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
fn scrubbed(path: &Path, content: Content) -> Result<(Metadata, Content, Origin)> {
    let refused = |why: &str, help: &str| Error::usage(format!("this file {why}")).file(path).help(help);
    if content.len() > SCRUBBED_MAX {
        let why = format!("has {} bytes, and at most {SCRUBBED_MAX} are scrubbed", content.len());
        return Err(refused(&why, "remove its metadata with exiftool, and add it without `--scrub`"));
    }
    let bytes = content.read_range(0..SCRUBBED_MAX).map_err(|error| refused(&told(&error), "make it readable"))?;
    let mut metadata = Metadata::read(&bytes);
    match std::mem::replace(&mut metadata.kept, Kept::Unchanged) {
        Kept::Unchanged => Ok((metadata, content, Origin::Copy(path.to_path_buf()))),
        Kept::Bytes(kept) => Ok((metadata, Content::from_bytes(kept.clone()), Origin::Bytes(kept))),
        Kept::Unscrubbable(refusal) => Err(refused(&refusal.why, refusal.help)),
    }
}

/// The files that an argument stands for, and what was left out.
fn files_of(path: &Path) -> std::result::Result<(Vec<PathBuf>, Vec<String>), Vec<Error>> {
    let metadata = fs::metadata(path).map_err(|error| {
        let error = Error::usage(format!("cannot read this file: {}", told(&error))).file(path);
        vec![error.help("give files, or folders of files")]
    })?;
    if metadata.is_dir() {
        let (files, warnings) = folder::files(path)?;
        return Ok((files.iter().map(|file| path.join(file)).collect(), warnings));
    }
    if !metadata.is_file() {
        let error = Error::usage("this is no regular file").file(path);
        return Err(vec![error.help("give files, or folders of files")]);
    }
    Ok((vec![path.to_path_buf()], Vec::new()))
}

fn by_hand(today: &str) -> String {
    format!("added by hand on {today}")
}

/// The extension in lower case, where it is ASCII.
fn extension(name: &str) -> Option<String> {
    let (stem, extension) = name.rsplit_once('.')?;
    let sound = !stem.is_empty() && (1..=10).contains(&extension.len());
    (sound && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())).then(|| extension.to_ascii_lowercase())
}

/// The family of a filename: its extension, of two spellings the longer one.
fn format_of(name: &str) -> String {
    match extension(name).as_deref() {
        Some("jpg" | "jpe") => "jpeg".to_owned(),
        Some("tif") => "tiff".to_owned(),
        Some("htm") => "html".to_owned(),
        Some(other) => other.to_owned(),
        None => "other".to_owned(),
    }
}

fn is_slug(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
}

/// The ASCII words of a name; where they say too little (`申請書_R6`), with the start of the digest.
fn slug(name: &str, sha256: Sha256Digest) -> String {
    const TELLING: usize = 3;
    const LONGEST: usize = 60;
    let stem = match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        Some(_) | None => name,
    };
    let mut slug = String::new();
    for c in stem.chars().map(|c| c.to_ascii_lowercase()) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(LONGEST);
    let slug = slug.trim_end_matches('-');
    let foreign = stem.chars().filter(|c| !c.is_ascii()).count();
    let word = slug.len() >= TELLING && slug.contains(|c: char| c.is_ascii_alphabetic());
    if word && foreign <= slug.len() {
        return slug.to_owned();
    }
    let digest = sha256.to_string();
    if slug.is_empty() { digest[..8].to_owned() } else { format!("{slug}-{}", &digest[..8]) }
}

/// `base`, or the first of `base-2`, `base-3`, … that is free.
fn unique(base: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2_u32..).map(|number| format!("{base}-{number}"));
    std::iter::once(base.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_else(|| base.to_owned())
}

/// The start of a new manifest. With axes that multiply only where no run was made without them.
fn template(name: &str, new: bool) -> String {
    let axes = "[axes]\nclient = [\"chromium\", \"firefox\", \"webkit\"]\nname = [\"as-is\", \"nfd\"]\n";
    let axes =
        if new { axes.to_owned() } else { axes.lines().fold(String::new(), |text, line| text + "# " + line + "\n") };
    format!(
        "# What is sent. `wafcanary corpus add` adds to the end and changes nothing else; `wafcanary corpus check` checks it.\n\
         # `wafcanary generate schema DIR` writes `manifest.json`, which lists every key.\n\
         schema_version = 1\n\
         name = {}\n\
         # Of attachments that name none: an SPDX expression, or a reference of your own.\n\
         # licence = \"LicenseRef-internal\"\n\n\
         # What multiplies each attachment into cases; `wafcanary corpus list` shows them.\n\
         {axes}",
        quoted(name)
    )
}

/// The manifest's text with more attachments at its end.
fn continued(text: &str, added: &[Added], addition: &Addition) -> String {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut out = text.to_owned();
    if !added.is_empty() && !out.ends_with('\n') {
        out.push_str(newline);
    }
    for each in added {
        out.push_str(newline);
        out.push_str(&block(each, addition).replace('\n', newline));
    }
    out
}

fn block(added: &Added, addition: &Addition) -> String {
    let mut text = "[[attachment]]\n".to_owned();
    let mut key = |name: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name} = {value}");
    };
    key("id", &quoted(&added.id));
    key("file", &quoted(&added.file));
    key("sha256", &quoted(&added.sha256.to_string()));
    key("filename", &quoted(&added.filename));
    if !addition.procedures.is_empty() {
        key("procedures", &list(&addition.procedures));
    }
    if !addition.tags.is_empty() {
        key("tags", &list(&addition.tags));
    }
    if let Some(weight) = addition.weight {
        key("weight", &toml::Value::Float(weight).to_string());
    }
    key("source", &quoted(&added.source));
    if let Some(licence) = &addition.licence {
        key("licence", &quoted(licence));
    }
    text
}

/// A basic string on one line: what needs it is escaped, and nothing is normalised.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// An array, with a line for each item where they are many.
fn list(items: &[String]) -> String {
    const LINE: usize = 80;
    let quoted: Vec<String> = items.iter().map(|item| quoted(item)).collect();
    let line = quoted.join(", ");
    if line.chars().count() <= LINE { format!("[{line}]") } else { format!("[\n    {},\n]", quoted.join(",\n    ")) }
}

/// Writes a file beside its place, whole and on the disk, and renames it there.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A link to a manifest stays one.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let beside = beside(&path);
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    finish(&file, &beside, &path)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_slug_is_ascii_and_tells_names_apart() {
        let slug = |name: &str| slug(name, Sha256Digest([0xab; 32]));
        assert_eq!(slug("Plan (1) final.PDF"), "plan-1-final");
        assert_eq!(slug("IMG_2041.HEIC"), "img-2041");
        assert_eq!(slug("排水設備計画書.pdf"), "abababab");
        assert_eq!(slug("減量等計画書_R6.xlsx"), "r6-abababab");
        assert_eq!(slug("スキャン_20240527.pdf"), "20240527-abababab");
        assert_eq!(slug(".htaccess"), "htaccess");
        assert_eq!(slug(""), "abababab");
    }

    #[test]
    fn the_family_is_the_extension() {
        assert_eq!(format_of("a.JPG"), "jpeg");
        assert_eq!(format_of("a.tar.gz"), "gz");
        for name in ["README", ".htaccess", "a.", "図面.図", "a.b c"] {
            assert_eq!(format_of(name), "other", "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_quoted_string_is_read_as_it_was(text in any::<String>()) {
            let table: toml::Table = toml::from_str(&format!("x = {}", quoted(&text))).unwrap();
            prop_assert_eq!(table["x"].as_str(), Some(text.as_str()));
        }

        #[test]
        fn every_slug_is_part_of_an_id_and_a_file_name(name in "\\PC{0,80}") {
            let made = slug(&name, Sha256Digest([0; 32]));
            prop_assert!(!made.is_empty() && made.len() < 80 && made.chars().all(is_slug), "{}", made);
        }
    }
}
