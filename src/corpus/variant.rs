//! One attachment in one combination of axis values: which are possible, and the case that comes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::folder::escape;
use super::load::AS_CLIENT;
use super::pad::{self, pad};
use super::{
    Attachment, Beside, Case, CaseId, Client, Content, DeclaredType, Filename, FormOverrides, Intent, NameForm,
    PageCharset, Transport,
};
use crate::error::{Error, Result};

/// The values that multiply an attachment; its own are not listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Axes {
    /// Filename forms.
    pub name: Vec<NameForm>,
    /// Declared types.
    pub declared_type: Vec<DeclaredType>,
    /// Clients.
    pub client: Vec<Client>,
    /// Transports.
    pub transport: Vec<Transport>,
    /// Exact sizes in bytes.
    pub size: Vec<u64>,
}

/// An attachment with all that it says about its upload.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What people say of it.
    pub attachment: Arc<Attachment>,
    /// The bytes, padded where the manifest asks for it.
    pub content: Content,
    /// The name of the file, and the page that it is sent from.
    pub filename: Filename,
    /// The page's charset is the attachment's own: filename forms do not change it.
    pub page_fixed: bool,
    /// The declared type.
    pub declared_type: DeclaredType,
    /// The client, when it is always the same.
    pub client: Option<Client>,
    /// The transport, when it is always the same.
    pub transport: Option<Transport>,
    /// What travels beside it.
    pub beside: Vec<Beside>,
    /// What the form has that its client and the profile would not write.
    pub form_overrides: FormOverrides,
    /// What multiplies it.
    pub axes: Axes,
}

/// What is chosen when cases are made: the profile's side of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Setting {
    /// Instead of the client axis.
    pub(super) clients: Vec<Client>,
    /// The transport of attachments that do not fix one.
    pub(super) transport: Transport,
}

/// One value for each axis, in the order of case ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Values {
    pub(super) name: NameForm,
    pub(super) declared_type: DeclaredType,
    pub(super) client: Client,
    pub(super) transport: Transport,
    pub(super) size: Option<u64>,
}

/// The values of each axis for one attachment; the first is its own, or what stands for it.
#[derive(Debug, Clone)]
pub(super) struct Choices {
    pub(super) name: Vec<NameForm>,
    pub(super) declared_type: Vec<DeclaredType>,
    pub(super) client: Vec<Client>,
    pub(super) transport: Vec<Transport>,
    pub(super) size: Vec<Option<u64>>,
}

impl Entry {
    pub(super) fn own_client(&self) -> Client {
        self.client.unwrap_or(Client::DEFAULT)
    }

    fn own_transport(&self, setting: &Setting) -> Transport {
        self.transport.unwrap_or(setting.transport)
    }

    pub(super) fn choices(&self, setting: &Setting) -> Choices {
        let own_client = self.own_client();
        let override_clients = !setting.clients.is_empty() && self.client.is_none();
        let mut clients = if override_clients { &setting.clients } else { &self.axes.client }.as_slice();
        if override_clients && self.attachment.intent == Intent::Control {
            clients = &clients[..1];
        }
        // An attachment that fixes its client keeps it first; one that does not takes it only where the axis has it.
        let first_client = if self.client.is_some() || clients.contains(&own_client) {
            own_client
        } else {
            *clients.first().unwrap_or(&own_client)
        };
        Choices {
            name: first_then(NameForm::AsIs, self.axes.name.iter().copied()),
            declared_type: first_then(self.declared_type.clone(), self.axes.declared_type.iter().cloned()),
            client: first_then(first_client, clients.iter().copied()),
            transport: first_then(self.own_transport(setting), self.axes.transport.iter().copied()),
            size: first_then(None, self.axes.size.iter().copied().filter(|size| *size != self.content.len()).map(Some)),
        }
    }

