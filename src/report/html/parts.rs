//! Pieces that pages share.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::items::{Item, Seen, Standing};
use super::page::{code, name, shown};
use super::words;
use crate::compare::Class;
use crate::corpus::{Client, Kind, NameClass, Transport};
use crate::report::Lang;
use crate::report::run_view::Mark;
use crate::run::{Answer, Answers, RunEnding, RunManifest};
use crate::verdict::{Count, Outcome};

/// Bytes of an answer that are shown.
const SCREEN: usize = 2_000;

/// How something stands out. The words and a symbol say the same: colour only helps the eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Bad,
    Doubt,
    Note,
}

impl Tone {
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Doubt => "doubt",
            Self::Note => "note",
        }
    }

    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Bad => "✕",
            Self::Doubt => "?",
            Self::Note => "–",
        }
    }
}

/// How a class or a mark stands out.
pub(crate) fn tone(standing: Standing) -> Tone {
    match standing {
        Standing::Class(Class::NewlyBlocked | Class::ProtectionLost | Class::NewlyAltered)
        | Standing::Mark(Some(Mark::NotDelivered | Mark::ControlDelivered)) => Tone::Bad,
        Standing::Class(
            Class::WouldBlock | Class::Flaky | Class::Inconclusive | Class::OnlyInBaseline | Class::OnlyInCandidate,
        )
        | Standing::Mark(Some(Mark::Flaky | Mark::WouldBlock | Mark::Inconclusive)) => Tone::Doubt,
        Standing::Class(Class::NewlyDelivered | Class::ProtectionGained) => Tone::Good,
        Standing::Class(Class::ReasonChanged | Class::Unchanged) | Standing::Mark(None) => Tone::Note,
    }
}

/// The word for what a case comes to.
pub(crate) fn standing(lang: Lang, standing: Standing) -> &'static str {
    match standing {
        Standing::Class(class) => words::class(lang, class),
        Standing::Mark(Some(mark)) => words::mark(lang, mark),
        Standing::Mark(None) => lang.pick("as it ought to be", "問題なし"),
    }
}

/// A word that stands out, with its symbol.
pub(crate) fn tag(tone: Tone, text: &str) -> Markup {
    html! { span class={ "tag " (tone.class()) } { span aria-hidden="true" { (tone.symbol()) " " } (text) } }
}

/// What was seen on one side.
pub(crate) fn seen_tag(lang: Lang, seen: Option<Seen>) -> Markup {
    let Some(seen) = seen else { return tag(Tone::Note, lang.pick("not sent", "未送信")) };
    let tone = match seen.outcome.count() {
        Count::Pass => Tone::Good,
        Count::Fail => Tone::Bad,
        Count::Inconclusive => Tone::Doubt,
    };
    html! {
        (tag(tone, words::outcome(lang, seen.outcome)))
        @if let Some(status) = seen.status { @if seen.outcome != Outcome::Delivered { " " (status) } }
    }
}

/// `415 delivered · 51 blocked`.
pub(crate) fn outcome_list(lang: Lang, counts: &BTreeMap<Outcome, usize>) -> String {
    let told: Vec<String> = Outcome::ALL
        .into_iter()
        .filter_map(|outcome| counts.get(&outcome).filter(|count| **count > 0).map(|count| (outcome, count)))
        .map(|(outcome, count)| {
            let word = words::outcome(lang, outcome);
            lang.pick(format!("{count} {word}"), format!("{word}{count}件"))
        })
        .collect();
    if told.is_empty() {
        return lang.pick("nothing settled", "結果なし").to_owned();
    }
    told.join(lang.pick(" · ", "・"))
}

/// An instant as a report shows it, to the second: `2026-11-23 01:02:03 UTC`.
pub(crate) fn instant(lang: Lang, at: &str) -> Markup {
    let shown = at.parse::<jiff::Timestamp>().map(|at| {
        let format = lang.pick("%Y-%m-%d %H:%M:%S UTC", "%Y年%-m月%-d日 %H:%M:%S UTC");
        at.strftime(format).to_string()
    });
    html! { time datetime=(at) { (shown.unwrap_or_else(|_| at.to_owned())) } }
}

