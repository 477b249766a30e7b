//! What holds for any case, whichever client writes it.

use std::io::Read as _;
use std::sync::Arc;

use proptest::prelude::*;
use wafcanary::corpus::{
    Attachment, Beside, Case, CaseId, Client, Content, DeclaredType, Filename, FormOverrides, Intent, PageCharset,
    Provenance, Transport,
};
use wafcanary::wire::{Segment, Submission, WireRequest, encode};

fn submission(fields: Vec<(String, String)>) -> Submission {
    Submission {
        scheme: "https".to_owned(),
        authority: "edge.test".to_owned(),
        target: "/upload".to_owned(),
        field: "file".to_owned(),
        fields,
        ..Submission::default()
    }
}

fn case(client: Client, transport: Transport, filename: &str, content: Vec<u8>) -> Case {
    Case {
        id: CaseId::parse("pdf/plan").expect("an id"),
        attachment: Arc::new(Attachment {
            id: "pdf/plan".to_owned(),
            intent: Intent::Legit,
            twin: None,
            procedures: Vec::new(),
            tags: Vec::new(),
            weight: 1.0,
            provenance: Provenance::default(),
            place: None,
        }),
        content: Content::from_bytes(content),
        filename: Filename { text: filename.to_owned(), page: PageCharset(encoding_rs::SHIFT_JIS) },
        declared_type: DeclaredType::AsClient,
        client,
        transport,
        beside: Vec::new(),
        form_overrides: FormOverrides::default(),
    }
}

fn body(request: &WireRequest) -> Vec<u8> {
    let mut bytes = Vec::new();
    request.body.reader().read_to_end(&mut bytes).expect("in memory");
    bytes
}

fn any_client() -> impl Strategy<Value = Client> {
    (0..Client::ALL.len()).prop_map(|at| Client::parse(Client::ALL[at].0).expect("known"))
}

fn any_transport() -> impl Strategy<Value = Transport> {
    prop_oneof![Just(Transport::Multipart), Just(Transport::Put), Just(Transport::Base64Json)]
}

proptest! {
    #[test]
    fn the_same_arguments_give_the_same_bytes_and_the_length_that_was_promised(
        client in any_client(),
        transport in any_transport(),
        filename in "[a-z\u{3041}-\u{3096}\"\\\\%&#;. ]{0,20}",
        content in proptest::collection::vec(any::<u8>(), 0..100),
        redraw in any::<u64>(),
    ) {
        let case = case(client, transport, &filename, content);
        let submission = submission(vec![("comment".to_owned(), "\u{6dfb}\u{4ed8}\nxYzZY".to_owned())]);
        let first = encode(&case, &submission, redraw).expect("no client refuses these");
        let again = encode(&case, &submission, redraw).expect("the same");
        prop_assert_eq!(first.head(), again.head());
        let bytes = body(&first);
        prop_assert_eq!(&bytes, &body(&again));
        prop_assert_eq!(bytes.len() as u64, first.body.len());
        let length = first.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
        if let Some(length) = length {
            prop_assert_eq!(length.value.clone(), first.body.len().to_string().into_bytes());
        }
    }

    #[test]
    fn the_boundary_stands_only_between_the_parts(
        client in any_client(),
        text in "(xYzZY|[a-zA-Z0-9-]{0,40})",
        redraw in 0_u64..3,
    ) {
        let mut case = case(client, Transport::Multipart, &text, b"content".to_vec());
        case.beside = vec![Beside::Text { name: text.clone(), value: text.clone() }, Beside::EmptyFile { name: "none".to_owned() }];
        let request = encode(&case, &submission(vec![("first".to_owned(), text)]), redraw).expect("no client refuses these");
        let head = String::from_utf8(request.head()).expect("ASCII");
        let boundary = head.split("boundary=").nth(1).and_then(|rest| rest.split([';', '\r']).next()).expect("a boundary");
        let own: Vec<u8> = request.body.segments().iter().filter_map(|segment| match segment {
            Segment::Bytes(bytes) => Some(bytes.to_vec()),
            Segment::Content(_) | Segment::Base64(_) => None,
        }).flatten().collect();
        let found = own.windows(boundary.len()).filter(|window| *window == boundary.as_bytes()).count();
        // Four parts and the end.
        prop_assert_eq!(found, 5);
    }

    #[test]
    fn a_name_of_a_browser_form_can_be_read_back(filename in "[a-z\u{3041}-\u{3096}\u{1f4ce}\" .]{1,20}") {
        for name in ["chromium", "firefox", "webkit"] {
            let client = Client::parse(name).expect("known");
            let request = encode(&case(client, Transport::Multipart, &filename, Vec::new()), &submission(Vec::new()), 0);
            let readings = request.expect("browsers refuse nothing").filename_readings;
            prop_assert!(readings.contains(&filename), "{readings:?}");
        }
    }
}

#[test]
fn aiohttp_refuses_control_characters_and_says_so() {
    let client = Client::parse("aiohttp").expect("known");
    for filename in ["a\nb.pdf", "a\rb.pdf", "a\0b.pdf", "a\u{1b}b.pdf", "a\u{7f}b.pdf"] {
        let refused = encode(&case(client, Transport::Multipart, filename, Vec::new()), &submission(Vec::new()), 0);
        let message = refused.expect_err("refused").to_string();
        assert!(message.contains("`aiohttp`") && message.contains("control character U+"), "{message}");
    }
}

#[test]
fn json_carries_the_file_in_base64() {
    let case = case(Client::DEFAULT, Transport::Base64Json, "\u{8868}\".pdf", b"%PDF".to_vec());
    let request = encode(&case, &submission(Vec::new()), 0).expect("a request");
    let json: serde_json::Value = serde_json::from_slice(&body(&request)).expect("JSON");
    let expected = serde_json::json!({"filename": "\u{8868}\".pdf", "type": "application/pdf", "content": "JVBERg=="});
    assert_eq!(json, expected);
    assert_eq!(request.filename.as_deref(), Some("\u{8868}\\\".pdf".as_bytes()));
}
