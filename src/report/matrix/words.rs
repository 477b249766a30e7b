//! What the formats share: symbols, tones and sentences, in the language of the report.

use super::super::Lang;
use super::super::text::grouped;
use super::super::view::percent;
use super::terms;
use crate::compare::Matrix;
use crate::compare::matrix::{Agreement, Cell, Column, Mark, MatrixCase, Note, NoteCode, Tally};
use crate::corpus::Intent;
use crate::verdict::UNRECOGNISED;

/// How a cell stands out. Symbol and word say the same: colour only helps the eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Tone {
    /// As it ought to be.
    Good,
    /// Some of it is not, or it arrived altered.
    Doubt,
    /// Not as it ought to be.
    Bad,
    /// Not known.
    Unknown,
}

/// The symbols of Japanese compatibility tables.
pub(super) fn symbol(mark: Mark) -> &'static str {
    match mark {
        Mark::Delivered => "○",
        Mark::Partly | Mark::Unsteady => "△",
        Mark::Refused => "×",
        Mark::Unknown => "－",
    }
}

/// How the cell of a case stands out.
pub(super) fn tone(intent: Intent, mark: Mark) -> Tone {
    match (intent, mark) {
        (Intent::Legit, Mark::Delivered) | (Intent::Control, Mark::Refused) => Tone::Good,
        (Intent::Legit, Mark::Partly | Mark::Unsteady) => Tone::Doubt,
        (Intent::Legit, Mark::Refused) | (Intent::Control, Mark::Delivered | Mark::Partly | Mark::Unsteady) => {
            Tone::Bad
        }
        (_, Mark::Unknown) => Tone::Unknown,
    }
}

/// `○ delivered`; of a control `× blocked (right)`, `△ altered (must be blocked)`.
pub(super) fn cell(lang: Lang, intent: Intent, cell: Option<&Cell>) -> String {
    let mark = Mark::of(cell);
    let mut words = format!("{} ", symbol(mark));
    let judged = match (intent, mark.is_good(intent)) {
        (Intent::Control, Some(good)) => Some(control_words(lang, good)),
        (Intent::Control, None) | (Intent::Legit, _) => None,
    };
    match (cell, judged) {
        (None, _) => words.push_str(lang.pick("not asked", "未送信")),
        (Some(cell), judged) => {
            let happened = happened(lang, intent, mark, cell);
            words.push_str(&match judged {
                Some(judged) => lang.pick(format!("{happened} ({judged})"), format!("{happened}（{judged}）")),
                None => happened,
            });
        }
    }
    if cell.is_some_and(|cell| !cell.unsteady && !cell.rounds.is_empty()) {
        words.push_str(lang.pick(", in varying ways", "・結果の種類は一定せず"));
    }
    if cell.is_some_and(|cell| cell.would_block) {
        words.push_str(lang.pick(", a rule fired without blocking", "・ルールが検知（遮断せず）"));
    }
    words
}

/// `delivered`; `unsteady: 2 of 3 delivered`; of a control that is changed on its way `通過・改変`.
fn happened(lang: Lang, intent: Intent, mark: Mark, cell: &Cell) -> String {
    let word = terms::outcome(lang, cell.outcome);
    match (mark, intent) {
        (Mark::Unsteady, Intent::Legit) => {
            let (count, of) = cell.rounds_that_show(|mark| mark == Mark::Delivered);
            lang.pick(format!("unsteady: {count} of {of} delivered"), format!("結果不安定・{of}回中{count}回到達"))
        }
        (Mark::Unsteady, Intent::Control) => {
            let (count, of) = cell.rounds_that_show(|mark| mark != Mark::Refused);
            lang.pick(format!("unsteady: {count} of {of} past the edge"), format!("結果不安定・{of}回中{count}回通過"))
        }
        (Mark::Partly, Intent::Control) => lang.pick(word.to_owned(), format!("通過・{word}")),
        (Mark::Delivered | Mark::Partly | Mark::Refused | Mark::Unknown, _) => word.to_owned(),
    }
}

