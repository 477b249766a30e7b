//! The table `[lab]` of a profile, read strictly.

use std::path::Path;

use base64::Engine as _;
use globset::{Glob, GlobMatcher};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::page::Refusal;
use crate::error::{Error, Result};

/// What an edge (or, for two of them, the origin) does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Behaviour {
    /// Lets everything through.
    Pass,
    /// Refuses what a rule matches.
    Filter,
    /// Refuses every upload with `answer`.
    Refuse,
    /// Answers 413 after `after` body bytes, and closes.
    #[serde(rename = "early-413")]
    Early413,
    /// Resets the connection after `after` body bytes.
    Reset,
    /// Takes the upload and never answers.
    Silence,
    /// Answers one byte at a time, and never comes to the end.
    SlowDrip,
    /// Cuts the last `after` bytes off each file.
    Truncate,
    /// Flips one bit of the last byte of each file.
    FlipByte,
    /// Forwards another filename.
    MojibakeName,
    /// Forwards another `Content-Type`.
    RewriteType,
    /// Answers like the origin, and forwards nothing.
    FakeSuccess,
    /// Filters, and after `limit` refusals bans the client.
    Ban,
    /// Refuses one upload in `limit`.
    Flaky,
    /// Answers 429 after `limit` requests in `retry_after` seconds.
    Throttle,
    /// Answers with bytes that are not HTTP.
    BrokenHttp,
    /// Answers without end.
    Endless,
    /// The origin refuses the file itself.
    OriginRejects,
    /// The origin gives a receipt and loses the file.
    Lost,
}

/// How a banned client is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum BanAnswer {
    /// With a 403 page.
    Page,
    /// The connection is closed without an answer.
    Drop,
}

/// A number of bytes: an integer, or text such as `"128KiB"`.
#[derive(Debug, Clone, Copy)]
struct Size(u64);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        let size = match &value {
            toml::Value::Integer(bytes) => u64::try_from(*bytes).ok(),
            toml::Value::String(text) => parse_size(text),
            _ => None,
        };
        size.map(Self).ok_or_else(|| serde::de::Error::custom("expected a size such as 65536 or \"64KiB\""))
    }
}

fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PatternEntry {
    name: String,
    base64: String,
    #[serde(default)]
    extensions: Vec<String>,
    #[serde(default)]
    ignore_case: bool,
}

/// Bytes that a file must not hold.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    /// What they are.
    pub(super) name: String,
    /// The bytes, in lower case when `ignore_case`.
    pub(super) bytes: Vec<u8>,
    /// Only in files with these extensions; empty: in all.
    pub(super) extensions: Vec<String>,
    /// ASCII letters of either case match.
    pub(super) ignore_case: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TogetherEntry {
    name: String,
    extension: Option<String>,
    #[serde(rename = "type")]
    content_type: Option<String>,
    name_part: Option<String>,
    size: Option<Size>,
    #[serde(default)]
    base64: Vec<String>,
}

/// Properties that a file must not have all of; each by itself passes.
#[derive(Debug, Clone, Default)]
pub(super) struct Together {
    /// What they are.
    pub(super) name: String,
    /// The last extension, lower case.
    pub(super) extension: Option<String>,
    /// The declared type without its parameters, lower case.
    pub(super) content_type: Option<String>,
    /// A run of bytes in the filename.
    pub(super) name_part: Option<String>,
    /// Bytes of the file at least.
    pub(super) size: Option<u64>,
    /// Runs of bytes that the file holds, each of them.
    pub(super) bytes: Vec<Vec<u8>>,
}

