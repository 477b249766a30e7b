//! The page of a comparison.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use maud::{Markup, html};

use super::explained::{ruled_out, told};
use super::items::{Item, Standing};
use super::page::{Page, code, name, shown};
use super::parts::{self, Tone, decided, facts, outcome_list, seen_tag, tag};
use super::{cases, grid, words};
use crate::compare::{Class, ComparedCase, Decision, SideCase, SideSummary};
use crate::corpus::{CaseId, Intent};
use crate::explain::Explanation;
use crate::report::group::without_peer;
use crate::report::text::shorten;
use crate::report::view::{CaseGroup, percent, side_outcomes, waf};
use crate::report::waf::{decided_by, rule_words};
use crate::report::{Lang, Options, View};
use crate::run::Answers;
use crate::verdict::Outcome;

/// Findings that are told in full; the others stand in a table.
const FULL: usize = 200;

/// Files that are named as examples.
const EXAMPLES: usize = 3;

/// Characters of evidence.
const EVIDENCE: usize = 400;

/// Procedures of a finding that are named.
const PROCEDURES: usize = 8;

/// Findings with one trigger, or of one attachment.
struct Trigger<'v, 'a> {
    /// Why, where it is known.
    explanation: Option<&'v Explanation>,
    groups: Vec<&'v CaseGroup<'a>>,
}

/// Writes the page.
pub(crate) fn comparison(view: &View<'_>, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let lang = options.lang;
    let items: Vec<Item<'_>> = view.comparison.cases.iter().map(Item::compared).collect();
    let sentence = words::verdict(lang, view);
    let heading = lang.pick("Upload compatibility report", "添付ファイル到達性 比較報告書");
    let (before, after) = (&view.comparison.baseline.run.profile, &view.comparison.candidate.run.profile);
    let title = format!("{heading}: {before} → {after}");
    let page = Page { lang, title: &title, script: Some(cases::SCRIPT) };
    page.write(out, |out| {
        let mut put = |part: Markup| out.write_all(part.into_string().as_bytes());
        put(html! {
            header {
                p.soft { (heading) }
                (verdict(lang, view, &sentence))
            }
            nav aria-label=(lang.pick("Contents", "目次")) { ul {
                @for (id, text) in headings(lang) { li { a href={ "#" (id) } { (text) } } }
            } }
        })?;
        put(html! { (maud::PreEscaped("<main id=\"main\">")) (about(lang, view, options)) (who(lang, view, &items)) })?;
        findings(view, options, &mut put)?;
        put(grid::grids(lang, &items))?;
        put(controls(lang, view))?;
        put(not_tested(lang, view, &items))?;
        put(cases::section(lang, &items))?;
        put(html! { (maud::PreEscaped("</main>")) (parts::footer(lang, &view.comparison.candidate.run.tool)) })?;
        cases::data(lang, &items, out)
    })
}

fn headings(lang: Lang) -> [(&'static str, &'static str); 7] {
    [
        ("about", lang.pick("Decision and conditions", "判定と実施条件")),
        ("who", lang.pick("Who is hit", "影響を受ける手続")),
        ("findings", lang.pick("Findings", "指摘事項")),
        ("grid", lang.pick("Compatibility tables", "互換性一覧")),
        ("controls", lang.pick("Controls that must be blocked", "遮断されるべき検査用ファイル")),
        ("untested", lang.pick("What was not tested", "確認していない範囲")),
        ("cases", lang.pick("All cases", "ケース一覧")),
    ]
}

fn heading(lang: Lang, id: &str) -> Markup {
    let text = headings(lang).into_iter().find(|(known, _)| *known == id).map_or("", |(_, text)| text);
    html! { h2 id=(id) { (text) } }
}

fn verdict(lang: Lang, view: &View<'_>, sentence: &str) -> Markup {
    let (tone, symbol) = match view.comparison.decision {
        Decision::Pass => (Tone::Good, "✓"),
        Decision::Fail => (Tone::Bad, "✕"),
        Decision::Inconclusive => (Tone::Doubt, "?"),
    };
    html! {
        div class={ "verdict " (tone.class()) } {
            h1 { span aria-hidden="true" { (symbol) " " } (words::decision(lang, view.comparison.decision)) ": " (shown(sentence)) }
        }
    }
}

