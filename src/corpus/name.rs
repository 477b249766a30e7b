//! Filename forms: what people's computers do to a file's name, each because an edge was seen to trip on it.

use encoding_rs::{EUC_JP, Encoding, ISO_2022_JP, SHIFT_JIS};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::{Filename, PageCharset};

/// A form of a filename. Its kebab-case name is part of case ids and never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NameForm {
    /// The attachment's own name.
    AsIs,
    /// Japanese, composed: what Windows stores. The counterpart of `nfd`.
    Nfc,
    /// Japanese, decomposed: what macOS stores (`か` + U+3099); applications answer it with upload errors.
    Nfd,
    /// Sent from a `Shift_JIS` page: header bytes that are not UTF-8 (CRS 920270 and charset checks).
    Sjis,
    /// `Shift_JIS` with a kanji whose second byte is 0x5C before the extension: CRS 920120 takes it for a backslash.
    #[serde(rename = "sjis-5c")]
    Sjis5c,
    /// Sent from an EUC-JP page: header bytes over 0x80 that are not UTF-8.
    EucJp,
    /// Sent from an ISO-2022-JP page: ESC sequences in a part header.
    #[serde(rename = "iso-2022-jp")]
    Iso2022Jp,
    /// `O'Brien`: CRS 920120, and `MULTIPART_INVALID_QUOTING` of older `ModSecurity`.
    Apostrophe,
    /// `5:13`: macOS Finder turns a typed `/` into it; CRS 922130.
    Colon,
    /// Ends the parameter for parsers that do not honour quotes; CRS 920120.
    Semicolon,
    /// Begins a parameter for parsers that do not honour quotes; CRS 920120.
    Equals,
    /// `C:\Users\…`, as Internet Explorer and some libraries send; CRS 920120.
    BackslashPath,
    /// A directory before the name, as `webkitdirectory` sends; path rules (CRS 930100).
    SlashPath,
    /// `plan.xlsx.pdf`: printed from another program; extension lists that look at every part (CRS 933111).
    DoubleExtension,
    /// No extension: type allow-lists have nothing to go by.
    NoExtension,
    /// `.PDF`: scanners and old cameras; allow-lists that compare case.
    UpperExtension,
    /// An empty filename: some parsers take the file for a text field.
    None,
    /// Exactly 255 bytes of UTF-8, the longest name that most file systems hold.
    #[serde(rename = "bytes-255")]
    Bytes255,
    /// Four-byte UTF-8; on other pages `&#128247;`, with `&`, `#` and `;` inside the quotes.
    Emoji,
    /// Full-width letters, digits and space: what a Japanese input method types.
    FullWidth,
    /// Half-width kana: names from old office systems.
    HalfWidthKana,
    /// `①㈱髙﨑`: vendor characters (機種依存文字) outside JIS X 0208.
    MachineDependent,
    /// ` (1) [最新]`: copies that a browser or a colleague made.
    BracketsSpace,
    /// A double quote, which browsers send as `%22`: parsers differ on it.
    DoubleQuote,
    /// A leading space, which trimming parsers lose.
    LeadingSpace,
    /// A trailing dot, which Windows and some filters cut off.
    TrailingDot,
    /// `100%` and `%20`: decoded once, twice or not at all (CRS 920220).
    Percent,
    /// `〜` U+301C: mapped differently by every `Shift_JIS` table.
    WaveDash,
    /// RFC 2047 `=?ISO-2022-JP?B?…?=`, from mail programs: `=` and `?` in the name (CRS 920120).
    EncodedWord,
    /// `.name`: hidden files; restricted-file lists (CRS 930130).
    LeadingDot,
    /// `~$name`: the lock file of an open document, uploaded by mistake.
    LockFile,
    /// `version2-driver_license`: harmless words that CRS 932180 has as substrings.
    EnglishWord,
    /// ASCII letters, digits and hyphens only: the name that nothing trips on.
    Ascii,
}

