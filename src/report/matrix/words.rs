//! What the formats share: symbols, tones and sentences, in the language of the report.

use super::super::Lang;
use super::super::text::grouped;
use super::super::view::percent;
use super::terms;
use crate::compare::Matrix;
use crate::compare::matrix::{Agreement, Cell, Column, Mark, MatrixCase, Note, NoteCode, Tally};
use crate::corpus::Intent;

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
        Mark::Partly => "△",
        Mark::Refused => "×",
        Mark::Unknown => "－",
    }
}

/// How the cell of a case stands out.
pub(super) fn tone(intent: Intent, mark: Mark) -> Tone {
    match (intent, mark) {
        (Intent::Legit, Mark::Delivered) | (Intent::Control, Mark::Refused) => Tone::Good,
        (Intent::Legit, Mark::Partly) => Tone::Doubt,
        (Intent::Legit, Mark::Refused) | (Intent::Control, Mark::Delivered | Mark::Partly) => Tone::Bad,
        (_, Mark::Unknown) => Tone::Unknown,
    }
}

/// `○ delivered`; of a control `× blocked (right)`, `○ delivered (must be blocked)`.
pub(super) fn cell(lang: Lang, intent: Intent, cell: Option<&Cell>) -> String {
    let mark = Mark::of(cell);
    let word = cell.map_or(lang.pick("not asked", "未送信"), |cell| terms::outcome(lang, cell.outcome));
    let mut words = format!("{} {word}", symbol(mark));
    if let (Intent::Control, Some(good)) = (intent, mark.is_good(intent)) {
        words.push_str(control_words(lang, good));
    }
    if cell.is_some_and(|cell| !cell.rounds.is_empty()) {
        words.push_str(lang.pick(", unsteady", "・結果不安定"));
    }
    if cell.is_some_and(|cell| cell.would_block) {
        words.push_str(lang.pick(", a rule fired without blocking", "・ルールが検知（遮断せず）"));
    }
    words
}

/// Of a control the symbol says what happened, and this whether it ought to.
fn control_words(lang: Lang, good: bool) -> &'static str {
    if good { lang.pick(" (right)", "（正常）") } else { lang.pick(" (must be blocked)", "（要遮断）") }
}

/// `404 · unrecognised`: the status, and the edge's signature.
pub(super) fn detail(cell: Option<&Cell>) -> String {
    let Some(cell) = cell else { return String::new() };
    let status = cell.status.map(|status| status.to_string());
    status.into_iter().chain(cell.signature.as_deref().map(str::to_owned)).collect::<Vec<_>>().join(" · ")
}

/// How the cell of many cases stands out, and its symbol: all of them, some, none.
pub(super) fn tally_tone(tally: Tally, intent: Intent) -> (Tone, &'static str) {
    let (all, none) = match intent {
        Intent::Legit => ("○", "×"),
        Intent::Control => ("×", "○"),
    };
    match (tally.good, tally.bad) {
        (0, 0) => (Tone::Unknown, "－"),
        (_, 0) => (Tone::Good, all),
        (0, _) => (Tone::Bad, none),
        (_, _) => (if intent == Intent::Legit { Tone::Doubt } else { Tone::Bad }, "△"),
    }
}

/// `○ 29 of 31`, and what is not known.
pub(super) fn tally(lang: Lang, tally: Tally, intent: Intent) -> String {
    let (_, symbol) = tally_tone(tally, intent);
    if tally.of == 0 {
        return format!("{symbol} {}", lang.pick("none", "なし"));
    }
    let (good, of, unknown) = (grouped(tally.good), grouped(tally.of), grouped(tally.unknown));
    if tally.unknown == tally.of {
        return format!("{symbol} {}", lang.pick(format!("{unknown} not known"), format!("不明{unknown}件")));
    }
    let counts = lang.pick(format!("{good} of {of}"), format!("{of}件中{good}件"));
    let unknown = match tally.unknown {
        0 => String::new(),
        _ => lang.pick(format!(", {unknown} not known"), format!("（不明{unknown}件）")),
    };
    let right = match intent {
        Intent::Legit => "",
        Intent::Control => control_words(lang, tally.bad == 0),
    };
    format!("{symbol} {counts}{right}{unknown}")
}

/// How a share of submissions stands out, and its symbol.
pub(super) fn share_tone(share: Option<f64>) -> (Tone, &'static str) {
    match share {
        None => (Tone::Unknown, "－"),
        Some(share) if share >= 1.0 => (Tone::Good, "○"),
        Some(share) if share <= 0.0 => (Tone::Bad, "×"),
        Some(_) => (Tone::Doubt, "△"),
    }
}