fn about(lang: Lang, view: &View<'_>, options: &Options) -> Markup {
    let comparison = view.comparison;
    html! {
        section aria-labelledby="about" {
            (heading(lang, "about"))
            p { (lang.pick(
                "The same attachments were sent through the edge (CDN and WAF) as it is and as it will be. What is not proven to have arrived counts as not arrived, whatever the answer said.",
                "同じ添付ファイルを変更前と変更後のエッジ（CDN・WAF）の両方に送り、受付サーバーに届いたことを確認できたかどうかを比べたものです。届いたことを確認できないものは、応答の内容にかかわらず「届いた」とは扱いません。"
            )) }
            @if !comparison.reasons.is_empty() {
                h3 { (lang.pick("Reasons of the decision", "判定の理由")) }
                ul { @for reason in &comparison.reasons {
                    @let (text, quoted) = words::reason(lang, reason);
                    li { @if quoted { q lang="en" { (shown(&text)) } } @else { (shown(&text)) } " " (code(&reason.code)) }
                } }
            }
            @if !comparison.warnings.is_empty() {
                h3 { (lang.pick("To be kept in mind", "留意事項")) }
                ul { @for warning in &comparison.warnings {
                    @let (text, quoted) = words::warning(lang, warning);
                    li { @if quoted { q lang="en" { (shown(&text)) } } @else { (shown(&text)) } }
                } }
            }
            div.two {
                (side(lang, view, lang.pick("Baseline: the edge as it is", "変更前（現在のエッジ）"), &comparison.baseline, &options.beside.baseline, |case| case.baseline.as_ref()))
                (side(lang, view, lang.pick("Candidate: the edge as it will be", "変更後（切り替え予定のエッジ）"), &comparison.candidate, &options.beside.candidate, |case| case.candidate.as_ref()))
            }
            (counts(lang, view))
        }
    }
}

fn side<'a>(
    lang: Lang,
    view: &View<'a>,
    title: &str,
    side: &'a SideSummary,
    answers: &Answers,
    of: impl Fn(&'a ComparedCase) -> Option<&'a SideCase>,
) -> Markup {
    let outcomes = outcome_list(lang, &side_outcomes(view.comparison, of));
    html! { div { h3 { (title) } (facts(lang, &side.run, side.ending.as_ref(), &outcomes, answers)) } }
}

fn counts(lang: Lang, view: &View<'_>) -> Markup {
    let there = Class::ALL.into_iter().filter(|class| view.counts.get(class).is_some_and(|count| *count > 0));
    html! {
        div.wide tabindex="0" { table {
            caption { (lang.pick("Cases by class", "区分ごとのケース数")) }
            thead { tr {
                th scope="col" { (lang.pick("class", "区分")) } th.n scope="col" { (lang.pick("cases", "件数")) }
                th scope="col" { (lang.pick("meaning", "意味")) }
            } }
            tbody { @for class in there { tr {
                th scope="row" { (tag(parts::tone(Standing::Class(class)), words::class(lang, class))) " " (code(class.as_str())) }
                td.n { (view.counts[&class]) } td { (words::meaning(lang, class)) }
            } } }
        } }
    }
}

