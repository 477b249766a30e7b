//! Accepted findings: a reviewed file, in which each has an owner, a reason and a last day.

use std::path::Path;

use globset::{Glob, GlobBuilder, GlobMatcher};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::policy::toml_error;
use super::{Class, ComparedCase, Finding};
use crate::corpus::Intent;
use crate::error::{Error, Result};
use crate::verdict::Text;

/// A waiver is announced so many days before its last one.
const NOTICE_DAYS: i32 = 14;

/// The file of waivers, as people write it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaiverFile {
    /// The waivers.
    #[serde(default)]
    #[schemars(with = "Vec<RawWaiver>")]
    pub(super) waiver: Vec<Spanned<RawWaiver>>,
}

/// One accepted finding.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWaiver {
    /// A case id, or a glob over case ids in which `*` stops at `/` and `**` does not. A control only by its exact id.
    #[schemars(with = "String")]
    pub(super) case: Spanned<String>,
    /// The class of finding that is accepted.
    #[schemars(with = "Class")]
    pub(super) class: Spanned<Class>,
    /// Who answers for it.
    #[schemars(with = "String")]
    pub(super) owner: Spanned<String>,
    /// Why it is accepted.
    #[schemars(with = "String")]
    pub(super) reason: Spanned<String>,
    /// The last day on which it holds, `2027-03-31` without quotes.
    #[schemars(with = "String")]
    pub(super) expires: Spanned<toml::value::Datetime>,
    /// Where it was agreed.
    #[serde(default)]
    link: Option<String>,
}

/// The waivers of a file, checked.
#[derive(Debug, Default)]
pub struct Waivers {
    waivers: Vec<Waiver>,
}

/// One of them.
#[derive(Debug)]
pub struct Waiver {
    /// The cases that it is for.
    pub pattern: Pattern,
    /// The class of finding that is accepted.
    pub class: Class,
    /// Who answers for it.
    pub owner: Text,
    /// Why, without the link.
    pub reason: Text,
    /// Where it was agreed.
    pub link: Option<Text>,
    /// Why, and where it was agreed.
    told: Text,
    /// The last day on which it holds.
    pub expires: Date,
    /// The 1-based line that it begins in.
    pub line: usize,
}

/// The cases that a waiver is for: a case id, or a glob over ids.
#[derive(Debug)]
pub struct Pattern {
    text: String,
    /// `None`: an id, which matches itself alone.
    glob: Option<GlobMatcher>,
}

/// What came of the waivers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaiverUse {
    /// Cases that an expired waiver would have covered.
    pub expired: u64,
    /// One sentence for each waiver that matched no finding.
    pub unused: Vec<String>,
    /// One sentence for each used waiver that ends soon, or has ended.
    pub ending: Vec<String>,
}

