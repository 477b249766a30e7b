//! How a real client writes a case: [`encode`](crate::wire::encode) gives the request's bytes.

pub mod body;
mod boundary;
mod clients;
mod dialect;
mod filename;
mod headers;
mod multipart;
pub mod request;
mod types;

pub use body::{Body, BodyReader, Segment};
pub use multipart::Given;
pub use request::{Framing, Header, Submission, WireRequest};

use crate::corpus::{Beside, Case, Transport};
use crate::error::{Error, Result};
use dialect::{Dialect, ExpectRule, MultipartType, WholeType};
use headers::{Facts, Line};

/// Writes `case` as its client would submit it. Pure: the same arguments give the same bytes.
///
/// `redraw` is 0 for the boundary derived from the case id; other values give other boundaries of the same shape.
/// The text fields of `submission` travel in forms and in JSON; a body that is the file alone has no place for them.
///
/// # Errors
/// When the client cannot send such a request: it refuses the filename, or the transport has no place for what the
/// case puts beside its file.
pub fn encode(case: &Case, submission: &Submission, redraw: u64) -> Result<WireRequest> {
    encode_given(case, submission, redraw, &Given::default())
}

/// As [`encode`], with what chance and clock would add fixed by `given`: writes a captured request again.
pub fn encode_given(case: &Case, submission: &Submission, redraw: u64, given: &Given) -> Result<WireRequest> {
    let dialect =
        Dialect::of(case.client).ok_or_else(|| Error::usage(format!("the client `{}` has no dialect", case.client)))?;
    match case.transport {
        Transport::Multipart => multipart_request(dialect, case, submission, redraw, given),
        Transport::Put => whole_request(dialect, case, submission, given),
        Transport::Base64Json => json_request(dialect, case, submission),
    }
}

fn multipart_request(
    dialect: &Dialect,
    case: &Case,
    submission: &Submission,
    redraw: u64,
    given: &Given,
) -> Result<WireRequest> {
    let form = multipart::form(dialect, case, submission, redraw, given)?;
    let quote = if case.form_overrides.quoted_boundary { "\"" } else { "" };
    let boundary = format!("{quote}{}{quote}", form.boundary);
    let content_type = match dialect.multipart_type {
        MultipartType::Plain => format!("multipart/form-data; boundary={boundary}"),
        MultipartType::Utf8After => format!("multipart/form-data; boundary={boundary}; charset=UTF-8"),
        MultipartType::Latin1Before => format!("multipart/form-data; charset=ISO-8859-1; boundary={boundary}"),
    };
    let readings = form.filename.as_ref().map(|parameter| multipart::readings(dialect, case, parameter));
    let draft = Draft { method: "POST", table: dialect.multipart, content_type: Some(content_type), body: form.body };
    let request = draft.finish(dialect, submission, given.framing.unwrap_or(dialect.framing));
    Ok(WireRequest {
        filename: form.filename.map(|parameter| parameter.value().to_vec()),
        filename_readings: readings.unwrap_or_default(),
        content_type: form.content_type,
        ..request
    })
}

fn whole_request(dialect: &Dialect, case: &Case, submission: &Submission, given: &Given) -> Result<WireRequest> {
    if !case.beside.is_empty() {
        return Err(no_place(case, "a body that is the file alone has no place for more fields or files"));
    }
    if !case.form_overrides.is_empty() {
        return Err(no_place(case, "a body that is the file alone is no form"));
    }
    let content_type = match (&case.declared_type, dialect.whole_type) {
        (crate::corpus::DeclaredType::AsClient, WholeType::Absent) => None,
        (crate::corpus::DeclaredType::AsClient, WholeType::AsPart)
        | (crate::corpus::DeclaredType::Explicit(_), WholeType::Absent | WholeType::AsPart) => {
            multipart::declared_type(dialect, case)
        }
    };
    let body = Body::new(vec![Segment::Content(case.content.clone())]);
    let draft = Draft { method: "PUT", table: dialect.whole, content_type: content_type.clone(), body };
    Ok(WireRequest {
        content_type,
        ..draft.finish(dialect, submission, given.framing.unwrap_or(dialect.whole_framing))
    })
}

fn json_request(dialect: &Dialect, case: &Case, submission: &Submission) -> Result<WireRequest> {
    let declared = multipart::declared_type(dialect, case).unwrap_or_else(|| types::OCTET_STREAM.to_owned());
    if !case.form_overrides.is_empty() {
        return Err(no_place(case, "a JSON body is no form"));
    }
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let filename = quoted(&case.filename.text);
    let mut before = String::from("{");
    for (name, value) in &submission.fields {
        before.extend([quoted(name), ":".to_owned(), quoted(value), ",".to_owned()]);
    }
    before.extend(["\"filename\":", &filename, ",\"type\":", &quoted(&declared), ",\"content\":\""]);
    let mut after = String::from("\"");
    for beside in &case.beside {
        match beside {
            Beside::Text { name, value } => after.extend([",".to_owned(), quoted(name), ":".to_owned(), quoted(value)]),
            Beside::File { .. } | Beside::EmptyFile { .. } => {
                return Err(no_place(case, "a JSON body has one file"));
            }
        }
    }
    after.push('}');
    let body = Body::new(vec![
        Segment::Bytes(before.into()),
        Segment::Base64(case.content.clone()),
        Segment::Bytes(after.into()),
    ]);
    let content_type = Some("application/json".to_owned());
    let draft = Draft { method: "POST", table: dialect.json, content_type, body };
    let request = draft.finish(dialect, submission, Framing::ContentLength);
    Ok(WireRequest {
        filename: filename.get(1..filename.len() - 1).map(|between| between.as_bytes().to_vec()),
        filename_readings: vec![case.filename.text.clone()],
        content_type: Some(declared),
        ..request
    })
}