fn who(lang: Lang, view: &View<'_>, items: &[Item<'_>]) -> Markup {
    html! {
        section aria-labelledby="who" {
            (heading(lang, "who"))
            @if view.procedures.is_empty() {
                p { (lang.pick("No file that a procedure is known to need was seen to be refused.", "手続名のあるファイルで、届かなくなると確認されたものはありません。")) }
            } @else {
                p { (lang.pick(
                    "The share is the part of the files that people attach to the procedure which would no longer arrive, estimated with the corpus's weights. Beside it stands how many of its test uploads no longer arrive, or would be refused in blocking mode.",
                    "割合は、その手続に添付されるファイルのうち、変更後に届かなくなる部分を、コーパスの重みから推定したものです。右の件数は、試験送信のうち届かなくなるもの（遮断モードで届かなくなるものを含む）です。"
                )) }
                div.wide tabindex="0" { table {
                    caption { (lang.pick(format!("{} procedures (手続) would lose submissions", view.procedures.len()), format!("影響を受ける手続（{}手続）", view.procedures.len()))) }
                    thead { tr {
                        th scope="col" { (lang.pick("procedure (手続)", "手続")) }
                        th scope="col" { (lang.pick("share of submissions expected to fail", "届かなくなる申請の割合（推定）")) }
                        th.n scope="col" { (lang.pick("test uploads hit", "該当する試験送信")) }
                        th scope="col" { (lang.pick("for example", "該当ファイルの例")) }
                    } }
                    tbody { @for hit in &view.procedures { tr {
                        th scope="row" { (name(hit.name)) }
                        td { (parts::bar(hit.share)) " " (share_words(lang, hit.share)) }
                        td.n { (lang.pick(format!("{} of {}", hit.cases.len(), hit.of), format!("{}件中{}件", hit.of, hit.cases.len()))) }
                        td { (examples(lang, &hit.cases)) }
                    } } }
                } }
            }
            (unknown_procedures(lang, view))
            (grid::kinds(lang, items))
        }
    }
}

/// Procedures of which it is not known, or not only, that their files still arrive as they were.
fn unknown_procedures(lang: Lang, view: &View<'_>) -> Markup {
    let in_doubt = |class: Class| {
        matches!(class, Class::NewlyAltered | Class::Flaky | Class::Inconclusive | Class::OnlyInBaseline)
    };
    let cases = view.comparison.cases.iter().filter(|case| case.intent == Intent::Legit && in_doubt(case.class));
    let (mut named, mut count): (BTreeSet<&str>, usize) = (BTreeSet::new(), 0);
    for case in cases {
        count += 1;
        named.extend(case.procedures.iter().map(|name| &**name));
    }
    html! {
        @if count > 0 {
            p { (tag(Tone::Doubt, lang.pick("not known", "未確認"))) " " (lang.pick(
                format!("{count} legitimate cases arrive altered, disagree with themselves or could not be asked; {} procedures need them.", named.len()),
                format!("変わって届く、結果が一定しない、または結果の得られない正当なファイルが{count}件あります（{}手続）。", named.len()),
            )) }
            @if !named.is_empty() { details { summary { (lang.pick("Which procedures", "該当する手続")) } ul.cases { @for each in &named { li { (name(each)) } } } } }
        }
    }
}

fn share_words(lang: Lang, share: f64) -> String {
    let words = percent(share);
    match (lang, words.as_str()) {
        (Lang::Ja, "<1%") => "1%未満".to_owned(),
        (Lang::Ja, ">99%") => "99%超".to_owned(),
        _ => words,
    }
}

/// The names of some attachments, each as its simplest case has it. `cases` stand by id, the simplest first.
fn examples(lang: Lang, cases: &[&ComparedCase]) -> Markup {
    let mut attachments = BTreeSet::new();
    let simplest = cases.iter().filter(|case| attachments.insert(case.id.attachment()));
    let names: BTreeSet<&str> = simplest.map(|case| &*case.filename).collect();
    let more = names.len().saturating_sub(EXAMPLES);
    html! {
        @for (at, each) in names.iter().take(EXAMPLES).enumerate() { @if at > 0 { (lang.pick(", ", "、")) } (name(&shorten(each, 40))) }
        @if more > 0 { " " (lang.pick(format!("and {more} more"), format!("ほか{more}件"))) }
    }
}

