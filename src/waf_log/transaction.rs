//! Putting a transaction together from what a log says of it, piece by piece.

use super::hit::{Action, RuleHit};
use super::{EngineMode, MAX_HITS, Transaction, redact, rule_text};

/// Whether a log says what refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    /// It does: `Access denied`, `Action: Intercepted`, `is_interrupted`.
    TellsRefusals,
    /// The JSON of ModSecurity 3 before 3.0.13 is the same for a rule that refused and for one that only logged.
    HidesRefusals,
}

/// A transaction in the making.
#[derive(Debug, Default)]
pub(super) struct Builder {
    pub(super) transaction: Transaction,
    /// An attempt found in a request line, which a header overrules.
    attempt_in_query: Option<String>,
}

impl Builder {
    /// Takes a request header.
    pub(super) fn header(&mut self, name: &str, value: &str) {
        let value = value.trim();
        if name.eq_ignore_ascii_case("x-wafcanary-attempt") {
            self.transaction.attempt = Some(redact::name(value));
        } else if name.eq_ignore_ascii_case("x-wafcanary-case") {
            self.transaction.case = Some(redact::message(value));
        }
    }

    /// Takes a request line, or the URI of one.
    pub(super) fn request_line(&mut self, line: &str) {
        if self.attempt_in_query.is_none() {
            self.attempt_in_query = attempt_in(line).map(str::to_owned);
        }
    }

    /// Takes a hit. The one that decides is logged late, so it has a place even when there is none left.
    pub(super) fn push(&mut self, hit: RuleHit) {
        let transaction = &mut self.transaction;
        let score = rule_text::anomaly_score(hit.id.as_deref(), &hit.message);
        transaction.anomaly_score = transaction.anomaly_score.max(score);
        // ModSecurity 2 tells the same error of the body twice.
        let again = |last: &RuleHit| hit.id.is_none() && *last == hit;
        if transaction.hits.last().is_some_and(again) {
            return;
        }
        if transaction.hits.len() < MAX_HITS {
            transaction.hits.push(hit);
            return;
        }
        transaction.hits_left_off = transaction.hits_left_off.saturating_add(1);
        if hit.disruptive()
            && let Some(last) = transaction.hits.last_mut()
        {
            *last = hit;
        }
    }

    /// Takes a rule as it is written in the configuration (part K): it tells the actions of rules that only logged.
    pub(super) fn rule_source(&mut self, source: &str) {
        let Some((id, action)) = id_and_action(source) else { return };
        for hit in &mut self.transaction.hits {
            if hit.action == Action::Unknown && hit.id.as_deref() == Some(id) {
                hit.action = action;
            }
        }
    }

    /// Takes a piece of the same transaction.
    pub(super) fn absorb(&mut self, piece: Transaction) {
        let transaction = &mut self.transaction;
        transaction.attempt = transaction.attempt.take().or(piece.attempt);
        transaction.case = transaction.case.take().or(piece.case);
        transaction.status = transaction.status.or(piece.status);
        transaction.engine_mode = transaction.engine_mode.or(piece.engine_mode);
        transaction.intercepted |= piece.intercepted;
        for hit in piece.hits {
            self.push(hit);
        }
    }

    /// The transaction, with what follows from mode and status.
    pub(super) fn finish(self, engine: Engine) -> Transaction {
        let Self { mut transaction, attempt_in_query } = self;
        if transaction.attempt.is_none() {
            transaction.attempt = attempt_in_query;
        }
        errors_of_the_body(&mut transaction);
        if engine == Engine::HidesRefusals && transaction.engine_mode == Some(EngineMode::On) {
            refusal_by_inference(&mut transaction);
        }
        transaction.intercepted |= transaction.hits.iter().any(|hit| hit.action == Action::Refused);
        transaction
    }
}