impl Waivers {
    /// Reads a file of waivers.
    ///
    /// # Errors
    /// Unknown and missing keys, empty owners and reasons, broken globs, classes that cannot be accepted, dates
    /// that are none: with file, line, key and help.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let file: WaiverFile = toml::from_str(text).map_err(|error| {
            let wrong = toml_error(&error, text, path, "waiver");
            wrong.help("a waiver has `case`, `class`, `owner`, `reason` and `expires`, and may have `link`")
        })?;
        let place = |error: Error, span: std::ops::Range<usize>, key: &str| {
            error.file(path).span(text, span).key(format!("waiver.{key}"))
        };
        let check = |raw: Spanned<RawWaiver>| {
            let line = crate::error::line_of(text, raw.span().start);
            let raw = raw.into_inner();
            for (key, value) in [("case", &raw.case), ("owner", &raw.owner), ("reason", &raw.reason)] {
                if value.get_ref().trim().is_empty() {
                    let error = Error::usage(format!("`{key}` is empty")).help("say it in a few words");
                    return Err(place(error, value.span(), key));
                }
            }
            let expires = day(raw.expires.get_ref()).map_err(|error| place(error, raw.expires.span(), "expires"))?;
            waivable(*raw.class.get_ref(), raw.case.get_ref())
                .map_err(|error| place(error, raw.class.span(), "class"))?;
            let pattern = Pattern::parse(raw.case.get_ref()).map_err(|error| place(error, raw.case.span(), "case"))?;
            let reason = raw.reason.into_inner();
            Ok(Waiver {
                pattern,
                class: raw.class.into_inner(),
                owner: raw.owner.into_inner().into(),
                told: told(&reason, raw.link.as_deref()),
                link: raw.link.map(Text::from),
                reason: reason.into(),
                expires,
                line,
            })
        };
        Ok(Self { waivers: file.waiver.into_iter().map(check).collect::<Result<_>>()? })
    }

    /// Says of each case whether it is a finding, and whether a waiver covers it. Pure; `today` is the day in question.
    ///
    /// `is_finding` is the policy's word on a class. Of several waivers for a case, one that still holds wins.
    pub fn apply(&self, cases: &mut [ComparedCase], is_finding: impl Fn(Class) -> bool, today: Date) -> WaiverUse {
        let mut used = vec![false; self.waivers.len()];
        let mut expired = 0;
        for case in cases.iter_mut().filter(|case| is_finding(case.class)) {
            case.finding = Finding::Open;
            for (waiver, used) in self.waivers.iter().zip(&mut used) {
                *used |= waiver.covers(case);
            }
            let Some(waiver) = self.covering(case, today) else { continue };
            if waiver.expires >= today {
                case.finding = Finding::Waived {
                    owner: waiver.owner.clone(),
                    reason: waiver.told.clone(),
                    expires: waiver.expires.to_string().into(),
                };
            } else {
                expired += 1;
                case.finding =
                    Finding::Expired { owner: waiver.owner.clone(), expires: waiver.expires.to_string().into() };
            }
        }
        let by_use = |wanted: bool| {
            self.waivers.iter().zip(&used).filter(move |(_, used)| **used == wanted).map(|(waiver, _)| waiver)
        };
        WaiverUse {
            expired,
            unused: by_use(false).map(|waiver| format!("the waiver of {} matches no finding", waiver.name())).collect(),
            ending: by_use(true).filter_map(|waiver| waiver.notice(today)).collect(),
        }
    }

    /// The waiver for a case: of several, one that still holds wins.
    #[must_use]
    pub fn covering(&self, case: &ComparedCase, today: Date) -> Option<&Waiver> {
        let mut matching = self.waivers.iter().filter(|waiver| waiver.covers(case));
        let first = matching.next()?;
        if first.expires >= today {
            return Some(first);
        }
        Some(matching.find(|waiver| waiver.expires >= today).unwrap_or(first))
    }

    /// The waiver for exactly this pattern and class.
    #[must_use]
    pub fn of(&self, case: &str, class: Class) -> Option<&Waiver> {
        self.waivers.iter().find(|waiver| waiver.pattern.text == case && waiver.class == class)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waivers.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waivers.is_empty()
    }
}

impl Pattern {
    /// Reads a case id, or a glob in which `*` stops at `/` and `**` does not.
    ///
    /// # Errors
    /// A broken glob.
    pub fn parse(text: &str) -> Result<Self> {
        let special = is_glob(text) || text.contains(['\\', ']', '}']);
        let glob = if special { Some(glob(text)?.compile_matcher()) } else { None };
        Ok(Self { text: text.to_owned(), glob })
    }

    /// The pattern that is for this case alone.
    #[must_use]
    pub fn exact(case: &ComparedCase) -> String {
        let id = case.id.as_str();
        match case.intent {
            // Its id is never read as a glob.
            Intent::Control => id.to_owned(),
            Intent::Legit => escape(id),
        }
    }

    /// The patterns that together are for all cases of this attachment and for nothing else.
    #[must_use]
    pub fn attachment(id: &str) -> [String; 3] {
        let id = escape(id);
        // The value of an axis may hold `/`: `type:text/plain`.
        [id.clone(), format!("{id}~*"), format!("{id}~*/**")]
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is for this case. A control is only ever covered by its exact id.
    #[must_use]
    pub fn covers(&self, case: &ComparedCase) -> bool {
        let id = case.id.as_str();
        match case.intent {
            Intent::Legit => self.matches(id),
            Intent::Control => id == self.text,
        }
    }

    fn matches(&self, id: &str) -> bool {
        id == self.text || self.glob.as_ref().is_some_and(|glob| glob.is_match(id))
    }
}

impl Waiver {
    fn covers(&self, case: &ComparedCase) -> bool {
        self.class == case.class && self.pattern.covers(case)
    }