fn triggers<'v, 'a>(view: &'v View<'a>, options: &'v Options) -> Vec<Trigger<'v, 'a>> {
    let mut triggers: Vec<Trigger<'v, 'a>> = Vec::new();
    let mut known: BTreeMap<(Class, String), usize> = BTreeMap::new();
    for group in &view.finding_groups {
        let explanation = group.cases.iter().find_map(|case| options.beside.explanations.get(&case.id));
        let Some(explanation) = explanation else {
            triggers.push(Trigger { explanation: None, groups: vec![group] });
            continue;
        };
        let key = (group.kind, told(options.lang, explanation));
        if let Some(at) = known.get(&key) {
            triggers[*at].groups.push(group);
        } else {
            known.insert(key, triggers.len());
            triggers.push(Trigger { explanation: Some(explanation), groups: vec![group] });
        }
    }
    // Those that explain most first, within their class.
    triggers.sort_by_key(|it| {
        let cases: usize = it.groups.iter().map(|group| group.cases.len()).sum();
        (it.groups[0].kind, it.explanation.is_none(), std::cmp::Reverse(cases))
    });
    triggers
}

fn findings(view: &View<'_>, options: &Options, put: &mut impl FnMut(Markup) -> io::Result<()>) -> io::Result<()> {
    let lang = options.lang;
    let triggers = triggers(view, options);
    let (count, entries) = (view.findings.len(), triggers.len());
    put(html! {
        (maud::PreEscaped("<section aria-labelledby=\"findings\">"))
        (heading(lang, "findings"))
        @if count == 0 { p { (lang.pick("There is none.", "指摘事項はありません。")) } } @else {
            p { (lang.pick(
                format!("{count} cases in {entries} entries, the gravest first."),
                format!("{count}件を{entries}項目にまとめ、重い順に示します。"),
            )) }
            @if options.beside.explanations.is_empty() {
                p.soft { (lang.pick("The causes have not been looked for: ", "原因は未調査です。次のコマンドで調べられます: ")) code { "wafcanary explain" } }
            }
            (suggested(lang, options))
        }
    })?;
    for trigger in triggers.iter().take(FULL) {
        put(entry(view, trigger, options))?;
    }
    if triggers.len() > FULL {
        put(html! {
            h3 { (lang.pick("The other entries", "そのほかの項目")) }
            (groups_table(lang, triggers[FULL..].iter().flat_map(|trigger| trigger.groups.iter().copied())))
        })?;
    }
    put(html! {
        (listed(lang, lang.pick("Waived", "許容登録済み"), &view.waived_groups))
        (listed(lang, lang.pick("Noted, not counted by the gate", "参考（合否判定の対象外）"), &view.changed_groups))
        (maud::PreEscaped("</section>"))
    })
}

fn suggested(lang: Lang, options: &Options) -> Markup {
    let Some(suggested) = options.beside.suggested.as_ref().filter(|it| !it.snippet.text.is_empty()) else {
        return html! {};
    };
    html! {
        details {
            summary { (lang.pick("Suggested exclusions for the WAF", "WAFの除外設定の案")) " (" (shown(&suggested.language)) ")" }
            @if let Some(round) = suggested.rounds.last() {
                p { (lang.pick(
                    format!("Tried on the staging WAF: {} of {} regressions cured, {} controls let in.", round.cured.len(), round.regressions, round.let_in.len()),
                    format!("検証環境のWAFで試した結果: {}件中{}件が届くようになり、検査用ファイルは{}件が通過しました。", round.regressions, round.cured.len(), round.let_in.len()),
                )) }
            } @else {
                p { (lang.pick("Not tried yet.", "まだ試していません。")) }
            }
            @if !suggested.snippet.opens.is_empty() {
                p { (lang.pick("What they open:", "これによって緩む範囲（原文）:")) }
                ul lang="en" { @for opens in &suggested.snippet.opens { li { (shown(opens)) } } }
            }
            pre tabindex="0" { code { (parts::lines(&suggested.snippet.text)) } }
        }
    }
}