/// A kanji that ends in byte 0x5C in `Shift_JIS`.
const ENDS_IN_5C: &str = "一覧表";
const LONGEST: usize = 255;

impl NameForm {
    /// Every form, in the order of documentation.
    pub const ALL: &'static [Self] = &[
        Self::AsIs,
        Self::Nfc,
        Self::Nfd,
        Self::Sjis,
        Self::Sjis5c,
        Self::EucJp,
        Self::Iso2022Jp,
        Self::Apostrophe,
        Self::Colon,
        Self::Semicolon,
        Self::Equals,
        Self::BackslashPath,
        Self::SlashPath,
        Self::DoubleExtension,
        Self::NoExtension,
        Self::UpperExtension,
        Self::None,
        Self::Bytes255,
        Self::Emoji,
        Self::FullWidth,
        Self::HalfWidthKana,
        Self::MachineDependent,
        Self::BracketsSpace,
        Self::DoubleQuote,
        Self::LeadingSpace,
        Self::TrailingDot,
        Self::Percent,
        Self::WaveDash,
        Self::EncodedWord,
        Self::LeadingDot,
        Self::LockFile,
        Self::EnglishWord,
        Self::Ascii,
    ];

    /// The form of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|form| form.as_str() == name)
    }

    /// Its name in manifests and case ids.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AsIs => "as-is",
            Self::Nfc => "nfc",
            Self::Nfd => "nfd",
            Self::Sjis => "sjis",
            Self::Sjis5c => "sjis-5c",
            Self::EucJp => "euc-jp",
            Self::Iso2022Jp => "iso-2022-jp",
            Self::Apostrophe => "apostrophe",
            Self::Colon => "colon",
            Self::Semicolon => "semicolon",
            Self::Equals => "equals",
            Self::BackslashPath => "backslash-path",
            Self::SlashPath => "slash-path",
            Self::DoubleExtension => "double-extension",
            Self::NoExtension => "no-extension",
            Self::UpperExtension => "upper-extension",
            Self::None => "none",
            Self::Bytes255 => "bytes-255",
            Self::Emoji => "emoji",
            Self::FullWidth => "full-width",
            Self::HalfWidthKana => "half-width-kana",
            Self::MachineDependent => "machine-dependent",
            Self::BracketsSpace => "brackets-space",
            Self::DoubleQuote => "double-quote",
            Self::LeadingSpace => "leading-space",
            Self::TrailingDot => "trailing-dot",
            Self::Percent => "percent",
            Self::WaveDash => "wave-dash",
            Self::EncodedWord => "encoded-word",
            Self::LeadingDot => "leading-dot",
            Self::LockFile => "lock-file",
            Self::EnglishWord => "english-word",
            Self::Ascii => "ascii",
        }
    }

    /// The page charset that the form is about; `None`: it says nothing of the page.
    #[must_use]
    pub fn page(self) -> Option<&'static Encoding> {
        match self {
            Self::Sjis | Self::Sjis5c => Some(SHIFT_JIS),
            Self::EucJp => Some(EUC_JP),
            Self::Iso2022Jp => Some(ISO_2022_JP),
            Self::AsIs
            | Self::Nfc
            | Self::Nfd
            | Self::Apostrophe
            | Self::Colon
            | Self::Semicolon
            | Self::Equals
            | Self::BackslashPath
            | Self::SlashPath
            | Self::DoubleExtension
            | Self::NoExtension
            | Self::UpperExtension
            | Self::None
            | Self::Bytes255
            | Self::Emoji
            | Self::FullWidth
            | Self::HalfWidthKana
            | Self::MachineDependent
            | Self::BracketsSpace
            | Self::DoubleQuote
            | Self::LeadingSpace
            | Self::TrailingDot
            | Self::Percent
            | Self::WaveDash
            | Self::EncodedWord
            | Self::LeadingDot
            | Self::LockFile
            | Self::EnglishWord
            | Self::Ascii => None,
        }
    }

    /// `own` in this form. `id` is the attachment's id, of which `ascii` makes a name.
    ///
    /// A form that needs Japanese in the name adds some to a name that has none.
    #[must_use]
    pub fn apply(self, own: &Filename, id: &str) -> Filename {
        let name = own.text.as_str();
        let (stem, ext) = split(name);
        let text = match self {
            Self::Nfc => voiced(name).nfc().collect(),
            Self::Nfd => voiced(name).nfd().collect(),
            Self::Sjis | Self::EucJp | Self::Iso2022Jp if name.is_ascii() => format!("申請書-{name}"),
            Self::AsIs | Self::Sjis | Self::EucJp | Self::Iso2022Jp => name.to_owned(),
            Self::Sjis5c => format!("{stem}{}{ext}", if ends_in_5c(stem) { "" } else { ENDS_IN_5C }),
            Self::Apostrophe => format!("O'Brien-{name}"),
            Self::Colon => format!("5:13-{name}"),
            Self::Semicolon => format!("{stem};2{ext}"),
            Self::Equals => format!("{stem}=2{ext}"),
            Self::BackslashPath => format!("C:\\Users\\user\\Documents\\{name}"),
            Self::SlashPath => format!("申請書類/{name}"),
            Self::DoubleExtension => format!("{stem}.xlsx{ext}"),
            Self::NoExtension => stem.to_owned(),
            Self::UpperExtension => format!("{stem}{}", ext.to_uppercase()),
            Self::None => String::new(),
            Self::Bytes255 => to_length(stem, ext),
            Self::Emoji => format!("{stem}📷{ext}"),
            Self::FullWidth => full_width(stem, ext),
            Self::HalfWidthKana => format!("ｼﾝｾｲｼｮ-{name}"),
            Self::MachineDependent => format!("①㈱髙﨑-{name}"),
            Self::BracketsSpace => format!("{stem}（案） (1) [最新]{ext}"),
            Self::DoubleQuote => format!("{stem}\"2\"{ext}"),
            Self::LeadingSpace => format!(" {name}"),
            Self::TrailingDot => format!("{name}."),
            Self::Percent => format!("100%-{stem}%20copy{ext}"),
            Self::WaveDash => format!("{stem}〜改{ext}"),
            Self::EncodedWord => encoded_word(name),
            Self::LeadingDot => format!(".{name}"),
            Self::LockFile => format!("~${name}"),
            Self::EnglishWord => format!("version2-driver_license-{name}"),
            Self::Ascii => ascii(name, id, ext),
        };
        Filename { text, page: self.page().map_or(own.page, PageCharset) }
    }
}