/// Of a control the symbol says what happened, and this whether it ought to.
fn control_words(lang: Lang, good: bool) -> &'static str {
    if good { lang.pick("right", "正常") } else { lang.pick("must be blocked", "要遮断") }
}

/// The cell of a case in a character or two: its symbol, `~` where it is unsteady, `!` where a control gets in.
pub(super) fn short_cell(intent: Intent, cell: Option<&Cell>) -> String {
    let mark = Mark::of(cell);
    let unsteady = if mark == Mark::Unsteady { "~" } else { "" };
    let wrong = if intent == Intent::Control && mark.is_good(intent) == Some(false) { "!" } else { "" };
    format!("{}{unsteady}{wrong}", symbol(mark))
}

/// `404 · unrecognised`: the status, and the edge's signature. Japanese tables leave the word out: it says that there is
/// none.
pub(super) fn detail(lang: Lang, cell: Option<&Cell>) -> String {
    let Some(cell) = cell else { return String::new() };
    let status = cell.status.map(|status| status.to_string());
    let signature = cell.signature.as_deref().filter(|told| lang == Lang::En || *told != UNRECOGNISED);
    status.into_iter().chain(signature.map(str::to_owned)).collect::<Vec<_>>().join(" · ")
}

/// How the cell of many cases stands out, and its symbol: all of them, some, none. Where some are not known, it is
/// neither all nor none.
pub(super) fn tally_tone(tally: Tally, intent: Intent) -> (Tone, &'static str) {
    let (all, none, some_bad) = match intent {
        Intent::Legit => ("○", "×", Tone::Doubt),
        Intent::Control => ("×", "○", Tone::Bad),
    };
    let altered_control = intent == Intent::Control && tally.partly > 0;
    let mixed = tally.unsteady > 0 || altered_control || (tally.good > 0 && tally.bad > 0);
    match (tally.bad, tally.unknown) {
        _ if tally.unknown == tally.of => (Tone::Unknown, "－"),
        _ if mixed => (some_bad, "△"),
        (0, 0) => (Tone::Good, all),
        (_, 0) => (Tone::Bad, none),
        (0, _) => (Tone::Unknown, "－"),
        (_, _) => (some_bad, "－"),
    }
}

/// `○ 29 of 29`, `△ 11 of 12, 1 unsteady`, `－ 3 of 12 known (all delivered)`.
pub(super) fn tally(lang: Lang, tally: Tally, intent: Intent) -> String {
    let (_, symbol) = tally_tone(tally, intent);
    if tally.of == 0 {
        return format!("{symbol} {}", lang.pick("none", "なし"));
    }
    let (good, of, unknown) = (grouped(tally.good), grouped(tally.of), grouped(tally.unknown));
    if tally.unknown == tally.of {
        return format!("{symbol} {}", lang.pick(format!("{unknown} not known"), format!("不明{unknown}件")));
    }
    let known = grouped(tally.of - tally.unknown);
    let mut words = if tally.unknown == 0 {
        lang.pick(format!("{symbol} {good} of {of}"), format!("{symbol} {of}件中{good}件"))
    } else {
        lang.pick(format!("{symbol} {known} of {of} known"), format!("{symbol} {of}件中{known}件まで確認"))
    };
    if intent == Intent::Control && tally.partly > 0 {
        let partly = grouped(tally.partly);
        words += &lang.pick(format!(", {partly} altered etc."), format!("・通過（改変など）{partly}件"));
    }
    if tally.unsteady > 0 {
        let unsteady = grouped(tally.unsteady);
        words += &lang.pick(format!(", {unsteady} unsteady"), format!("・不安定{unsteady}件"));
    }
    let mut judged = Vec::new();
    if tally.unknown > 0 {
        judged.push(so_far(lang, tally, intent));
    }
    if intent == Intent::Control && (tally.bad > 0 || tally.unknown == 0) {
        judged.push(control_words(lang, tally.bad == 0).to_owned());
    }
    if !judged.is_empty() {
        words += &lang.pick(format!(" ({})", judged.join(", ")), format!("（{}）", judged.join("・")));
    }
    words
}

