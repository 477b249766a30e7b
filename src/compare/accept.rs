//! Findings accepted: the text of a waivers file with more at its end, or with what is renewed in its place.

use std::ops::Range;
use std::path::Path;

use jiff::civil::Date;

use super::Class;
use super::waiver::{Pattern, RawWaiver, WaiverFile, Waivers, waivable};
use crate::corpus::add::quoted;
use crate::error::{Error, Result};

/// A waiver that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// A case id, or a glob over case ids.
    pub case: String,
    /// The class of finding that is accepted.
    pub class: Class,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Date,
}

impl Acceptance {
    /// Refuses what could not be read back.
    ///
    /// # Errors
    /// An empty or torn text, a broken glob, and what no waiver can accept.
    pub fn check(&self) -> Result<Pattern> {
        for (key, text) in [("owner", &self.owner), ("reason", &self.reason)] {
            sound(text).map_err(|error| error.key(key))?;
        }
        waivable(self.class, &self.case)?;
        Pattern::parse(&self.case)
    }

    /// The entry as it is written.
    #[must_use]
    pub fn to_toml(&self) -> String {
        format!(
            "[[waiver]]\ncase = {}\nclass = \"{}\"\nowner = {}\nreason = {}\nexpires = {}\n",
            quoted(&self.case),
            self.class.as_str(),
            quoted(&self.owner),
            quoted(&self.reason),
            self.expires
        )
    }

    fn renews(&self, raw: &RawWaiver) -> bool {
        *raw.case.get_ref() == self.case && *raw.class.get_ref() == self.class
    }
}

/// Refuses a text for people that says nothing, or that a slip of the keyboard got into.
///
/// # Errors
/// One that is empty, or holds control characters or bytes that are no UTF-8.
pub fn sound(text: &str) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::usage("it is empty").help("say it in a few words"));
    }
    if text.contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER) {
        return Err(Error::usage("it holds a control character, or bytes that are no text").help("type it again"));
    }
    Ok(())
}

