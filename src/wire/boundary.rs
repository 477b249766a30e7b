//! Boundaries in the shape of each client, drawn from the case id instead of from chance.

use sha2::{Digest as _, Sha256};

const DIGITS: &[u8] = b"0123456789";
const HEX: &[u8] = b"0123456789abcdef";
const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE64_URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// What a client's boundary looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BoundaryShape {
    /// `----WebKitFormBoundary` and 16 of `[A-Za-z0-9]`.
    WebKit,
    /// `----geckoformboundary` and two 64-bit hex numbers without leading zeros.
    Gecko,
    /// 24 dashes and 16 hex digits: curl before 8.6.
    Curl7,
    /// 24 dashes and 22 of `[A-Za-z0-9]`.
    Curl8,
    /// So many hex digits.
    Hex(usize),
    /// A random UUID (version 4) without dashes.
    UuidHex,
    /// A random UUID (version 4).
    Uuid,
    /// A prefix and so many decimal digits.
    Digits(&'static str, usize),
    /// A prefix and so many hex digits.
    PrefixedHex(&'static str, usize),
    /// A prefix and so many of `[A-Za-z0-9_-]`.
    Base64Url(&'static str, usize),
    /// Four times 16 hex digits, joined by dashes: reqwest.
    HexGroups,
    /// 30 to 40 of `[-_A-Za-z0-9]`: Apache.
    Apache,
    /// Always `xYzZY`, and 40 of base64 with `X` for its marks when that occurs in the form: libwww-perl.
    Perl,
}

/// A boundary of `shape`. The same `seed` and `redraw` give the same boundary.
pub(crate) fn draw(shape: BoundaryShape, seed: &str, redraw: u64) -> String {
    let mut source = Source::new(seed, redraw);
    match shape {
        BoundaryShape::WebKit => format!("----WebKitFormBoundary{}", source.take(ALPHANUMERIC, 16)),
        BoundaryShape::Gecko => format!("----geckoformboundary{:x}{:x}", source.number(), source.number()),
        BoundaryShape::Curl7 => format!("{:-<24}{}", "", source.take(HEX, 16)),
        BoundaryShape::Curl8 => format!("{:-<24}{}", "", source.take(ALPHANUMERIC, 22)),
        BoundaryShape::Hex(count) => source.take(HEX, count),
        BoundaryShape::UuidHex => source.uuid().replace('-', ""),
        BoundaryShape::Uuid => source.uuid(),
        BoundaryShape::Digits(prefix, count) => format!("{prefix}{}", source.take(DIGITS, count)),
        BoundaryShape::PrefixedHex(prefix, count) => format!("{prefix}{}", source.take(HEX, count)),
        BoundaryShape::Base64Url(prefix, count) => format!("{prefix}{}", source.take(BASE64_URL, count)),
        BoundaryShape::HexGroups => [(); 4].map(|()| source.take(HEX, 16)).join("-"),
        BoundaryShape::Apache => {
            let count = 30 + source.below(11);
            source.take(BASE64_URL, count)
        }
        BoundaryShape::Perl if redraw == 0 => "xYzZY".to_owned(),
        BoundaryShape::Perl => source.take(BASE64_URL, 40).replace(['-', '_'], "X"),
    }
}

/// SHA-256 in counter mode: a source of even bytes without a generator's state to keep.
struct Source {
    seed: [u8; 32],
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl Source {
    fn new(seed: &str, redraw: u64) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(redraw.to_be_bytes());
        hasher.update(seed.as_bytes());
        Self { seed: hasher.finalize().into(), counter: 0, block: [0; 32], used: 32 }
    }

    fn byte(&mut self) -> u8 {
        if self.used == self.block.len() {
            let mut hasher = Sha256::new();
            hasher.update(self.seed);
            hasher.update(self.counter.to_be_bytes());
            self.block = hasher.finalize().into();
            self.counter += 1;
            self.used = 0;
        }
        self.used += 1;
        self.block[self.used - 1]
    }

    fn number(&mut self) -> u64 {
        u64::from_be_bytes([(); 8].map(|()| self.byte()))
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit
    }

    fn take(&mut self, alphabet: &[u8], count: usize) -> String {
        (0..count).map(|_| char::from(alphabet[self.below(alphabet.len())])).collect()
    }

    fn uuid(&mut self) -> String {
        let variant = self.take(b"89ab", 1);
        let [low, middle, high, clock, node] = [8, 4, 3, 3, 12].map(|count| self.take(HEX, count));
        format!("{low}-{middle}-4{high}-{variant}{clock}-{node}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_case_draws_the_same_boundary_and_a_redraw_another_of_the_same_shape() {
        let first = draw(BoundaryShape::WebKit, "pdf/plan", 0);
        assert_eq!(first, draw(BoundaryShape::WebKit, "pdf/plan", 0));
        let other = draw(BoundaryShape::WebKit, "pdf/plan", 1);
        assert_ne!(first, other);
        assert_ne!(first, draw(BoundaryShape::WebKit, "pdf/plan2", 0));
        for boundary in [first, other] {
            let tail = boundary.strip_prefix("----WebKitFormBoundary").expect("prefix");
            assert!(tail.len() == 16 && tail.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{boundary}");
        }
    }

    #[test]
    fn a_uuid_names_its_version_and_variant() {
        let uuid = draw(BoundaryShape::Uuid, "x", 0);
        assert_eq!(uuid.len(), 36);
        assert_eq!(&uuid[14..15], "4");
        assert!("89ab".contains(&uuid[19..20]));
    }
}
