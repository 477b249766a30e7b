//! Which texts are like those of the refused cases: by the signs in them, and by what those stand between.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

/// The signs of some texts, each with its neighbours. A sign is a byte that is neither a letter, a digit, a blank, one of
/// `( ) - . _`, nor outside ASCII: an apostrophe in a family name is harmless, and one before a blank can end a string.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(with = "Vec<String>")]
pub struct Signs {
    seen: BTreeSet<(Beside, u8, Beside)>,
}

/// What stands beside a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Beside {
    /// Nothing: the text begins or ends.
    Edge,
    /// An ASCII letter.
    Letter,
    /// A digit.
    Digit,
    /// A byte of a character that is not ASCII.
    Foreign,
    /// This byte.
    Byte(u8),
}

impl Beside {
    fn of(byte: Option<&u8>) -> Self {
        match byte {
            None => Self::Edge,
            Some(byte) if byte.is_ascii_alphabetic() => Self::Letter,
            Some(byte) if byte.is_ascii_digit() => Self::Digit,
            Some(byte) if !byte.is_ascii() => Self::Foreign,
            Some(byte) => Self::Byte(*byte),
        }
    }

    /// For a reader: `a` for a letter, `1` for a digit, `あ` for what is not ASCII.
    fn shown(self) -> String {
        match self {
            Self::Edge => String::new(),
            Self::Letter => "a".to_owned(),
            Self::Digit => "1".to_owned(),
            Self::Foreign => "あ".to_owned(),
            Self::Byte(byte) => shown(byte),
        }
    }

    /// A class of a regular expression; `None`: nothing stands there.
    fn class(self) -> Option<String> {
        match self {
            Self::Edge => None,
            Self::Letter => Some("[A-Za-z]".to_owned()),
            Self::Digit => Some("[0-9]".to_owned()),
            Self::Foreign => Some(r"[\x80-\xff]".to_owned()),
            Self::Byte(byte) => Some(format!("\\x{byte:02x}")),
        }
    }
}

/// Letters, digits, blank, `( ) - . _`, and what is not ASCII, as a class of a regular expression has them.
const HARMLESS: &str = r"0-9A-Za-z\x80-\xff\x20\x28\x29\x2d\x2e\x5f";

fn is_harmless(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" ()-._".contains(&byte) || !byte.is_ascii()
}

fn shown(byte: u8) -> String {
    if byte.is_ascii_graphic() || byte == b' ' { char::from(byte).to_string() } else { format!("\\x{byte:02x}") }
}

fn places(text: &[u8]) -> impl Iterator<Item = (Beside, u8, Beside)> {
    let signs = text.iter().enumerate().filter(|(_, byte)| !is_harmless(**byte));
    signs.map(|(at, byte)| {
        let before = at.checked_sub(1).and_then(|at| text.get(at));
        (Beside::of(before), *byte, Beside::of(text.get(at + 1)))
    })
}

impl Signs {
    /// Takes in the signs of a text.
    pub fn take(&mut self, text: &[u8]) {
        self.seen.extend(places(text));
    }

    /// Takes in those of `other`.
    pub fn extend(&mut self, other: Self) {
        self.seen.extend(other.seen);
    }

    /// Whether a text holds no other signs, and none between other neighbours.
    #[cfg(test)]
    pub(super) fn allow(&self, text: &[u8]) -> bool {
        places(text).all(|place| self.seen.contains(&place))
    }

    /// A regular expression (PCRE, ASCII characters alone) for a byte that is another sign, or one between other neighbours.
    #[must_use]
    pub fn others(&self) -> String {
        let signs: BTreeSet<u8> = self.seen.iter().map(|(_, sign, _)| *sign).collect();
        let signs = hex_escapes(&Vec::from_iter(signs));
        if signs.is_empty() {
            return format!("[^{HARMLESS}]");
        }
        let places = self.seen.iter().map(|(before, sign, after)| {
            let before = before.class().map_or_else(|| r"(?<![\x00-\xff])".to_owned(), |it| format!("(?<={it})"));
            // NOTE: a line of a header ends as a name does.
            let after = after.class().map_or_else(|| r"(?=[\x0d\x0a]|\z)".to_owned(), |it| format!("(?={it})"));
            format!("{before}\\x{sign:02x}{after}")
        });
        let places: Vec<String> = places.collect();
        format!("[^{HARMLESS}{signs}]|(?!{})[{signs}]", places.join("|"))
    }

    /// How they stand, a word for each; empty where there are none.
    fn words(&self) -> Vec<String> {
        let words = self.seen.iter().map(|(before, sign, after)| before.shown() + &shown(*sign) + &after.shown());
        words.collect()
    }

    /// Which texts are meant, in words.
    #[must_use]
    pub fn made_of(&self) -> String {
        let mut out = "letters, digits, blanks and ( ) - . _ alone".to_owned();
        if !self.seen.is_empty() {
            let _ = write!(
                out,
                ", and of other signs only as here (a: any letter, 1: any digit, あ: not ASCII): {}",
                self.words().join("  ")
            );
        }
        out
    }
}

impl Serialize for Signs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.words())
    }
}

/// Bytes as a regular expression of ASCII characters has them.
pub(super) fn hex_escapes(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "\\x{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Signs {
        let mut signs = Signs::default();
        for text in texts {
            signs.take(text.as_bytes());
        }
        signs
    }

    #[test]
    fn a_sign_is_known_only_between_its_neighbours() {
        let signs = of(&["O'Brien 表 (1).pdf", "見積書;最終.pdf", "='x", "&#128512;.pdf"]);
        for good in ["D'Arc.pdf", "図;面.pdf", "plain", "", "='y", "&#1;.x"] {
            assert!(signs.allow(good.as_bytes()), "{good}");
        }
        for bad in
            ["photo.asp;.jpg", "photo;id;.jpg", "x' OR '1'='1.jpg", "x'; DROP", "<x>", "図;a", "a='x", "a\0b", "'"]
        {
            assert!(!signs.allow(bad.as_bytes()), "{bad}");
        }
        assert_eq!(signs.words(), ["&#", "='", "a'a", "1;.", "あ;あ", "&#1", "='a"]);
    }

    #[test]
    fn what_is_not_allowed_is_found_by_the_regular_expression() {
        assert_eq!(of(&["plain"]).others(), format!("[^{HARMLESS}]"));
        let two = of(&["O'B", ";x"]).others();
        assert_eq!(
            two,
            format!(
                r"[^{HARMLESS}\x27\x3b]|(?!(?<![\x00-\xff])\x3b(?=[A-Za-z])|(?<=[A-Za-z])\x27(?=[A-Za-z]))[\x27\x3b]"
            )
        );
    }
}
