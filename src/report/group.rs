//! Cases of one attachment that went the same way, as one entry: what people read, where the record has each case.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::text::plural;
use super::waf::{RuleCount, counted};
use crate::corpus::CaseId;
use crate::run::WafEvidence;
use crate::verdict::Text;

/// Values of one axis that are named one by one; of more, the number is told.
const NAMED: usize = 3;

/// A case that can be grouped.
pub trait Grouped {
    /// Its id.
    fn id(&self) -> &CaseId;
    /// Filename as the user sees it.
    fn filename(&self) -> &str;
    /// Procedures (手続) that receive such an attachment.
    fn procedures(&self) -> &[Text];
    /// `manifest.toml:12`.
    fn place(&self) -> Option<&str>;
    /// Share of real submissions that the attachment stands for.
    fn weight(&self) -> f64;
    /// What became of it.
    fn answer(&self) -> Answer;
    /// What the WAF's log says of it.
    fn waf(&self) -> Option<&WafEvidence>;
}

/// What became of a case, in words that are the same in every run: without addresses, times and numbers of attempts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answer {
    /// What was answered, each with its label; the one that differs between the cases of an attachment last.
    pub sides: Vec<(&'static str, String)>,
    /// What was seen.
    pub evidence: Vec<String>,
}

/// The cases of one attachment that went the same way.
#[derive(Debug)]
pub struct Group<'a, C, K> {
    /// The way they went.
    pub kind: K,
    /// The id of the attachment.
    pub attachment: &'a str,
    /// The cases, simplest id first: the first one represents them.
    pub cases: Vec<&'a C>,
    /// More cases of the attachment that went the same way, and are accepted.
    pub accepted: usize,
    /// All cases of the attachment.
    pub of: usize,
    /// The name of the file as its user has it.
    pub file: &'a str,
    /// What tells these cases from the others of the attachment; only where that is exactly so.
    pub pattern: Option<String>,
    /// The distinct answers and how many cases got each, that of the first case first.
    pub answers: Vec<(Answer, usize)>,
    /// The rules that fired, and for how many of the cases.
    pub rules: Vec<RuleCount<'a>>,
}

impl<'a, C: Grouped, K> Group<'a, C, K> {
    /// The case that stands for all.
    #[must_use]
    pub fn example(&self) -> &'a C {
        self.cases[0]
    }

    /// `35 of 39 cases`; nothing where the attachment is one case.
    #[must_use]
    pub fn share(&self) -> Option<String> {
        let accepted = if self.accepted > 0 { format!(" ({} more waived)", self.accepted) } else { String::new() };
        (self.of > 1).then(|| format!("{} of {} cases{accepted}", self.cases.len(), self.of))
    }

    /// The file as its user names it, and as the example names it where that is another name.
    #[must_use]
    pub fn filename(&self) -> String {
        let sent = self.example().filename();
        if sent == self.file {
            return quoted(self.file);
        }
        format!("{}, here sent as {}", quoted(self.file), quoted(sent))
    }

    /// The weight of submissions that these cases stand for.
    #[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^52")]
    fn lost(&self) -> f64 {
        self.example().weight() * self.cases.len() as f64 / self.of as f64
    }
}