fn entry(view: &View<'_>, trigger: &Trigger<'_, '_>, options: &Options) -> Markup {
    let lang = options.lang;
    let group = trigger.groups[0];
    let example = group.example();
    let cases: usize = trigger.groups.iter().map(|group| group.cases.len()).sum();
    let procedures: BTreeSet<&str> = trigger
        .groups
        .iter()
        .flat_map(|group| &group.cases)
        .flat_map(|case| case.procedures.iter().map(|it| &**it))
        .collect();
    html! {
        article.finding.long {
            h3 {
                (tag(parts::tone(Standing::Class(group.kind)), words::class(lang, group.kind))) " "
                @match trigger.explanation {
                    Some(explanation) => { (shown(&told(lang, explanation))) }
                    None => { (name(group.file)) " " span.soft { (code(group.attachment)) } }
                }
            }
            dl.facts {
                dt { (lang.pick("cases", "件数")) }
                dd {
                    (lang.pick(format!("{cases}"), format!("{cases}件")))
                    @if trigger.groups.len() == 1 && group.of > 1 { " " (lang.pick(format!("of {} of this file", group.of), format!("（このファイルの{}件のうち）", group.of))) }
                }
                @if lang == Lang::En && trigger.groups.len() == 1 { @if let Some(pattern) = &group.pattern { dt { "which" } dd { (shown(pattern)) } } }
                dt { (lang.pick("before → after", "変更前 → 変更後")) }
                dd { (changes(lang, trigger)) }
                dt { (lang.pick("people see", "申請者に見える画面")) }
                dd { (people_see(lang, example, &options.beside.candidate)) }
                @if !procedures.is_empty() {
                    dt { (lang.pick("needed by", "使用する手続")) }
                    dd {
                        @for (at, each) in procedures.iter().take(PROCEDURES).enumerate() { @if at > 0 { " · " } (name(each)) }
                        @if procedures.len() > PROCEDURES { " " (lang.pick(format!("and {} more", procedures.len() - PROCEDURES), format!("ほか{}手続", procedures.len() - PROCEDURES))) }
                    }
                }
                dt { (lang.pick("evidence", "根拠")) }
                dd {
                    @if lang == Lang::Ja { @if let Some(side) = &example.candidate { (words::proven(side.outcome, side.status, view.comparison.candidate.run.proof)) " 記録の原文: " } }
                    @for text in crate::report::terminal::evidence(example) { q lang="en" { (shown(&shorten(without_peer(&text), EVIDENCE))) } br; }
                }
                @if let Some(explanation) = trigger.explanation {
                    @let innocent = ruled_out(lang, explanation);
                    @if !innocent.is_empty() { dt { (lang.pick("not to blame", "原因ではないと確認したもの")) } dd { (innocent.join(lang.pick(", ", "、"))) } }
                }
                @if !group.rules.is_empty() {
                    dt { (lang.pick("WAF rules", "WAFのルール")) }
                    dd { @for (hit, _) in group.rules.iter().take(6) { (code(&shorten(&rule_words(hit), 200))) br; }
                        @if let Some(part) = decided_by(&group.rules, group.cases.len()).and_then(|part| decided(lang, &part)) { (part) } }
                }
                @for line in waivers(lang, group) { dt { (lang.pick("waiver", "許容登録")) } dd { (line) } }
                @if let Some(place) = example.place.as_deref() { dt { (lang.pick("declared in", "定義箇所")) } dd { (code(place)) } }
                @if let Some(script) = script(trigger, options) { dt { (lang.pick("send it again", "再現手順")) } dd { code { "bash " (shown(&crate::report::curl::quote(script.as_bytes()))) } } }
            }
            @if trigger.groups.len() > 1 { (groups_table(lang, trigger.groups.iter().copied())) }
            @else if group.cases.len() > 1 { (ids(lang, group.cases.iter().map(|case| &case.id))) }
        }
    }
}

/// The script that sends the smallest refused request, or the case itself.
fn script<'o>(trigger: &Trigger<'_, '_>, options: &'o Options) -> Option<&'o String> {
    let smallest =
        trigger.groups.iter().flat_map(|group| &group.cases).find_map(|case| {
            options.beside.explanations.get(&case.id).and_then(|explanation| explanation.script.as_ref())
        });
    smallest.or_else(|| trigger.groups.iter().find_map(|group| crate::report::terminal::bundle(group, options)))
}