    /// Why a name form cannot be sent for this attachment, whatever the other values.
    pub(super) fn name_fault(&self, form: NameForm) -> Option<&'static str> {
        if form == NameForm::AsIs {
            return None;
        }
        if self.page_fixed && form.page().is_some_and(|page| page != self.filename.page.0) {
            return Some("the attachment fixes the charset of its page");
        }
        (form.apply(&self.filename, &self.attachment.id) == self.filename).then_some("it changes nothing")
    }

    /// Why the file cannot have a size, whatever the other values.
    pub(super) fn size_fault(&self, size: u64) -> Option<String> {
        pad::check(&self.content, &self.filename.text, size).err().map(|error| error.to_string())
    }

    /// Why the file cannot travel so, whatever the other values.
    pub(super) fn transport_fault(&self, transport: Transport) -> Option<&'static str> {
        (transport != Transport::Multipart && !self.form_overrides.is_empty())
            .then_some("only a form has what `wire` says")
    }

    /// Why a form and a client do not go together.
    pub(super) fn page_fault(&self, form: NameForm, client: Client) -> Option<&'static str> {
        let page = form.page().map_or(self.filename.page, PageCharset);
        (page != PageCharset::default() && !honours_page(client))
            .then_some("only browser forms look at the charset of the page")
    }

    /// The clients and transports of `choices` that do not go with a form, and why.
    fn pair_faults(&self, form: NameForm, choices: &Choices) -> Vec<String> {
        let name = form.as_str();
        let pages = choices.client.iter().filter_map(|client| {
            let why = self.page_fault(form, *client)?;
            Some(format!("name `{name}` with client `{client}`: {why}"))
        });
        let transports = choices.transport.iter().filter_map(|transport| {
            let why = transport_fault(form, *transport)?;
            Some(format!("name `{name}` with transport `{}`: {why}", transport.as_str()))
        });
        pages.chain(transports).collect()
    }

    /// The case of these values, with the content of its size.
    pub(super) fn case(&self, values: &Values, setting: &Setting, content: &Content) -> Case {
        Case {
            id: self.id(values, setting),
            attachment: self.attachment.clone(),
            content: content.clone(),
            filename: values.name.apply(&self.filename, &self.attachment.id),
            declared_type: values.declared_type.clone(),
            client: values.client,
            transport: values.transport,
            beside: self.beside.clone(),
            form_overrides: self.form_overrides.clone(),
        }
    }

    pub(super) fn id(&self, values: &Values, setting: &Setting) -> CaseId {
        let mut id = self.attachment.id.clone();
        let mut add = |differs: bool, axis: &str, value: &str| {
            if differs {
                id.extend(["~", axis, ":", value]);
            }
        };
        add(values.name != NameForm::AsIs, "name", values.name.as_str());
        add(values.declared_type != self.declared_type, "type", &type_name(&values.declared_type));
        add(values.client != self.own_client(), "client", values.client.as_str());
        add(values.transport != self.own_transport(setting), "transport", values.transport.as_str());
        if let Some(size) = values.size {
            add(true, "size", &size.to_string());
        }
        CaseId::of(&id)
    }

    /// The values that an id of this attachment stands for; `None` when it names what does not exist.
    pub(super) fn values_of(&self, id: &CaseId, setting: &Setting) -> Option<Values> {
        let own = &self.declared_type;
        let declared_type = id.axis("type").map_or(Some(own.clone()), |text| {
            let listed = self.axes.declared_type.iter().chain([&DeclaredType::AsClient]);
            listed.into_iter().find(|known| type_name(known) == text).cloned()
        })?;
        let transport = id.axis("transport").map_or(Some(self.own_transport(setting)), |text| {
            let all = [Transport::Multipart, Transport::Put, Transport::Base64Json];
            all.into_iter().find(|transport| transport.as_str() == text)
        })?;
        let size = match id.axis("size") {
            Some(text) => Some(text.parse().ok()?),
            None => None,
        };
        let values = Values {
            name: id.axis("name").map_or(Some(NameForm::AsIs), NameForm::parse)?,
            declared_type,
            client: id.axis("client").map_or(Some(self.own_client()), Client::parse)?,
            transport,
            size,
        };
        (self.id(&values, setting) == *id && self.possible(&values)).then_some(values)
    }

    fn possible(&self, values: &Values) -> bool {
        self.name_fault(values.name).is_none()
            && self.page_fault(values.name, values.client).is_none()
            && transport_fault(values.name, values.transport).is_none()
            && self.transport_fault(values.transport).is_none()
            && values.size.is_none_or(|size| self.size_fault(size).is_none())
    }

    /// The content padded to a size.
    ///
    /// # Errors
    /// When the file cannot be read or padded.
    pub(super) fn sized(&self, size: u64) -> Result<Content> {
        pad(&self.content, &self.filename.text, size).map_err(|why| {
            let error = Error::usage(format!("`{}` {why}", self.attachment.id)).key("axes.size");
            error.help(format!("files can be padded when they are smaller and one of: {}", pad::FORMATS))
        })
    }
}