/// The rules of a plan about files and the requests that carry them.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    /// Refused last extensions, lower case.
    pub(super) extensions: Vec<String>,
    /// Refused in any of a name's extensions, lower case.
    pub(super) any_extensions: Vec<String>,
    /// Refused runs of bytes in a filename.
    pub(super) name_parts: Vec<String>,
    /// Refused declared types, without parameters, lower case.
    pub(super) types: Vec<String>,
    /// Refuse filenames of so many bytes and more, as they stand in the request.
    pub(super) name_bytes: Option<u64>,
    /// Refuse files of so many bytes and more.
    pub(super) size: Option<u64>,
    /// Refuse files of fewer bytes.
    pub(super) under: Option<u64>,
    /// Refuse bytes beyond ASCII in files with these last extensions, lower case.
    pub(super) non_ascii: Vec<String>,
    /// Refused text in a line of the request's head or of a part's.
    pub(super) lines: Vec<String>,
    /// Refuse files whose first bytes do not fit the extension.
    pub(super) magic_mismatch: bool,
    /// Refuse OOXML containers with a VBA project.
    pub(super) macros: bool,
    /// Refuse encrypted ZIP, PDF and Office files.
    pub(super) encrypted: bool,
    /// Refused content.
    pub(super) patterns: Vec<Pattern>,
    /// What is refused only together.
    pub(super) together: Vec<Together>,
    /// Refuse one upload in so many, whatever it holds.
    pub(super) each: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TriggerEntry {
    #[serde(default)]
    filenames: Vec<String>,
    min_size: Option<Size>,
    max_size: Option<Size>,
}

/// Which uploads a lie is for.
#[derive(Debug, Clone, Default)]
pub(super) struct Trigger {
    /// Filenames, as globs; empty: all.
    pub(super) filenames: Vec<GlobMatcher>,
    /// The request's `Content-Length` at least, in bytes.
    pub(super) min_size: Option<u64>,
    /// The request's `Content-Length` at most, in bytes.
    pub(super) max_size: Option<u64>,
}

/// The table, checked.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// What the edge does.
    pub(super) behaviour: Behaviour,
    /// Body bytes that are looked at.
    pub(super) window: usize,
    /// The file rules.
    pub(super) rules: Rules,
    /// What refused uploads get; a stable hash of the filename chooses. Not empty.
    pub(super) answers: Vec<Refusal>,
    /// Read the whole upload before refusing it.
    pub(super) drain: bool,
    /// Bytes, for the lies that count them.
    pub(super) after: u64,
    /// Requests or refusals, for the lies that count them.
    pub(super) limit: u64,
    /// Seconds, for `throttle`.
    pub(super) retry_after: u64,
    /// How a banned client is met.
    pub(super) ban: BanAnswer,
    /// The type that `rewrite-type` writes.
    pub(super) content_type: String,
    /// Which uploads a lie is for.
    pub(super) trigger: Trigger,
}

const DEFAULT_WINDOW: u64 = 128 << 10;
/// The largest window, and the largest size that is counted to, in bytes: they are held in memory for each request.
const MAX_WINDOW: u64 = 16 << 20;

struct Reader<'a> {
    table: toml::Table,
    place: &'a Path,
}

impl Reader<'_> {
    fn error(&self, key: &str, message: impl Into<String>) -> Error {
        Error::usage(message).file(self.place).key(format!("lab.{key}"))
    }

    fn take<T: DeserializeOwned>(&mut self, key: &str) -> Result<Option<T>> {
        let Some(value) = self.table.remove(key) else { return Ok(None) };
        value.try_into().map(Some).map_err(|error: toml::de::Error| {
            let first = error.message().lines().next().unwrap_or_default().to_owned();
            self.error(key, first)
        })
    }

    /// The bytes of a pattern in base64.
    fn pattern(&self, key: &str, base64: &str) -> Result<Vec<u8>> {
        let bytes = base64::engine::general_purpose::STANDARD.decode(base64).ok().filter(|bytes| !bytes.is_empty());
        bytes.ok_or_else(|| self.error(key, format!("`{base64}` is not base64 of a pattern")))
    }

    /// A number of bytes that a file's are counted to.
    fn counted(&self, key: &str, size: Size) -> Result<u64> {
        let sound = (1..=MAX_WINDOW).contains(&size.0);
        sound.then_some(size.0).ok_or_else(|| self.error(key, "a refused size is 1 byte to 16 MiB"))
    }

    /// Takes a key that only some behaviours know; elsewhere it stays in the table and is reported as unknown.
    fn take_if<T: DeserializeOwned>(&mut self, known: bool, key: &str) -> Result<Option<T>> {
        if known { self.take(key) } else { Ok(None) }
    }
}

