//! The narrowest exclusions that let refused legitimate uploads through, and the text of them for each rule language.
//!
//! From what the WAF's log says of a case: which rule looked at which part of the request. An exclusion takes that part
//! away from that rule, for one path and one method. It never touches the rules that add up the score, whole files of
//! rules, or the engine.

mod aws_waf;
mod azure;
mod cloud_armor;
mod cloudflare;
mod evidence;
mod language;
mod limit;
mod modsecurity;
mod place;
mod signs;
mod target;
mod trial;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

pub use evidence::{Fired, Refusal, Upload, evaluates, is_id};
pub use language::{Engine, Language, Snippet};
pub use limit::BodyLimit;
pub use place::Place;
pub use signs::Signs;
pub use target::{Key, Target};
pub use trial::{Round, was_kept_out};

use crate::corpus::CaseId;

/// The version of the suggestion's JSON. Additive changes keep it.
pub const SCHEMA_VERSION: u32 = 1;

/// Variables that tell of errors in reading the body.
const READING: [&str; 2] = ["REQBODY_ERROR", "MULTIPART_STRICT_ERROR"];

/// One rule that no longer looks at one part of an upload, on one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Exclusion {
    /// The rule's id or name.
    pub rule: String,
    /// What the rule says of itself; empty where the log does not tell.
    pub message: String,
    /// Where the rule is to look away.
    pub place: Place,
    /// What it is not to look at; `None`: the rule is left out there, because no part can be named.
    pub target: Option<Target>,
    /// How signs stand in the cases' filenames, or in the `Content-Disposition` of their parts where the rule looks at errors in
    /// reading the body. What holds others is looked at as before.
    pub signs: Signs,
    /// What the engine said when it could not read the body, or the beginning of that; empty: nothing. With another error the
    /// rule is kept.
    pub errors: BTreeSet<String>,
    /// What is not as RFC 7578 has it in the cases' bodies, by ModSecurity's variables, where rule 200003 refuses them. For what
    /// else is not, the rule is kept.
    pub flags: BTreeSet<&'static str>,
    /// The cases that need it.
    #[schemars(with = "Vec<String>")]
    pub cases: Vec<CaseId>,
    /// Cases that `explain` found another part of the upload to blame for, and which.
    pub disagree: Vec<Disagreement>,
    /// Cases that `explain` found the same part of the upload to blame for.
    pub agree: usize,
    /// The round of trying in which it became what it is.
    pub round: u32,
}

/// An explanation that does not fit the rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Disagreement {
    /// The case.
    #[schemars(with = "String")]
    pub case: CaseId,
    /// What `explain` found to blame, in words.
    pub blamed: String,
}

/// A refused case without an exclusion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unsolved {
    /// The case.
    #[schemars(with = "String")]
    pub case: CaseId,
    /// Why there is none, and what to do.
    pub why: String,
}

/// All exclusions that are suggested so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Suggestion {
    /// The exclusions, in the order in which they were found.
    pub exclusions: Vec<Exclusion>,
    /// Limits that no rule holds, and that must be raised.
    pub limits: Vec<BodyLimit>,
    /// Cases for which no exclusion is known.
    pub unsolved: Vec<Unsolved>,
    #[serde(skip)]
    round: u32,
    /// Where a limit that no exclusion reaches is in force.
    #[serde(skip)]
    elsewhere: Vec<Place>,
}

impl Suggestion {
    /// Takes in what is refused although the exclusions so far are in place. A rule that fires in spite of one gets a wider
    /// one: without the field's name, then without the part. `false`: nothing changed.
    pub fn add(&mut self, refusals: &[Refusal]) -> bool {
        self.round += 1;
        self.unsolved.clear();
        let mut changed = false;
        for refusal in refusals {
            match refusal.needed() {
                Ok(fired) => {
                    for fired in fired {
                        changed |= self.need(refusal, fired);
                    }
                }
                Err(_) if refusal.is_too_long() => changed |= self.need_limit(refusal),
                Err(why) => self.unsolved.push(Unsolved { case: refusal.case.clone(), why }),
            }
        }
        changed
    }

