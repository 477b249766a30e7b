//! Reading a log from a position to its end.

use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::error_log::{self, Server};
use super::group::Group;
use super::json_records::{self, Layout};
use super::tail::{Place, Rotated, continuation, unreadable, walk};
use super::{
    Format, Position, Transaction, aws_waf, azure_waf, cloud_armor, cloudflare, coraza, format, modsecurity_json,
    native,
};
use crate::error::{Error, Result};

/// Records told in [`Summary::skipped`] at most; the rest is only counted.
pub const MAX_SKIPPED: usize = 20;

/// What was read of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// The format that was given or found; `None`: there was nothing to tell it by.
    pub format: Option<Format>,
    /// Bytes read.
    pub bytes: u64,
    /// Lines read.
    pub lines: u64,
    /// Transactions given.
    pub transactions: u64,
    /// The first [`MAX_SKIPPED`] records that could not be read.
    pub skipped: Vec<Skipped>,
    /// All records that could not be read.
    pub skipped_total: u64,
    /// The last record is half-written: the log is still being written, or the disk was full.
    pub torn_tail: bool,
    /// Whether the log was rotated since the position was taken.
    pub rotated: Rotated,
}

/// A record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// 1-based line, counted from where the reading of its file began.
    pub line: u64,
    /// Why, in words that hold nothing of the record.
    pub reason: String,
}

/// Reads what was appended to the log at `path` after `from`, and gives each transaction to `visit`.
///
/// `path` is a serial log, the index of a concurrent audit log, or the storage directory of one.
///
/// # Errors
/// When the log cannot be opened or read, is compressed, or its format cannot be told. A record that is
/// broken is no error: it is in the [`Summary`].
pub fn read(path: &Path, format: Format, from: &Position, visit: &mut dyn FnMut(Transaction)) -> Result<Summary> {
    let mut sink = Sink { visit, summary: Summary::default(), folder: PathBuf::new(), follow: true };
    if format != Format::Auto {
        sink.summary.format = Some(format);
    }
    if path.is_dir() {
        sink.follow = false;
        walk(path, &mut |file, metadata| match &from.0 {
            Place::Directory { since, known } if metadata.modified()? < *since || known.contains(file) => Ok(()),
            Place::Directory { .. } | Place::Start | Place::File { .. } => sink.single(file),
        })
        .map_err(|error| unreadable(path, &error))?;
        return Ok(sink.summary);
    }
    let continuation = continuation(path, from)?;
    sink.summary.rotated = continuation.rotated;
    sink.folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
    for (part, offset) in &continuation.parts {
        sink.part(part, *offset, format)?;
    }
    Ok(sink.summary)
}

/// Where readers of formats put what they read.
pub(super) struct Sink<'v> {
    visit: &'v mut dyn FnMut(Transaction),
    summary: Summary,
    /// Folder of the index, which the files of a concurrent log are looked for from.
    folder: PathBuf,
    /// Whether entries of an index are followed.
    follow: bool,
}

