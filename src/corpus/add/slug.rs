//! Names of ASCII for ids and files.

use crate::corpus::Sha256Digest;

/// The extension in lower case, where it is ASCII.
pub(super) fn extension(name: &str) -> Option<String> {
    let (stem, extension) = name.rsplit_once('.')?;
    let sound = !stem.is_empty() && (1..=10).contains(&extension.len());
    (sound && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())).then(|| extension.to_ascii_lowercase())
}

/// The family of a filename: its extension, of two spellings the longer one.
pub(super) fn format_of(name: &str) -> String {
    match extension(name).as_deref() {
        Some("jpg" | "jpe") => "jpeg".to_owned(),
        Some("tif") => "tiff".to_owned(),
        Some("htm") => "html".to_owned(),
        Some(other) => other.to_owned(),
        None => "other".to_owned(),
    }
}

pub(super) fn is_slug(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
}

/// Whether Windows takes a name for that of a device, with an extension too.
pub(super) fn is_device(name: &str) -> bool {
    let numbered = |prefix| name.strip_prefix(prefix).is_some_and(|rest| matches!(rest.as_bytes(), [b'1'..=b'9']));
    ["con", "prn", "aux", "nul"].contains(&name) || numbered("com") || numbered("lpt")
}

/// The ASCII words of a name; where they say too little (`申請書_R6`), with the start of the digest.
pub(super) fn slug(name: &str, sha256: Sha256Digest) -> String {
    const TELLING: usize = 3;
    const LONGEST: usize = 60;
    let stem = match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        Some(_) | None => name,
    };
    let mut slug = String::new();
    for c in stem.chars().map(|c| c.to_ascii_lowercase()) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(LONGEST);
    let slug = slug.trim_end_matches('-');
    let foreign = stem.chars().filter(|c| !c.is_ascii()).count();
    let word = slug.len() >= TELLING && slug.contains(|c: char| c.is_ascii_alphabetic());
    if word && foreign <= slug.len() && !is_device(slug) {
        return slug.to_owned();
    }
    let digest = sha256.to_string();
    if slug.is_empty() { digest[..8].to_owned() } else { format!("{slug}-{}", &digest[..8]) }
}

/// `base`, or the first of `base-2`, `base-3`, … that is free.
pub(super) fn unique(base: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2_u32..).map(|number| format!("{base}-{number}"));
    std::iter::once(base.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_else(|| base.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_slug_is_ascii_and_tells_names_apart() {
        let slug = |name: &str| slug(name, Sha256Digest([0xab; 32]));
        assert_eq!(slug("Plan (1) final.PDF"), "plan-1-final");
        assert_eq!(slug("IMG_2041.HEIC"), "img-2041");
        assert_eq!(slug("排水設備計画書.pdf"), "abababab");
        assert_eq!(slug("減量等計画書_R6.xlsx"), "r6-abababab");
        assert_eq!(slug("スキャン_20240527.pdf"), "20240527-abababab");
        assert_eq!(slug(".htaccess"), "htaccess");
        assert_eq!(slug("AUX.txt"), "aux-abababab");
        assert_eq!(slug("com1.csv"), "com1-abababab");
        assert_eq!(slug("com10.csv"), "com10");
        assert_eq!(slug(""), "abababab");
    }

    #[test]
    fn the_family_is_the_extension() {
        assert_eq!(format_of("a.JPG"), "jpeg");
        assert_eq!(format_of("a.tar.gz"), "gz");
        for name in ["README", ".htaccess", "a.", "図面.図", "a.b c"] {
            assert_eq!(format_of(name), "other", "{name}");
        }
    }

    proptest! {
        #[test]
        fn every_slug_is_part_of_an_id_and_a_file_name(name in "\\PC{0,80}") {
            let made = slug(&name, Sha256Digest([0; 32]));
            prop_assert!(!made.is_empty() && made.len() < 80 && made.chars().all(is_slug), "{}", made);
        }
    }
}
