//! Filename classes: what is special about a name as it is sent, whoever made it so.
//!
//! A [`super::NameForm`] changes a name; a class says what a name is. One name can be of several classes.

use encoding_rs::{EUC_JP, ISO_2022_JP, SHIFT_JIS};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::Filename;

/// What is special about a filename. Its kebab-case name is part of machine output and never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NameClass {
    /// ASCII, and nothing of what follows: the name that nothing trips on.
    Plain,
    /// Kanji, hiragana or full-width katakana, in UTF-8.
    Japanese,
    /// Letters outside ASCII that are not Japanese.
    OtherScript,
    /// Decomposed characters, as macOS stores them: `か` + U+3099.
    Nfd,
    /// Sent from a `Shift_JIS` page, with characters outside ASCII.
    Sjis,
    /// Sent from a `Shift_JIS` page, with a character whose second byte is 0x5C, the backslash.
    #[serde(rename = "sjis-5c")]
    Sjis5c,
    /// Sent from an EUC-JP page, with characters outside ASCII.
    EucJp,
    /// Sent from an ISO-2022-JP page, with characters outside ASCII.
    #[serde(rename = "iso-2022-jp")]
    Iso2022Jp,
    /// A full-width letter, digit, sign or space.
    FullWidth,
    /// Half-width kana.
    HalfWidthKana,
    /// Vendor characters (機種依存文字) outside JIS X 0208: `①`, `㈱`, `髙`, `﨑`.
    MachineDependent,
    /// `〜` U+301C or `～` U+FF5E, which tables map differently.
    WaveDash,
    /// A character of four bytes in UTF-8: emoji and rare kanji.
    Emoji,
    /// A blank, in ASCII or full width.
    Space,
    /// Brackets of any kind and width.
    Brackets,
    /// An apostrophe.
    Apostrophe,
    /// A double quote.
    DoubleQuote,
    /// A colon.
    Colon,
    /// A semicolon.
    Semicolon,
    /// An equals sign.
    Equals,
    /// `&`, `+`, `#` or `%`, which decoders of URLs and forms take for their own.
    Percent,
    /// A backslash.
    Backslash,
    /// A slash: a path.
    Slash,
    /// RFC 2047 `=?…?=`.
    EncodedWord,
    /// Two extensions or more: `plan.xlsx.pdf`.
    DoubleExtension,
    /// No extension.
    NoExtension,
    /// An extension with a capital letter.
    UpperExtension,
    /// Begins with a dot.
    LeadingDot,
    /// Begins with a blank.
    LeadingSpace,
    /// Ends in a dot.
    TrailingDot,
    /// `~$…`: the lock file of an open document.
    LockFile,
    /// Over 100 bytes of UTF-8: longer than some databases and archives hold.
    Long,
    /// 255 bytes of UTF-8 or more: the longest name that most file systems hold.
    #[serde(rename = "bytes-255")]
    Bytes255,
    /// An empty filename.
    Empty,
}

const LONG: usize = 100;
const LONGEST: usize = 255;

