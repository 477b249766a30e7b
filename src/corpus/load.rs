//! From a manifest's text to attachments: every value checked, every file digested, every error collected.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;

use super::manifest::{Manifest, Page, RawAttachment, RawAxes, RawPair, RawSize, RawWire, did_you_mean};
use super::pad::{self, pad};
use super::store::{Job, Store};
use super::{
    Attachment, Axes, Beside, CaseId, Client, Content, DeclaredType, Entry, Filename, FormOverrides, Intent, NameForm,
    PageCharset, Provenance, Sha256Digest, Transport,
};
use crate::error::{Error, line_of};

/// Forms of `as the client declares` in a manifest.
pub(super) const AS_CLIENT: &str = "as-client";

pub(super) struct Loaded {
    pub(super) name: String,
    pub(super) entries: Vec<Entry>,
}

pub(super) fn load(store: &Store, page: Page) -> Result<Loaded, Vec<Error>> {
    let manifest = page.parse().map_err(|error| vec![error])?;
    let mut loader = Loader { page, errors: Vec::new() };
    let entries = loader.entries(&manifest, store);
    if loader.errors.is_empty() { Ok(Loaded { name: manifest.name, entries }) } else { Err(loader.errors) }
}

struct Loader {
    page: Page,
    errors: Vec<Error>,
}

impl Loader {
    fn entries(&mut self, manifest: &Manifest, store: &Store) -> Vec<Entry> {
        let defaults = self.axes(&manifest.axes);
        self.ids(&manifest.attachment);
        let mut jobs = Vec::new();
        for raw in &manifest.attachment {
            jobs.push(Job { file: raw.file.get_ref().clone(), armour: raw.encoding });
            jobs.extend(raw.also.iter().map(|also| Job { file: also.file.get_ref().clone(), armour: None }));
        }
        let mut opened = store.open_all(&jobs).into_iter();
        let mut entries = Vec::new();
        for (index, raw) in manifest.attachment.iter().enumerate() {
            let here = Here { key: format!("attachment[{index}]"), licence: manifest.licence.as_deref() };
            let content = opened.next();
            let also: Vec<_> = opened.by_ref().take(raw.also.len()).collect();
            entries.extend(self.entry(raw, &here, &defaults, content, also));
        }
        entries
    }

    fn ids(&mut self, raws: &[RawAttachment]) {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for (index, raw) in raws.iter().enumerate() {
            let id = raw.id.get_ref().as_str();
            let key = format!("attachment[{index}].id");
            let whole = id.contains('/') && id.split('/').all(|part| !part.is_empty());
            if CaseId::parse(id).is_none() || id.contains('~') || !whole {
                let help = "an id is `family/name`, without white space, control characters and `~`";
                self.errors.push(self.page.fault(format!("`{id}` is no attachment id"), &raw.id, &key).help(help));
            }
            if let Some(first) = seen.get(id) {
                let message = format!("the id `{id}` is declared twice");
                let line = line_of(&self.page.text, *first);
                let help = format!("it is first declared on line {line}; give this attachment another id");
                self.errors.push(self.page.fault(message, &raw.id, key).help(help));
            } else {
                seen.insert(id, raw.id.span().start);
            }
        }
        let legit: HashSet<&str> = raws
            .iter()
            .filter(|raw| raw.intent != Some(Intent::Control))
            .map(|raw| raw.id.get_ref().as_str())
            .collect();
        for (index, raw) in raws.iter().enumerate() {
            self.twin(raw, &legit, index);
        }
    }

    fn twin(&mut self, raw: &RawAttachment, legit: &HashSet<&str>, index: usize) {
        let key = format!("attachment[{index}].twin");
        let id = raw.id.get_ref();
        let error = match (&raw.twin, raw.intent.unwrap_or(Intent::Legit)) {
            (None, Intent::Legit) => return,
            (None, Intent::Control) => self
                .page
                .fault(format!("the control `{id}` has no twin"), &raw.id, key)
                .help("add `twin = \"…\"`, the id of the legitimate attachment that it resembles most"),
            (Some(twin), Intent::Legit) => self
                .page
                .fault(format!("`{id}` is legitimate and has a twin"), twin, key)
                .help("only controls have twins: remove the key, or add `intent = \"control\"`"),
            (Some(twin), Intent::Control) if legit.contains(twin.get_ref().as_str()) => return,
            (Some(twin), Intent::Control) => {
                let mut known: Vec<&str> = legit.iter().copied().collect();
                known.sort_unstable();
                known.truncate(200);
                let near = did_you_mean(twin.get_ref(), known);
                let help = if near.starts_with("did") { near } else { "name a legitimate attachment's id".into() };
                self.page
                    .fault(format!("the twin `{}` is no legitimate attachment", twin.get_ref()), twin, key)
                    .help(help)
            }
        };
        self.errors.push(error);
    }