/// What is known of a tally that is not known whole.
fn so_far(lang: Lang, tally: Tally, intent: Intent) -> String {
    let word = match intent {
        Intent::Legit => lang.pick("delivered", "到達"),
        Intent::Control => lang.pick("blocked", "遮断"),
    };
    match (tally.good, tally.bad) {
        (_, 0) => lang.pick(format!("all {word}"), format!("すべて{word}")),
        (0, _) => lang.pick(format!("none {word}"), format!("{word}なし")),
        (good, _) => lang.pick(format!("{} {word}", grouped(good)), format!("うち{word}{}件", grouped(good))),
    }
}

/// `△ 11/12 ~1`: what [`tally`] says, where there is little room.
pub(super) fn short_tally(tally: Tally, intent: Intent) -> String {
    let (_, symbol) = tally_tone(tally, intent);
    let mut words = format!("{symbol} {}/{}", grouped(tally.good), grouped(tally.of));
    for (count, sign) in [(tally.unsteady, "~"), (tally.unknown, "?")] {
        if count > 0 {
            words.extend([" ", sign, &grouped(count)]);
        }
    }
    if intent == Intent::Control && tally.bad > 0 {
        words.push('!');
    }
    words
}

/// What the short cells mean.
pub(super) const SHORT: &str = "○ delivered · × kept out · △ some, altered or unsteady · － not known · ~ unsteady · ? not known · ! must be blocked";

/// How the share of the files of a tally stands out, and its symbol.
pub(super) fn share_tone(share: Option<f64>, tally: Tally) -> (Tone, &'static str) {
    if share.is_none() { (Tone::Unknown, "－") } else { tally_tone(tally, Intent::Legit) }
}

/// `△ 98%`, `－ 100% of what is known (9 of 12 not known)`.
pub(super) fn share(lang: Lang, share: Option<f64>, tally: Tally) -> String {
    let (_, symbol) = share_tone(share, tally);
    let Some(share) = share else { return format!("{symbol} {}", lang.pick("not known", "不明")) };
    let told = told_percent(lang, share);
    let (unknown, of) = (grouped(tally.unknown), grouped(tally.of));
    match tally.unknown {
        0 => format!("{symbol} {told}"),
        _ => lang.pick(
            format!("{symbol} {told} of what is known ({unknown} of {of} not known)"),
            format!("{symbol} 判明分の{told}（{of}件中{unknown}件は不明）"),
        ),
    }
}

/// `－ 100% ?9`: what [`share`] says, where there is little room.
pub(super) fn short_share(share: Option<f64>, tally: Tally) -> String {
    let (_, symbol) = share_tone(share, tally);
    let told = share.map(|share| format!(" {}", percent(share))).unwrap_or_default();
    let unknown = if tally.unknown > 0 { format!(" ?{}", grouped(tally.unknown)) } else { String::new() };
    format!("{symbol}{told}{unknown}")
}

fn told_percent(lang: Lang, share: f64) -> String {
    match (lang, percent(share).as_str()) {
        (Lang::Ja, "<1%") => "1%未満".to_owned(),
        (Lang::Ja, ">99%") => "99%超".to_owned(),
        (_, told) => told.to_owned(),
    }
}

/// Whether the edges do the same.
pub(super) fn agreement(lang: Lang, agreement: Agreement) -> &'static str {
    match agreement {
        Agreement::Differs => lang.pick("differs", "差異あり"),
        Agreement::Unknown => lang.pick("not known", "不明"),
        Agreement::Unsteady => lang.pick("unsteady", "結果不安定"),
        Agreement::Same => lang.pick("same", "差異なし"),
    }
}

/// What the edges ought to do with it.
pub(super) fn intent(lang: Lang, intent: Intent) -> &'static str {
    match intent {
        Intent::Legit => lang.pick("legitimate file", "正当なファイル"),
        Intent::Control => lang.pick("control: must be blocked", "検査用ファイル（要遮断）"),
    }
}

/// The classes of a case's filename.
pub(super) fn name_classes(lang: Lang, case: &MatrixCase) -> String {
    let words: Vec<_> = case.name_classes.iter().map(|class| terms::name_class(lang, *class)).collect();
    words.join(lang.pick(", ", "、"))
}