impl Settings {
    /// Reads the table `[lab]` of the profile at `place`.
    pub(super) fn read(table: &toml::Table, place: &Path) -> Result<Self> {
        let mut reader = Reader { table: table.clone(), place };
        let behaviour: Behaviour = reader.take("behaviour")?.ok_or_else(|| {
            reader.error("behaviour", "the key is missing").help("say what the edge does, for example `\"filter\"`")
        })?;
        let kind = Kind::of(behaviour);
        let window = reader.take_if::<Size>(kind.filters, "window")?.map_or(DEFAULT_WINDOW, |size| size.0);
        if window == 0 || window > MAX_WINDOW {
            return Err(reader.error("window", "a window has 1 byte to 16 MiB"));
        }
        let rules = if kind.filters { Rules::read(&mut reader)? } else { Rules::default() };
        let answers = answers(&mut reader, kind.answers)?;
        let limit = reader.take_if(kind.limit.is_some(), "limit")?.or(kind.limit).unwrap_or(1);
        if limit == 0 && behaviour == Behaviour::Flaky {
            return Err(reader.error("limit", "one in 0 uploads cannot be refused"));
        }
        let after = reader.take_if::<Size>(kind.after.is_some(), "after")?.map(|size| size.0).or(kind.after);
        if behaviour == Behaviour::Truncate && !after.is_some_and(|after| (1..=MAX_WINDOW).contains(&after)) {
            return Err(reader.error("after", "a truncation cuts 1 byte to 16 MiB"));
        }
        let trigger = if kind.triggers { Trigger::read(&mut reader)? } else { Trigger::default() };
        let settings = Self {
            behaviour,
            window: usize::try_from(window).unwrap_or(usize::MAX),
            rules,
            answers,
            drain: reader.take_if(kind.answers, "drain")?.unwrap_or(true),
            after: after.unwrap_or(0),
            limit,
            retry_after: reader.take_if(behaviour == Behaviour::Throttle, "retry_after")?.unwrap_or(1),
            ban: reader.take_if(behaviour == Behaviour::Ban, "ban")?.unwrap_or(BanAnswer::Page),
            content_type: reader
                .take_if(behaviour == Behaviour::RewriteType, "content_type")?
                .unwrap_or_else(|| "application/x-rewritten".to_owned()),
            trigger,
        };
        match reader.table.keys().next() {
            None => Ok(settings),
            Some(key) => Err(reader
                .error(key, format!("unknown key `{key}`"))
                .help("remove it, or choose a behaviour that knows it: profiles/lab shows each")),
        }
    }
}

/// Which keys a behaviour knows, with their defaults.
struct Kind {
    filters: bool,
    answers: bool,
    triggers: bool,
    after: Option<u64>,
    limit: Option<u64>,
}

impl Kind {
    fn of(behaviour: Behaviour) -> Self {
        let lie = Self { filters: false, answers: false, triggers: true, after: None, limit: None };
        match behaviour {
            Behaviour::Pass | Behaviour::OriginRejects | Behaviour::Lost => Self { triggers: false, ..lie },
            Behaviour::Filter => Self { filters: true, answers: true, triggers: false, ..lie },
            Behaviour::Refuse => Self { answers: true, ..lie },
            Behaviour::Early413 | Behaviour::Reset => Self { after: Some(64 << 10), ..lie },
            Behaviour::Truncate => Self { after: Some(16), ..lie },
            Behaviour::Ban => Self { filters: true, answers: true, triggers: false, limit: Some(3), ..lie },
            Behaviour::Flaky => Self { answers: true, limit: Some(4), ..lie },
            Behaviour::Throttle => Self { triggers: false, limit: Some(5), ..lie },
            Behaviour::Silence
            | Behaviour::SlowDrip
            | Behaviour::FlipByte
            | Behaviour::MojibakeName
            | Behaviour::RewriteType
            | Behaviour::FakeSuccess
            | Behaviour::BrokenHttp
            | Behaviour::Endless => lie,
        }
    }
}

fn answers(reader: &mut Reader<'_>, known: bool) -> Result<Vec<Refusal>> {
    let several: Option<Vec<Refusal>> = reader.take_if(known, "answers")?;
    let one: Option<Refusal> = reader.take_if(known, "answer")?;
    match (one, several) {
        (Some(_), Some(_)) => {
            Err(reader.error("answers", "`answer` and `answers` are both set").help("keep one of them"))
        }
        (_, Some(several)) if several.is_empty() => Err(reader.error("answers", "the list is empty")),
        (_, Some(several)) => Ok(several),
        (one, None) => Ok(vec![one.unwrap_or(Refusal::Forbidden)]),
    }
}