    fn entry(
        &mut self,
        raw: &RawAttachment,
        here: &Here<'_>,
        defaults: &Axes,
        content: Option<Result<Content, String>>,
        also: Vec<Result<Content, String>>,
    ) -> Option<Entry> {
        let text = raw.filename.clone().unwrap_or_else(|| base_name(raw.file.get_ref()));
        let content = self.content(raw, here, &text, content?);
        let beside = self.beside(raw, here, also);
        let page = raw.page.as_ref().map(|page| self.charset(page, here));
        let client = raw.client.as_ref().map(|client| self.client(client, &here.of("client")));
        let transport = raw.transport.as_ref().map(|transport| self.transport(transport, &here.of("transport")));
        let declared_type = raw.r#type.as_ref().map(|text| self.media_type(text, &here.of("type")));
        let form_overrides = raw.wire.as_ref().map(|wire| self.form_overrides(wire, raw, here)).unwrap_or_default();
        let weight = self.weight(raw, here);
        let own = self.axes(&raw.axes);
        let intent = raw.intent.unwrap_or(Intent::Legit);
        let line = line_of(&self.page.text, raw.id.span().start);
        let attachment = Attachment {
            id: raw.id.get_ref().clone(),
            intent,
            twin: raw.twin.as_ref().map(|twin| twin.get_ref().clone()),
            procedures: raw.procedures.clone(),
            tags: raw.tags.clone(),
            weight,
            provenance: Provenance {
                source: raw.source.clone(),
                licence: raw.licence.clone().or_else(|| here.licence.map(str::to_owned)),
                trips: raw.trips.clone(),
                fidelity: raw.fidelity.unwrap_or_default(),
                fictional: raw.fictional,
            },
            place: Some((self.page.path.to_path_buf(), line)),
        };
        Some(Entry {
            axes: effective(raw, defaults, own, intent),
            attachment: Arc::new(attachment),
            content: content?,
            filename: Filename { text, page: page.flatten().unwrap_or_default() },
            page_fixed: raw.page.is_some(),
            declared_type: declared_type.flatten().unwrap_or(DeclaredType::AsClient),
            client: client.flatten(),
            transport: transport.flatten(),
            beside: beside?,
            form_overrides,
        })
    }

    fn content(
        &mut self,
        raw: &RawAttachment,
        here: &Here<'_>,
        filename: &str,
        opened: Result<Content, String>,
    ) -> Option<Content> {
        let file = raw.file.get_ref();
        let content = match opened {
            Ok(content) => content,
            Err(why) => {
                let message = format!("cannot read `{file}`: {why}");
                let help = "paths are relative to the manifest and stay below its folder";
                self.errors.push(self.page.fault(message, &raw.file, here.of("file")).help(help));
                return None;
            }
        };
        if let Some(sha256) = &raw.sha256 {
            let found = content.sha256();
            let error = match Sha256Digest::parse(sha256.get_ref()) {
                Some(digest) if digest == found => None,
                Some(_) => Some(format!("`{file}` is not the file that the manifest describes")),
                None => Some("this is no SHA-256 digest in hex".to_owned()),
            };
            if let Some(message) = error {
                let help = format!("the file's digest is {found}; restore the file, or accept it with that digest");
                self.errors.push(self.page.fault(message, sha256, here.of("sha256")).help(help));
            }
        }
        let Some(size) = &raw.size else { return Some(content) };
        let bytes = self.size(size, &here.of("size"))?;
        match pad(&content, filename, bytes) {
            Ok(padded) => Some(padded),
            Err(why) => {
                let help = format!("a file can be padded when it is smaller and one of: {}", pad::FORMATS);
                self.errors.push(self.page.fault(format!("`{file}` {why}"), size, here.of("size")).help(help));
                None
            }
        }
    }

    fn beside(
        &mut self,
        raw: &RawAttachment,
        here: &Here<'_>,
        opened: Vec<Result<Content, String>>,
    ) -> Option<Vec<Beside>> {
        let mut beside: Vec<Beside> = raw
            .fields
            .iter()
            .map(|field| Beside::Text { name: field.name.clone(), value: field.value.clone() })
            .collect();
        for (also, opened) in raw.also.iter().zip(opened) {
            let file = also.file.get_ref();
            match opened {
                Ok(content) => beside.push(Beside::File {
                    name: also.field.clone(),
                    filename: also.filename.clone().unwrap_or_else(|| base_name(file)),
                    content,
                }),
                Err(why) => {
                    let message = format!("cannot read `{file}`: {why}");
                    let help = "paths are relative to the manifest and stay below its folder";
                    self.errors.push(self.page.fault(message, &also.file, here.of("also.file")).help(help));
                    return None;
                }
            }
        }
        beside.extend(raw.empty.iter().map(|name| Beside::EmptyFile { name: name.clone() }));
        Some(beside)
    }