/// Why a form and a transport do not go together.
pub(super) fn transport_fault(form: NameForm, transport: Transport) -> Option<&'static str> {
    match transport {
        Transport::Multipart => None,
        Transport::Put => (form != NameForm::AsIs).then_some("a PUT has no part header with a filename"),
        Transport::Base64Json => form.page().map(|_| "JSON is always UTF-8"),
    }
}

/// Whether the client encodes names in the charset of the page: browsers do so in form submissions only, and
/// `fetch`, XHR and libraries always send UTF-8.
fn honours_page(client: Client) -> bool {
    matches!(client.as_str(), "chromium" | "firefox" | "webkit") || client.as_str().ends_with("-form")
}

/// A declared type in case ids and manifests.
pub(super) fn type_name(declared: &DeclaredType) -> String {
    match declared {
        DeclaredType::AsClient => AS_CLIENT.to_owned(),
        DeclaredType::Explicit(text) => escape(text),
    }
}

fn first_then<T: PartialEq>(first: T, rest: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut all = vec![first];
    for value in rest {
        if !all.contains(&value) {
            all.push(value);
        }
    }
    all
}

/// What no case has of the axes, in sentences.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    /// Values that no attachment that lists them can have: likely a mistake.
    pub(super) warnings: Vec<String>,
    /// Values and pairs that some attachments cannot have, as it lies in them.
    pub(super) notes: Vec<String>,
}

/// Finds the values and pairs of values that attachments list and no case of them has.
pub(super) fn left_out(entries: &[Entry]) -> LeftOut {
    let setting = Setting::default();
    let mut values: BTreeMap<String, Tally> = BTreeMap::new();
    let mut pairs: BTreeMap<String, usize> = BTreeMap::new();
    for entry in entries {
        let choices = entry.choices(&setting);
        for form in &choices.name {
            let fault = entry.name_fault(*form);
            values.entry(format!("name `{}`", form.as_str())).or_default().add(fault.map(str::to_owned));
            if fault.is_none() {
                for pair in entry.pair_faults(*form, &choices) {
                    *pairs.entry(pair).or_default() += 1;
                }
            }
        }
        for transport in choices.transport {
            let fault = entry.transport_fault(transport).map(|why| format!("`{}`: {why}", entry.attachment.id));
            values.entry(format!("transport `{}`", transport.as_str())).or_default().add(fault);
        }
        for size in choices.size.into_iter().flatten() {
            let fault = entry.size_fault(size).map(|why| format!("`{}` {why}", entry.attachment.id));
            values.entry(format!("size `{size}`")).or_default().add(fault);
        }
    }
    let count = entries.len();
    let mut out = LeftOut::default();
    for (value, Tally { listed, left_out, why }) in values {
        let Some(why) = why else { continue };
        if left_out == listed {
            out.warnings.push(format!("no attachment can have {value}: {why}"));
        } else {
            out.notes.push(format!("left out for {left_out} of {count} attachments: {value}: {why}"));
        }
    }
    out.notes.extend(pairs.into_iter().map(|(pair, n)| format!("left out for {n} of {count} attachments: {pair}")));
    out
}