    fn name(&self) -> String {
        format!("`{}` for `{}` (line {}, owner `{}`)", self.pattern.text, self.class.as_str(), self.line, self.owner)
    }

    fn notice(&self, today: Date) -> Option<String> {
        let days = (self.expires - today).get_days();
        if self.expires < today {
            Some(format!("the waiver of {} expired on {}: its findings count again", self.name(), self.expires))
        } else if days <= NOTICE_DAYS {
            Some(format!("the waiver of {} expires on {}", self.name(), self.expires))
        } else {
            None
        }
    }
}

fn told(reason: &str, link: Option<&str>) -> Text {
    match link {
        Some(link) => format!("{reason} ({link})").into(),
        None => reason.into(),
    }
}

fn day(datetime: &toml::value::Datetime) -> Result<Date> {
    let wrong = || {
        Error::usage(format!("`{datetime}` is no day"))
            .help("write a day without time and quotes: expires = 2027-03-31")
    };
    let (Some(date), None, None) = (datetime.date, datetime.time, datetime.offset) else { return Err(wrong()) };
    let parts = (i16::try_from(date.year), i8::try_from(date.month), i8::try_from(date.day));
    let (Ok(year), Ok(month), Ok(day)) = parts else { return Err(wrong()) };
    Date::new(year, month, day).map_err(|_| wrong())
}

/// Refuses what no waiver can accept.
pub(crate) fn waivable(class: Class, case: &str) -> Result<()> {
    match class {
        Class::ProtectionLost if is_glob(case) => {
            Err(Error::usage("a lost protection is accepted for one control at a time")
                .help("write the exact id of the control instead of a glob"))
        }
        Class::NewlyBlocked
        | Class::ProtectionLost
        | Class::NewlyAltered
        | Class::WouldBlock
        | Class::Flaky
        | Class::ReasonChanged
        | Class::OnlyInBaseline => Ok(()),
        Class::Inconclusive => Err(Error::usage("what is not known cannot be accepted")
            .help("find out why the case is inconclusive, or raise `max_inconclusive` in `[gate]`")),
        Class::OnlyInCandidate | Class::NewlyDelivered | Class::ProtectionGained | Class::Unchanged => {
            Err(Error::usage(format!("`{}` is never a finding", class.as_str())).help(
                "accept one of `newly_blocked`, `protection_lost`, `newly_altered`, `would_block`, `flaky`, \
                 `reason_changed`, `only_in_baseline`",
            ))
        }
    }
}

fn is_glob(case: &str) -> bool {
    case.contains(['*', '?', '[', '{'])
}

fn glob(pattern: &str) -> Result<Glob> {
    // NOTE: a case id from a folder may hold `[`; an id that is no sound glob still matches itself.
    let sound = GlobBuilder::new(pattern).literal_separator(true).build();
    match sound {
        Ok(glob) => Ok(glob),
        Err(_) if !pattern.contains(['*', '?']) => Glob::new(&globset::escape(pattern)).map_err(|error| broken(&error)),
        Err(error) => Err(broken(&error)),
    }
}

/// The id as a glob that matches nothing else. `globset::escape` leaves out the backslash.
fn escape(id: &str) -> String {
    globset::escape(id).replace('\\', "[\\]")
}

fn broken(error: &globset::Error) -> Error {
    Error::usage(format!("`case` is no glob: {}", error.kind())).help("see `*`, `**`, `?`, `[abc]`, `{a,b}`")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_escaped_id_matches_itself_and_no_neighbour(id in "[a\\\\*?\\[\\]{},!^~/.-]{1,12}", other in "[a\\\\*?\\[\\]{},!^~/.-]{1,12}") {
            let of = |pattern: &str| Pattern::parse(pattern).unwrap();
            let exact = of(&escape(&id));
            prop_assert!(exact.matches(&id));
            prop_assert_eq!(exact.matches(&other), id == other);
            let variant = format!("{id}~type:text/plain~client:curl");
            prop_assert!(Pattern::attachment(&id).iter().any(|pattern| of(pattern).matches(&variant)));
            let longer = format!("{id}2");
            let covers_longer = Pattern::attachment(&id).iter().any(|pattern| of(pattern).matches(&longer));
            prop_assert!(!covers_longer);
        }
    }
}