/// `△ 98%`.
pub(super) fn share(lang: Lang, share: Option<f64>) -> String {
    let (_, symbol) = share_tone(share);
    match share {
        Some(known) => format!("{symbol} {}", told_percent(lang, known)),
        None => format!("{symbol} {}", lang.pick("not known", "不明")),
    }
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

/// Cases on which at least two edges differ.
pub(super) fn differing(matrix: &Matrix) -> impl Iterator<Item = &MatrixCase> {
    matrix.cases.iter().filter(|case| case.agreement == Agreement::Differs)
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

/// What the shares of submissions mean.
pub(super) fn about_shares(lang: Lang) -> &'static str {
    lang.pick(
        "The percentage is the part of the files that people attach which arrives, estimated with the corpus's weights; what is not known is left out of it.",
        "割合は、申請に添付されるファイルのうち届く部分を、コーパスの重みから推定したものです。結果の得られないものは計算に含みません。",
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

/// Whether it is settled, and on how many cases the edges differ.
pub(super) fn sentence(lang: Lang, matrix: &Matrix) -> String {
    let differ = differing(matrix).count() as u64;
    let unknown = matrix.cases.iter().filter(|case| (0..matrix.columns.len()).any(|at| case.is_good(at).is_none()));
    let unknown = unknown.count() as u64;
    let found = match differ {
        0 => lang.pick("no difference is known".to_owned(), "判明している差異はありません".to_owned()),
        1 => {
            lang.pick("the edges differ on 1 case".to_owned(), "エッジにより結果の異なるケースが1件あります".to_owned())
        }
        count => lang.pick(
            format!("the edges differ on {} cases", grouped(count)),
            format!("エッジにより結果の異なるケースが{}件あります", grouped(count)),
        ),
    };
    match (matrix.settled, unknown) {
        (true, _) | (false, 0) => lang.pick(found.clone(), format!("{found}。")),
        (false, count) => lang.pick(
            format!("{found} · {} not known on every edge", grouped(count)),
            format!("{found}。すべてのエッジの結果が揃わないケースが{}件あります。", grouped(count)),
        ),
    }
}

/// `SETTLED` or `INCONCLUSIVE`.
pub(super) fn settled(lang: Lang, matrix: &Matrix) -> &'static str {
    if matrix.settled { lang.pick("SETTLED", "確認済み") } else { lang.pick("INCONCLUSIVE", "判定不能") }
}

/// A note. In Japanese it is told anew; what an edge or a server said is quoted.
pub(super) fn note(lang: Lang, matrix: &Matrix, note: &Note) -> String {
    if lang == Lang::En {
        return note.message.clone();
    }
    let column = note.column.and_then(|at| matrix.columns.get(at));
    let name = column.map_or("", |column| &column.name);
    let count = grouped(note.cases);
    match note.code {
        NoteCode::EmptyCorpus => "結果の得られたケースがありません。".to_owned(),
        NoteCode::DifferentCorpora => {
            "送信したコーパスまたは選択したケースが、エッジの間で異なります。まとめて送り直してください。".to_owned()
        }
        NoteCode::NothingDelivered => {
            "どのエッジでも、届いた正当なファイルが1件もありません。プロファイルの設定を確認してください。".to_owned()
        }
        NoteCode::NothingAsked => format!("「{name}」では結果がまったく得られていません。"),
        NoteCode::RunIncomplete => {
            format!("「{name}」: {}", column.map(|column| ending(lang, column)).unwrap_or_default())
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
        NoteCode::ControlsPast => {
            format!("「{name}」は検査用ファイルをすべて通しています。WAFが有効か確認してください。")
        }
        NoteCode::Unsteady => format!("「{name}」で結果が一定しないケースが{count}件あります。"),
        NoteCode::DifferentProofs => "エッジにより到達確認の方法が異なります。".to_owned(),
        NoteCode::SameEdge => {
            let digest = column.map(|column| column.run.profile_digest);
            let first = matrix.columns.iter().find(|other| Some(other.run.profile_digest) == digest);
            format!("「{}」と「{name}」は同じエッジです。", first.map_or("", |first| &first.name))
        }
    }
}

/// What an edge is, as pairs of a label and a value.
pub(super) fn facts(lang: Lang, column: &Column) -> [(&'static str, String); 6] {
    let run = &column.run;
    [
        (lang.pick("URL", "送信先URL"), run.url.clone()),
        (lang.pick("environment", "環境"), terms::environment(lang, run.environment).to_owned()),
        (lang.pick("proof of delivery", "到達確認の方法"), terms::proof(lang, run.proof).to_owned()),
        (lang.pick("started", "開始日時"), started(column)),
        (lang.pick("ending", "終了の状態"), ending(lang, column)),
        (lang.pick("tool", "ツールのバージョン"), run.tool.clone()),
    ]
}

fn started(column: &Column) -> String {
    let told = &column.run.started;
    let parsed = told.parse::<jiff::Timestamp>();
    parsed.map_or_else(|_| told.clone(), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// How the run of an edge ended; what was seen is quoted.
fn ending(lang: Lang, column: &Column) -> String {
    match terms::ending(lang, column.ending.as_ref()) {
        None => lang.pick("complete", "最後まで完了").to_owned(),
        Some((words, None)) => words.to_owned(),
        Some((words, Some(detail))) => format!("{words}: {detail}"),
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
            lang.pick("altered, rejected, lost", "改変・申請システム側で拒否・消失"),
            lang.pick(
                "past the edge, and not as it was sent, or refused by the application; of many cases: some are delivered",
                "エッジは通過したが、変わって届いた、または申請システムが受け付けなかったもの。集計では一部だけが「到達」",
            ),
        ),
        (
            "－",
            lang.pick("not asked, throttled, unreachable", "未送信・流量制限・接続不可"),
            lang.pick("not known: never counted as delivered", "結果が得られないもの。到達とは数えない"),
        ),
    ]
}

/// Of controls the symbols say what happened, and the words whether it is right.
pub(super) fn about_controls(lang: Lang) -> &'static str {
    lang.pick(
        "Controls look like attacks and must be blocked: of them × blocked is right, and ○ delivered or △ is not.",
        "検査用ファイルは攻撃を模したもので、遮断されることが正しい動作です。「×」は正常、「○」「△」は要対応を表します。",
    )
}
