//! One attachment in one combination of axis values: which are possible, and the case that comes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::folder::escape;
use super::load::AS_CLIENT;
use super::pad::{self, pad};
use super::{
    Attachment, Beside, Case, CaseId, Client, Content, DeclaredType, Filename, Intent, NameForm, PageCharset, Transport,
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

    /// Why a form and a client do not go together.
    pub(super) fn page_fault(&self, form: NameForm, client: Client) -> Option<&'static str> {
        let page = form.page().map_or(self.filename.page, PageCharset);
        (page != PageCharset::default() && !honours_page(client))
            .then_some("only browser forms look at the charset of the page")
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

/// Combinations of the axes that no case has, one sentence for each kind.
pub(super) fn left_out(entries: &[Entry]) -> Vec<String> {
    let setting = Setting::default();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for entry in entries {
        let choices = entry.choices(&setting);
        for form in &choices.name {
            if let Some(why) = entry.name_fault(*form) {
                *kinds.entry(format!("name `{}`: {why}", form.as_str())).or_default() += 1;
                continue;
            }
            for client in &choices.client {
                if let Some(why) = entry.page_fault(*form, *client) {
                    *kinds.entry(format!("name `{}` with client `{client}`: {why}", form.as_str())).or_default() += 1;
                }
            }
            for transport in &choices.transport {
                if let Some(why) = transport_fault(*form, *transport) {
                    let pair = format!("name `{}` with transport `{}`: {why}", form.as_str(), transport.as_str());
                    *kinds.entry(pair).or_default() += 1;
                }
            }
        }
        for size in choices.size.into_iter().flatten() {
            if let Some(why) = entry.size_fault(size) {
                *kinds.entry(format!("size `{size}`: `{}` {why}", entry.attachment.id)).or_default() += 1;
            }
        }
    }
    kinds
        .into_iter()
        .map(|(kind, count)| format!("left out for {count} of {} attachments: {kind}", entries.len()))
        .collect()
}
