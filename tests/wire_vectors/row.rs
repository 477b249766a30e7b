//! One captured request, and the inputs that its client was given.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use encoding_rs::Encoding;
use serde::Deserialize;
use wafcanary::corpus::{
    Attachment, Beside, Case, CaseId, Client, Content, DeclaredType, Filename, FormOverrides, Intent, PageCharset,
    Provenance, Transport,
};
use wafcanary::wire::{Framing, Given, Submission};

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Row {
    pub(crate) client: String,
    pub(crate) case: String,
    pub(crate) api: String,
    pub(crate) filename_intended: Option<String>,
    pub(crate) filename_utf8_hex: Option<String>,
    pub(crate) method: String,
    pub(crate) page_charset: Option<String>,
    pub(crate) form: Option<BTreeMap<String, String>>,
    pub(crate) content_disposition_raw_hex: Option<String>,
    pub(crate) part_content_type: Option<String>,
    pub(crate) part_header_order: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) more_file_parts: Vec<RowPart>,
    #[serde(default)]
    pub(crate) text_parts: Vec<RowPart>,
    pub(crate) boundary: Option<String>,
    pub(crate) request_headers: Vec<(String, String)>,
    pub(crate) framing: String,
    pub(crate) body_len: u64,
    pub(crate) body_sha256: String,
    pub(crate) raw_file: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RowPart {
    pub(crate) content_disposition_raw_hex: String,
    pub(crate) part_content_type: Option<String>,
    pub(crate) part_header_order: Vec<String>,
    pub(crate) value_hex: Option<String>,
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

pub(crate) fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).expect("hex")).collect()
}

pub(crate) fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).expect("latin1")).collect()
}

