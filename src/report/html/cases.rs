//! The list of all cases: data for the page's own script, because a browser would choke on a hundred thousand rows.

use std::collections::HashMap;
use std::io::{self, Write};

use maud::{Markup, html};
use serde::Serialize;
use serde_json::json;

use super::items::{Item, Seen, Standing};
use super::page::shown;
use super::parts::{self, Tone};
use super::words;
use crate::compare::Class;
use crate::corpus::{Intent, Kind, NameClass};
use crate::report::Lang;
use crate::report::run_view::Mark;
use crate::verdict::{Count, Outcome};

/// The script: filters, sorting, pages.
pub(crate) const SCRIPT: &str = include_str!("script.js");

/// Numbers texts in the order in which they come.
#[derive(Default)]
struct Table<'a> {
    known: HashMap<&'a str, usize>,
    texts: Vec<String>,
}

impl<'a> Table<'a> {
    fn number(&mut self, text: &'a str) -> usize {
        let next = self.texts.len();
        let number = *self.known.entry(text).or_insert(next);
        if number == next {
            self.texts.push(shown(text));
        }
        number
    }
}

const MARKS: [Option<Mark>; 6] = [
    Some(Mark::NotDelivered),
    Some(Mark::ControlDelivered),
    Some(Mark::Flaky),
    Some(Mark::WouldBlock),
    Some(Mark::Inconclusive),
    None,
];

