//! What is known of a refused case: which rules fired, and what `explain` blames.

use super::{Key, Place, Target};
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
    /// What was sent.
    pub upload: Upload,
    /// What `explain` blames; `None`: it was not asked, or is not sure.
    pub factors: Option<Vec<Factor>>,
}

/// What of an upload tells where an exclusion for it holds, as it is on the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upload {
    /// The form's field that holds the file.
    pub field: Vec<u8>,
    /// The filename; empty: it is not known.
    pub filename: Vec<u8>,
    /// What follows `Content-Disposition:` in each part.
    pub dispositions: Vec<Vec<u8>>,
    /// Bytes of the body.
    pub body: u64,
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
    /// Of a rule that looks at errors in reading the body: the beginning of what the engine says of it; empty: nothing.
    pub error: String,
    /// Of rule 200003: what is not as RFC 7578 has it, by ModSecurity's variables.
    pub flags: Vec<&'static str>,
}

impl Fired {
    /// A rule of which no more is known than that it refuses.
    #[must_use]
    pub fn named(rule: &str, target: Option<Target>) -> Self {
        let (rule, message) = (rule.to_owned(), String::new());
        Self {
            rule,
            message,
            target,
            points: None,
            action: Action::Refused,
            crs: false,
            error: String::new(),
            flags: Vec::new(),
        }
    }

    fn refuses(&self) -> bool {
        matches!(self.action, Action::Refused | Action::Disruptive)
    }
}

impl Refusal {
    /// A case of which the WAF's log says `evidence`. `fields`: the names of its form's fields, as they are on the wire.
    #[must_use]
    pub fn new(case: CaseId, place: Place, evidence: Option<&WafEvidence>, fields: &[Vec<u8>]) -> Self {
        let upload = Upload::default();
        let mut refusal = Self { case, place, rules: Vec::new(), others: Vec::new(), upload, factors: None };
        for hit in evidence.into_iter().flat_map(|evidence| &evidence.rules) {
            match &hit.id {
                Some(id) if !evaluates(id) && is_id(id) => {
                    // Our own rule speaks for the one that it keeps.
                    let kept =
                        super::modsecurity::kept(&hit.message).filter(|(rule, _)| is_id(rule) && !evaluates(rule));
                    let (rule, variable) = match kept {
                        Some((rule, variable)) => (rule, Some(variable)),
                        None => (id.as_str(), hit.variable.as_deref()),
                    };
                    refusal.rules.push(Fired {
                        rule: rule.to_owned(),
                        message: if kept.is_some() { String::new() } else { hit.message.clone() },
                        target: variable.and_then(|variable| Target::parse(variable, fields)),
                        points: points(hit),
                        action: hit.action,
                        crs: hit.crs,
                        error: hit.data.as_ref().map(|data| error(data.as_str())).unwrap_or_default(),
                        flags: super::modsecurity::flags(&hit.message),
                    });
                }
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

    /// Whether a part of the request holds what `explain` can blame by this name.
    pub(super) fn is_of(&self, target: &Target, factor: Factor) -> bool {
        // ModSecurity 3 takes a file without a name for a text.
        let is_file = target.variable.starts_with("ARGS") && target.key == Key::Name(self.upload.field.clone());
        target.is_of(factor) || is_file && matches!(factor, Factor::Stem | Factor::Extension | Factor::Content)
    }

    /// Whether nothing but its size is to blame, and no rule.
    pub(super) fn is_too_long(&self) -> bool {
        self.rules.is_empty()
            && !self.others.iter().any(|id| evaluates(id))
            && self.factors.as_deref() == Some(&[Factor::Size])
    }

    fn nothing(&self) -> String {
        match &self.others[..] {
            [] if self.factors.is_none() => {
                "the WAF's log says nothing of it: give the log with `--waf-log` to `compare`, or the rule with `--rule`; \
                 `wafcanary explain` tells whether a limit refuses it"
                    .to_owned()
            }
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

/// The beginning of an engine's words on a body that it can't read, up to what it quotes or what the log cut.
fn error(data: &str) -> String {
    let words = |c: &char| c.is_ascii_alphanumeric() || " :.,-".contains(*c);
    // The value of a flag is no message.
    let text: String = data.chars().take_while(words).collect();
    if text.bytes().all(|byte| byte.is_ascii_digit()) { String::new() } else { text }
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