/// Stem and extension, the dot with the extension; a leading dot begins no extension.
pub(crate) fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(at) if at > 0 => name.split_at(at),
        _ => (name, ""),
    }
}

/// Whether the last character is a kanji of two bytes of which the second is 0x5C.
fn ends_in_5c(stem: &str) -> bool {
    let last = stem.chars().next_back().map(String::from).unwrap_or_default();
    matches!(SHIFT_JIS.encode(&last).0.as_ref(), [_, b'\\'])
}

/// The name with a character that decomposes in it.
fn voiced(name: &str) -> String {
    if name.nfd().eq(name.nfc()) { format!("ガイド-{name}") } else { name.to_owned() }
}

fn to_length(stem: &str, ext: &str) -> String {
    let ext = if ext.len() > LONGEST / 2 { "" } else { ext };
    let room = LONGEST - ext.len();
    let mut text: String = stem.to_owned();
    while text.len() > room {
        text.pop();
    }
    while text.len() + 3 <= room {
        text.push('案');
    }
    while text.len() < room {
        text.push('a');
    }
    text + ext
}

fn full_width(stem: &str, ext: &str) -> String {
    let wide = |c: char| match c {
        ' ' => '\u{3000}',
        '!'..='~' => char::from_u32(c as u32 + 0xFEE0).unwrap_or(c),
        other => other,
    };
    let text: String = stem.chars().map(wide).collect();
    if text == stem { format!("{stem}\u{3000}Ａ１{ext}") } else { text + ext }
}