/// What became of the cases of a trigger: each way, and how many went it.
fn changes(lang: Lang, trigger: &Trigger<'_, '_>) -> Markup {
    let mut ways: BTreeMap<String, usize> = BTreeMap::new();
    for case in trigger.groups.iter().flat_map(|group| &group.cases) {
        *ways.entry(change(lang, case).into_string()).or_default() += 1;
    }
    let first = change(lang, trigger.groups[0].example()).into_string();
    let mut ways: Vec<(String, usize)> = ways.into_iter().collect();
    ways.sort_by_key(|(way, count)| (*way != first, std::cmp::Reverse(*count)));
    let several = ways.len() > 1;
    html! {
        @for (way, count) in ways {
            (maud::PreEscaped(way)) @if several { " " span.soft { (lang.pick(format!("({count})"), format!("（{count}件）"))) } } br;
        }
    }
}

fn change(lang: Lang, case: &ComparedCase) -> Markup {
    let item = Item::compared(case);
    let rounds = |side: &Option<SideCase>| side.as_ref().map(|side| side.rounds.to_vec()).unwrap_or_default();
    let rounds = [rounds(&case.baseline), rounds(&case.candidate)];
    let each = |rounds: &[Outcome]| -> String {
        rounds.iter().map(|outcome| words::outcome(lang, *outcome)).collect::<Vec<_>>().join(lang.pick("/", "／"))
    };
    html! {
        (seen_tag(lang, item.before)) " → " (seen_tag(lang, item.after))
        @for (which, rounds) in lang.pick(["baseline", "candidate"], ["変更前", "変更後"]).iter().zip(&rounds) {
            @if !rounds.is_empty() { " " (lang.pick(format!("({which}, each time: {})", each(rounds)), format!("（{which}の各回: {}）", each(rounds)))) }
        }
    }
}

fn people_see(lang: Lang, case: &ComparedCase, answers: &Answers) -> Markup {
    let Some(side) = &case.candidate else {
        return html! { (lang.pick("not sent", "未送信")) };
    };
    // An answer of another attempt than the one that decided is no picture of it.
    let answer = answers.of.get(&case.id).filter(|answer| Some(answer.status) == side.status);
    let is_empty = answer.map_or_else(|| side.evidence.contains("empty body"), |answer| answer.body_bytes == 0);
    html! {
        @match case.class {
            Class::ProtectionLost => (lang.pick("An upload that imitates an attack is not refused.", "攻撃を模したファイルが、拒否されずに通過します。")),
            Class::WouldBlock => (lang.pick("Nothing yet: the rule only logs. In blocking mode the upload is refused.", "今は見え方に変わりありません。遮断モードにすると拒否されます。")),
            Class::Flaky => (lang.pick("It differs from one time to the next.", "送るたびに変わります。")),
            _ => {
                (words::seen(lang, side.outcome, side.status, is_empty))
                @if let Some(answer) = answer { (parts::screen(lang, answer)) }
            }
        }
    }
}

fn waivers(lang: Lang, group: &CaseGroup<'_>) -> Vec<Markup> {
    use crate::compare::Finding;
    let told = group.cases.iter().filter_map(|case| match &case.finding {
        Finding::None | Finding::Open => None,
        Finding::Waived { owner, reason, expires } => Some(match lang {
            Lang::En => html! { "accepted until " (expires) " by " (name(owner)) ": " (name(reason)) },
            Lang::Ja => html! { (expires) "まで許容（責任者: " (name(owner)) "、理由: " (name(reason)) "）" },
        }),
        Finding::Expired { owner, expires } => Some(match lang {
            Lang::En => html! { "expired on " (expires) " (owner: " (name(owner)) "), so it counts again" },
            Lang::Ja => html! { (name(owner)) "による許容は" (expires) "で期限切れです。再び指摘事項として数えます。" },
        }),
    });
    told.map(Markup::into_string).collect::<BTreeSet<String>>().into_iter().map(maud::PreEscaped).collect()
}

