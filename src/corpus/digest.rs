//! Digests of what is sent: two runs with the same digest sent the same cases.

use sha2::{Digest as _, Sha256};

use super::variant::type_name;
use super::{Beside, Case, DeclaredType, Entry, Filename, FormOverrides, Sha256Digest};

/// The digest of ids, contents and all that goes on the wire of `cases`, whatever their order.
#[must_use]
pub fn selection_digest(cases: &[Case]) -> Sha256Digest {
    let mut cases: Vec<&Case> = cases.iter().collect();
    cases.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    let mut fields = Fields::new("wafcanary selection 1");
    for case in cases {
        fields.text(case.id.as_str());
        fields.text(case.attachment.intent_name());
        fields.upload(case.content.sha256(), &case.filename, &case.declared_type, &case.beside);
        fields.form_overrides(&case.form_overrides);
        fields.text(case.client.as_str());
        fields.text(case.transport.as_str());
    }
    fields.digest()
}

/// The digest of attachments and axes, in their order.
pub(super) fn corpus_digest(entries: &[Entry]) -> Sha256Digest {
    let mut fields = Fields::new("wafcanary corpus 1");
    for entry in entries {
        fields.text(&entry.attachment.id);
        fields.text(entry.attachment.intent_name());
        fields.upload(entry.content.sha256(), &entry.filename, &entry.declared_type, &entry.beside);
        fields.form_overrides(&entry.form_overrides);
        fields.text(entry.client.map_or("", |client| client.as_str()));
        fields.text(entry.transport.map_or("", |transport| transport.as_str()));
        let axes = &entry.axes;
        fields.list(axes.name.iter().map(|form| form.as_str().to_owned()));
        fields.list(axes.declared_type.iter().map(type_name));
        fields.list(axes.client.iter().map(ToString::to_string));
        fields.list(axes.transport.iter().map(|transport| transport.as_str().to_owned()));
        fields.list(axes.size.iter().map(ToString::to_string));
    }
    fields.digest()
}

/// Fields with their lengths before them, so that no two lists of fields give the same bytes.
struct Fields(Sha256);

impl Fields {
    fn new(what: &str) -> Self {
        let mut fields = Self(Sha256::new());
        fields.text(what);
        fields
    }

    fn text(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }

    fn texts<const N: usize>(&mut self, texts: [&str; N]) {
        for text in texts {
            self.text(text);
        }
    }

    fn list(&mut self, items: impl ExactSizeIterator<Item = String>) {
        self.0.update((items.len() as u64).to_le_bytes());
        for item in items {
            self.text(&item);
        }
    }

    fn upload(&mut self, content: Sha256Digest, filename: &Filename, declared: &DeclaredType, beside: &[Beside]) {
        self.0.update(content.0);
        self.text(&filename.text);
        self.text(filename.page.0.name());
        self.text(&type_name(declared));
        self.0.update((beside.len() as u64).to_le_bytes());
        for beside in beside {
            match beside {
                Beside::Text { name, value } => self.texts(["text", name, value]),
                Beside::File { name, filename, content } => {
                    let field = name.as_deref().map_or_else(|| "0".to_owned(), |name| format!("1{name}"));
                    self.texts(["file", &field, filename]);
                    self.0.update(content.sha256().0);
                }
                Beside::EmptyFile { name } => self.texts(["empty", name]),
            }
        }
    }

    /// Nothing where there are none, so that a corpus without them keeps its digest. No client is called `wire`.
    fn form_overrides(&mut self, overrides: &FormOverrides) {
        if overrides.is_empty() {
            return;
        }
        let FormOverrides { field, boundary, quoted_boundary, parameters, part_headers } = overrides;
        self.text("wire");
        self.list(
            [field, boundary].into_iter().map(|given| given.as_ref().map_or("0".into(), |text| format!("1{text}"))),
        );
        self.text(if *quoted_boundary { "quoted" } else { "bare" });
        for pairs in [parameters, part_headers] {
            self.0.update((pairs.len() as u64).to_le_bytes());
            for (name, value) in pairs {
                self.texts([name, value]);
            }
        }
    }

    fn digest(self) -> Sha256Digest {
        Sha256Digest(self.0.finalize().into())
    }
}