/// The client of a case.
pub(super) fn client(lang: Lang, case: &MatrixCase) -> &str {
    case.client.as_deref().unwrap_or(lang.pick("the attachment's own", "元のクライアント"))
}

/// Cases on which at least two edges differ, or none is steady.
pub(super) fn differing(matrix: &Matrix) -> impl Iterator<Item = &MatrixCase> {
    matrix.cases.iter().filter(|case| matches!(case.agreement, Agreement::Differs | Agreement::Unsteady))
}

/// Whether an edge does now this, now that.
pub(super) fn is_unsteady(matrix: &Matrix) -> bool {
    matrix.columns.iter().any(|column| column.legit.unsteady + column.controls.unsteady > 0)
}

/// How the share of the files is called.
pub(super) fn share_name(lang: Lang) -> &'static str {
    lang.pick("share of files, estimated", "届くファイルの割合（推定）")
}

/// As [`share_name`], of each procedure.
pub(super) fn procedures_title(lang: Lang) -> &'static str {
    lang.pick("By procedure (手続): share of files that arrives, estimated", "手続ごとの届くファイルの割合（推定）")
}

/// The title of the report.
pub(super) fn title(lang: Lang) -> &'static str {
    lang.pick("Attachments: compatibility table", "添付ファイル互換性一覧")
}

/// How the table came about, for those who never saw a WAF.
pub(super) fn introduction(lang: Lang) -> &'static str {
    lang.pick(
        "The same attachments were sent through each edge (CDN, WAF). What is not proven to have arrived does not count as delivered, whatever the answer was.",
        "同じ添付ファイルを各エッジ（CDN・WAF）に送り、受付サーバーに届いたことを確認できたかどうかを並べたものです。届いたことを確認できないものは、応答の内容にかかわらず「到達」とは扱いません。",
    )
}

/// What the shares of files mean.
pub(super) fn about_shares(lang: Lang) -> &'static str {
    lang.pick(
        "The percentage is the part of the files that people attach which arrives, estimated with the corpus's weights; an unsteady one counts with the part of the rounds in which it arrives, and what is not known is left out.",
        "割合は、申請に添付されるファイルのうち届く部分を、コーパスの重みから推定したものです。結果の一定しないものは届いた回の割合で数え、結果の得られないものは計算に含みません。",
    )
}

/// What was asked, in one sentence.
pub(super) fn headline(lang: Lang, matrix: &Matrix) -> String {
    let (columns, cases) = (matrix.columns.len(), grouped(matrix.cases.len() as u64));
    let corpus = matrix.columns.first().map_or("", |column| column.run.corpus.as_str());
    lang.pick(
        format!("{columns} edges, {cases} cases, corpus `{corpus}`"),
        format!("エッジ{columns}件、ケース{cases}件、検証用ファイル集（コーパス）「{corpus}」"),
    )
}

/// On how many cases the edges differ, what is not known, and what is not steady.
pub(super) fn sentence(lang: Lang, matrix: &Matrix) -> String {
    let edges = 0..matrix.columns.len();
    let count = |such: &dyn Fn(&MatrixCase) -> bool| matrix.cases.iter().filter(|case| such(case)).count() as u64;
    let differ = count(&|case| case.agreement == Agreement::Differs);
    let unknown = count(&|case| edges.clone().any(|at| case.mark(at) == Mark::Unknown));
    let unsteady = count(&|case| edges.clone().any(|at| case.mark(at) == Mark::Unsteady));
    let mut told = vec![match differ {
        0 => lang.pick("no difference is known".to_owned(), "判明している差異はありません".to_owned()),
        1 => {
            lang.pick("the edges differ on 1 case".to_owned(), "エッジにより結果の異なるケースが1件あります".to_owned())
        }
        count => lang.pick(
            format!("the edges differ on {} cases", grouped(count)),
            format!("エッジにより結果の異なるケースが{}件あります", grouped(count)),
        ),
    }];
    if unknown > 0 {
        let count = grouped(unknown);
        told.push(lang.pick(
            format!("{count} not known on every edge"),
            format!("すべてのエッジの結果が揃わないケースが{count}件あります"),
        ));
    }
    if unsteady > 0 {
        let edges = matrix.columns.iter().filter(|column| column.legit.unsteady + column.controls.unsteady > 0).count();
        let (is, count) = (if edges == 1 { "edge is" } else { "edges are" }, grouped(unsteady));
        let cases = if unsteady == 1 { "case" } else { "cases" };
        told.push(lang.pick(
            format!("{edges} {is} unsteady, on {count} {cases}"),
            format!("結果の一定しないエッジが{edges}件あります（ケース{count}件）"),
        ));
    }
    lang.pick(told.join(" · "), told.join("。") + "。")
}