fn listed(lang: Lang, title: &str, groups: &[CaseGroup<'_>]) -> Markup {
    let cases: usize = groups.iter().map(|group| group.cases.len()).sum();
    html! {
        @if !groups.is_empty() {
            details.long { summary { (title) " (" (cases) ")" } (groups_table(lang, groups.iter())) }
        }
    }
}

/// Entries, a row each, with all their cases.
fn groups_table<'g, 'a: 'g>(lang: Lang, groups: impl Iterator<Item = &'g CaseGroup<'a>>) -> Markup {
    html! {
        div.wide tabindex="0" { table {
            thead { tr {
                th scope="col" { (lang.pick("class", "区分")) } th scope="col" { (lang.pick("file", "ファイル名")) }
                th.n scope="col" { (lang.pick("cases", "件数")) } th scope="col" { (lang.pick("before → after", "変更前 → 変更後")) }
                th scope="col" { (lang.pick("cases and notes", "ケースと補足")) }
            } }
            tbody { @for group in groups { tr {
                td { (tag(parts::tone(Standing::Class(group.kind)), words::class(lang, group.kind))) }
                td { (name(group.file)) br; span.soft { (code(group.attachment)) } }
                td.n { (group.cases.len()) }
                td { (change(lang, group.example())) }
                td {
                    (ids(lang, group.cases.iter().map(|case| &case.id)))
                    @for line in waivers(lang, group) { p { (line) } }
                    @let rules: BTreeSet<String> = group.cases.iter().filter_map(|case| waf(case)).flat_map(|it| it.rules.iter().filter_map(|hit| hit.id.clone())).collect();
                    @if !rules.is_empty() { p { (lang.pick("WAF rules: ", "WAFのルール: ")) @for rule in &rules { (code(rule)) " " } } }
                }
            } } }
        } }
    }
}

/// All ids of a group.
fn ids<'i>(lang: Lang, ids: impl ExactSizeIterator<Item = &'i CaseId>) -> Markup {
    let count = ids.len();
    html! {
        @if count > 3 {
            details { summary { (lang.pick(format!("{count} cases"), format!("{count}件のケース"))) } ul.cases { @for id in ids { li { (code(id.as_str())) } } } }
        } @else { ul.cases { @for id in ids { li { (code(id.as_str())) } } } }
    }
}

fn controls(lang: Lang, view: &View<'_>) -> Markup {
    let all: Vec<&ComparedCase> = view.comparison.cases.iter().filter(|case| case.intent == Intent::Control).collect();
    let refused = |side: Option<&SideCase>| side.map(|side| !side.outcome.is_past_edge());
    let (mut kept, mut lost, mut gained, mut open, mut other) = (vec![], vec![], vec![], vec![], vec![]);
    for case in all {
        let item = Item::compared(case);
        match (case.class, refused(case.baseline.as_ref()), refused(case.candidate.as_ref())) {
            (Class::ProtectionLost, ..) => lost.push(item),
            (Class::ProtectionGained, ..) => gained.push(item),
            (Class::Flaky | Class::Inconclusive, ..) | (_, None, _) | (_, _, None) => other.push(item),
            (_, _, Some(true)) => kept.push(item),
            (_, _, Some(false)) => open.push(item),
        }
    }
    let controls = &view.controls;
    html! {
        section aria-labelledby="controls" {
            (heading(lang, "controls"))
            p { (lang.pick(
                "Files that imitate attacks and must be refused. If a rule change lets them in, the edge protects less than before.",
                "攻撃を模した検査用のファイルです。遮断されることが正しい動作です。変更前は遮断され、変更後に通過するものがあれば、変更によって防御が弱くなります。"
            )) }
            @if words::without_controls(view.comparison) {
                p { (tag(Tone::Doubt, lang.pick("not sent", "未送信"))) " " (lang.pick(
                    "Not all profiles allow controls, so a lost protection would not be seen.",
                    "検査用ファイルの送信を許可していないプロファイルがあります。防御の低下は確認できていません。"
                )) }
            }
            @if controls.cases == 0 {
                p { (tag(Tone::Doubt, lang.pick("none", "なし"))) " " (lang.pick(
                    "There is no control in this comparison, so a lost protection would not be seen.",
                    "この比較には検査用ファイルの結果がありません。防御の低下は確認できていません。"
                )) }
            } @else {
                p { (lang.pick(
                    format!("Of {} controls the baseline blocked {}, the candidate {}.", controls.cases, controls.blocked_by_baseline, controls.blocked_by_candidate),
                    format!("検査用ファイル{}件のうち、変更前は{}件、変更後は{}件を遮断しました。", controls.cases, controls.blocked_by_baseline, controls.blocked_by_candidate),
                )) }
                (control_list(lang, Tone::Bad, lang.pick("Newly let in", "新たに通過"), &lost, !(kept.is_empty() && open.is_empty())))
                (control_list(lang, Tone::Good, lang.pick("Still blocked", "引き続き遮断"), &kept, false))
                (control_list(lang, Tone::Good, lang.pick("Newly blocked", "新たに遮断"), &gained, false))
                (control_list(lang, Tone::Doubt, lang.pick("Let in by both", "変更前・変更後とも通過"), &open, false))
                (control_list(lang, Tone::Doubt, lang.pick("It can't be told", "判定不能"), &other, false))
            }
        }
    }
}