    /// Sees to it that a body of this size is taken.
    fn need_limit(&mut self, refusal: &Refusal) -> bool {
        let at = self.limits.iter().position(|known| known.place == refusal.place);
        let helps = at.is_none_or(|at| !self.limits[at].cases.contains(&refusal.case));
        if self.elsewhere.contains(&refusal.place) || !helps {
            let why = "it is refused for its size, whatever the WAF's own limit is: another limit is in force \
                       (client_max_body_size, LimitRequestBody, a CDN's), and it is set where it stands";
            self.unsolved.push(Unsolved { case: refusal.case.clone(), why: why.to_owned() });
            // It cures nothing, so that it is not suggested.
            self.elsewhere.extend(at.map(|at| self.limits.remove(at).place));
            return false;
        }
        match at {
            None => self.limits.push(BodyLimit::new(refusal)),
            Some(at) => self.limits[at].take(refusal),
        }
        true
    }

    /// Says how long bodies are that the candidate takes already: no limit may come out lower.
    pub fn keep_taking(&mut self, bytes: u64) {
        self.limits.iter_mut().for_each(|limit| limit.at_least(bytes));
    }

    /// How many exclusions and limits there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.exclusions.len() + self.limits.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sees to it that `fired` is excluded for `refusal`.
    fn need(&mut self, refusal: &Refusal, fired: &Fired) -> bool {
        let known = self.exclusions.iter_mut().find(|known| known.covers(refusal, fired));
        let Some(known) = known else {
            let mut exclusion = Exclusion {
                rule: fired.rule.clone(),
                message: fired.message.clone(),
                place: refusal.place.clone(),
                target: fired.target.clone(),
                signs: Signs::default(),
                errors: BTreeSet::new(),
                flags: BTreeSet::new(),
                cases: Vec::new(),
                disagree: Vec::new(),
                agree: 0,
                round: self.round,
            };
            exclusion.take(refusal, fired);
            self.exclusions.push(exclusion);
            return true;
        };
        // An exclusion of this round was not tried yet, and one with conditions may only lack this case's.
        if known.round == self.round || known.is_conditional() && !known.cases.contains(&refusal.case) {
            known.take(refusal, fired);
            return true;
        }
        if known.target.is_none() {
            let why = format!(
                "rule {} still refuses it although it is left out on this path: are the exclusions in the WAF that the \
                 profile is sent to?",
                known.rule
            );
            self.unsolved.push(Unsolved { case: refusal.case.clone(), why });
            return false;
        }
        known.round = self.round;
        known.target = known.target.take().and_then(Target::wider);
        known.take(refusal, fired);
        self.swallow();
        true
    }

    /// Takes out what a wider exclusion of the same rule makes needless.
    fn swallow(&mut self) {
        let mut kept: Vec<Exclusion> = Vec::new();
        let mut all = std::mem::take(&mut self.exclusions);
        // The widest first, in their order.
        all.sort_by_key(|exclusion| match &exclusion.target {
            None => 0,
            Some(Target { key: Key::None, .. }) => 1,
            Some(_) => 2,
        });
        for exclusion in all {
            match kept.iter_mut().find(|wider| wider.swallows(&exclusion)) {
                Some(wider) => {
                    wider.cases.extend(exclusion.cases);
                    wider.cases.sort();
                    wider.cases.dedup();
                    wider.disagree.extend(exclusion.disagree);
                    wider.agree += exclusion.agree;
                    wider.signs.extend(exclusion.signs);
                    wider.errors.extend(exclusion.errors);
                    wider.flags.extend(exclusion.flags);
                }
                None => kept.push(exclusion),
            }
        }
        self.exclusions = kept;
    }

    /// The text for a rule language.
    #[must_use]
    pub fn snippet(&self, language: Language, first_id: u32) -> Snippet {
        let mut snippet = match language {
            Language::ModSecurity(engine) => return modsecurity::snippet(self, engine, first_id),
            Language::AwsWaf => aws_waf::snippet(&self.exclusions),
            Language::Cloudflare => cloudflare::snippet(&self.exclusions),
            Language::AzureAppGateway => azure::app_gateway(&self.exclusions),
            Language::AzureFrontDoor => azure::front_door(&self.exclusions),
            Language::CloudArmor => cloud_armor::snippet(&self.exclusions),
        };
        snippet.left_out.extend(self.limits.iter().map(BodyLimit::by_hand));
        snippet
    }
}