impl Row {
    fn setting(&self, key: &str) -> Option<&str> {
        self.form.as_ref()?.get(key).map(String::as_str)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.request_headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The engines send an empty filename's part without a filename; the capture then lists it among the text parts.
    pub(crate) fn file_without_name(&self) -> Option<&RowPart> {
        match (&self.content_disposition_raw_hex, self.text_parts.as_slice()) {
            (None, [part]) if self.filename_intended.as_deref() == Some("") => Some(part),
            _ => None,
        }
    }

    /// Our name for the client, or `None` when it is not modelled.
    pub(crate) fn client(&self) -> Option<Client> {
        let script = |engine: &str| match self.api.as_str() {
            "form" => engine.to_owned(),
            "fetch" | "fetch-formel" | "put" => format!("{engine}-fetch"),
            // NOTE: not captured in the vectors at hand: its body is that of fetch, its head is left out.
            "beacon" if engine == "webkit" => "webkit-fetch".to_owned(),
            api => format!("{engine}-{api}"),
        };
        let streamed = self.framing == "chunked";
        let name = match self.client.as_str() {
            name if name.starts_with("chromium") => script("chromium"),
            name if name.starts_with("firefox") => script("firefox"),
            name if name.starts_with("webkitgtk") => script("webkit"),
            "curl-put" if streamed => "curl-stdin".to_owned(),
            "curl-put" => "curl".to_owned(),
            "curl-formescape" => "curl-form-escape".to_owned(),
            "php-curlfile" => "php".to_owned(),
            "php-curlstringfile" => "php-string".to_owned(),
            "requests" if streamed => "requests-stream".to_owned(),
            "requests-urllib3v1" => "requests-urllib3-1.26".to_owned(),
            "requests-urllib3v0" => "requests-urllib3-1.24".to_owned(),
            "urllib3-v2" => "urllib3".to_owned(),
            "urllib3-v1" => "urllib3-1.26".to_owned(),
            "urllib3-v0" => "urllib3-1.24".to_owned(),
            "node-fetch-builtin" if streamed => "node-fetch-stream".to_owned(),
            "node-fetch-builtin" => "node-fetch".to_owned(),
            "node-fetch-v3" => "node-fetch-3".to_owned(),
            "axios-form-data" | "axios-form-data-stream" | "axios-postForm" => "axios".to_owned(),
            "axios-formdata-global" => "axios-formdata".to_owned(),
            "form-data-stream" => "form-data".to_owned(),
            "okhttp-3" => "okhttp".to_owned(),
            "perl-lwp" => "perl".to_owned(),
            "ruby-nethttp" => "ruby".to_owned(),
            "ureq-3" => "ureq".to_owned(),
            "reqwest-0.12" | "reqwest-0.13" if self.case.starts_with("s05b-") => "reqwest-attr".to_owned(),
            "reqwest-0.12" | "reqwest-0.13" if streamed => "reqwest-stream".to_owned(),
            other => apache_or_reqwest(other),
        };
        Client::parse(&name)
    }

    pub(crate) fn is_webkit_beacon(&self) -> bool {
        self.client.starts_with("webkitgtk") && self.api == "beacon"
    }

    fn page(&self) -> PageCharset {
        let label = self.setting("ac").or(self.page_charset.as_deref()).unwrap_or("utf-8");
        PageCharset(Encoding::for_label(label.as_bytes()).expect("a known charset"))
    }

    fn filename(&self) -> String {
        if self.case == "dir-form" || (self.client == "php-curlfile" && self.case == "s08-fileobj-typed") {
            // The name is the path inside the chosen folder, or the one by which the file was opened.
            return read_parameter(self.content_disposition_raw_hex.as_deref().unwrap_or_default(), "filename");
        }
        match (&self.filename_intended, &self.filename_utf8_hex) {
            (Some(_), Some(hex)) => String::from_utf8(unhex(hex)).expect("UTF-8"),
            // A lone surrogate: JavaScript hands on U+FFFD.
            (Some(shown), None) => shown.replace('?', "\u{fffd}"),
            (None, _) if self.case == "blob-noname" => "blob".to_owned(),
            (None, _) => String::new(),
        }
    }

    fn field(&self) -> String {
        if let Some(field) = self.setting("field") {
            return field.to_owned();
        }
        match self.case.split('-').next() {
            Some("s02") => "添付".to_owned(),
            Some("s05" | "s05b") => "a\"b\\c".to_owned(),
            _ => "file".to_owned(),
        }
    }

    fn texts(&self) -> Vec<(String, String)> {
        if self.file_without_name().is_some() {
            return Vec::new();
        }
        let page = self.page();
        let text = |part: &RowPart| {
            let name = read_parameter(&part.content_disposition_raw_hex, "name");
            let value = unhex(part.value_hex.as_deref().unwrap_or_default());
            let written = page.0.decode_without_bom_handling(&value).0.into_owned();
            let given = match name.as_str() {
                "_charset_" => Some(""),
                "comment" => self.setting("text"),
                "area" => self.setting("area"),
                "btn" => self.setting("button"),
                _ => None,
            };
            (name, given.map_or(written, str::to_owned))
        };
        self.text_parts.iter().map(text).collect()
    }

    fn more_filenames(&self) -> Vec<String> {
        let known: &[&str] = match self.case.as_str() {
            "s03-multi" => &["📎添付.png"],
            case if case.starts_with("multi-") => &["📎添付.png", "O'Brien's.pdf"],
            _ => &[],
        };
        let name = |(at, part): (usize, &RowPart)| match known.get(at) {
            Some(name) => (*name).to_owned(),
            None => read_parameter(&part.content_disposition_raw_hex, "filename"),
        };
        self.more_file_parts.iter().enumerate().map(name).collect()
    }

    /// Contents that the capture used, the likeliest first.
    fn contents(&self) -> Vec<Bytes> {
        const PDF: &[u8] = b"%PDF-1.4\n%%EOF\n";
        let big = [&PDF[..9], vec![b'A'; 1_200_000].as_slice()].concat();
        let mut contents: Vec<Bytes> = vec![
            Bytes::from_static(PDF),
            Bytes::from_static(b"hi\n"),
            Bytes::new(),
            Bytes::from_static(&PDF[..9]),
            Bytes::from_static(b"x"),
            Bytes::from(big),
        ];
        let first = match self.case.as_str() {
            case if case.contains("z01") || case.starts_with("none-") => 2,
            case if case.starts_with("mime-") || case.starts_with("m-") || case == "dir-form" => 1,
            case if case.contains("big") => 5,
            _ => 0,
        };
        contents.swap(0, first);
        contents
    }

    /// Everything that the client was given, in the ways that the capture leaves open: which contents, and where
    /// among the text fields the file stood. The first is the likeliest.
    pub(crate) fn inputs(&self, client: Client, declared_type: &DeclaredType) -> Vec<(Case, Submission)> {
        let contents = self.contents();
        let texts = self.texts();
        let more = self.more_filenames();
        let mut positions: Vec<usize> = (0..=texts.len()).rev().collect();
        if texts.last().is_some_and(|(name, _)| name == "btn") {
            positions.swap(0, 1);
        }
        let mut all = Vec::new();
        for content in &contents {
            for other in &contents[..contents.len().min(if more.is_empty() { 1 } else { 3 })] {
                for &position in &positions {
                    let texts_after = texts[position..].iter();
                    let text =
                        |(name, value): &(String, String)| Beside::Text { name: name.clone(), value: value.clone() };
                    let file = |filename: &String| Beside::File {
                        name: None,
                        filename: filename.clone(),
                        content: Content::from_bytes(other.clone()),
                    };
                    let beside = more.iter().map(file).chain(texts_after.map(text)).collect();
                    let case = self.one_case(client, declared_type.clone(), content.clone(), beside);
                    all.push((case, self.submission(texts[..position].to_vec())));
                }
            }
        }
        all
    }

    fn one_case(&self, client: Client, declared_type: DeclaredType, content: Bytes, beside: Vec<Beside>) -> Case {
        Case {
            id: CaseId::parse(&format!("vector/{}", self.case)).expect("a case id"),
            attachment: Arc::new(Attachment {
                id: "vector/x".to_owned(),
                intent: Intent::Legit,
                twin: None,
                procedures: Vec::new(),
                tags: Vec::new(),
                weight: 1.0,
                provenance: Provenance::default(),
                place: None,
            }),
            content: Content::from_bytes(content),
            filename: Filename { text: self.filename(), page: self.page() },
            declared_type,
            client,
            transport: if self.boundary.is_some() { Transport::Multipart } else { Transport::Put },
            beside,
            form_overrides: FormOverrides { boundary: self.boundary.clone(), ..FormOverrides::default() },
        }
    }

    fn submission(&self, fields: Vec<(String, String)>) -> Submission {
        Submission {
            scheme: "http".to_owned(),
            authority: self.header("host").unwrap_or("127.0.0.1").to_owned(),
            target: format!("/u/{}/{}", self.client, self.case),
            method: Some(self.method.clone()),
            field: self.field(),
            fields,
            page_url: self.header("referer").map(str::to_owned),
            ..Submission::default()
        }
    }

    pub(crate) fn given(&self) -> Given {
        let date = |name: &str| {
            let line = unhex(self.content_disposition_raw_hex.as_deref()?);
            let line = String::from_utf8_lossy(&line).into_owned();
            let start = line.find(name)? + name.len();
            Some(line[start..].split('"').next()?.to_owned())
        };
        Given {
            dates: date("modification-date=\"").zip(date("read-date=\"")),
            framing: Some(if self.framing == "chunked" { Framing::Chunked } else { Framing::ContentLength }),
        }
    }
}

fn apache_or_reqwest(name: &str) -> String {
    if let Some(mode) = name.strip_prefix("httpclient5-") {
        return format!("apache-httpclient-{mode}").replace("-strict", "");
    }
    if let Some(mode) = name.strip_prefix("httpmime4-") {
        return format!("apache-httpmime4-{mode}").replace("-strict", "").replace("browser_compatible", "browser");
    }
    name.replace("reqwest-0.12", "reqwest").replace("reqwest-0.13", "reqwest").replace("-formfile", "-file")
}

/// The value of a parameter with the escapes undone: only for inputs that the capture does not name.
fn read_parameter(raw_hex: &str, name: &str) -> String {
    let line = String::from_utf8_lossy(&unhex(raw_hex)).into_owned();
    let quoted = format!("; {name}=\"");
    let star = format!("; {name}*=utf-8''");
    let unescape = |text: &str| text.replace("%22", "\"").replace("%0D%0A", "\r\n");
    if let Some(start) = line.find(&quoted) {
        let value = &line[start + quoted.len()..];
        let end = value.find("\"; filename").unwrap_or(value.rfind('"').unwrap_or(value.len()));
        return unescape(&value[..end]);
    }
    let escaped = line.find(&star).map(|start| &line[start + star.len()..]).unwrap_or_default();
    let mut bytes = Vec::new();
    let mut rest = escaped.as_bytes();
    while let [first, tail @ ..] = rest {
        if let (b'%', [high, low, after @ ..]) = (first, tail) {
            let pair = String::from_utf8_lossy(&[*high, *low]).into_owned();
            bytes.push(u8::from_str_radix(&pair, 16).expect("hex"));
            rest = after;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}
