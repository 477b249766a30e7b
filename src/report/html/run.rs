//! The page of a single run.

use std::io::{self, Write};

use maud::{Markup, html};

use super::items::{Item, Standing};
use super::page::{Page, code, name, shown};
use super::parts::{self, Tone, facts, outcome_list, seen_tag, tag};
use super::{cases, grid, words};
use crate::compare::Decision;
use crate::corpus::Intent;
use crate::profile::Proof;
use crate::report::group::Group;
use crate::report::run_view::Mark;
use crate::report::text::shorten;
use crate::report::{Lang, Options, RunView};
use crate::run::CaseRecord;

/// Entries that are told in full; the others are ids.
const FULL: usize = 200;

/// Characters of evidence.
const EVIDENCE: usize = 400;

/// Writes the page.
pub(crate) fn run(view: &RunView<'_>, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let lang = options.lang;
    let items: Vec<Item<'_>> = view.cases.iter().map(|case| Item::recorded(case)).collect();
    let heading = lang.pick("Upload report", "添付ファイル到達性 試験報告書");
    let manifest = &view.run.manifest;
    let title = format!("{heading}: {}", manifest.profile);
    let page = Page { lang, title: &title, script: Some(cases::SCRIPT) };
    page.write(out, |out| {
        let mut put = |part: Markup| out.write_all(part.into_string().as_bytes());
        let outcomes = outcome_list(lang, &view.outcomes);
        put(html! {
            header { p.soft { (heading) } (verdict(lang, view)) }
            (maud::PreEscaped("<main id=\"main\">"))
            section aria-labelledby="about" {
                h2 id="about" { (lang.pick("Decision and conditions", "判定と実施条件")) }
                ul { @for reason in &view.reasons {
                    @let (text, quoted) = words::reason(lang, reason);
                    li { @if quoted { q lang="en" { (shown(&text)) } } @else { (shown(&text)) } " " (code(&reason.code)) }
                } }
                @let warnings = view.warnings();
                @if !warnings.is_empty() {
                    h3 { (lang.pick("To be kept in mind", "留意事項")) }
                    ul { @for warning in &warnings {
                        @let (text, quoted) = words::warning(lang, warning);
                        li { @if quoted { q lang="en" { (shown(&text)) } } @else { (shown(&text)) } }
                    } }
                }
                (facts(lang, manifest, view.run.ending.as_ref(), &outcomes, &options.beside.candidate))
            }
            (maud::PreEscaped("<section aria-labelledby=\"findings\">"))
            h2 id="findings" { (lang.pick("Worth a look", "指摘事項")) }
            @if view.groups.is_empty() { p { (lang.pick("There is nothing.", "指摘事項はありません。")) } }
        })?;
        for group in view.groups.iter().take(FULL) {
            put(entry(group, manifest.proof, options))?;
        }
        put(html! {
            @if view.groups.len() > FULL {
                h3 { (lang.pick("The other entries", "そのほかの項目")) }
                ul.cases { @for group in &view.groups[FULL..] { @for case in &group.cases { li { (code(case.case.as_str())) } } } }
            }
            (maud::PreEscaped("</section>"))
            (grid::grids(lang, &items))
            (controls(lang, view))
            section aria-labelledby="untested" {
                h2 id="untested" { (lang.pick("What was not tested", "確認していない範囲")) }
                @let unsettled = usize::try_from(manifest.cases).unwrap_or(usize::MAX).saturating_sub(view.cases.len());
                @if unsettled > 0 {
                    p { (tag(Tone::Doubt, lang.pick("not sent", "未送信"))) " " (lang.pick(
                        format!("{unsettled} of {} selected cases were never asked: the run ended before them.", manifest.cases),
                        format!("選択した{}件のうち{unsettled}件は、送信が途中で終わったため送られていません。", manifest.cases),
                    )) }
                }
                (parts::left_out(lang, &items))
            }
            (cases::section(lang, &items))
            (maud::PreEscaped("</main>"))
            (parts::footer(lang, &manifest.tool))
        })?;
        cases::data(lang, &items, out)
    })
}