impl Rules {
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let lower = |names: Option<Vec<String>>| -> Vec<String> {
            names.unwrap_or_default().iter().map(|name| name.to_ascii_lowercase()).collect()
        };
        let mut patterns = Vec::new();
        for (index, entry) in
            reader.take::<Vec<PatternEntry>>("refuse_patterns")?.unwrap_or_default().into_iter().enumerate()
        {
            let bytes = reader.pattern(&format!("refuse_patterns[{index}].base64"), &entry.base64)?;
            let bytes = if entry.ignore_case { bytes.to_ascii_lowercase() } else { bytes };
            let extensions = lower(Some(entry.extensions));
            patterns.push(Pattern { name: entry.name, bytes, extensions, ignore_case: entry.ignore_case });
        }
        let mut together = Vec::new();
        for (index, entry) in
            reader.take::<Vec<TogetherEntry>>("refuse_together")?.unwrap_or_default().into_iter().enumerate()
        {
            together.push(Together::read(entry, &format!("refuse_together[{index}]"), reader)?);
        }
        let mut counted = |key: &str| -> Result<Option<u64>> {
            reader.take::<Size>(key)?.map(|size| reader.counted(key, size)).transpose()
        };
        let (size, under) = (counted("refuse_size")?, counted("refuse_under")?);
        let name_bytes = reader.take::<Size>("refuse_name_bytes")?.map(|size| size.0);
        if name_bytes == Some(0) {
            return Err(reader.error("refuse_name_bytes", "a refused filename has 1 byte or more"));
        }
        let each: Option<u64> = reader.take("refuse_each")?;
        if each.is_some_and(|each| each < 2) {
            return Err(reader.error("refuse_each", "one upload in 2 or more is refused"));
        }
        let lines: Vec<String> = reader.take("refuse_lines")?.unwrap_or_default();
        if lines.iter().any(|text| text.is_empty() || text.contains(['\r', '\n'])) {
            return Err(reader.error("refuse_lines", "a line's text is not empty and has no line break"));
        }
        Ok(Self {
            extensions: lower(reader.take("refuse_extensions")?),
            any_extensions: lower(reader.take("refuse_any_extensions")?),
            name_parts: reader.take("refuse_name_parts")?.unwrap_or_default(),
            types: lower(reader.take("refuse_types")?),
            name_bytes,
            size,
            under,
            non_ascii: lower(reader.take("refuse_non_ascii")?),
            lines,
            magic_mismatch: reader.take("refuse_magic_mismatch")?.unwrap_or(false),
            macros: reader.take("refuse_macros")?.unwrap_or(false),
            encrypted: reader.take("refuse_encrypted")?.unwrap_or(false),
            patterns,
            together,
            each,
        })
    }

    /// The number of bytes to which a file's are counted; 0: no rule asks how many there are.
    pub(super) fn counted(&self) -> u64 {
        self.together.iter().filter_map(|together| together.size).chain(self.size).chain(self.under).max().unwrap_or(0)
    }
}

impl Together {
    fn read(entry: TogetherEntry, key: &str, reader: &Reader<'_>) -> Result<Self> {
        let bytes = |text: &String| reader.pattern(&format!("{key}.base64"), text);
        let together = Self {
            name: entry.name,
            extension: entry.extension.map(|extension| extension.to_ascii_lowercase()),
            content_type: entry.content_type.map(|content_type| content_type.to_ascii_lowercase()),
            name_part: entry.name_part,
            size: entry.size.map(|size| reader.counted(&format!("{key}.size"), size)).transpose()?,
            bytes: entry.base64.iter().map(bytes).collect::<Result<_>>()?,
        };
        let one = [
            together.extension.is_some(),
            together.content_type.is_some(),
            together.name_part.is_some(),
            together.size.is_some(),
        ];
        if one.into_iter().filter(|given| *given).count() + together.bytes.len() < 2 {
            return Err(reader
                .error(key, "one property is not several together")
                .help("add another, or use its own key"));
        }
        Ok(together)
    }
}

