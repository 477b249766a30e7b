//! Cases, and edges of the embedded lab to send them to.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use wafcanary::corpus::{Attachment, Case, CaseId, Client, Content, Filename, Intent, PageCharset, Piece, canary};
use wafcanary::lab::{Lab, Options};
use wafcanary::profile::target::Scheme;
use wafcanary::profile::{ConnectTo, Profile};

/// A legitimate case.
pub(crate) fn case(id: &str, filename: &str, client: &str, content: Content) -> Case {
    let attachment = Attachment { id: id.to_owned(), weight: 1.0, ..(*canary().attachment).clone() };
    Case {
        id: CaseId::parse(id).unwrap(),
        attachment: Arc::new(attachment),
        content,
        filename: Filename { text: filename.to_owned(), page: PageCharset::default() },
        client: Client::parse(client).unwrap(),
        ..canary()
    }
}

/// The same case, sent from a Shift_JIS page.
pub(crate) fn from_shift_jis(mut case: Case) -> Case {
    case.filename.page = PageCharset(encoding_rs::SHIFT_JIS);
    case
}

/// The same case as a control.
pub(crate) fn control(mut case: Case) -> Case {
    case.attachment = Arc::new(Attachment { intent: Intent::Control, ..(*case.attachment).clone() });
    case
}

pub(crate) fn pdf() -> Content {
    canary().content
}

pub(crate) fn jpeg() -> Content {
    let mut bytes = Vec::new();
    let image = image::RgbImage::from_pixel(16, 16, image::Rgb([180, 40, 20]));
    image.write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Jpeg).unwrap();
    Content::from_bytes(bytes)
}

pub(crate) fn empty() -> Content {
    Content::from_bytes(Bytes::new())
}

/// A file of `len` bytes that is in memory only a part at a time.
pub(crate) fn large(len: u64) -> Content {
    Content::from_pieces(vec![Piece::Fill { pattern: Bytes::from(vec![b'x'; 4096]), len }]).unwrap()
}

/// Starts the edge of `profiles/lab/NAME.toml`, as the program does, and points its profile at it.
pub(crate) async fn open(name: &str, scheme: Scheme) -> (Lab, Profile) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("profiles/lab/{name}.toml"));
    let mut profile = Profile::load(&path, &|_| None).unwrap();
    let lab = Lab::start(profile.lab.as_ref().unwrap(), &path, &Options::default()).await.unwrap();
    for (host, port, address) in lab.connect_to() {
        profile.target.connect_to.push(ConnectTo {
            from_host: host,
            from_port: Some(port),
            to_host: address.ip().to_string(),
            to_port: Some(address.port()),
        });
    }
    profile.target.tls.ca_pem = Some(lab.ca_pem().to_owned());
    profile.target.scheme = scheme;
    profile.target.port = scheme.default_port();
    (lab, profile)
}