/// `COMPLETE` or `INCONCLUSIVE`: whether every result is known, and not what it is.
pub(super) fn settled(lang: Lang, matrix: &Matrix) -> &'static str {
    if matrix.settled {
        lang.pick("COMPLETE", "全件の結果を取得")
    } else {
        lang.pick("INCONCLUSIVE", "判定不能")
    }
}

/// Words of ours, and what is quoted after them, in English whatever the language.
pub(super) struct Told {
    pub(super) words: String,
    pub(super) quote: Option<String>,
}

impl Told {
    /// For formats that can't mark a quotation.
    pub(super) fn text(self) -> String {
        let Self { words, quote } = self;
        quote.map_or_else(|| words.clone(), |quote| format!("{words}: {quote}"))
    }
}

impl From<String> for Told {
    fn from(words: String) -> Self {
        Self { words, quote: None }
    }
}

/// A note. In Japanese it is told anew; what an edge or a server said is quoted.
pub(super) fn note(lang: Lang, matrix: &Matrix, note: &Note) -> Told {
    if lang == Lang::En {
        let help = "give each edge once, or add `--allow-same-edge` to see its noise or its change";
        return match note.code {
            NoteCode::SameEdge if matrix.reasons.contains(note) => format!("{}: {help}", note.message),
            _ => note.message.clone(),
        }
        .into();
    }
    let column = note.column.and_then(|at| matrix.columns.get(at));
    let name = column.map_or("", |column| &column.name);
    let count = grouped(note.cases);
    let told = match note.code {
        NoteCode::EmptyCorpus => "結果の得られたケースがありません。".to_owned(),
        NoteCode::DifferentCorpora => {
            "送信したコーパスまたは選択したケースが、エッジの間で異なります。まとめて送り直してください。".to_owned()
        }
        NoteCode::NothingDelivered => {
            "どのエッジでも、届いた正当なファイルが1件もありません。プロファイルの設定を確認してください。".to_owned()
        }
        NoteCode::NothingAsked => format!("「{name}」では結果がまったく得られていません。"),
        NoteCode::RunIncomplete => {
            let Some(Told { words, quote }) = column.map(|column| ending(lang, column)) else {
                return String::new().into();
            };
            return Told { words: format!("「{name}」: {words}"), quote };
        }
        NoteCode::NotCovered => format!("「{name}」に送信していないケースが{count}件あります。"),
        NoteCode::Inconclusive => format!("「{name}」で結果の得られないケースが{count}件あります。"),
        NoteCode::WeakProof => format!(
            "「{name}」の到達確認は弱いものです。HTTPステータスだけを根拠にしており、エッジは拒否に200を返すことがあります。"
        ),
        NoteCode::Insecure => format!("「{name}」のサーバー証明書を検証していません。"),
        NoteCode::ControlsNotSent => {
            format!("「{name}」には検査用ファイルを送信していません。防御は確認できていません。")
        }
        NoteCode::ControlsUnknown => {
            format!("「{name}」では検査用ファイルの結果が得られていません。防御は確認できていません。")
        }
        NoteCode::ControlsPast => {
            let controls = column.map(|column| column.controls).unwrap_or_default();
            let known = if controls.unknown > 0 { "結果の得られた" } else { "" };
            let gets = if controls.unsteady > 0 { "、少なくとも一部の回で" } else { "" };
            format!("「{name}」は{known}検査用ファイルをすべて{gets}通しています。WAFが有効か確認してください。")
        }
        NoteCode::Unsteady => format!("「{name}」で結果が一定しないケースが{count}件あります。"),
        NoteCode::DifferentProofs => "エッジにより到達確認の方法が異なります。".to_owned(),
        NoteCode::SameEdge => {
            let digest = column.map(|column| column.run.profile_digest);
            let first = matrix.columns.iter().find(|other| Some(other.run.profile_digest) == digest);
            let help = "それぞれ1回だけ指定するか、ばらつきや変化を見る場合は`--allow-same-edge`を付けてください。";
            let help = if matrix.reasons.contains(note) { help } else { "" };
            format!("「{}」と「{name}」は同じエッジです。{help}", first.map_or("", |first| &first.name))
        }
    };
    told.into()
}