    fn form_overrides(&mut self, wire: &RawWire, raw: &RawAttachment, here: &Here<'_>) -> FormOverrides {
        if let Some(transport) = raw.transport.as_ref().filter(|text| text.get_ref() != Transport::Multipart.as_str()) {
            let message = format!("`{}` has no form, and `wire` is about one", transport.get_ref());
            let help = "remove `wire`, or write `transport = \"multipart\"`";
            self.errors.push(self.page.fault(message, transport, here.of("transport")).help(help));
        }
        if let Some(field) = wire.field.as_ref().filter(|field| field.get_ref().is_empty()) {
            let error = self.page.fault("the file field has no name", field, here.of("wire.field"));
            self.errors.push(error.help("write the `name` of the file input, or remove the key"));
        }
        if let Some(boundary) = &wire.boundary {
            self.boundary(boundary, wire.quoted_boundary, here);
        }
        FormOverrides {
            field: wire.field.as_ref().map(|field| field.get_ref().clone()),
            boundary: wire.boundary.as_ref().map(|boundary| boundary.get_ref().clone()),
            quoted_boundary: wire.quoted_boundary,
            parameters: self.pairs(&wire.parameters, &["name", "filename"], &here.of("wire.parameters")),
            part_headers: self.pairs(
                &wire.part_headers,
                &["Content-Disposition", "Content-Type"],
                &here.of("wire.part_headers"),
            ),
        }
    }

    /// A boundary is 1 to 70 `bchars` and does not end with a space (RFC 2046, section 5.1.1).
    fn boundary(&mut self, boundary: &Spanned<String>, quoted: bool, here: &Here<'_>) {
        let text = boundary.get_ref();
        let sound = (1..=70).contains(&text.len())
            && !text.ends_with(' ')
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte));
        let (message, help) = if !sound {
            (
                "this is no boundary",
                "a boundary is 1 to 70 of A-Z a-z 0-9 ' ( ) + _ , - . / : = ? and space, no space last",
            )
        } else if !quoted && !text.bytes().all(is_token) {
            ("this boundary needs quotes", "add `quoted_boundary = true`")
        } else {
            return;
        };
        self.errors.push(self.page.fault(message, boundary, here.of("wire.boundary")).help(help));
    }

    /// Parameters or headers; those in `own` are written by the client.
    fn pairs(&mut self, raws: &[RawPair], own: &[&str], key: &str) -> Vec<(String, String)> {
        for RawPair { name, value } in raws {
            let (name_text, value_text) = (name.get_ref(), value.get_ref());
            if name_text.is_empty() || !name_text.bytes().all(is_token) {
                let error = self.page.fault(format!("`{}` is no name", name_text.escape_debug()), name, key);
                self.errors.push(error.help("a name is letters, digits and ! # $ % & ' * + - . ^ _ ` | ~"));
            }
            if own.iter().any(|known| known.eq_ignore_ascii_case(name_text)) {
                let error = self.page.fault(format!("the client writes `{name_text}` itself"), name, key);
                self.errors
                    .push(error.help("the attachment's `filename`, `type` and `wire.field` change what it writes"));
            }
            if value_text.chars().any(char::is_control) {
                let error = self.page.fault("a value has no control characters", value, key);
                self.errors.push(error.help("a line end would end the header: remove it"));
            }
        }
        raws.iter().map(|pair| (pair.name.get_ref().clone(), pair.value.get_ref().clone())).collect()
    }

    fn weight(&mut self, raw: &RawAttachment, here: &Here<'_>) -> f64 {
        let Some(weight) = &raw.weight else { return 1.0 };
        if weight.get_ref().is_finite() && *weight.get_ref() >= 0.0 {
            return *weight.get_ref();
        }
        let error = self.page.fault("a weight is a number from 0 up", weight, here.of("weight"));
        self.errors
            .push(error.help("it is the share of real submissions, relative to the other attachments; 1 is usual"));
        1.0
    }

    fn axes(&mut self, raw: &RawAxes) -> Axes {
        let mut axes = Axes::default();
        for text in raw.client.iter().flatten() {
            axes.client.extend(self.client(text, "axes.client"));
        }
        for text in raw.name.iter().flatten() {
            let form = NameForm::parse(text.get_ref());
            let known = NameForm::ALL.iter().map(|form| form.as_str());
            axes.name.extend(self.known(form, "filename form", text, "axes.name", known));
        }
        for text in raw.r#type.iter().flatten() {
            axes.declared_type.extend(self.media_type(text, "axes.type"));
        }
        for text in raw.transport.iter().flatten() {
            axes.transport.extend(self.transport(text, "axes.transport"));
        }
        for size in raw.size.iter().flatten() {
            axes.size.extend(self.size(size, "axes.size"));
        }
        axes
    }

    fn known<'a, T>(
        &mut self,
        value: Option<T>,
        what: &str,
        text: &Spanned<String>,
        key: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Option<T> {
        if value.is_none() {
            let message = format!("unknown {what} `{}`", text.get_ref());
            let help = did_you_mean(text.get_ref(), known);
            self.errors.push(self.page.fault(message, text, key).help(help));
        }
        value
    }

    fn client(&mut self, text: &Spanned<String>, key: &str) -> Option<Client> {
        self.known(Client::parse(text.get_ref()), "client", text, key, Client::ALL.iter().map(|(name, _)| *name))
    }

    fn transport(&mut self, text: &Spanned<String>, key: &str) -> Option<Transport> {
        let all = [Transport::Multipart, Transport::Put, Transport::Base64Json];
        let value = all.into_iter().find(|transport| transport.as_str() == text.get_ref());
        self.known(value, "transport", text, key, all.map(Transport::as_str))
    }

    fn media_type(&mut self, text: &Spanned<String>, key: &str) -> Option<DeclaredType> {
        let value = text.get_ref();
        if value == AS_CLIENT {
            return Some(DeclaredType::AsClient);
        }
        let sound = value.is_ascii() && !value.chars().any(char::is_control);
        let slash = value.split_once('/').is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty());
        if sound && slash {
            return Some(DeclaredType::Explicit(value.clone()));
        }
        let error = self.page.fault(format!("`{value}` is no media type"), text, key);
        self.errors.push(error.help("write `type/subtype`, or `as-client` for what the client declares itself"));
        None
    }

    fn charset(&mut self, text: &Spanned<String>, here: &Here<'_>) -> Option<PageCharset> {
        let found = encoding_rs::Encoding::for_label_no_replacement(text.get_ref().as_bytes()).map(PageCharset);
        let known = ["UTF-8", "Shift_JIS", "EUC-JP", "ISO-2022-JP", "GB18030", "windows-1252"];
        self.known(found, "charset", text, &here.of("page"), known)
    }

    fn size(&mut self, size: &Spanned<RawSize>, key: &str) -> Option<u64> {
        let bytes = size.get_ref().bytes();
        if bytes.is_none() {
            let error = self.page.fault("this is no size", size, key);
            self.errors.push(error.help("write bytes, or a number with B, KB, MB, GB, KiB, MiB or GiB: `\"100KB\"`"));
        }
        bytes
    }
}

