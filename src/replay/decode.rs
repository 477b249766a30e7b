//! Undoing the content coding of an answer's first bytes, RFC 9110 section 8.4.

use std::io::Read;

use bytes::Bytes;

/// The first `limit` bytes of a body that begins with `raw`, codings undone in reverse order. An unknown coding, and
/// bytes that are not what the header says, are left as they came; a body that was cut off gives what it holds.
pub(super) fn decode(raw: Bytes, codings: &str, limit: usize) -> Bytes {
    let mut body = raw;
    for coding in codings.split(',').rev().map(str::trim).filter(|coding| !coding.is_empty()) {
        let decoded = match coding.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => read_some(flate2::read::MultiGzDecoder::new(&*body), limit),
            "deflate" => read_some(flate2::read::ZlibDecoder::new(&*body), limit)
                // Some servers send raw deflate under that name, and browsers read it.
                .or_else(|| read_some(flate2::read::DeflateDecoder::new(&*body), limit)),
            "br" => read_some(brotli_decompressor::Decompressor::new(&*body, 4096), limit),
            "zstd" => ruzstd::decoding::StreamingDecoder::new(&*body).ok().and_then(|reader| read_some(reader, limit)),
            _ => None,
        };
        match decoded {
            Some(decoded) => body = decoded,
            None => break,
        }
    }
    body.slice(..body.len().min(limit))
}

/// What can be read before the limit, the end or the first error; `None`: nothing.
fn read_some(mut reader: impl Read, limit: usize) -> Option<Bytes> {
    let mut out = Vec::new();
    let mut buffer = [0; 8192];
    while out.len() < limit {
        match reader.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(read) => out.extend_from_slice(&buffer[..read]),
        }
    }
    out.truncate(limit);
    (!out.is_empty()).then(|| out.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(text: &[u8]) -> Bytes {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap().into()
    }

    #[test]
    fn a_coded_body_is_read_as_text() {
        assert_eq!(decode(gzip(b"blocked"), "gzip", 100), "blocked");
        assert_eq!(decode(gzip(&gzip(b"blocked")), "gzip, GZIP", 100), "blocked");
        let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        deflate.write_all(b"blocked").unwrap();
        assert_eq!(decode(deflate.finish().unwrap().into(), "deflate", 100), "blocked");
        // An uncompressed meta-block, RFC 7932 section 9.2, and a raw zstd block, RFC 8878 section 3.1.1.
        assert_eq!(decode(Bytes::from_static(b"\x0b\x01\x80hey\x03"), "br", 100), "hey");
        let zstd = b"\x28\xb5\x2f\xfd\x20\x03\x19\x00\x00hey";
        assert_eq!(decode(Bytes::from_static(zstd), "zstd", 100), "hey");
    }

    #[test]
    fn the_output_is_bounded_and_a_cut_body_gives_its_start() {
        let bomb = gzip(&vec![b'a'; 10_000_000]);
        assert_eq!(decode(bomb.clone(), "gzip", 65536).len(), 65536);
        assert!(!decode(bomb.slice(..bomb.len() / 2), "gzip", 65536).is_empty());
    }

    #[test]
    fn what_cannot_be_decoded_is_left_as_it_came() {
        assert_eq!(decode(Bytes::from_static(b"plain"), "gzip", 100), "plain");
        assert_eq!(decode(Bytes::from_static(b"plain"), "x-secret", 3), "pla");
        assert_eq!(decode(Bytes::from_static(b"plain"), "identity", 100), "plain");
    }
}