/// The facts of one edge.
pub(crate) fn facts(
    lang: Lang,
    run: &RunManifest,
    ending: Option<&RunEnding>,
    outcomes: &str,
    answers: &Answers,
) -> Markup {
    let rate = match run.rate {
        Some(rate) => lang.pick(format!("at most {rate} requests a second"), format!("毎秒{rate}回まで")),
        None => lang.pick("unpaced", "制限なし").to_owned(),
    };
    let concurrency =
        lang.pick(format!("{} under way at once", run.concurrency), format!("同時送信数{}", run.concurrency));
    html! {
        dl.facts {
            dt { (lang.pick("profile", "プロファイル")) } dd { (name(&run.profile)) " (" (words::environment(lang, run.environment)) ")" }
            dt { (lang.pick("sent to", "送信先")) } dd { (code(&run.url)) }
            dt { (lang.pick("result", "結果")) } dd { (outcomes) }
            @if let Some((words, detail)) = words::ending(lang, ending) {
                dt { (lang.pick("end", "終了")) }
                dd { (tag(Tone::Doubt, lang.pick("incomplete", "未完了"))) " " (words) @if let Some(detail) = detail { ": " q lang="en" { (shown(detail)) } } }
            }
            dt { (lang.pick("proof of delivery", "到達確認の方法")) } dd { (words::proof(lang, run.proof)) }
            @if run.insecure { dt { "TLS" } dd { (tag(Tone::Doubt, lang.pick("certificates NOT checked", "サーバー証明書の検証なし"))) } }
            dt { (lang.pick("controls", "検査用ファイル")) } dd { @if run.authorized { (lang.pick("sent", "送信あり")) } @else { (lang.pick("not sent (not authorised)", "送信なし（許可の設定なし）")) } }
            dt { (lang.pick("pace", "送信ペース")) } dd { (rate) (lang.pick(", ", "、")) (concurrency) }
            dt { (lang.pick("started", "開始日時")) } dd { (instant(lang, &run.started)) }
            dt { (lang.pick("corpus", "検証用ファイル集（コーパス）")) } dd { (name(&run.corpus)) (lang.pick(", ", "、")) (lang.pick(format!("{} cases", run.cases), format!("{}件", run.cases))) br; span.soft { "SHA-256 " (code(&run.corpus_digest.to_string())) } }
            dt { (lang.pick("edge as seen", "観測されたエッジ")) }
            dd { @if answers.edge.is_empty() { (lang.pick("not on record", "記録なし")) } @else { @for (header, value) in &answers.edge { @if header == "peer" { (lang.pick("address ", "接続先 ")) (code(value)) } @else { (code(&format!("{header}: {value}"))) } br; } } }
            dt { (lang.pick("run by", "実施者")) } dd { @match &run.operator { Some(operator) => (name(operator)), None => { (lang.pick("not on record", "記録なし")) } } }
            dt { (lang.pick("run id", "実行ID")) } dd { (code(&run.run)) }
            dt { (lang.pick("tool", "ツール")) } dd { (shown(&run.tool)) }
        }
    }
}

/// A share as a bar.
pub(crate) fn bar(share: f64) -> Markup {
    let width = format!("{:.1}", share.clamp(0.0, 1.0) * 100.0);
    html! {
        svg.bar viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
            rect width="100" height="10" {} rect width=(width) height="10" {}
        }
    }
}

/// The start of an answer, as plain text: never as the page that it is.
pub(crate) fn screen(lang: Lang, answer: &Answer) -> Markup {
    let body = &answer.body.0[..answer.body.0.len().min(SCREEN)];
    let text = String::from_utf8_lossy(body);
    let reason = answer.reason.as_deref().unwrap_or_default();
    let kind = answer.header("content-type").unwrap_or_default();
    html! {
        div.screen {
            b { (answer.status) " " (shown(reason)) " " span.soft { (shown(kind)) } }
            @if let Some(location) = answer.header("location") { pre { "Location: " (shown(location)) } }
            @if body.is_empty() { pre { span.soft { @if answer.body_bytes == 0 { (lang.pick("(empty)", "（空）")) } @else { (lang.pick("(not on record)", "（記録なし）")) } } } }
            @else { pre tabindex="0" { (lines(&text)) @if answer.body_bytes > body.len() as u64 { "…" } } }
        }
    }
}