/// Groups the `listed` ones of `cases` by kind and attachment: gravest kind first, then by the weight that is hit.
///
/// `doubtful`: it is not known which way the case goes, so that no pattern can be told of its attachment.
pub(crate) fn groups<'a, C: Grouped, K: Copy + Ord>(
    cases: impl Iterator<Item = &'a C> + Clone,
    kind: impl Fn(&C) -> K,
    listed: impl Fn(&C) -> bool,
    doubtful: impl Fn(K) -> bool,
) -> Vec<Group<'a, C, K>> {
    let mut attachments: BTreeMap<&str, Vec<&C>> = BTreeMap::new();
    for case in cases.clone().filter(|case| listed(case)) {
        attachments.entry(case.id().attachment()).or_default();
    }
    for case in cases {
        if let Some(attachment) = attachments.get_mut(case.id().attachment()) {
            attachment.push(case);
        }
    }
    let mut groups = Vec::new();
    for (attachment, all) in &mut attachments {
        all.sort_by_key(|case| simplicity(case.id()));
        let kinds: BTreeSet<K> = all.iter().filter(|case| listed(case)).map(|case| kind(case)).collect();
        for this in kinds {
            let (hit, rest): (Vec<&C>, Vec<&C>) = all.iter().partition(|case| kind(case) == this);
            let shown: Vec<&C> = hit.iter().copied().filter(|case| listed(case)).collect();
            let is_known = !rest.iter().any(|case| doubtful(kind(case)));
            groups.push(Group {
                kind: this,
                attachment,
                accepted: hit.len() - shown.len(),
                of: all.len(),
                file: all[0].filename(),
                pattern: if is_known { pattern(&ids(&hit), &ids(&rest)) } else { None },
                answers: answers(&shown),
                rules: counted(shown.iter().filter_map(|case| case.waf())),
                cases: shown,
            });
        }
    }
    groups.sort_by(|a, b| {
        let hit = || b.lost().total_cmp(&a.lost()).then(b.cases.len().cmp(&a.cases.len()));
        a.kind.cmp(&b.kind).then_with(hit).then_with(|| a.attachment.cmp(b.attachment))
    });
    groups
}

fn ids<'a, C: Grouped>(cases: &[&'a C]) -> Vec<&'a CaseId> {
    cases.iter().map(|case| case.id()).collect()
}

/// Fewest axes first, then the shortest id.
fn simplicity(id: &CaseId) -> (usize, usize, &str) {
    (id.as_str().matches('~').count(), id.as_str().len(), id.as_str())
}

/// The distinct answers of the cases, that of the first case first, then the most frequent.
fn answers<C: Grouped>(cases: &[&C]) -> Vec<(Answer, usize)> {
    let all: Vec<Answer> = cases.iter().map(|case| case.answer()).collect();
    let distinct = all.iter().collect::<BTreeSet<_>>().len();
    // Evidence that names each case's own facts would make as many answers as cases: then the sides alone count.
    let same = |a: &Answer, b: &Answer| a.sides == b.sides && (distinct > NAMED || a.evidence == b.evidence);
    let mut counted: Vec<(Answer, usize)> = Vec::new();
    for answer in all {
        match counted.iter_mut().find(|(known, _)| same(known, &answer)) {
            Some((_, count)) => *count += 1,
            None => counted.push((answer, 1)),
        }
    }
    if let [_, others @ ..] = &mut counted[..] {
        others.sort_by_key(|(_, count)| Reverse(*count));
    }
    counted
}

/// The axes of an id with their values.
fn axes(id: &CaseId) -> BTreeMap<&str, &str> {
    id.as_str().split('~').skip(1).filter_map(|part| part.split_once(':')).collect()
}

/// What all of `hit` have and none of `rest`, as far as one axis says it: `only name:sjis-5c`, `all but name:no-extension`.
fn pattern(hit: &[&CaseId], rest: &[&CaseId]) -> Option<String> {
    let all = || hit.iter().chain(rest).map(|id| axes(id));
    let mut names: Vec<&str> = all().flat_map(BTreeMap::into_keys).collect::<BTreeSet<_>>().into_iter().collect();
    // In the order of ids.
    let order = ["name", "type", "client", "transport", "size"];
    names.sort_by_key(|axis| order.iter().position(|known| known == axis).unwrap_or(order.len()));
    let values = |ids: &[&'_ CaseId], axis: &str| -> BTreeSet<Option<String>> {
        ids.iter().map(|id| axes(id).get(axis).map(|value| (*value).to_owned())).collect()
    };
    if rest.is_empty() {
        let varied: Vec<_> = names.into_iter().filter(|axis| values(hit, axis).len() > 1).collect();
        return match &varied[..] {
            [] => None,
            [one] => Some(format!("whatever the {one}")),
            [first @ .., last] => Some(format!("whatever the {} and {last}", first.join(", "))),
        };
    }
    let told = names.into_iter().filter_map(|axis| apart(axis, &values(hit, axis), &values(rest, axis)));
    let told = told.collect::<Vec<_>>().join(" · ");
    (!told.is_empty()).then_some(told)
}