fn no_place(case: &Case, why: &str) -> Error {
    Error::usage(format!("the case `{}` cannot travel as `{}`: {why}", case.id, case.transport.as_str()))
        .help("send it as `multipart`")
}

/// A request whose head is still to be written.
struct Draft {
    method: &'static str,
    table: &'static [Line],
    content_type: Option<String>,
    body: Body,
}

impl Draft {
    fn finish(self, dialect: &Dialect, submission: &Submission, framing: Framing) -> WireRequest {
        let length = self.body.len();
        let large = length > 1024 * 1024;
        let expect_continue = match dialect.expect {
            ExpectRule::Never => false,
            ExpectRule::LargeForm => large,
            ExpectRule::LargeFormOrPut => large || (self.method == "PUT" && length > 0),
        };
        let content_type = self.content_type.as_deref();
        let facts = Facts { submission, content_type, length, framing, expect_continue };
        WireRequest {
            method: submission.method.clone().unwrap_or_else(|| self.method.to_owned()),
            target: submission.target.clone(),
            headers: headers::write(self.table, &facts),
            body: self.body,
            framing,
            expect_continue,
            filename: None,
            filename_readings: Vec::new(),
            content_type: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::corpus::{Client, Content, FormOverrides, canary};

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    fn overridden(client: &str) -> Case {
        let form_overrides = FormOverrides {
            field: Some("form:files[]".into()),
            boundary: Some("----pdf".into()),
            quoted_boundary: true,
            parameters: vec![pair("filename*", "UTF-8''a.pdf"), pair("size", "3")],
            part_headers: vec![pair("Content-Transfer-Encoding", "binary"), pair("X-More", "é")],
        };
        let text = Beside::Text { name: "note".into(), value: "x".into() };
        let again = Beside::File { name: None, filename: "b.txt".into(), content: Content::from_bytes("b") };
        Case {
            content: Content::from_bytes("abc"),
            client: Client::parse(client).expect("a client"),
            beside: vec![text, again],
            form_overrides,
            ..canary()
        }
    }

    fn body(case: &Case) -> (String, String) {
        let submission = Submission { field: "file".into(), ..Submission::default() };
        let request = encode(case, &submission, 0).expect("a request");
        let of_type = |header: &&Header| header.name.eq_ignore_ascii_case("Content-Type");
        let content_type = request.headers.iter().find(of_type).expect("a type").value.clone();
        let mut bytes = Vec::new();
        request.body.reader().read_to_end(&mut bytes).expect("in memory");
        (String::from_utf8(content_type).expect("text"), String::from_utf8(bytes).expect("text"))
    }

    #[test]
    fn what_a_case_says_of_its_form_is_written_as_it_says_and_only_into_its_own_part() {
        let (content_type, body) = body(&overridden("chromium"));
        assert_eq!(content_type, "multipart/form-data; boundary=\"----pdf\"");
        let expected = "------pdf\r\n\
            Content-Disposition: form-data; name=\"form:files[]\"; filename=\"wafcanary.pdf\"; \
            filename*=UTF-8''a.pdf; size=3\r\n\
            Content-Type: application/pdf\r\nContent-Transfer-Encoding: binary\r\nX-More: é\r\n\r\nabc\r\n\
            ------pdf\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nx\r\n\
            ------pdf\r\nContent-Disposition: form-data; name=\"form:files[]\"; filename=\"b.txt\"\r\n\
            Content-Type: text/plain\r\n\r\nb\r\n------pdf--\r\n";
        assert_eq!(body, expected);
    }

    #[test]
    fn what_a_case_says_follows_what_the_client_writes_itself() {
        let (content_type, body) = body(&overridden("apache-httpclient-utf8"));
        assert!(content_type.contains("boundary=\"----pdf\""), "{content_type}");
        let own = "Content-Disposition: form-data; name=\"form:files[]\"; filename=\"wafcanary.pdf\"";
        assert!(body.contains(&format!("{own}; filename*=UTF-8''a.pdf; size=3\r\n")), "{body}");
    }

    #[test]
    fn a_body_that_is_no_form_has_no_place_for_it() {
        for transport in [Transport::Put, Transport::Base64Json] {
            let case = Case { transport, beside: Vec::new(), ..overridden("curl") };
            let error = encode(&case, &Submission::default(), 0).expect_err("no form").to_string();
            assert!(error.contains("is no form"), "{error}");
        }
    }
}