/// The id of a rule, and what its action does: `block` is left open, because `SecDefaultAction` decides it.
pub(super) fn id_and_action(source: &str) -> Option<(&str, Action)> {
    // `SecRule "ARGS" "@rx x" "phase:2,id:1,deny,msg:'…'"`: the last argument has the actions.
    let actions = source.trim_end().strip_suffix('"')?.rsplit('"').next()?;
    let mut quoted = false;
    let mut outside = |c: char| {
        quoted ^= c == '\'';
        c == ',' && !quoted
    };
    let (mut id, mut found) = (None, None);
    for action in actions.split(&mut outside).map(str::trim) {
        let (name, value) = action.split_once(':').unwrap_or((action, ""));
        match name {
            "id" => id = Some(value.trim_matches('\'')),
            "deny" | "drop" | "redirect" | "proxy" => found = Some(Action::Disruptive),
            "pass" | "allow" => found = Some(Action::NonDisruptive),
            _ => {}
        }
    }
    id.zip(found)
}

/// Says what hits without a rule did: ModSecurity 2 logs a limit or a parser's error in the same words whether it
/// refused or went on.
fn errors_of_the_body(transaction: &mut Transaction) {
    let (mode, status) = (transaction.engine_mode, transaction.status);
    // A parser's error that rule 200002 came after is that rule's business.
    let went_on = transaction.hits.iter().any(|hit| hit.id.as_deref() == Some("200002"));
    for hit in transaction.hits.iter_mut().filter(|hit| hit.id.is_none() && hit.action == Action::Unknown) {
        let limit = hit.message.contains("larger than the configured limit");
        let parser = hit.message.contains("parsing error") || hit.message.contains("parser error");
        hit.action = match mode {
            Some(_) if limit && status == Some(413) => Action::Refused,
            Some(_) if parser && status == Some(500) && !went_on => Action::Refused,
            Some(EngineMode::DetectionOnly) if limit => Action::Disruptive,
            None if limit => Action::Unknown,
            Some(_) | None => Action::NonDisruptive,
        };
    }
}

/// In the JSON of ModSecurity 3 with the engine on: what refuses has refused; and a site's rule that is the last
/// one of the request, where the status is one that WAFs refuse with.
fn refusal_by_inference(transaction: &mut Transaction) {
    const STATUSES: [u16; 8] = [403, 405, 406, 429, 444, 493, 501, 999];
    let likely = transaction.status.is_some_and(|status| STATUSES.contains(&status));
    let hits = &mut transaction.hits;
    // After a refusal only phase 5 is left, which has the rules of the CRS that report.
    let last = hits.iter().rposition(|hit| hit.disruptive() || !hit.crs);
    let Some(last) = last.and_then(|at| hits.get_mut(at)) else { return };
    if last.disruptive() || (last.action == Action::Unknown && likely) {
        last.action = Action::Refused;
    }
}

/// An attempt's id in the query of a request line: a value of 26 digits and letters up to `v`.
fn attempt_in(line: &str) -> Option<&str> {
    const LENGTH: usize = 26;
    let query = line.split_once('?')?.1;
    let query = query.split([' ', '#', '"']).next().unwrap_or_default();
    let values = query.split('&').filter_map(|pair| pair.split_once('=').map(|(_, value)| value));
    let is_id =
        |value: &&str| value.len() == LENGTH && value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'v'));
    values.into_iter().find(is_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_of_a_rule_tells_its_action_and_its_message_does_not() {
        let source = r#"SecRule "ARGS:t" "@streq x" "phase:2,auditlog,id:10002,pass,log,msg:'would deny, drop'""#;
        assert_eq!(id_and_action(source), Some(("10002", Action::NonDisruptive)));
        assert_eq!(id_and_action(r#"SecRule "A" "x" "id:'7',deny,status:406""#), Some(("7", Action::Disruptive)));
        assert_eq!(id_and_action(r#"SecRule "A" "x" "id:7,block""#), None);
    }

    #[test]
    fn an_attempt_is_found_in_a_query_and_a_header_overrules_it() {
        let mut builder = Builder::default();
        builder.request_line("POST /u?x=1&a=0123456789abcdefghijklmnop HTTP/1.1");
        builder.header("X-Wafcanary-Attempt", " fromheader ");
        assert_eq!(builder.finish(Engine::TellsRefusals).attempt.as_deref(), Some("fromheader"));
        assert_eq!(attempt_in("POST /u?a=0123456789abcdefghijklmnop HTTP/1.1"), Some("0123456789abcdefghijklmnop"));
        assert_eq!(attempt_in("POST /0123456789abcdefghijklmnop?a=0123456789ABCDEFGHIJKLMNOP HTTP/1.1"), None);
    }
}
