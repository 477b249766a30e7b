//! Plain text, which holds nothing but its content. What only looks like it, a mail or a letter in JSON, is told apart.

use serde::de::IgnoredAny;

/// Extensions of text that has no head of its own.
const EXTENSIONS: &[&str] = &["txt", "csv", "tsv", "md", "log"];

/// Whether a file is text without a structure that could hold metadata.
pub(super) fn is_plain(filename: &str, bytes: &[u8]) -> bool {
    let extension = filename.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    let known = extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()));
    known && is_text(bytes) && memchr::memchr(0, bytes).is_none() && !is_structured(bytes)
}

/// Whether the bytes begin with the head of a mail or a mailbox, with markup, JSON, armour or front matter.
fn is_structured(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    is_head(bytes)
        || [&b"From "[..], b"<", b"{", b"-----BEGIN ", b"---\n", b"---\r"].iter().any(|start| bytes.starts_with(start))
        || is_json_array(bytes)
}

/// Whether the first line is a header field (RFC 5322); a URL is none.
fn is_head(bytes: &[u8]) -> bool {
    let name = bytes.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'-').count();
    let rest = &bytes[name..];
    name > 0 && rest.starts_with(b":") && !rest.starts_with(b"://")
}

/// Whether an array begins here. A line of a log, `[2024-05-27 10:00] …`, is none.
fn is_json_array(bytes: &[u8]) -> bool {
    let Some(rest) = bytes.strip_prefix(b"[") else { return false };
    matches!(rest.trim_ascii_start().first(), Some(b'{' | b'[' | b'"'))
        || serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// Whether the bytes look like text in an ASCII-based charset: among the first is no control character but those of
/// text, the escape of ISO-2022-JP and the end-of-file mark of DOS.
pub(in crate::corpus) fn is_text(bytes: &[u8]) -> bool {
    const LOOKED_AT: usize = 8 * 1024;
    !bytes[..bytes.len().min(LOOKED_AT)].iter().any(|byte| matches!(byte, 0..=8 | 14..=25 | 28..=31))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_plain_where_its_name_and_its_start_say_so() {
        for (name, text) in [
            ("a.txt", "申請します\n"),
            ("A.CSV", "name,number\n"),
            ("a.log", "[2024-05-27 10:00] started\n"),
            ("a.md", "# Title\n"),
            ("a.txt", "https://www.example.jp/ を見てください"),
            ("a.tsv", "\u{feff}氏名\t番号\n"),
        ] {
            assert!(is_plain(name, text.as_bytes()), "{name}: {text}");
        }
    }

    #[test]
    fn text_with_a_head_or_a_structure_is_not() {
        for text in [
            "From: Tanaka Hanako\nTo: a\n\n",
            "X-Mailer: x\nSubject: y\n\n",
            "From tanaka Mon May 27 10:00:00 2024\nFrom: Tanaka\n",
            "BEGIN:VCARD\nFN:Tanaka\n",
            "<svg xmlns='http://www.w3.org/2000/svg'/>",
            "  <?xml version='1.0'?>",
            "{\"type\": \"FeatureCollection\"}",
            "[ {\"author\": 1} ]",
            "[1, 2]",
            "-----BEGIN CERTIFICATE-----\n",
            "---\nauthor: Tanaka\n---\n",
        ] {
            for text in [text.to_owned(), format!("\u{feff}{text}"), format!("\r\n{text}")] {
                assert!(!is_plain("a.txt", text.as_bytes()), "{text:?}");
            }
        }
        for name in ["a.geojson", "a.pem", "a.mbox", "a.svg", "a", "txt", "a.txt.asc"] {
            assert!(!is_plain(name, b"plain"), "{name}");
        }
        assert!(!is_plain("a.txt", &[&[b'a'; 9000][..], b"\0"].concat()), "a NUL further on");
    }
}