/// What an edge is, as pairs of a label and a value.
pub(super) fn facts(lang: Lang, column: &Column) -> [(&'static str, Told); 6] {
    let run = &column.run;
    [
        (lang.pick("URL", "送信先URL"), run.url.clone().into()),
        (lang.pick("environment", "環境"), terms::environment(lang, run.environment).to_owned().into()),
        (lang.pick("proof of delivery", "到達確認の方法"), terms::proof(lang, run.proof).to_owned().into()),
        (lang.pick("started", "開始日時"), started(column).into()),
        (lang.pick("ending", "終了の状態"), ending(lang, column)),
        (lang.pick("tool", "ツールのバージョン"), run.tool.clone().into()),
    ]
}

fn started(column: &Column) -> String {
    let told = &column.run.started;
    let parsed = told.parse::<jiff::Timestamp>();
    parsed.map_or_else(|_| told.clone(), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// How the run of an edge ended; what was seen is quoted.
fn ending(lang: Lang, column: &Column) -> Told {
    match terms::ending(lang, column.ending.as_ref()) {
        None => lang.pick("complete", "最後まで完了").to_owned().into(),
        Some((words, detail)) => Told { words: words.to_owned(), quote: detail.map(str::to_owned) },
    }
}

/// The legend: a symbol with its word, and what it means.
pub(super) fn legend(lang: Lang) -> [(&'static str, &'static str, &'static str); 4] {
    [
        (
            "○",
            lang.pick("delivered", "到達"),
            lang.pick(
                "proven to have arrived as it was sent; of many cases: all of them",
                "送ったとおりに届いたことを確認。集計ではすべて",
            ),
        ),
        (
            "×",
            lang.pick("blocked, too large, challenged, dropped", "遮断・サイズ超過・追加確認の要求・接続断"),
            lang.pick(
                "kept out by the edge; of many cases: none is delivered",
                "エッジが通さなかったもの。集計では「到達」が1件もない",
            ),
        ),
        (
            "△",
            lang.pick("altered, rejected, lost, unsteady", "改変・申請システム側で拒否・消失・結果不安定"),
            lang.pick(
                "past the edge, and not as it was sent, or refused by the application; or now this, now that; of many cases: some are delivered",
                "エッジは通過したが、変わって届いた、または申請システムが受け付けなかったもの。送るたびに結果が変わるもの。集計では一部だけが「到達」",
            ),
        ),
        (
            "－",
            lang.pick("not asked, throttled, unreachable", "未送信・流量制限・接続不可"),
            lang.pick("not known: never counted as delivered; of many cases: some are not known, and no other has another result", "結果が得られないもの。到達とは数えない。集計では、得られた結果は同じだが、得られていないものがある"),
        ),
    ]
}

/// Of controls the symbols say what happened, and the words whether it is right.
pub(super) fn about_controls(lang: Lang) -> &'static str {
    lang.pick(
        "Controls look like attacks and must be blocked: of them × blocked is right, and ○ delivered or △ (past the edge altered, or now and then) is not.",
        "検査用ファイルは攻撃を模したもので、遮断されることが正しい動作です。「×」は正常、「○」「△」（改変されて通過、または通過する回がある）は要対応を表します。",
    )
}
