//! The language of the reports that are handed on: English or Japanese.

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

impl Lang {
    /// Its BCP 47 tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ja => "ja",
        }
    }

    /// The language of `--lang`: `en`, `ja`, or `auto`, which is that of the locale (`LC_ALL`, `LC_MESSAGES`, `LANG`, the
    /// first that is set and not empty, POSIX 8.2). `None`: another word.
    #[must_use]
    pub fn parse(name: &str, locale: impl Fn(&str) -> Option<String>) -> Option<Self> {
        match name {
            "en" => Some(Self::En),
            "ja" => Some(Self::Ja),
            "auto" => {
                let set = |name: &&str| locale(name).filter(|value| !value.is_empty());
                let value = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set).unwrap_or_default();
                let is_japanese = value.split(['_', '.', '@', '-']).next() == Some("ja");
                Some(if is_japanese { Self::Ja } else { Self::En })
            }
            _ => None,
        }
    }

    /// One of two texts.
    #[must_use]
    pub fn pick<T>(self, en: T, ja: T) -> T {
        match self {
            Self::En => en,
            Self::Ja => ja,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_is_the_language_of_the_first_locale_that_is_set() {
        let of = |set: &[(&str, &str)]| {
            let set: Vec<(String, String)> = set.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            Lang::parse("auto", move |name| set.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()))
        };
        assert_eq!(of(&[("LANG", "ja_JP.UTF-8")]), Some(Lang::Ja));
        assert_eq!(of(&[("LANG", "ja_JP.UTF-8"), ("LC_ALL", "C")]), Some(Lang::En));
        assert_eq!(of(&[("LANG", "ja_JP.UTF-8"), ("LC_ALL", "")]), Some(Lang::Ja));
        assert_eq!(of(&[("LANG", "jam_JM")]), Some(Lang::En));
        assert_eq!((of(&[]), Lang::parse("fr", |_| None)), (Some(Lang::En), None));
    }
}