impl Trigger {
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let Some(entry) = reader.take::<TriggerEntry>("trigger")? else { return Ok(Self::default()) };
        let glob = |text: &String| {
            let glob = Glob::new(text).map(|glob| glob.compile_matcher());
            glob.map_err(|error| reader.error("trigger.filenames", error.to_string()))
        };
        Ok(Self {
            filenames: entry.filenames.iter().map(glob).collect::<Result<_>>()?,
            min_size: entry.min_size.map(|size| size.0),
            max_size: entry.max_size.map(|size| size.0),
        })
    }

    /// Whether an upload with this filename and `Content-Length` is meant.
    pub(super) fn fits(&self, filename: &[u8], length: Option<u64>) -> bool {
        let name = String::from_utf8_lossy(filename);
        let named = self.filenames.is_empty() || self.filenames.iter().any(|glob| glob.is_match(name.as_ref()));
        let sized = self.min_size.is_none_or(|min| length.is_some_and(|length| length >= min))
            && self.max_size.is_none_or(|max| length.is_some_and(|length| length <= max));
        named && sized
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings> {
        Settings::read(&text.parse().unwrap(), Path::new("edge.toml"))
    }

    #[test]
    fn an_unknown_key_is_named_with_its_file() {
        let error = read("behaviour = \"filter\"\nwindows = 3").unwrap_err().to_string();
        assert!(error.contains("`windows`") && error.contains("lab.windows") && error.contains("edge.toml"), "{error}");
    }

    #[test]
    fn a_key_of_another_behaviour_is_unknown() {
        let error = read("behaviour = \"silence\"\nlimit = 3").unwrap_err().to_string();
        assert!(error.contains("lab.limit"), "{error}");
    }

    #[test]
    fn wrong_values_name_their_key() {
        for (text, key) in [
            ("behaviour = \"lies\"", "lab.behaviour"),
            ("window = 1", "lab.behaviour"),
            ("behaviour = \"filter\"\nwindow = \"1 mile\"", "lab.window"),
            ("behaviour = \"filter\"\nwindow = 0", "lab.window"),
            ("behaviour = \"filter\"\nanswers = []", "lab.answers"),
            ("behaviour = \"filter\"\nanswer = \"teapot\"", "lab.answer"),
            ("behaviour = \"flaky\"\nlimit = 0", "lab.limit"),
            (
                "behaviour = \"filter\"\nrefuse_patterns = [{ name = \"x\", base64 = \"*\" }]",
                "refuse_patterns[0].base64",
            ),
            ("behaviour = \"filter\"\nrefuse_size = \"17MiB\"", "lab.refuse_size"),
            ("behaviour = \"filter\"\nrefuse_size = 0", "lab.refuse_size"),
            ("behaviour = \"filter\"\nrefuse_under = \"17MiB\"", "lab.refuse_under"),
            ("behaviour = \"filter\"\nrefuse_name_bytes = 0", "lab.refuse_name_bytes"),
            ("behaviour = \"filter\"\nrefuse_non_ascii = \"txt\"", "lab.refuse_non_ascii"),
            ("behaviour = \"ban\"\nrefuse_each = 1", "lab.refuse_each"),
            ("behaviour = \"flaky\"\nrefuse_each = 2", "lab.refuse_each"),
            ("behaviour = \"filter\"\nrefuse_types = \"text/csv\"", "lab.refuse_types"),
            ("behaviour = \"filter\"\nrefuse_lines = [\"\"]", "lab.refuse_lines"),
            ("behaviour = \"pass\"\nrefuse_lines = [\"Expect:\"]", "lab.refuse_lines"),
            (
                "behaviour = \"filter\"\nrefuse_together = [{ name = \"x\", base64 = [\"eA==\"] }]",
                "lab.refuse_together[0]",
            ),
            (
                "behaviour = \"filter\"\nrefuse_together = [{ name = \"x\", extension = \"a\", base64 = [\"*\"] }]",
                "refuse_together[0].base64",
            ),
            ("behaviour = \"filter\"\nrefuse_together = [{ name = \"x\", line = \"y\" }]", "lab.refuse_together"),
            ("behaviour = \"silence\"\ntrigger = { filenames = [\"[\"] }", "lab.trigger.filenames"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(key), "{text}: {error}");
        }
    }

    #[test]
    fn sizes_are_read_with_their_unit() {
        assert_eq!(read("behaviour = \"filter\"\nwindow = \"64KiB\"").unwrap().window, 65536);
        assert_eq!(read("behaviour = \"filter\"\nwindow = 8192").unwrap().window, 8192);
    }
}