/// The text of a waivers file with these accepted. Pure: everything else in it, comments too, stays as it is.
///
/// Where the file has a waiver for the same case and class, its owner, reason and day are replaced; otherwise a new one
/// is added at its end.
///
/// # Errors
/// A file that is not sound, one that cannot be continued, and what [`Acceptance::check`] refuses.
pub fn accept(text: &str, path: &Path, accepted: &[Acceptance]) -> Result<String> {
    Waivers::parse(text, path)?;
    let cannot = |why: &str| Error::usage(format!("the waivers cannot be continued: {why}")).file(path);
    let file: WaiverFile = toml::from_str(text).map_err(|error| cannot(error.message()))?;
    let mut places: Vec<(Range<usize>, String)> = Vec::new();
    let mut added = String::new();
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    for one in accepted {
        one.check()?;
        if let Some(raw) = file.waiver.iter().map(toml::Spanned::get_ref).find(|raw| one.renews(raw)) {
            places.push((raw.owner.span(), quoted(&one.owner)));
            places.push((raw.reason.span(), quoted(&one.reason)));
            places.push((raw.expires.span(), one.expires.to_string()));
        } else {
            added.push_str(newline);
            added.push_str(&one.to_toml().replace('\n', newline));
        }
    }
    // From the end, so that the places before stay where they are.
    places.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
    let mut out = text.to_owned();
    for (place, value) in places {
        out.replace_range(place, &value);
    }
    if out.trim().is_empty() {
        added = added.trim_start().to_owned();
    } else if !added.is_empty() && !out.ends_with('\n') {
        out.push_str(newline);
    }
    out.push_str(&added);
    let help = "write each waiver as a `[[waiver]]` of its own, at the end of the file";
    let again: WaiverFile = toml::from_str(&out).map_err(|_| cannot("they are written inline").help(help))?;
    let holds = |one: &Acceptance, raw: &RawWaiver| {
        one.renews(raw)
            && *raw.owner.get_ref() == one.owner
            && *raw.reason.get_ref() == one.reason
            && raw.expires.get_ref().to_string() == one.expires.to_string()
    };
    let whole = accepted.iter().all(|one| again.waiver.iter().any(|raw| holds(one, raw.get_ref())));
    if whole { Ok(out) } else { Err(cannot("what was written does not read back").help(help)) }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn one(case: &str, owner: &str, reason: &str) -> Acceptance {
        let (case, owner, reason) = (case.to_owned(), owner.to_owned(), reason.to_owned());
        Acceptance { case, class: Class::NewlyBlocked, owner, reason, expires: date(2027, 3, 31) }
    }

    fn with(text: &str, accepted: &[Acceptance]) -> Result<String> {
        accept(text, Path::new("waivers.toml"), accepted)
    }

    #[test]
    fn comments_order_and_line_ends_stay_and_a_renewed_waiver_keeps_its_place() {
        let text = "# agreed in the meeting\n\n[[waiver]] # the first\nclass = 'newly_blocked'\ncase = \"pdf/a\"   # plan\n\
                    reason = '''\nold\n''' # why\nowner = \"a\"  \nexpires = 2026-01-01 # soon\nlink = \"http://x\"\n\n\
                    [[waiver]]\ncase = \"pdf/b\"\nclass = \"flaky\"\nowner = \"b\"\nreason = \"r\"\nexpires = 2027-01-01";
        let new = with(text, &[one("pdf/a", "窓口係", "代わりに\"窓口\"で受ける"), one("pdf/c", "c", "d")]).unwrap();
        let expected = text
            .replace("'''\nold\n'''", "\"代わりに\\\"窓口\\\"で受ける\"")
            .replace("owner = \"a\"", "owner = \"窓口係\"")
            .replace("2026-01-01", "2027-03-31")
            + "\n\n"
            + &one("pdf/c", "c", "d").to_toml();
        assert_eq!(new, expected);
        let windows = with(&text.replace('\n', "\r\n"), &[one("pdf/c", "c", "d")]).unwrap();
        assert_eq!(windows.matches('\n').count(), windows.matches("\r\n").count());
        assert_eq!(with("", &[one("x", "c", "d")]).unwrap(), one("x", "c", "d").to_toml());
    }

    #[test]
    fn an_inline_list_is_renewed_in_place_and_not_continued() {
        let text = "waiver = [{ case = \"x\", class = \"newly_blocked\", owner = \"a\", reason = \"b\", expires = 2026-01-01 }]\n";
        let new = with(text, &[one("x", "c", "d")]).unwrap();
        assert_eq!(new, text.replace("\"a\"", "\"c\"").replace("\"b\"", "\"d\"").replace("2026-01-01", "2027-03-31"));
        let error = with(text, &[one("y", "c", "d")]).unwrap_err();
        assert!(error.to_string().contains("written inline"), "{error}");
    }

    #[test]
    fn what_no_waiver_can_accept_is_refused() {
        for wrong in [
            one("x", " ", "d"),
            one("x", "c", "\u{3000}"),
            one("x", "c", "d\u{1b}[A"),
            one("x", "c\u{fffd}", "d"),
            one("a/**b[", "c", "d"),
            Acceptance { class: Class::Inconclusive, ..one("x", "c", "d") },
            Acceptance { class: Class::ProtectionLost, ..one("x/*", "c", "d") },
        ] {
            assert!(with("", std::slice::from_ref(&wrong)).is_err(), "{wrong:?}");
        }
        assert!(with("[[waiver]]\ncase = \"x\"\n", &[]).is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_said_reads_back_and_leaves_the_rest_alone(owner in "\\PC{1,20}", reason in "\\PC{1,20}", id in "[^\\s\\pC]{1,12}") {
            prop_assume!(sound(&owner).is_ok() && sound(&reason).is_ok());
            let before = "# a comment\n[[waiver]]\ncase = \"before/it\"\nclass = \"flaky\"\nowner = \"o\"\nreason = \"r\"\nexpires = 2027-01-01\n";
            let accepted = one(&id, &owner, &reason);
            prop_assume!(accepted.check().is_ok());
            let text = with(before, std::slice::from_ref(&accepted)).unwrap();
            prop_assert!(text.starts_with(before));
            let read: toml::Table = toml::from_str(&text).unwrap();
            let last = &read["waiver"][1];
            prop_assert_eq!(last["owner"].as_str(), Some(owner.as_str()));
            prop_assert_eq!(last["reason"].as_str(), Some(reason.as_str()));
            // Twice the same is one waiver.
            prop_assert_eq!(with(&text, &[accepted]).unwrap(), text);
        }
    }
}