/// Text of several lines, each made visible.
pub(crate) fn lines(text: &str) -> String {
    text.lines().map(shown).collect::<Vec<_>>().join("\n")
}

/// What the WAF judged by, in the page's language; `None`: there is no word for it.
pub(crate) fn decided(lang: Lang, part: &str) -> Option<String> {
    if lang == Lang::En {
        return Some(format!("decided by {part}"));
    }
    let part = part.split(": ").next().unwrap_or(part);
    let word = |part: &str| {
        Some(match part {
            "the filename" => "ファイル名",
            "a field's name" => "項目名",
            "the content" => "ファイルの内容",
            "the headers of the part" => "パートのヘッダー",
            "the way the form is written" => "フォームの書式",
            "the size" => "サイズ",
            "a header of the request" => "リクエストのヘッダー",
            "a text field" => "入力欄の文字",
            "the method" => "HTTPメソッド",
            "the body as it is sent" => "送信された本文",
            _ => return None,
        })
    };
    let words: Option<Vec<&str>> = part.split(" and ").map(word).collect();
    words.map(|words| format!("判断の対象: {}", words.join("、")))
}

/// What the corpus could have had and the cases do not: kinds of files, classes of names, clients, transports, sizes.
pub(crate) fn left_out(lang: Lang, items: &[Item<'_>]) -> Markup {
    let kinds: BTreeSet<Kind> = items.iter().map(|item| item.kind).collect();
    let names: BTreeSet<NameClass> = items.iter().flat_map(|item| item.names.iter().copied()).collect();
    let axis = |axis: &str| -> BTreeSet<&str> { items.iter().filter_map(|item| item.axis(axis)).collect() };
    let (clients, transports, sizes) = (axis("client"), axis("transport"), axis("size"));
    let no_kinds: Vec<&str> =
        Kind::ALL.iter().filter(|kind| !kinds.contains(kind)).map(|kind| words::kind(lang, *kind)).collect();
    let no_names: Vec<&str> =
        NameClass::ALL.iter().filter(|name| !names.contains(name)).map(|name| words::name_class(lang, *name)).collect();
    let no_clients: Vec<&str> =
        Client::ALL.iter().map(|(name, _)| *name).filter(|name| !clients.contains(name)).collect();
    let no_transports: Vec<&str> = [Transport::Put, Transport::Base64Json]
        .into_iter()
        .filter(|transport| !transports.contains(transport.as_str()))
        .map(|transport| words::transport(lang, transport))
        .collect();
    let no_sizes = if sizes.is_empty() {
        vec![lang.pick("each file only in its own size", "各ファイルは元のサイズのみ")]
    } else {
        Vec::new()
    };
    let rows = [
        (lang.pick("kinds of files without a case", "ケースのないファイル種別"), no_kinds),
        (lang.pick("kinds of filenames without a case", "ケースのないファイル名の種類"), no_names),
        (
            lang.pick(
                "clients that no case asks for by name",
                "条件として指定していないクライアント（ファイルの定義による送信を除く）",
            ),
            no_clients,
        ),
        (
            lang.pick(
                "transports that no case asks for by name",
                "条件として指定していない送信方式（ファイルの定義による送信を除く）",
            ),
            no_transports,
        ),
        (lang.pick("sizes", "サイズ"), no_sizes),
    ];
    html! {
        dl.facts { @for (what, missing) in rows { dt { (what) } dd { @if missing.is_empty() { (lang.pick("none", "なし")) } @else { (missing.join(lang.pick(", ", "、"))) } } } }
    }
}

/// The foot of a page.
pub(crate) fn footer(lang: Lang, tool: &str) -> Markup {
    html! {
        footer { p { (lang.pick("Made by ", "")) (shown(tool)) (lang.pick(
            ". This file needs no network, and shows every finding and table without JavaScript too; only the list of all cases needs it.",
            " が作成しました。この文書はネットワークに接続せず、JavaScriptを使わない環境でも指摘事項と一覧表をすべて読むことができます（ケース一覧を除きます）。"
        )) } }
    }
}