/// All that a case of these items can come to, gravest first.
fn standings(items: &[Item<'_>]) -> Vec<Standing> {
    let single = matches!(items.first().map(|item| item.standing), Some(Standing::Mark(_)));
    if single { MARKS.map(Standing::Mark).to_vec() } else { Class::ALL.map(Standing::Class).to_vec() }
}

/// The section, which the script fills.
pub(crate) fn section(lang: Lang, items: &[Item<'_>]) -> Markup {
    let standings = standings(items);
    let select = |key: &str, label: &str| {
        html! { label { (label) select name=(key) { option value="" { (lang.pick("all", "すべて")) } } } }
    };
    let single = matches!(standings[0], Standing::Mark(_));
    let columns = [
        ("class", lang.pick(if single { "mark" } else { "class" }, "区分"), true),
        ("id", lang.pick("case", "ケースID"), true),
        ("file", lang.pick("filename", "ファイル名"), true),
        ("before", lang.pick("before", "変更前"), !single),
        ("after", lang.pick(if single { "outcome" } else { "after" }, if single { "結果" } else { "変更後" }), true),
        ("kind", lang.pick("kind of file", "ファイル種別"), true),
    ];
    html! {
        section aria-labelledby="cases" {
            h2 id="cases" { (lang.pick("All cases", "ケース一覧")) }
            noscript { p { (lang.pick(
                "This list needs JavaScript. Every finding stands above; `wafcanary report --format csv` makes a table of all cases.",
                "この一覧の表示にはJavaScriptが必要です。指摘事項は上にすべて掲載しています。全ケースはwafcanary report --format csvで表にできます。"
            )) } }
            div data-script="" hidden {
                form.filter role="search" aria-label=(lang.pick("Filter the cases", "ケースの絞り込み")) {
                    label { (lang.pick("search (id, filename)", "検索（ケースID・ファイル名）")) input type="search" name="text" autocomplete="off"; }
                    (select("class", lang.pick(if single { "mark" } else { "class" }, "区分")))
                    (select("intent", lang.pick("legitimate or control", "正当・検査用")))
                    (select("kind", lang.pick("kind of file", "ファイル種別")))
                    (select("name", lang.pick("kind of filename", "ファイル名の種類")))
                    (select("client", lang.pick("client", "クライアント")))
                    (select("size", lang.pick("size", "サイズ")))
                    (select("procedure", lang.pick("procedure (手続)", "手続")))
                    button type="reset" { (lang.pick("clear", "絞り込みを解除")) }
                }
                p role="status" id="count" {}
                div.wide tabindex="0" { table id="list" {
                    caption { (lang.pick("Cases", "ケース")) }
                    thead { tr { @for (key, label, there) in columns { @if there {
                        th scope="col" data-sort=(key) { button type="button" { (label) span aria-hidden="true" {} } }
                    } } } }
                    tbody {}
                } }
                div.pages {
                    button type="button" id="previous" { (lang.pick("previous", "前へ")) }
                    span id="page" {}
                    button type="button" id="next" { (lang.pick("next", "次へ")) }
                }
            }
        }
    }
}

/// The data of the section. NOTE: no text in it can end the element: `<` is written `\u003c`.
pub(crate) fn data(lang: Lang, items: &[Item<'_>], out: &mut dyn Write) -> io::Result<()> {
    let standings = standings(items);
    let (mut attachments, mut suffixes, mut files) = (Table::default(), Table::default(), Table::default());
    let (mut clients, mut sizes, mut procedures) = (Table::default(), Table::default(), Table::default());
    let (mut name_sets, mut procedure_sets): (HashMap<Vec<usize>, usize>, HashMap<Vec<usize>, usize>) =
        Default::default();
    clients.number("");
    sizes.number("");
    let mut rows: Vec<[i64; 13]> = Vec::with_capacity(items.len());
    for item in items {
        let id = item.id.as_str();
        let attachment = item.id.attachment();
        let outcome = |seen: Option<Seen>| {
            seen.map_or(-1, |seen| Outcome::ALL.iter().position(|known| *known == seen.outcome).map_or(-1, number))
        };
        let status = |seen: Option<Seen>| seen.and_then(|seen| seen.status).map_or(0, i64::from);
        let names =
            item.names.iter().filter_map(|name| NameClass::ALL.iter().position(|known| known == name)).collect();
        let wanted = item.procedures.iter().map(|name| procedures.number(name)).collect();
        rows.push([
            number(attachments.number(attachment)),
            number(suffixes.number(&id[attachment.len()..])),
            number(files.number(item.filename)),
            number(standings.iter().position(|known| *known == item.standing).unwrap_or_default()),
            outcome(item.before),
            status(item.before),
            outcome(item.after),
            status(item.after),
            number(Kind::ALL.iter().position(|kind| *kind == item.kind).unwrap_or_default()),
            number(set(&mut name_sets, names)),
            number(clients.number(item.axis("client").unwrap_or_default())),
            number(sizes.number(item.axis("size").unwrap_or_default())),
            number(set(&mut procedure_sets, wanted)) * 2 + i64::from(item.intent == Intent::Control),
        ]);
    }
    let tones = |tone: Tone| json!([tone.class(), tone.symbol()]);
    let head = json!({
        "classes": standings.iter().map(|it| json!([parts::standing(lang, *it), tones(parts::tone(*it))])).collect::<Vec<_>>(),
        "outcomes": Outcome::ALL.map(|it| json!([words::outcome(lang, it), tones(match it.count() {
            Count::Pass => Tone::Good,
            Count::Fail => Tone::Bad,
            Count::Inconclusive => Tone::Doubt,
        })])),
        "kinds": Kind::ALL.iter().map(|it| json!([it.as_str(), words::kind(lang, *it)])).collect::<Vec<_>>(),
        "names": NameClass::ALL.iter().map(|it| json!([it.as_str(), words::name_class(lang, *it)])).collect::<Vec<_>>(),
        "attachments": attachments.texts,
        "suffixes": suffixes.texts,
        "files": files.texts,
        "clients": clients.texts,
        "sizes": sizes.texts,
        "procedures": procedures.texts,
        "nameSets": in_order(name_sets),
        "procedureSets": in_order(procedure_sets),
        "single": matches!(standings[0], Standing::Mark(_)),
        "words": {
            "count": lang.pick("{k} of {n} cases", "{n}件中{k}件を表示対象としています"),
            "page": lang.pick("page {k} of {n}", "{n}ページ中{k}ページ"),
            "none": lang.pick("No case matches.", "条件に合うケースはありません。"),
            "own": lang.pick("its own", "ファイルの定義どおり"),
            "notSent": lang.pick("not sent", "未送信"),
            "control": lang.pick("control", "検査用ファイル"),
            "intents": [lang.pick("legitimate", "正当なファイル"), lang.pick("control", "検査用ファイル")],
        },
    });
    write!(out, "<script type=\"application/json\" id=\"data\">{{\"head\":")?;
    write_safely(&head, out)?;
    write!(out, ",\"rows\":[")?;
    for (at, row) in rows.iter().enumerate() {
        write!(out, "{}[", if at == 0 { "" } else { "," })?;
        for (at, value) in row.iter().enumerate() {
            write!(out, "{}{value}", if at == 0 { "" } else { "," })?;
        }
        write!(out, "]")?;
    }
    write!(out, "]}}</script>")
}

fn number(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn set(known: &mut HashMap<Vec<usize>, usize>, members: Vec<usize>) -> usize {
    let next = known.len();
    *known.entry(members).or_insert(next)
}

fn in_order(sets: HashMap<Vec<usize>, usize>) -> Vec<Vec<usize>> {
    let mut sets: Vec<(Vec<usize>, usize)> = sets.into_iter().collect();
    sets.sort_by_key(|(_, number)| *number);
    sets.into_iter().map(|(members, _)| members).collect()
}

fn write_safely(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let text = serde_json::to_string(value)?;
    out.write_all(text.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029").as_bytes())
}