/// `tchar`, RFC 9110 section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Where in the manifest an attachment stands, and what it inherits.
struct Here<'a> {
    key: String,
    licence: Option<&'a str>,
}

impl Here<'_> {
    fn of(&self, key: &str) -> String {
        format!("{}.{key}", self.key)
    }
}

/// The axes that multiply an attachment: its own, else the defaults where nothing that it fixes stands against them.
fn effective(raw: &RawAttachment, defaults: &Axes, own: Axes, intent: Intent) -> Axes {
    fn pick<T: Clone>(given: bool, own: Vec<T>, default: &[T], take_default: bool) -> Vec<T> {
        match (given, take_default) {
            (true, _) => own,
            (false, true) => default.to_vec(),
            (false, false) => Vec::new(),
        }
    }
    let legit = intent == Intent::Legit;
    // A list that says `multipart` and nothing else multiplies nothing: the profile's transport holds.
    let several = defaults.transport != [Transport::Multipart];
    let first_client = &defaults.client[..defaults.client.len().min(1)];
    let clients = if legit { &defaults.client[..] } else { first_client };
    Axes {
        name: pick(raw.axes.name.is_some(), own.name, &defaults.name, legit),
        declared_type: pick(raw.axes.r#type.is_some(), own.declared_type, &defaults.declared_type, legit),
        client: pick(raw.axes.client.is_some(), own.client, clients, raw.client.is_none()),
        transport: pick(
            raw.axes.transport.is_some(),
            own.transport,
            &defaults.transport,
            legit && several && raw.transport.is_none(),
        ),
        size: pick(raw.axes.size.is_some(), own.size, &defaults.size, legit && raw.size.is_none()),
    }
}

fn base_name(file: &str) -> String {
    Path::new(file).file_name().map_or_else(|| file.to_owned(), |name| name.to_string_lossy().into_owned())
}