impl Sink<'_> {
    /// A whole transaction.
    pub(super) fn give(&mut self, transaction: Transaction) {
        self.summary.transactions += 1;
        (self.visit)(transaction);
    }

    /// A record that cannot be read.
    pub(super) fn skip(&mut self, line: u64, reason: String) {
        self.summary.skipped_total += 1;
        if self.summary.skipped.len() < MAX_SKIPPED {
            self.summary.skipped.push(Skipped { line, reason });
        }
    }

    /// The last record is not whole.
    pub(super) fn torn(&mut self) {
        self.summary.torn_tail = true;
    }

    /// Bytes and lines that were read.
    pub(super) fn count(&mut self, bytes: u64, lines: u64) {
        self.summary.bytes += bytes;
        self.summary.lines += lines;
    }

    /// An entry of an index: the transaction is in a file of its own.
    pub(super) fn entry(&mut self, line: u64, path: &Path) {
        if !self.follow {
            return;
        }
        let Some(found) = find_entry(&self.folder, path) else {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            self.skip(line, format!("the file of the transaction is not there: `{}`", super::redact::name(&name)));
            return;
        };
        self.follow = false;
        let read = self.single(&found);
        self.follow = true;
        if let Err(error) = read {
            self.skip(line, format!("the file of the transaction cannot be read: {error}"));
        }
    }

    /// A file of one transaction.
    fn single(&mut self, path: &Path) -> io::Result<()> {
        let mut file = File::open(path)?;
        let head = head(&mut file)?;
        let Some(format) = format::detect(&head) else {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            self.skip(1, format!("not a file of an audit log: `{}`", super::redact::name(&name)));
            return Ok(());
        };
        self.summary.format.get_or_insert(format);
        self.parse(file, format, Layout::of(&head))
    }

    /// A file from an offset to the end that it has now.
    fn part(&mut self, path: &Path, offset: u64, format: Format) -> Result<()> {
        let wrong = |error: io::Error| unreadable(path, &error);
        let mut file = File::open(path).map_err(wrong)?;
        let head = head(&mut file).map_err(wrong)?;
        if head.starts_with(&[0x1f, 0x8b]) {
            return Err(Error::usage("compressed logs are not read").file(path).help("unpack it with `gunzip` first"));
        }
        let format = match format {
            Format::Auto if head.is_empty() => return Ok(()),
            Format::Auto => {
                let found = format::detect(&head);
                if found.is_none() && !format::is_index(&head) {
                    return Err(format::unknown(path, &head));
                }
                self.summary.format = self.summary.format.or(found);
                // The index of a concurrent log: each of its files tells its own format.
                found.unwrap_or(Format::ModSecurity2Native)
            }
            given => given,
        };
        let length = file.metadata().map_err(wrong)?.len();
        let layout = Layout::of(&head);
        // A document has no lines to go on from: it was fetched anew, and what it had before joins nothing.
        let offset = if format.may_be_document() && layout == Layout::Document { 0 } else { offset };
        let begins_a_line = offset == 0 || {
            let mut before = [0];
            file.seek(SeekFrom::Start(offset - 1)).map_err(wrong)?;
            file.read_exact(&mut before).map_err(wrong)?;
            before == *b"\n"
        };
        file.seek(SeekFrom::Start(offset)).map_err(wrong)?;
        // NOTE: not past the length of now: a busy log would never end.
        let mut source = io::BufReader::with_capacity(super::lines::BUFFER, file).take(length.saturating_sub(offset));
        if !begins_a_line {
            let rest = io::BufRead::skip_until(&mut source, b'\n').map_err(wrong)?;
            self.count(rest as u64, 1);
            self.skip(1, "the position is in the middle of a line".to_owned());
        }
        self.parse(source, format, layout).map_err(wrong)
    }

    fn parse(&mut self, source: impl Read, format: Format, layout: Layout) -> io::Result<()> {
        let record = match format {
            Format::Coraza => coraza::transaction,
            Format::AwsWaf => aws_waf::transaction,
            Format::Cloudflare => cloudflare::transaction,
            Format::AzureWaf => azure_waf::transaction,
            Format::CloudArmor => cloud_armor::transaction,

            Format::ModSecurity2Json | Format::ModSecurity3Json => return modsecurity_json::read(source, self),
            Format::Auto | Format::ModSecurity2Native | Format::ModSecurity3Native => {
                return native::read(source, self);
            }
            Format::NginxError => return error_log::read(source, Server::Nginx, self),
            Format::ApacheError => return error_log::read(source, Server::Apache, self),
        };
        let mut group = Group::default();
        json_records::read(source, layout, self, record, |transaction, sink| match transaction {
            Some(piece) if format.tells_in_pieces() => group.take(piece, sink),
            Some(transaction) => sink.give(transaction),
            None => {}
        })?;
        group.give_all(self);
        Ok(())
    }
}

/// The first bytes of a file; it is read from its start again.
fn head(file: &mut File) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file.by_ref().take(format::HEAD).read_to_end(&mut head)?;
    file.rewind()?;
    Ok(head)
}

/// The file that a line of an index names: `… /20261125/20261125-2100/20261125-210032-awdM… 0 2111 md5:…`.
///
/// NOTE: read from the right, because what stands before are words of the client.
pub(super) fn index_entry(line: &str) -> Option<PathBuf> {
    let mut words = line.trim_end().rsplitn(4, ' ');
    let hash = words.next()?.strip_prefix("md5:")?;
    let (_size, _offset) = (words.next()?, words.next()?);
    let path = words.next()?.rsplit(' ').next()?;
    (hash.len() == 32 && path.contains('/')).then(|| PathBuf::from(path))
}

/// Looks for an entry's file where the index says, and at the same place below the index's folder, so that logs
/// which were copied from another machine can be read. ModSecurity 2 writes paths below `SecAuditLogStorageDir`.
fn find_entry(folder: &Path, path: &Path) -> Option<PathBuf> {
    let relative: PathBuf = path.components().filter(|part| matches!(part, std::path::Component::Normal(_))).collect();
    let mut bases = vec![folder.to_path_buf()];
    let beside = fs::read_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    bases.extend(beside.into_iter().flatten().flatten().map(|entry| entry.path()).filter(|path| path.is_dir()));
    let suffixes = std::iter::successors(Some(relative.as_path()), |path| {
        let mut parts = path.components();
        parts.next()?;
        Some(parts.as_path()).filter(|rest| !rest.as_os_str().is_empty())
    });
    let copies = suffixes.flat_map(|suffix| bases.iter().map(move |base| base.join(suffix)));
    std::iter::once(path.to_path_buf()).filter(|path| path.is_absolute()).chain(copies).find(|path| path.is_file())
}