/// What one axis says, if its values are different ones in `hit` and in `rest`.
fn apart(axis: &str, hit: &BTreeSet<Option<String>>, rest: &BTreeSet<Option<String>>) -> Option<String> {
    if !hit.is_disjoint(rest) {
        return None;
    }
    let list = |values: &BTreeSet<Option<String>>| {
        let word = |value: &Option<String>| match value {
            Some(value) => format!("{axis}:{value}"),
            None => format!("the {axis} as it is"),
        };
        values.iter().map(word).collect::<Vec<_>>().join(", ")
    };
    Some(if hit.len() <= NAMED && hit.len() <= rest.len() {
        format!("only {}", list(hit))
    } else if rest.len() <= NAMED {
        format!("all but {}", list(rest))
    } else {
        format!("it depends on the {axis} alone: {} of its {} values", hit.len(), hit.len() + rest.len())
    })
}

/// Evidence without the peer's address at its end: the port is another one in every run.
pub(crate) fn without_peer(evidence: &str) -> &str {
    match evidence.rsplit_once("; peer ") {
        Some((seen, peer)) if peer.parse::<SocketAddr>().is_ok() => seen,
        Some(_) | None => evidence,
    }
}

/// `15 of 35: blocked, status 200; status 200 with an empty body`: an answer that the example did not get.
pub(crate) fn other_answer(answer: &Answer, count: usize, of: usize) -> String {
    let words = answer.sides.last().map(|(_, words)| words.clone()).into_iter().chain(answer.evidence.clone());
    format!("{count} of {}: {}", plural(of, "case", "cases"), words.collect::<Vec<_>>().join("; "))
}

/// A filename as it is, in quotes where its ends could not be seen.
fn quoted(name: &str) -> String {
    let blank = |c: char| c.is_whitespace();
    if name.is_empty() || name.starts_with(blank) || name.ends_with(blank) {
        format!("\"{name}\"")
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(hit: &[&str], rest: &[&str]) -> Option<String> {
        let parse = |ids: &[&str]| -> Vec<CaseId> { ids.iter().filter_map(|id| CaseId::parse(id)).collect() };
        let (hit, rest) = (parse(hit), parse(rest));
        pattern(&hit.iter().collect::<Vec<_>>(), &rest.iter().collect::<Vec<_>>())
    }

    #[test]
    fn a_pattern_is_told_only_where_it_is_exactly_so() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(said(&["a/b"], &[]), None);
        assert_eq!(said(&["a/b", "a/b~name:nfd", "a/b~name:x~client:curl"], &[]), some("whatever the name and client"));
        assert_eq!(said(&["a/b~name:x", "a/b~name:x~client:curl"], &["a/b", "a/b~client:curl"]), some("only name:x"));
        assert_eq!(said(&["a/b", "a/b~name:x", "a/b~client:curl"], &["a/b~name:none"]), some("all but name:none"));
        assert_eq!(said(&["a/b"], &["a/b~name:x", "a/b~name:y"]), some("only the name as it is"));
        assert_eq!(said(&["a/b~name:x", "a/b~client:curl"], &["a/b", "a/b~name:x~client:curl"]), None);
        assert_eq!(said(&["a/b~name:x~client:curl"], &["a/b"]), some("only name:x · only client:curl"));
        let (hit, rest): (Vec<_>, Vec<_>) =
            (0..9).map(|at| format!("a/b~name:n{at}")).partition(|id| id.as_bytes()[10] < b'5');
        let strs = |ids: &[String]| ids.iter().map(|id| id.clone().leak() as &str).collect::<Vec<_>>();
        let told = said(&strs(&hit), &strs(&rest));
        assert_eq!(told, some("it depends on the name alone: 5 of its 9 values"));
    }

    #[test]
    fn only_an_address_at_the_end_is_left_out() {
        assert_eq!(without_peer("status 404; peer 127.0.0.1:4417"), "status 404");
        assert_eq!(without_peer("closed; peer [::1]:443"), "closed");
        assert_eq!(without_peer("the page says; peer review"), "the page says; peer review");
    }
}