impl NameClass {
    /// Every class, in the order of documentation.
    pub const ALL: &'static [Self] = &[
        Self::Plain,
        Self::Japanese,
        Self::OtherScript,
        Self::Nfd,
        Self::Sjis,
        Self::Sjis5c,
        Self::EucJp,
        Self::Iso2022Jp,
        Self::FullWidth,
        Self::HalfWidthKana,
        Self::MachineDependent,
        Self::WaveDash,
        Self::Emoji,
        Self::Space,
        Self::Brackets,
        Self::Apostrophe,
        Self::DoubleQuote,
        Self::Colon,
        Self::Semicolon,
        Self::Equals,
        Self::Percent,
        Self::Backslash,
        Self::Slash,
        Self::EncodedWord,
        Self::DoubleExtension,
        Self::NoExtension,
        Self::UpperExtension,
        Self::LeadingDot,
        Self::LeadingSpace,
        Self::TrailingDot,
        Self::LockFile,
        Self::Long,
        Self::Bytes255,
        Self::Empty,
    ];

    /// Its name in machine output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Japanese => "japanese",
            Self::OtherScript => "other-script",
            Self::Nfd => "nfd",
            Self::Sjis => "sjis",
            Self::Sjis5c => "sjis-5c",
            Self::EucJp => "euc-jp",
            Self::Iso2022Jp => "iso-2022-jp",
            Self::FullWidth => "full-width",
            Self::HalfWidthKana => "half-width-kana",
            Self::MachineDependent => "machine-dependent",
            Self::WaveDash => "wave-dash",
            Self::Emoji => "emoji",
            Self::Space => "space",
            Self::Brackets => "brackets",
            Self::Apostrophe => "apostrophe",
            Self::DoubleQuote => "double-quote",
            Self::Colon => "colon",
            Self::Semicolon => "semicolon",
            Self::Equals => "equals",
            Self::Percent => "percent",
            Self::Backslash => "backslash",
            Self::Slash => "slash",
            Self::EncodedWord => "encoded-word",
            Self::DoubleExtension => "double-extension",
            Self::NoExtension => "no-extension",
            Self::UpperExtension => "upper-extension",
            Self::LeadingDot => "leading-dot",
            Self::LeadingSpace => "leading-space",
            Self::TrailingDot => "trailing-dot",
            Self::LockFile => "lock-file",
            Self::Long => "long",
            Self::Bytes255 => "bytes-255",
            Self::Empty => "empty",
        }
    }

    /// The classes of a name as it is sent from its page, in the order of [`Self::ALL`]; never none.
    #[must_use]
    pub fn of(filename: &Filename) -> Vec<Self> {
        let mut classes: Vec<Self> = Self::ALL.iter().copied().filter(|class| class.holds(filename)).collect();
        if classes.is_empty() {
            classes.push(Self::Plain);
        }
        classes
    }

    fn holds(self, filename: &Filename) -> bool {
        let name = filename.text.as_str();
        let page = filename.page.0;
        let foreign = |charset| page == charset && !name.is_ascii();
        let any = |set: &str| name.contains(|c| set.contains(c));
        match self {
            // What no other class claims.
            Self::Plain => false,
            Self::Japanese => page == encoding_rs::UTF_8 && name.contains(is_japanese),
            Self::OtherScript => {
                let other = |c: char| {
                    !c.is_ascii() && c.is_alphabetic() && !is_japanese(c) && !('\u{ff00}'..='\u{ffef}').contains(&c)
                };
                page == encoding_rs::UTF_8 && name.contains(other)
            }
            Self::Nfd => !name.is_ascii() && !name.nfc().eq(name.chars()) && name.nfd().eq(name.chars()),
            Self::Sjis => foreign(SHIFT_JIS),
            Self::Sjis5c => page == SHIFT_JIS && name.chars().any(ends_in_5c),
            Self::EucJp => foreign(EUC_JP),
            Self::Iso2022Jp => foreign(ISO_2022_JP),
            Self::FullWidth => name.contains(|c| matches!(c, '\u{3000}' | '\u{ff01}'..='\u{ff5d}')),
            Self::HalfWidthKana => name.contains(|c| matches!(c, '\u{ff61}'..='\u{ff9f}')),
            Self::MachineDependent => name.contains(is_machine_dependent),
            Self::WaveDash => any("〜～"),
            Self::Emoji => name.contains(|c: char| c.len_utf8() == 4),
            Self::Space => any(" \u{3000}"),
            Self::Brackets => any("()[]{}<>（）［］｛｝【】「」『』〔〕〈〉《》"),
            Self::Apostrophe => any("'"),
            Self::DoubleQuote => any("\""),
            Self::Colon => any(":"),
            Self::Semicolon => any(";"),
            Self::Equals => any("="),
            Self::Percent => any("&+#%"),
            Self::Backslash => any("\\"),
            Self::Slash => any("/"),
            Self::EncodedWord => name.starts_with("=?") && name.contains("?="),
            Self::DoubleExtension => extensions(name) > 1,
            Self::NoExtension => !name.is_empty() && extension(name).is_none(),
            Self::UpperExtension => extension(name).is_some_and(|ext| ext.contains(char::is_uppercase)),
            Self::LeadingDot => name.starts_with('.'),
            Self::LeadingSpace => name.starts_with([' ', '\u{3000}']),
            Self::TrailingDot => name.ends_with('.'),
            Self::LockFile => name.starts_with("~$"),
            Self::Long => name.len() > LONG,
            Self::Bytes255 => name.len() >= LONGEST,
            Self::Empty => name.is_empty(),
        }
    }
}

/// What follows the last dot, where it looks like an extension: up to eight ASCII letters and digits.
fn extension(name: &str) -> Option<&str> {
    let (stem, ext) = name.rsplit_once('.')?;
    let sound = (1..=8).contains(&ext.len()) && ext.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (sound && !stem.is_empty()).then_some(ext)
}

/// How many extensions stand at the end. A version (`1.2`) is none: an extension has a letter.
fn extensions(name: &str) -> usize {
    let mut rest = name;
    let mut count = 0;
    while let Some(ext) = extension(rest).filter(|ext| ext.contains(|c: char| c.is_ascii_alphabetic())) {
        rest = &rest[..rest.len() - ext.len() - 1];
        count += 1;
    }
    count
}