/// `told`: that there is none is said as well.
fn control_list(lang: Lang, tone: Tone, title: &str, items: &[Item<'_>], told: bool) -> Markup {
    html! {
        @if items.is_empty() {
            @if told { p { (tag(Tone::Good, lang.pick("none newly let in", "新たに通過したものはありません"))) } }
        } @else {
            details open[tone == Tone::Bad] {
                summary { (tag(tone, title)) " " (lang.pick(format!("{}", items.len()), format!("{}件", items.len()))) }
                ul.cases { @for item in items { li { (code(item.id.as_str())) " " (seen_tag(lang, item.before)) " → " (seen_tag(lang, item.after)) } } }
            }
        }
    }
}

fn not_tested(lang: Lang, view: &View<'_>, items: &[Item<'_>]) -> Markup {
    let of = |class: Class| -> Vec<&Item<'_>> {
        items.iter().filter(|item| item.standing == Standing::Class(class)).collect()
    };
    let known = items.iter().filter(|item| item.before.is_some() && item.after.is_some());
    let known = known.filter(|item| item.standing != Standing::Class(Class::Inconclusive)).count();
    let planned = view.comparison.baseline.run.cases.max(view.comparison.candidate.run.cases);
    let planned = usize::try_from(planned).unwrap_or(usize::MAX);
    let doubtful = [Class::Inconclusive, Class::Flaky, Class::OnlyInBaseline, Class::OnlyInCandidate];
    html! {
        section aria-labelledby="untested" {
            (heading(lang, "untested"))
            p { (lang.pick(
                format!("{known} of {} cases are known on both sides.", items.len()),
                format!("{}件中{known}件で、変更前・変更後の両方の結果が得られました。", items.len()),
            )) }
            @if planned > items.len() {
                p { (tag(Tone::Doubt, lang.pick("not sent", "未送信"))) " " (lang.pick(
                    format!("{} of {planned} selected cases were never asked: a run ended before them.", planned - items.len()),
                    format!("選択した{planned}件のうち{}件は、送信が途中で終わったため、どちらにも送られていません。", planned - items.len()),
                )) }
            }
            @for class in doubtful {
                @let cases = of(class);
                @if !cases.is_empty() {
                    details open[cases.len() <= 20] {
                        summary { (tag(Tone::Doubt, words::class(lang, class))) " " (cases.len()) ": " (words::meaning(lang, class)) }
                        ul.cases { @for item in cases { li { (code(item.id.as_str())) } } }
                    }
                }
            }
            (parts::left_out(lang, items))
            p { (lang.pick(
                "This report speaks of the files and conditions of the corpus, and of nothing else.",
                "この報告書は、コーパスにあるファイルと条件についての結果です。含まれていないファイルや条件については、何も示していません。"
            )) }
        }
    }
}
