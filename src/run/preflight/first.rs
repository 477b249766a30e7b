//! What the first canary control says: whether the edge is reached, lets us in, and delivers.

use super::{Check, Finding, Level, Probe};
use crate::profile::{Oracle, Profile, Proof, ReceiptSource, Secret, redirected};
use crate::replay::{Ending, Observation, ReadBackFact, ReceiptFact, StepFact, Unreachable};
use crate::verdict::{Outcome, Signatures, UNRECOGNISED, Verdict, judge};

/// The first canary control, and the profile that it was sent by.
pub(super) struct FirstCanary<'a> {
    pub(super) profile: &'a Profile,
    pub(super) probe: &'a Probe,
}

impl FirstCanary<'_> {
    fn seen(&self) -> &Observation {
        &self.probe.observation
    }

    fn verdict(&self) -> &Verdict {
        &self.probe.verdict
    }

    /// Adds what it says, in the order of its way: reach, credentials, receipt, delivery.
    pub(super) fn examine(&self, findings: &mut Vec<Finding>) {
        match &self.seen().ending {
            Ending::Unreachable { layer, .. } => {
                let (message, help) = (self.verdict().evidence.to_string(), self.way_to(*layer));
                findings.push(Finding::new(Level::Inconclusive, Check::Reach, message, help));
            }
            Ending::StepFailed { step, detail } => findings.push(self.step_failed(step, detail)),
            Ending::FileError { .. } => {
                let message = self.verdict().evidence.to_string();
                findings.push(Finding::new(Level::Inconclusive, Check::Benign, message, "this is a bug: report it"));
            }
            Ending::Complete
            | Ending::Truncated { .. }
            | Ending::Broken { .. }
            | Ending::TimedOut { .. }
            | Ending::Malformed { .. } => {
                findings.push(Finding::fine(Check::Reach, self.reached()));
                findings.extend(self.credentials());
                let wanted = findings.last().is_some_and(|finding| finding.level == Level::Inconclusive);
                if !wanted && !self.probe.throttled() {
                    findings.extend(self.proof());
                    let missing = findings.last().is_some_and(|finding| finding.level > Level::Skipped);
                    findings.extend(if missing { None } else { self.benign() });
                }
            }
        }
    }

    fn reached(&self) -> String {
        let seen = self.seen();
        let peer = seen.peer.map_or_else(String::new, |peer| format!(" at {peer}"));
        let protocol = seen.protocol.as_ref().map_or_else(String::new, |protocol| format!(" over {protocol}"));
        let url = self.profile.target.url();
        match &seen.answer {
            Some(answer) => {
                let millis = seen.timings.total_us / 1000;
                format!("`{url}`{peer} answers {} in {millis} ms{protocol}", answer.status)
            }
            None => format!("`{url}`{peer} takes connections{protocol}"),
        }
    }

    fn way_to(&self, layer: Unreachable) -> String {
        let target = &self.profile.target;
        let (host, port) = redirected(target, &target.host, target.port);
        match layer {
            Unreachable::Dns => format!(
                "check the host: `{host}` comes from `target.url` or `target.connect_to`; a name that only some \
                 networks know gets its address from `target.resolve`"
            ),
            Unreachable::Connect => format!(
                "does anything listen at `{host}` port {port}, and does a firewall let this machine there? \
                 `target.resolve` and `target.connect_to` lead elsewhere, `target.proxy` names a proxy"
            ),
            Unreachable::Proxy => {
                "check `target.proxy`: its host, its port, and user and password in its URL".to_owned()
            }
            Unreachable::Tls => {
                let name = target.tls.server_name.as_deref().unwrap_or(&target.host);
                format!(
                    "the certificate must be valid now and for `{name}` (`target.sni` asks for another name); a private \
                     authority goes into `tls.ca`, a client certificate into `tls.cert` and `tls.key`; \
                     port {port} must speak TLS"
                )
            }
            Unreachable::Protocol => "set `target.http` to a version that the edge speaks: \"1.1\" or \"2\"".to_owned(),
        }
    }

    fn step_failed(&self, step: &str, detail: &str) -> Finding {
        let failed = self.seen().steps.iter().rfind(|fact| fact.error.is_some());
        let message = format!("step `{step}` failed, so nothing was uploaded: {detail}");
        let (check, help) = if let Some(status) = failed.and_then(|fact| fact.status) {
            let help = format!(
                "step `{step}` was answered with {status}: are user, password and token right and still valid \
                 (`${{env:…}}` of another environment?), and are its `url`, `form` and `status` those of the form?"
            );
            (Check::Credentials, help)
        } else {
            let help = format!(
                "step `{step}` got no answer: check its `url`; a host of its own must be in `guard.allowed_hosts`, and a \
                 `${{name}}` must be captured by an earlier step"
            );
            (Check::Steps, help)
        };
        Finding::new(Level::Inconclusive, check, message, help)
    }

    /// Whether anybody asks for other credentials; `None`: there are none to be right or wrong.
    fn credentials(&self) -> Option<Finding> {
        let (seen, verdict, oracle) = (self.seen(), self.verdict(), &self.profile.oracle);
        let wrong =
            |message: String, help: &str| Some(Finding::new(Level::Inconclusive, Check::Credentials, message, help));
        if verdict.outcome == Outcome::Unreachable && matches!(verdict.status, Some(401 | 407)) {
            return wrong(
                format!("the upload is not let in: {}", verdict.evidence),
                "give the credentials in `[upload] headers` (is a variable out of date?), or sign in by a `[[before]]` step",
            );
        }
        if let Some(ReceiptFact::Unavailable { status: Some(401 | 403 | 407), detail }) = &seen.receipt {
            return wrong(
                format!("the receipt is not given to us: {detail}"),
                "give the origin's token in the receipt's `headers`, such as \
                 `{ name = \"Authorization\", value = \"Bearer ${env:ORIGIN_TOKEN}\" }`",
            );
        }
        if let Some(ReadBackFact::Unavailable { status: Some(401 | 403 | 407), detail }) = &seen.read_back {
            return wrong(
                format!("the file is not given back to us: {detail}"),
                "give the credentials in the `headers` of `oracle.read_back`; cookies of the steps are sent along",
            );
        }
        if let Some(StepFact { name, status: Some(status @ (401 | 407)), error: Some(error) }) =
            seen.steps.iter().find(|step| step.error.is_some())
        {
            return wrong(
                format!("step `{name}` after the upload is answered with {status}: {error}"),
                "does the session that the steps before the upload opened still hold there?",
            );
        }
        let steps: Vec<String> = seen
            .steps
            .iter()
            .filter_map(|step| step.status.filter(|_| step.error.is_none()).map(|status| (&step.name, status)))
            .map(|(name, status)| format!("step `{name}` {status}"))
            .collect();
        let receipt_headers = match oracle.receipt.as_ref().map(|spec| &spec.source) {
            Some(ReceiptSource::Url { headers, .. }) => !headers.is_empty(),
            Some(ReceiptSource::Answer) | None => false,
        };
        let given = !steps.is_empty() || !self.profile.upload.headers.is_empty() || receipt_headers;
        let told = if steps.is_empty() { "nobody asks for others".to_owned() } else { steps.join(", ") };
        given.then(|| Finding::fine(Check::Credentials, told))
    }

    /// Whether what proves delivery can be had; `None`: the profile asks for neither receipt nor read-back, or the page
    /// says already that the upload was refused.
    fn proof(&self) -> Option<Finding> {
        let (seen, profile) = (self.seen(), self.profile);
        if let Some(ReceiptFact::Unavailable { detail, .. }) = &seen.receipt
            && let Some(ReceiptSource::Url { .. }) = profile.oracle.receipt.as_ref().map(|spec| &spec.source)
        {
            return Some(Finding::new(
                Level::Inconclusive,
                Check::Receipt,
                format!("the receipt could not be asked for at {}: {detail}", self.receipt_place()),
                "does the origin run, and can this machine ask it? `oracle.receipt.url` must give JSON; \
                 `wafcanary origin` stands in for an application that gives no receipts",
            ));
        }
        if let Some(ReadBackFact::Unavailable { detail, .. }) = &seen.read_back {
            return Some(Finding::new(
                Level::Inconclusive,
                Check::Receipt,
                format!("the file could not be read back: {detail}"),
                "check `oracle.read_back.url` and the capture in it",
            ));
        }
        if self.probe.passed() {
            let place = match (&seen.receipt, &seen.read_back) {
                (Some(_), _) => format!("the same SHA-256 in {}", self.receipt_place()),
                (None, Some(_)) => "read back with the same SHA-256".to_owned(),
                (None, None) => return None,
            };
            return Some(Finding::fine(Check::Receipt, place));
        }
        if !self.page_is_as_asked() {
            return None;
        }
        let level = self.level_of_refusal();
        match (&seen.receipt, &seen.read_back) {
            (Some(ReceiptFact::Absent { detail } | ReceiptFact::Unavailable { detail, .. }), _) => {
                let message = format!(
                    "the upload is answered as a success, and there is no receipt of it in {} ({detail})",
                    self.receipt_place()
                );
                let help = "is that the origin behind this very edge, does it keep receipts by the attempt's id (the \
                            header `X-Wafcanary-Attempt`), and in time (`timeouts.receipt`)? `wafcanary origin` stands in \
                            for an application that gives none; an edge that swallows uploads looks the same";
                Some(Finding::new(level, Check::Receipt, message, format!("{}{help}", self.unless_expected())))
            }
            (_, Some(ReadBackFact::Absent { status })) => {
                let message =
                    format!("the upload is answered as a success, and read back it is not there (status {status})");
                let help = "check `oracle.read_back.url` and the capture in it, and how long a file may take to appear \
                            (`timeouts.receipt`); an edge that swallows uploads looks the same";
                Some(Finding::new(level, Check::Receipt, message, format!("{}{help}", self.unless_expected())))
            }
            (
                Some(ReceiptFact::Found(_)) | None,
                Some(ReadBackFact::Found { .. } | ReadBackFact::Unavailable { .. }) | None,
            ) => None,
        }
    }

    /// Where the receipt is asked for.
    fn receipt_place(&self) -> String {
        match self.profile.oracle.receipt.as_ref().map(|spec| &spec.source) {
            Some(ReceiptSource::Url { url, .. }) => format!("`{}`", self.filled(url)),
            Some(ReceiptSource::Answer) | None => "the upload's own answer".to_owned(),
        }
    }

    fn filled(&self, url: &Secret<String>) -> String {
        url.expose().replace("{attempt}", &self.probe.attempt)
    }

    /// Whether the answer alone is what the profile asks for, receipt and read-back apart.
    fn page_is_as_asked(&self) -> bool {
        let page = Oracle { proof: Proof::Status, receipt: None, read_back: None, ..self.profile.oracle.clone() };
        let bare = Observation { receipt: None, read_back: None, ..self.seen().clone() };
        // A known block page may have a good status: its signature tells.
        let known = self.verdict().signature.as_deref().is_some_and(|signature| signature != UNRECOGNISED);
        !known && judge(&[bare], &page, Signatures::builtin()).outcome == Outcome::Delivered
    }

    /// Begins the help where the profile says that the edge refuses even a canary control.
    fn unless_expected(&self) -> &'static str {
        if self.profile.pace.canary_every == 0 {
            "nothing, if the edge is meant to refuse it, as `pace.canary_every = 0` says; else: "
        } else {
            ""
        }
    }

    fn level_of_refusal(&self) -> Level {
        if self.profile.pace.canary_every == 0 { Level::Warning } else { Level::Failure }
    }

    /// Whether the benign file is delivered.
    fn benign(&self) -> Option<Finding> {
        let verdict = self.verdict();
        let Verdict { outcome, evidence, .. } = verdict;
        let name = "`wafcanary.pdf`, one empty page,";
        let told = |level: Level, help: &str| {
            let message = format!("{name} is not delivered: {}: {evidence}", outcome.as_str());
            Some(Finding::new(level, Check::Benign, message, format!("{}{help}", self.unless_expected())))
        };
        let level = self.level_of_refusal();
        match outcome {
            Outcome::Delivered => Some(Finding::fine(Check::Benign, format!("{name} is delivered: {evidence}"))),
            Outcome::Altered => told(
                level,
                "does the edge or the application rewrite files, names or types? What the origin shows in another form \
                 (`filename`, `content_type`) is left out of the receipt's keys",
            ),
            Outcome::Blocked if verdict.signature.as_deref().is_some_and(|signature| signature != UNRECOGNISED) => {
                told(
                    level,
                    "have this machine's address, or the header `X-Wafcanary-Case`, let through by bot and reputation rules; \
                 then compare the request with the form's: `upload.field`, `upload.fields`, `upload.page_url`",
                )
            }
            Outcome::Blocked => told(
                level,
                "send the form once by hand: is what `[oracle]` asks for (status, header, body) on its success page, and are \
                 `target.url`, `upload.method`, `upload.field` and `upload.fields` (a CSRF token?) the form's?",
            ),
            Outcome::TooLarge => {
                told(level, "a few hundred bytes are refused for their size: check the edge's body limit")
            }
            Outcome::Challenged => told(
                level,
                "the edge asks for a CAPTCHA or JavaScript: have this machine's address, or the header `X-Wafcanary-Case`, \
                 let through, or turn the challenge off for the host under test",
            ),
            Outcome::Dropped => told(
                level,
                "the connection ends without an answer: is this machine's address banned, and does the port speak what \
                 `target.url` says (http or https)?",
            ),
            Outcome::Rejected => told(
                Level::Warning,
                "the application itself refuses it: does the form take PDF files, and are its other fields filled in \
                 (`upload.fields`)? Where the canary control cannot get through, a ban looks like blocked files",
            ),
            Outcome::Lost => told(level, "it is taken and then gone: does the application delete uploads at once?"),
            Outcome::Throttled => None,
            Outcome::Unreachable => {
                told(Level::Inconclusive, "nothing can be said before this is mended: the edge was not really asked")
            }
        }
    }
}