fn is_japanese(c: char) -> bool {
    matches!(c, '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// The two bytes of a character in Windows' `Shift_JIS`, if it has two.
fn sjis_pair(c: char) -> Option<[u8; 2]> {
    let mut buffer = [0; 4];
    let (bytes, _, unmapped) = SHIFT_JIS.encode(c.encode_utf8(&mut buffer));
    if unmapped { None } else { bytes.as_ref().try_into().ok() }
}

fn ends_in_5c(c: char) -> bool {
    sjis_pair(c).is_some_and(|[_, second]| second == b'\\')
}

/// Characters that Windows added to JIS X 0208: NEC's row 13 and the IBM extensions.
fn is_machine_dependent(c: char) -> bool {
    sjis_pair(c).is_some_and(|[first, _]| matches!(first, 0x87 | 0xed | 0xee | 0xfa..=0xfc))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::corpus::{NameForm, PageCharset};

    fn classes(text: &str) -> Vec<&'static str> {
        of(text, encoding_rs::UTF_8)
    }

    fn of(text: &str, page: &'static encoding_rs::Encoding) -> Vec<&'static str> {
        NameClass::of(&Filename { text: text.into(), page: PageCharset(page) })
            .into_iter()
            .map(NameClass::as_str)
            .collect()
    }

    #[test]
    fn the_name_of_a_class_is_that_of_its_serialisation() {
        for class in NameClass::ALL {
            assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
        }
    }

    #[test]
    fn names_of_the_incidents_have_their_classes() {
        assert_eq!(classes("plan_2.pdf"), ["plain"]);
        assert_eq!(classes("排水設備計画書.pdf"), ["japanese"]);
        assert_eq!(classes("ごみ収集申込書.PDF"), ["japanese", "upper-extension"]);
        assert_eq!(classes("カ\u{3099}イト\u{3099}.pdf"), ["japanese", "nfd"]);
        assert_eq!(classes("共催・後援申請書 (1) [最新].docx"), ["japanese", "space", "brackets"]);
        assert_eq!(classes("領収書　健診.jpg"), ["japanese", "full-width", "space"]);
        assert_eq!(classes("①㈱髙﨑.pdf"), ["japanese", "machine-dependent"]);
        assert_eq!(classes("Straße.pdf"), ["other-script"]);
        assert_eq!(classes("plan.xlsx.pdf"), ["double-extension"]);
        assert_eq!(classes("version1.2.pdf"), ["plain"]);
        assert_eq!(classes("README"), ["no-extension"]);
        assert_eq!(classes(".htaccess"), ["no-extension", "leading-dot"]);
        assert_eq!(classes("../../etc/passwd"), ["slash", "no-extension", "leading-dot"]);
        assert_eq!(classes(""), ["empty"]);
        assert_eq!(classes("5:13.jpg"), ["colon"]);
    }

    #[test]
    fn the_page_decides_what_bytes_a_name_has() {
        assert_eq!(of("一覧表.xlsx", SHIFT_JIS), ["sjis", "sjis-5c"]);
        assert_eq!(of("届.xlsx", SHIFT_JIS), ["sjis"]);
        assert_eq!(of("届.xlsx", EUC_JP), ["euc-jp"]);
        assert_eq!(of("届.xlsx", ISO_2022_JP), ["iso-2022-jp"]);
        assert_eq!(of("a.xlsx", SHIFT_JIS), ["plain"]);
    }

    #[test]
    fn a_form_makes_names_of_its_class() {
        let own = Filename { text: "図面.pdf".into(), page: PageCharset::default() };
        for (form, class) in [
            (NameForm::Nfd, "nfd"),
            (NameForm::Sjis, "sjis"),
            (NameForm::Sjis5c, "sjis-5c"),
            (NameForm::EucJp, "euc-jp"),
            (NameForm::Iso2022Jp, "iso-2022-jp"),
            (NameForm::Apostrophe, "apostrophe"),
            (NameForm::Colon, "colon"),
            (NameForm::Semicolon, "semicolon"),
            (NameForm::Equals, "equals"),
            (NameForm::BackslashPath, "backslash"),
            (NameForm::SlashPath, "slash"),
            (NameForm::DoubleExtension, "double-extension"),
            (NameForm::NoExtension, "no-extension"),
            (NameForm::UpperExtension, "upper-extension"),
            (NameForm::None, "empty"),
            (NameForm::Bytes255, "bytes-255"),
            (NameForm::Emoji, "emoji"),
            (NameForm::FullWidth, "full-width"),
            (NameForm::HalfWidthKana, "half-width-kana"),
            (NameForm::MachineDependent, "machine-dependent"),
            (NameForm::BracketsSpace, "brackets"),
            (NameForm::DoubleQuote, "double-quote"),
            (NameForm::LeadingSpace, "leading-space"),
            (NameForm::TrailingDot, "trailing-dot"),
            (NameForm::Percent, "percent"),
            (NameForm::WaveDash, "wave-dash"),
            (NameForm::EncodedWord, "encoded-word"),
            (NameForm::LeadingDot, "leading-dot"),
            (NameForm::LockFile, "lock-file"),
            (NameForm::Ascii, "plain"),
        ] {
            let made = form.apply(&own, "pdf/plan");
            let found = NameClass::of(&made);
            assert!(found.iter().any(|found| found.as_str() == class), "{form:?} makes {:?}: {found:?}", made.text);
        }
    }

    proptest! {
        #[test]
        fn every_name_has_a_class(text in "\\PC{0,60}") {
            prop_assert!(!classes(&text).is_empty());
        }
    }
}
