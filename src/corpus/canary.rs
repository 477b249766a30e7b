//! The canary control: a tiny benign upload that tells whether the edge still listens to us.

use std::fmt::Write as _;
use std::sync::Arc;

use super::{
    Attachment, Case, CaseId, Client, Content, DeclaredType, Filename, FormOverrides, Intent, PageCharset, Provenance,
    Transport,
};

/// The id of the canary control.
pub const CANARY_ID: &str = "canary/control";

/// A valid PDF of one empty page, made in memory, with the plainest name, from the commonest client.
#[must_use]
pub fn canary() -> Case {
    let attachment = Attachment {
        id: CANARY_ID.into(),
        intent: Intent::Legit,
        twin: None,
        procedures: Vec::new(),
        tags: Vec::new(),
        weight: 0.0,
        provenance: Provenance {
            source: Some("made by wafcanary".into()),
            licence: Some("CC0-1.0".into()),
            ..Provenance::default()
        },
        place: None,
    };
    Case {
        id: CaseId::of(CANARY_ID),
        attachment: Arc::new(attachment),
        content: Content::from_bytes(empty_page()),
        filename: Filename { text: "wafcanary.pdf".into(), page: PageCharset::default() },
        declared_type: DeclaredType::AsClient,
        client: Client::DEFAULT,
        transport: Transport::Multipart,
        beside: Vec::new(),
        form_overrides: FormOverrides::default(),
    }
}

/// One empty A4 page, ISO 32000-1, 7.5.
fn empty_page() -> Vec<u8> {
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>",
    ];
    let mut pdf = String::from("%PDF-1.4\n");
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (object, number) in objects.iter().zip(1..) {
        let _ = writeln!(table, "{:010} 00000 n ", pdf.len());
        let _ = write!(pdf, "{number} 0 obj\n{object}\nendobj\n");
    }
    let start = pdf.len();
    let size = objects.len() + 1;
    // Writing to a string cannot fail.
    let _ = write!(pdf, "{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n");
    pdf.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canary_is_a_valid_pdf_of_one_page() {
        let case = canary();
        let bytes = case.content.read_range(0..case.content.len()).unwrap();
        assert_eq!(lopdf::Document::load_mem(&bytes).unwrap().get_pages().len(), 1);
        assert!(bytes.len() < 1024 && case.filename.text == "wafcanary.pdf" && case.client.as_str() == "chromium");
    }

    #[test]
    fn the_canary_is_always_the_same() {
        assert_eq!(canary().content.sha256(), canary().content.sha256());
    }
}
