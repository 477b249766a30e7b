//! The classes of finding, as code scanning explains them.

use serde_json::{Value, json};

use crate::compare::Class;

/// A class of finding, as an alert explains it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) id: &'static str,
    pub(super) level: &'static str,
    short: &'static str,
    full: &'static str,
    /// What to do, in steps.
    help: &'static [&'static str],
    tag: &'static str,
}

impl Rule {
    /// The rule of a class that the gate counts; `None`: it never does.
    pub(super) fn of_class(class: Class) -> Option<Self> {
        let rule = |level, short, full, help, tag| Some(Self { id: class.as_str(), level, short, full, help, tag });
        match class {
            Class::NewlyBlocked => rule(
                "error",
                "A legitimate file no longer gets through",
                "A file that people attach to a form reaches the application through the edge as it is, and does not through \
                 the edge as it will be. The change must not go live as it is.",
                &[
                    "Ask `wafcanary explain` for the smallest property that makes the candidate refuse the file.",
                    "Ask `wafcanary suggest` for the narrowest exclusion, and try it on a staging WAF.",
                    "Where the refusal is meant, accept it with `wafcanary accept`: owner, reason and last day.",
                ],
                "regression",
            ),
            Class::ProtectionLost => rule(
                "error",
                "A control that must be blocked now gets further",
                "An upload that the edge must refuse was kept out, and now gets further than before. An exclusion is too wide, or \
                 a rule is off.",
                &[
                    "Look which exclusion or switch of the change lets it in, and narrow it.",
                    "A waiver for it must name this one control.",
                ],
                "protection",
            ),
            Class::NewlyAltered => rule(
                "error",
                "A file now arrives altered",
                "Bytes, filename or type that the application receives are not those that were sent, and on the edge as it is \
                 they were, or the sender saw a refusal. Nobody is told of such damage.",
                &[
                    "Compare the receipt with what was sent: digest, size, filename and type.",
                    "Switch off what rewrites uploads at the edge: sanitising, re-encoding, limits that cut.",
                ],
                "regression",
            ),
            Class::WouldBlock => rule(
                "error",
                "A legitimate file would be blocked by a rule that only logs",
                "The file gets through because the candidate's rules are in count, log or detection mode. When they block, it is \
                 refused.",
                &[
                    "Cure the rule before the mode is switched: `wafcanary suggest` writes the narrowest exclusion.",
                    "Where the refusal is meant, accept it with `wafcanary accept`: owner, reason and last day.",
                ],
                "regression",
            ),
            Class::Flaky => rule(
                "warning",
                "The edge disagrees with itself about a file",
                "Asked several times for the same upload, an edge gave different answers. Nothing is proven of the change by it.",
                &[
                    "Send it again with more rounds (`--confirm`), more slowly (`--rate`).",
                    "Look for nodes that have different rules.",
                ],
                "noise",
            ),
            Class::Inconclusive => rule(
                "warning",
                "A file could not be asked on both sides",
                "The edge throttled, banned or could not be reached, so nothing is known of the file. That is never a pass.",
                &[
                    "Read the evidence: address, credentials, pace.",
                    "Send it again: `wafcanary compare --resume` goes on with it.",
                ],
                "noise",
            ),
            Class::OnlyInBaseline => rule(
                "warning",
                "A file was not sent to the candidate",
                "The baseline has the case and the candidate has not, so nothing is known of it.",
                &["Send both sides with the same corpus and selection."],
                "noise",
            ),
            Class::ReasonChanged => rule(
                "warning",
                "A file is refused for another reason than before",
                "Both edges refuse the file, in different ways: people see another page, or wait for a time-out.",
                &["Look at what people see now, and whether the helpdesk knows it."],
                "regression",
            ),
            Class::OnlyInCandidate | Class::NewlyDelivered | Class::ProtectionGained | Class::Unchanged => None,
        }
    }

    /// The rules of a run: one for each mark.
    pub(super) const OF_RUN: [Self; 5] = [
        Self {
            id: "not_delivered",
            level: "error",
            short: "A legitimate file does not get through",
            full: "A file that people attach to a form does not reach the application through this edge.",
            help: &[
                "Ask `wafcanary compare` whether it does through the edge as it was.",
                "Ask `wafcanary explain` what makes the edge refuse it.",
            ],
            tag: "regression",
        },
        Self {
            id: "control_delivered",
            level: "error",
            short: "A control that must be blocked gets past the edge",
            full: "An upload that the edge must refuse reaches the application.",
            help: &["Look whether the rules are on and block, and which exclusion lets it in."],
            tag: "protection",
        },
        Self {
            id: "flaky",
            level: "warning",
            short: "The edge disagrees with itself about a file",
            full: "Asked several times for the same upload, the edge gave different answers.",
            help: &["Send it again with more `--rounds`, more slowly (`--rate`)."],
            tag: "noise",
        },
        Self {
            id: "would_block",
            level: "warning",
            short: "A legitimate file would be blocked by a rule that only logs",
            full: "The file gets through because rules are in count, log or detection mode. When they block, it is refused.",
            help: &["Cure the rule before the mode is switched."],
            tag: "regression",
        },
        Self {
            id: "inconclusive",
            level: "warning",
            short: "A file could not be asked",
            full: "The edge throttled, banned or could not be reached, so nothing is known of the file.",
            help: &["Read the evidence: address, credentials, pace.", "`wafcanary run --resume` goes on with it."],
            tag: "noise",
        },
    ];

    pub(super) fn value(&self) -> Value {
        let plain = self.help.join("\n");
        let list: Vec<_> = self.help.iter().map(|step| format!("* {step}")).collect();
        json!({
            "id": self.id,
            "shortDescription": { "text": self.short },
            "fullDescription": { "text": self.full },
            "help": { "text": plain, "markdown": format!("{}\n\n{}\n", self.full, list.join("\n")) },
            "defaultConfiguration": { "level": self.level },
            "properties": {
                "tags": ["waf", "upload", self.tag],
                "precision": if self.tag == "noise" { "low" } else { "very-high" },
                "problem.severity": self.level,
            },
        })
    }
}