fn encoded_word(name: &str) -> String {
    use base64::Engine as _;
    let name = if name.is_ascii() { format!("申請書-{name}") } else { name.to_owned() };
    let (bytes, _, _) = ISO_2022_JP.encode(&name);
    format!("=?ISO-2022-JP?B?{}?=", base64::engine::general_purpose::STANDARD.encode(bytes))
}

fn ascii(name: &str, id: &str, ext: &str) -> String {
    if name.is_ascii() {
        return name.to_owned();
    }
    let last = id.rsplit('/').next().unwrap_or(id);
    let (last, _) = split(last);
    let mut stem: String = last.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    if stem.is_empty() {
        stem.push_str("attachment");
    }
    let ext: String = ext.chars().filter(char::is_ascii).collect();
    if ext.len() > 1 { stem + &ext } else { stem }
}

/// Control, bidirectional and invisible characters; characters that XML 1.0 forbids are among them.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn own(text: &str) -> Filename {
        Filename { text: text.into(), page: PageCharset::default() }
    }

    #[test]
    fn the_name_of_a_form_is_that_of_its_serialisation() {
        for form in NameForm::ALL {
            assert_eq!(serde_json::to_value(form).unwrap(), form.as_str());
            assert_eq!(NameForm::parse(form.as_str()), Some(*form));
        }
    }

    #[test]
    fn the_list_of_forms_is_complete() {
        let schema = serde_json::to_value(schemars::schema_for!(NameForm)).unwrap();
        assert_eq!(schema["oneOf"].as_array().unwrap().len(), NameForm::ALL.len());
    }

    #[test]
    fn a_5c_name_ends_in_that_byte_before_its_extension() {
        for name in ["plan.pdf", "申請書.pdf", "一覧表.xlsx", "README", "back\\"] {
            let made = NameForm::Sjis5c.apply(&own(name), "x/y");
            let (stem, _) = split(&made.text);
            let (bytes, _, _) = SHIFT_JIS.encode(stem);
            assert!(bytes.ends_with(b"\x95\\"), "{name}: {bytes:02x?}");
            assert_eq!(made.page.0, SHIFT_JIS);
        }
    }

    #[test]
    fn every_form_but_as_is_changes_a_plain_name_or_its_page() {
        for form in NameForm::ALL.iter().filter(|form| !matches!(form, NameForm::AsIs | NameForm::Ascii)) {
            assert_ne!(form.apply(&own("plan.pdf"), "pdf/plan"), own("plan.pdf"), "{form:?}");
        }
        assert_eq!(NameForm::Ascii.apply(&own("図面.pdf"), "pdf/plan").text, "plan.pdf");
    }

    #[test]
    fn decomposed_and_composed_names_differ_in_bytes_only() {
        let nfd = NameForm::Nfd.apply(&own("plan.pdf"), "pdf/plan").text;
        let nfc = NameForm::Nfc.apply(&own("plan.pdf"), "pdf/plan").text;
        assert_ne!(nfd, nfc);
        assert_eq!(nfd.nfc().collect::<String>(), nfc);
    }

    proptest! {
        #[test]
        fn a_long_name_has_exactly_255_bytes(name in "\\PC{1,300}") {
            prop_assert_eq!(NameForm::Bytes255.apply(&own(&name), "a/b").text.len(), 255);
        }

        #[test]
        fn an_ascii_name_is_ascii(name in "\\PC{0,40}", id in "\\PC{1,40}") {
            prop_assert!(NameForm::Ascii.apply(&own(&name), &id).text.is_ascii());
        }
    }
}