fn verdict(lang: Lang, view: &RunView<'_>) -> Markup {
    let (tone, symbol) = match view.decision {
        Decision::Pass => (Tone::Good, "✓"),
        Decision::Fail => (Tone::Bad, "✕"),
        Decision::Inconclusive => (Tone::Doubt, "?"),
    };
    let sentence = match (lang, view.decision) {
        (Lang::En, _) => view.sentence(),
        (Lang::Ja, Decision::Pass) if view.notable.is_empty() => {
            format!("送信したものは、すべて期待どおりの結果でした（{}件）。", view.cases.len())
        }
        (Lang::Ja, Decision::Pass) => {
            format!("正当なファイルは届きました。ほかに確認の必要な点が{}件あります。", view.notable.len())
        }
        (Lang::Ja, Decision::Fail) => {
            let of = |mark: Mark| view.notable.iter().filter(|(known, _)| *known == mark).count();
            let legitimate = view.cases.iter().filter(|case| case.intent == Intent::Legit).count();
            let (missed, inside) = (of(Mark::NotDelivered), of(Mark::ControlDelivered));
            let missed = if missed > 0 {
                format!("届かない正当なファイルがあります（{legitimate}件中{missed}件）。")
            } else {
                String::new()
            };
            let inside = if inside > 0 {
                format!("通過した検査用ファイルがあります（{inside}件）。")
            } else {
                String::new()
            };
            if missed.is_empty() && inside.is_empty() {
                "合否判定の条件を満たしていません。理由は下記のとおりです。".to_owned()
            } else {
                missed + &inside
            }
        }
        (Lang::Ja, Decision::Inconclusive) => {
            "確認が十分でないため、合否を判定できません。合格とは扱いません。".to_owned()
        }
    };
    html! {
        div class={ "verdict " (tone.class()) } {
            h1 { span aria-hidden="true" { (symbol) " " } (words::decision(lang, view.decision)) ": " (shown(&sentence)) }
        }
    }
}

/// What became of the controls.
fn controls(lang: Lang, view: &RunView<'_>) -> Markup {
    let all: Vec<Item<'_>> =
        view.cases.iter().filter(|case| case.intent == Intent::Control).map(|case| Item::recorded(case)).collect();
    let inside = |item: &&Item<'_>| item.standing == Standing::Mark(Some(Mark::ControlDelivered));
    let unknown = |item: &&Item<'_>| item.standing == Standing::Mark(Some(Mark::Inconclusive));
    let (inside, unknown) = (all.iter().filter(inside).count(), all.iter().filter(unknown).count());
    html! {
        section aria-labelledby="controls" {
            h2 id="controls" { (lang.pick("Controls that must be blocked", "遮断されるべき検査用ファイル")) }
            @if all.is_empty() {
                p { (tag(Tone::Doubt, lang.pick("not sent", "未送信"))) " " (lang.pick("No control was asked: the protection was not tested.", "検査用ファイルの結果がありません。防御は確認できていません。")) }
            } @else {
                p { (lang.pick(
                    format!("Of {} controls {} were blocked, {inside} got past the edge, {unknown} are not known.", all.len(), all.len() - inside - unknown),
                    format!("検査用ファイル{}件のうち、{}件を遮断、{inside}件が通過、{unknown}件は不明です。", all.len(), all.len() - inside - unknown),
                )) }
                ul.cases { @for item in &all { li { (code(item.id.as_str())) " " (seen_tag(lang, item.after)) } } }
            }
        }
    }
}

fn entry(group: &Group<'_, CaseRecord, Option<Mark>>, proof: Proof, options: &Options) -> Markup {
    let lang = options.lang;
    let example = group.example();
    let item = Item::recorded(example);
    // An answer of another attempt than the one that decided is no picture of it.
    let answer = options.beside.candidate.of.get(&example.case);
    let answer = answer.filter(|answer| Some(answer.status) == example.verdict.status);
    let is_empty = answer.is_some_and(|answer| answer.body_bytes == 0);
    let standing = Standing::Mark(group.kind);
    html! {
        article.finding.long {
            h3 { (tag(parts::tone(standing), parts::standing(lang, standing))) " " (name(group.file)) " " span.soft { (code(group.attachment)) } }
            dl.facts {
                dt { (lang.pick("outcome", "結果")) } dd { (seen_tag(lang, item.after)) }
                dt { (lang.pick("people see", "申請者に見える画面")) }
                dd { (words::seen(lang, example.verdict.outcome, example.verdict.status, is_empty)) @if let Some(answer) = answer { (parts::screen(lang, answer)) } }
                dt { (lang.pick("evidence", "根拠")) } dd { @if lang == Lang::Ja { (words::proven(example.verdict.outcome, example.verdict.status, proof)) " 記録の原文: " } q lang="en" { (shown(&shorten(&example.verdict.evidence, EVIDENCE))) } }
                @if !example.procedures.is_empty() {
                    dt { (lang.pick("needed by", "使用する手続")) }
                    dd { @for (at, each) in example.procedures.iter().enumerate() { @if at > 0 { " · " } (name(each)) } }
                }
            }
            ul.cases { @for case in &group.cases { li { (code(case.case.as_str())) } } }
        }
    }
}