/// How many attachments list a value, how many of them cannot have it, and why the first of these cannot.
#[derive(Default)]
struct Tally {
    listed: usize,
    left_out: usize,
    why: Option<String>,
}

impl Tally {
    fn add(&mut self, fault: Option<String>) {
        self.listed += 1;
        if let Some(why) = fault {
            self.left_out += 1;
            self.why.get_or_insert(why);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::corpus::Corpus;

    fn corpus(axes: &str, files: &[(&str, &str)]) -> Corpus {
        let dir = tempfile::tempdir().unwrap();
        let mut toml = format!("schema_version = 1\nname = 'x'\n[axes]\n{axes}\n");
        for (file, keys) in files {
            std::fs::write(dir.path().join(file), file.repeat(4)).unwrap();
            writeln!(toml, "[[attachment]]\nid = 'f/{file}'\nfile = '{file}'\n{keys}").unwrap();
        }
        std::fs::write(dir.path().join("manifest.toml"), toml).unwrap();
        Corpus::open(dir.path()).unwrap()
    }

    #[test]
    fn a_form_that_does_not_go_with_a_client_is_a_note_and_no_warning() {
        let corpus = corpus("client = ['chromium', 'curl']\nname = ['sjis-5c']", &[("a.txt", "")]);
        assert_eq!(corpus.warnings, Vec::<String>::new());
        assert_eq!(corpus.notes.len(), 1);
        assert!(corpus.notes[0].contains("name `sjis-5c` with client `curl`"), "{:?}", corpus.notes);
    }

    #[test]
    fn a_value_that_no_attachment_can_have_is_a_warning_and_one_that_some_can_have_is_a_note() {
        let some = corpus("name = ['upper-extension']", &[("a.TXT", ""), ("b.txt", "")]);
        assert_eq!((some.warnings.len(), some.notes.len()), (0, 1), "{:?}", some.notes);
        let none = corpus("name = ['upper-extension']\nsize = [1]", &[("a.TXT", "")]);
        assert_eq!((none.warnings.len(), none.notes.len()), (2, 0), "{:?}", none.warnings);
        assert!(none.warnings[0].starts_with("no attachment can have name `upper-extension`: "), "{:?}", none.warnings);
    }

    #[test]
    fn an_id_gives_back_the_values_that_made_it() {
        let corpus = corpus(
            "client = ['chromium', 'curl']\nname = ['nfd', 'none']\ntype = ['text/x; a=\"~ %\"']",
            &[("a.txt", "client = 'firefox'"), ("b.txt", "type = 'text/csv'")],
        );
        let setting = Setting::default();
        for case in
            corpus.select(&crate::corpus::Selection { set: crate::corpus::Set::Full, ..Default::default() }).unwrap()
        {
            let entry = corpus.attachments.iter().find(|entry| entry.attachment.id == case.attachment.id).unwrap();
            let values = entry.values_of(&case.id, &setting).unwrap();
            assert_eq!(entry.id(&values, &setting), case.id);
            assert_eq!((values.client, values.declared_type), (case.client, case.declared_type), "{}", case.id);
        }
    }

    #[test]
    fn an_id_with_parts_twice_or_out_of_order_or_unknown_names_nothing() {
        let corpus = corpus("name = ['nfd']", &[("a.txt", "")]);
        let values = |id: &str| corpus.attachments[0].values_of(&CaseId::parse(id).unwrap(), &Setting::default());
        assert!(values("f/a.txt~name:nfd~client:curl").is_some());
        for id in ["~client:curl~name:nfd", "~name:nfd~name:nfd", "~name:nfx", "~name:as-is", "~colour:red", "~size:1"]
        {
            assert!(values(&format!("f/a.txt{id}")).is_none(), "{id}");
        }
    }
}