impl Exclusion {
    fn is_for(&self, rule: &str, place: &Place) -> bool {
        self.rule == rule && self.place == *place
    }

    /// Whether it is meant to keep `fired` from firing.
    fn covers(&self, refusal: &Refusal, fired: &Fired) -> bool {
        self.is_for(&fired.rule, &refusal.place)
            && match (&self.target, &fired.target) {
                (None, _) => true,
                (Some(ours), Some(theirs)) => ours.holds(theirs),
                (Some(_), None) => false,
            }
    }

    fn swallows(&self, other: &Self) -> bool {
        self.is_for(&other.rule, &other.place)
            && match (&self.target, &other.target) {
                (None, _) => true,
                (Some(ours), Some(theirs)) => ours.holds(theirs),
                (Some(_), None) => false,
            }
    }

    fn take(&mut self, refusal: &Refusal, fired: &Fired) {
        if self.cases.contains(&refusal.case) {
            return;
        }
        self.cases.push(refusal.case.clone());
        if self.is_of_reading() {
            self.errors.insert(fired.error.clone());
            self.flags.extend(&fired.flags);
            for disposition in &refusal.upload.dispositions {
                self.signs.take(disposition);
            }
        } else {
            self.signs.take(&refusal.upload.filename);
        }
        let (Some(factors), Some(target)) = (&refusal.factors, &fired.target) else { return };
        if factors.iter().any(|factor| refusal.is_of(target, *factor)) {
            self.agree += 1;
        } else {
            let blamed = factors.iter().map(|factor| factor.words()).collect::<Vec<_>>().join(", ");
            self.disagree.push(Disagreement { case: refusal.case.clone(), blamed });
        }
    }

    /// What it opens, in one sentence without its full stop.
    fn opens(&self) -> String {
        let (rule, place) = (&self.rule, &self.place);
        match &self.target {
            Some(target) => format!(
                "in {} {}, rule {rule} no longer looks at {}{}: {}; other parts, rules and paths stay as they are",
                place.method,
                place.path,
                target.words(),
                self.made_of(),
                target.danger(),
            ),
            None => format!(
                "in {} {}, rule {rule} looks at nothing any more: any attack that it knows can pass it; other rules and \
                 paths stay as they are",
                place.method, place.path
            ),
        }
    }

    /// Whether it holds only for filenames of known bytes.
    fn is_for_names(&self) -> bool {
        self.target.as_ref().is_some_and(|target| target.variable == "FILES" && matches!(target.key, Key::Name(_)))
    }

    /// Whether the rule looks at errors in reading the body: a rule of our own then keeps it for others.
    fn is_of_reading(&self) -> bool {
        READING.iter().any(|variable| self.is_of(variable))
    }

    fn is_of(&self, variable: &str) -> bool {
        self.target.as_ref().is_some_and(|target| target.variable == variable)
    }

    fn is_conditional(&self) -> bool {
        self.is_for_names() || self.is_of_reading()
    }

    /// Which filenames, in words.
    fn made_of(&self) -> String {
        if self.is_for_names() { format!(", where it is made of {}", self.signs.made_of()) } else { String::new() }
    }

    /// The same for the rule as a whole: for a language that knows no parts.
    fn whole(&self) -> Self {
        Self { target: None, ..self.clone() }
    }

    /// Why it is suggested, in one sentence without its full stop.
    #[must_use]
    pub fn why(&self) -> String {
        let message = if self.message.is_empty() { String::new() } else { format!(" ({})", self.message) };
        let cases = match &self.cases[..] {
            [] => "no case".to_owned(),
            [only] => format!("case {only}"),
            [first, ..] => format!("{} cases, such as {first}", self.cases.len()),
        };
        let explained = match (self.agree, &self.disagree[..]) {
            (0, []) => String::new(),
            (agree, []) => format!("; `explain` blames the same part in {agree}"),
            (_, [first, ..]) => format!(
                "; look again: `explain` blames the {} in {} of them, such as {}",
                first.blamed,
                self.disagree.len(),
                first.case
            ),
        };
        format!("rule {}{message} refuses {cases}{explained}", self.rule)
    }
}

#[cfg(test)]
mod tests;
