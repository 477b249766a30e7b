//! What is allowed in a profile, and still worth a second look.

use std::fmt;
use std::net::IpAddr;

use super::target::Scheme;
use super::{BodyMatch, Environment, Profile, Proof};

/// One remark about a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// Stable name, for documentation and tests.
    pub rule: &'static str,
    /// The key that it is about.
    pub key: &'static str,
    /// What is doubtful.
    pub message: String,
    /// What to do.
    pub help: &'static str,
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (key `{}`)\n  help: {}", self.message, self.key, self.help)
    }
}

/// Requests a second above which an edge may take a run for an attack.
const FAST: f64 = 100.0;

/// Remarks about a profile, in the order of its keys. None of them is an error.
#[must_use]
pub fn check(profile: &Profile) -> Vec<Lint> {
    let lab = profile.guard.environment == Environment::Lab || profile.lab.is_some();
    let mut lints = Vec::new();
    network(profile, lab, &mut lints);
    proof(profile, &mut lints);
    if !lab && profile.pace.rate.is_none_or(|rate| rate > FAST) {
        let rate = profile
            .pace
            .rate
            .map_or_else(|| "an unlimited rate".to_owned(), |rate| format!("{rate} requests a second"));
        lint(&mut lints, "fast", "pace.rate", format!("{rate} may be taken for an attack"), "lower `rate`");
    }
    if !lab && profile.pace.canary_every == 0 {
        let message = "without canary controls a ban looks like blocked files".to_owned();
        lint(&mut lints, "no-canary", "pace.canary_every", message, "set it to 25 or so");
    }
    if profile.guard.environment == Environment::Production {
        let message = "uploads go to production".to_owned();
        lint(
            &mut lints,
            "production",
            "guard.environment",
            message,
            "prefer a staging edge; sending needs `--allow-production`",
        );
        if profile.guard.authorized {
            let message = "controls (files that must be blocked) go to production".to_owned();
            lint(
                &mut lints,
                "controls-in-production",
                "guard.authorized",
                message,
                "have the owner's agreement in writing",
            );
        }
    }
    lints
}

fn network(profile: &Profile, lab: bool, lints: &mut Vec<Lint>) {
    let target = &profile.target;
    let loopback = target.host == "localhost" || target.host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    if target.scheme == Scheme::Http && !loopback && !lab {
        let message = format!("uploads to `{}` travel unencrypted", target.host);
        lint(lints, "plain-http", "target.url", message, "use `https://`, as people's browsers do");
    }
    if target.tls.insecure {
        let message = "certificates are not checked, and every report says so".to_owned();
        lint(lints, "insecure", "tls.insecure", message, "set `ca` to the certificate authority instead");
    }
    let secret = profile.upload.headers.iter().any(|(_, value)| !value.expose().is_empty());
    if target.scheme == Scheme::Http && !loopback && secret {
        let message = "request headers, perhaps with credentials, travel unencrypted".to_owned();
        lint(lints, "plain-headers", "upload.headers", message, "use `https://`");
    }
}

fn proof(profile: &Profile, lints: &mut Vec<Lint>) {
    let oracle = &profile.oracle;
    if oracle.proof == Proof::Status {
        let message = "a status alone is a weak proof: some edges refuse with 200".to_owned();
        lint(lints, "weak-proof", "oracle.proof", message, "use `receipt`, `read-back` or `marker`");
    }
    if let (Proof::Marker, Some(BodyMatch::Contains(text))) = (oracle.proof, &oracle.body)
        && text.chars().count() < 4
        && oracle.header.is_none()
        && oracle.json.is_none()
    {
        let message = format!("the marker `{text}` is so short that a block page may hold it");
        lint(lints, "short-marker", "oracle.body.contains", message, "choose a longer text");
    }
    if [403, 406, 413, 429].into_iter().any(|status| oracle.status.contains(status)) {
        let message = "the accepted statuses include some that edges refuse with".to_owned();
        lint(lints, "refusal-accepted", "oracle.status", message, "accept what the success page has, no more");
    }
}

fn lint(lints: &mut Vec<Lint>, rule: &'static str, key: &'static str, message: String, help: &'static str) {
    lints.push(Lint { rule, key, message, help });
}
