//! What is known of a refused case: which rules fired, and what `explain` blames.

use super::{Place, Target};
use crate::corpus::CaseId;
use crate::explain::Factor;
use crate::run::WafEvidence;
use crate::waf_log::{Action, RuleHit};

/// The score at which the Core Rule Set refuses a request, unless it is set otherwise.
const THRESHOLD: u32 = 5;

/// A refused case.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The case.
    pub case: CaseId,
    /// Where it was sent.
    pub place: Place,
    /// The rules that fired for it and can be excluded.
    pub rules: Vec<Fired>,
    /// What else was logged of it and can't be excluded, in words.
    pub others: Vec<String>,
    /// The filename as it is on the wire; empty: it is not known.
    pub filename: Vec<u8>,
    /// What `explain` blames; `None`: it was not asked, or is not sure.
    pub factors: Option<Vec<Factor>>,
}

/// A rule that fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    /// Its id or name.
    pub rule: String,
    /// What it says of itself.
    pub message: String,
    /// What it looked at; `None`: that is not known.
    pub target: Option<Target>,
    /// Points that it adds to the score; `None`: it refuses alone, or its points are not known.
    pub points: Option<u32>,
    /// What it does to the request.
    pub action: Action,
    /// It is of the Core Rule Set, or of a set that is made from it.
    pub crs: bool,
}

impl Fired {
    /// A rule of which no more is known than that it refuses.
    #[must_use]
    pub fn named(rule: &str, target: Option<Target>) -> Self {
        let (rule, message) = (rule.to_owned(), String::new());
        Self { rule, message, target, points: None, action: Action::Refused, crs: false }
    }

    fn refuses(&self) -> bool {
        matches!(self.action, Action::Refused | Action::Disruptive)
    }
}

impl Refusal {
    /// A case of which the WAF's log says `evidence`. `fields`: the names of its form's fields, as they are on the wire.
    #[must_use]
    pub fn new(case: CaseId, place: Place, evidence: Option<&WafEvidence>, fields: &[Vec<u8>]) -> Self {
        let mut refusal =
            Self { case, place, rules: Vec::new(), others: Vec::new(), filename: Vec::new(), factors: None };
        for hit in evidence.into_iter().flat_map(|evidence| &evidence.rules) {
            match &hit.id {
                Some(id) if !evaluates(id) && is_id(id) => refusal.rules.push(Fired {
                    rule: id.clone(),
                    message: hit.message.clone(),
                    target: hit.variable.as_deref().and_then(|variable| Target::parse(variable, fields)),
                    points: points(hit),
                    action: hit.action,
                    crs: hit.crs,
                }),
                Some(id) => refusal.others.push(id.clone()),
                None => refusal.others.push(hit.message.clone()),
            }
        }
        refusal.infer();
        refusal
    }

    /// A rule of which the log tells no part (ModSecurity 3, libinjection) is taken to look at the one that all others of the
    /// case name. Trying shows whether it does.
    fn infer(&mut self) {
        let mut named = self.rules.iter().filter_map(|fired| fired.target.clone());
        let Some(first) = named.next() else { return };
        if named.all(|target| target == first) {
            for fired in &mut self.rules {
                fired.target.get_or_insert_with(|| first.clone());
            }
        }
    }

    /// The rules that must be excluded for the case to pass: all that refuse alone, and of those that add points the
    /// heaviest, until the rest stays below the threshold. `Err`: why there are none.
    pub(super) fn needed(&self) -> Result<Vec<&Fired>, String> {
        if self.rules.is_empty() {
            return Err(self.nothing());
        }
        // Beside a rule that refuses, one that only lets a label be set or a line be logged changes nothing.
        let refuses = self.rules.iter().any(Fired::refuses);
        let idle = |fired: &&Fired| refuses && !fired.crs && fired.action == Action::NonDisruptive;
        let (mut scoring, mut needed): (Vec<&Fired>, Vec<&Fired>) =
            self.rules.iter().filter(|fired| !idle(fired)).partition(|fired| fired.points.is_some());
        scoring.sort_by_key(|fired| fired.points);
        let sum = |of: &[&Fired]| of.iter().filter_map(|fired| fired.points).sum::<u32>();
        while sum(&scoring) >= THRESHOLD {
            needed.extend(scoring.pop());
        }
        // A lower threshold than the usual one is the only reason that is left.
        if needed.is_empty() {
            needed.extend(scoring.pop());
        }
        Ok(needed)
    }

    fn nothing(&self) -> String {
        match &self.others[..] {
            [] => "the WAF's log says nothing of it: give the log with `--waf-log` to `compare`, or the rule with `--rule`"
                .to_owned(),
            others if others.iter().any(|id| evaluates(id)) => format!(
                "only the rule that adds up the score is known ({}): excluding it would switch off all others; the log has to \
                 tell the rules below it (nginx's error log at level `info`, or the audit log)",
                others.join(", ")
            ),
            others => format!(
                "no rule refuses it ({}): the engine or the server does, for a limit or a body that it can't read; a limit is set \
                 where it stands (SecRequestBodyLimit, client_max_body_size), and no exclusion changes it",
                others.join(", ")
            ),
        }
    }
}

/// Points by severity: `crs-setup.conf.example`, rule 900100. A rule that refuses by itself, or is of another set, has none.
fn points(hit: &RuleHit) -> Option<u32> {
    let scores = match hit.action {
        Action::NonDisruptive | Action::Unknown => hit.crs,
        Action::Refused | Action::Disruptive => false,
    };
    match hit.severity.as_deref() {
        _ if !scores => None,
        Some("CRITICAL") => Some(5),
        Some("ERROR") => Some(4),
        Some("WARNING") => Some(3),
        Some("NOTICE") => Some(2),
        Some(_) | None => None,
    }
}

/// Whether a rule of the Core Rule Set sets up, adds up or tells the score: what looks at no part of an upload, and what
/// all others depend on. Source: the files REQUEST-901, -905, -949, RESPONSE-959 and -980.
#[must_use]
pub fn evaluates(id: &str) -> bool {
    super::cloudflare::evaluates(id)
        || id.len() == 6 && ["901", "905", "949", "959", "980"].iter().any(|file| id.starts_with(file))
}

/// Whether it is the id or the name of a rule and nothing else.
#[must_use]
pub fn is_id(id: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
    (1..=128).contains(&id.len()) && id.bytes().all(sound)
}
