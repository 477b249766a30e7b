//! The words of a page in its language. The Japanese ones follow the notices of cities: 手続, 申請, 添付ファイル.

use std::collections::BTreeSet;

use crate::compare::{Class, ComparedCase, Comparison, Decision, Reason};
use crate::corpus::{Intent, Kind, NameClass, Transport};
use crate::profile::{Environment, Proof};
use crate::report::Lang;
use crate::report::run_view::Mark;
use crate::report::view::{View, class_meaning, class_words};
use crate::run::RunEnding;
use crate::verdict::Outcome;

/// The word for a class.
pub(crate) fn class(lang: Lang, class: Class) -> &'static str {
    match lang {
        Lang::En => class_words(class),
        Lang::Ja => match class {
            Class::NewlyBlocked => "新たに遮断",
            Class::ProtectionLost => "防御の低下",
            Class::NewlyAltered => "新たに改変",
            Class::WouldBlock => "遮断見込み",
            Class::Flaky => "結果不安定",
            Class::Inconclusive => "判定不能",
            Class::OnlyInBaseline => "変更前のみ",
            Class::OnlyInCandidate => "変更後のみ",
            Class::ReasonChanged => "理由の変化",
            Class::NewlyDelivered => "新たに到達",
            Class::ProtectionGained => "防御の向上",
            Class::Unchanged => "変化なし",
        },
    }
}

/// What a class means, in half a line.
pub(crate) fn meaning(lang: Lang, class: Class) -> &'static str {
    match lang {
        Lang::En => class_meaning(class),
        Lang::Ja => match class {
            Class::NewlyBlocked => "変更前は届き、変更後は届かない正当なファイル",
            Class::ProtectionLost => "これまで止まっていた検査用ファイルが通過",
            Class::NewlyAltered => "変更後は内容・名前・種類が変わって届く",
            Class::WouldBlock => "検知モードのため届くが、遮断モードでは届かない",
            Class::Flaky => "同じ送信でも結果が一定しない",
            Class::Inconclusive => "一方または両方で結果が得られない",
            Class::OnlyInBaseline => "変更後の結果がない（送信していない）",
            Class::OnlyInCandidate => "変更前の結果がない（送信していない）",
            Class::ReasonChanged => "届かないことは同じで、拒否のされ方が異なる",
            Class::NewlyDelivered => "変更前は届かず、変更後は届く正当なファイル",
            Class::ProtectionGained => "これまで通過していた検査用ファイルが止まる",
            Class::Unchanged => "変更前・変更後とも同じ結果",
        },
    }
}

/// The word for what is worth a look in a single run.
pub(crate) fn mark(lang: Lang, mark: Mark) -> &'static str {
    match lang {
        Lang::En => mark.words(),
        Lang::Ja => match mark {
            Mark::NotDelivered => "未到達",
            Mark::ControlDelivered => "検査用ファイルの通過",
            Mark::Flaky => "結果不安定",
            Mark::WouldBlock => "遮断見込み",
            Mark::Inconclusive => "判定不能",
        },
    }
}

/// The word for an outcome.
pub(crate) fn outcome(lang: Lang, outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered => lang.pick("delivered", "到達"),
        Outcome::Altered => lang.pick("altered", "改変"),
        Outcome::Blocked => lang.pick("blocked", "遮断"),
        Outcome::TooLarge => lang.pick("too large", "サイズ超過"),
        Outcome::Challenged => lang.pick("challenged", "追加確認の要求"),
        Outcome::Dropped => lang.pick("dropped", "接続断"),
        Outcome::Rejected => lang.pick("rejected by the application", "申請システム側で拒否"),
        Outcome::Lost => lang.pick("lost", "消失"),
        Outcome::Throttled => lang.pick("throttled", "流量制限"),
        Outcome::Unreachable => lang.pick("unreachable", "接続不可"),
    }
}

/// What the record proves of one side, told in Japanese; the words of the record are quoted beside it.
pub(crate) fn proven(outcome: Outcome, status: Option<u16>, proof: Proof) -> String {
    let means = match proof {
        Proof::Receipt => "受領記録",
        Proof::ReadBack => "読み戻し照合",
        Proof::Marker => "完了表示",
        Proof::Status => "HTTPステータス",
    };
    let answer = status.map_or_else(|| "応答がなく".to_owned(), |status| format!("HTTPステータス{status}の応答があり"));
    match outcome {
        Outcome::Delivered => format!("{means}により、届いたことを確認しました。"),
        Outcome::Altered => "届きましたが、内容・名前・種類のいずれかが送ったものと異なります。".to_owned(),
        Outcome::Blocked | Outcome::TooLarge | Outcome::Challenged | Outcome::Dropped => {
            format!("{answer}、{means}による到達の確認が取れませんでした。")
        }
        Outcome::Rejected => format!("{answer}、申請システム自身が拒否しました。"),
        Outcome::Lost => "いったん届きましたが、後で確認すると存在しませんでした。".to_owned(),
        Outcome::Throttled => "送信を制限されたため、結果が得られませんでした。".to_owned(),
        Outcome::Unreachable => "接続や確認ができなかったため、結果が得られませんでした。".to_owned(),
    }
}

/// What people see of an outcome that is no pass.
pub(crate) fn seen(lang: Lang, outcome: Outcome, status: Option<u16>, is_empty: bool) -> String {
    let fixed = match (outcome, status) {
        (Outcome::Challenged, _) => lang.pick(
            "People are asked to prove that they are human; in some pages they can't go on.",
            "CAPTCHAなどの確認を求められます。画面によっては先に進めません。",
        ),
        (Outcome::Dropped, _) => lang.pick(
            "The connection seems to break, or nothing comes. It is not proven that the file arrived.",
            "通信が切れたように見えるか、応答がありません。届いたことは確認できていません。",
        ),
        (Outcome::Altered, _) => lang.pick(
            "Everything looks well, and the file that arrived is not the one that was attached.",
            "申請は完了したように見えますが、届いたファイルは元のものと異なります。",
        ),
        (Outcome::Lost, _) => lang.pick(
            "Everything looks well, and the file is gone later.",
            "申請は完了しますが、ファイルは後から失われます。",
        ),
        (Outcome::Rejected, _) => {
            lang.pick("The application shows an error of its own.", "申請システムのエラー画面が表示されます。")
        }
        (Outcome::Delivered, _) => lang.pick("The upload gets through.", "添付ファイルは届きます。"),
        (Outcome::Throttled | Outcome::Unreachable, _) => {
            lang.pick("It is not known what people would see.", "申請者に見える画面は確認できていません。")
        }
        (_, Some(413)) => {
            lang.pick("A page says that the file is too large.", "ファイルが大きすぎることを示す画面が表示されます。")
        }
        (_, Some(200..=299)) if is_empty => lang.pick(
            "A blank page. It can't be told from a network failure.",
            "何も表示されない画面になります。通信障害と区別がつきません。",
        ),
        (_, Some(200..=299)) => lang.pick(
            "A page that is not the one that says that the form was received.",
            "申請完了ではない画面が表示されます。",
        ),
        (_, Some(300..=399)) => lang.pick(
            "People are led to another page, and the form is not received.",
            "別のページに移動し、申請は完了しません。",
        ),
        (_, Some(404)) => lang.pick(
            "A page that says \"404 Not Found\", or looks like it. The form is not received.",
            "「404 Not Found」などと表示されます。申請完了の画面は表示されません。",
        ),
        (_, Some(403)) => lang.pick(
            "A page that refuses access (403). The form is not received.",
            "アクセスを拒否する画面（403）が表示されます。申請は受け付けられません。",
        ),
        (_, Some(status)) => {
            return lang.pick(
                format!("A page with the HTTP status {status}. The form is not received."),
                format!("HTTPステータス{status}の画面が表示されます。申請は受け付けられません。"),
            );
        }
        (_, None) => lang.pick("No page at all: there was no answer.", "応答がなく、画面は表示されません。"),
    };
    fixed.to_owned()
}

/// The word for a kind of file.
pub(crate) fn kind(lang: Lang, kind: Kind) -> &'static str {
    match kind {
        Kind::Pdf => lang.pick("PDF and print formats", "PDF・DocuWorks等"),
        Kind::Document => lang.pick("documents", "文書"),
        Kind::Spreadsheet => lang.pick("spreadsheets", "表計算"),
        Kind::Presentation => lang.pick("presentations", "プレゼンテーション"),
        Kind::Text => lang.pick("text and data", "テキスト・データ"),
        Kind::Mail => lang.pick("mail, dates, contacts", "メール・予定・連絡先"),
        Kind::Image => lang.pick("images", "画像"),
        Kind::Archive => lang.pick("archives", "圧縮ファイル"),
        Kind::Drawing => lang.pick("drawings and maps", "図面・地図"),
        Kind::Media => lang.pick("sound and video", "音声・動画"),
        Kind::Certificate => lang.pick("certificates, signatures", "証明書・署名"),
        Kind::Other => lang.pick("other", "その他"),
    }
}

/// The words for a class of filenames.
pub(crate) fn name_class(lang: Lang, class: NameClass) -> &'static str {
    match class {
        NameClass::Plain => lang.pick("plain ASCII", "英数字のみ"),
        NameClass::Japanese => lang.pick("Japanese", "日本語"),
        NameClass::OtherScript => lang.pick("other scripts", "その他の文字"),
        NameClass::Nfd => lang.pick("decomposed (NFD)", "濁点分離（NFD）"),
        NameClass::Sjis => "Shift_JIS",
        NameClass::Sjis5c => lang.pick("Shift_JIS with 0x5C", "Shift_JIS（2バイト目が0x5C）"),
        NameClass::EucJp => "EUC-JP",
        NameClass::Iso2022Jp => "ISO-2022-JP",
        NameClass::FullWidth => lang.pick("full width", "全角英数・記号"),
        NameClass::HalfWidthKana => lang.pick("half-width kana", "半角カナ"),
        NameClass::MachineDependent => lang.pick("vendor characters (①㈱髙)", "機種依存文字（①㈱髙）"),
        NameClass::WaveDash => lang.pick("wave dash", "波ダッシュ"),
        NameClass::Emoji => lang.pick("emoji, rare kanji", "絵文字など"),
        NameClass::Space => lang.pick("blanks", "空白"),
        NameClass::Brackets => lang.pick("brackets", "かっこ"),
        NameClass::Apostrophe => lang.pick("apostrophe", "アポストロフィー（'）"),
        NameClass::DoubleQuote => lang.pick("double quote", "二重引用符（\"）"),
        NameClass::Colon => lang.pick("colon", "コロン（:）"),
        NameClass::Semicolon => lang.pick("semicolon", "セミコロン（;）"),
        NameClass::Equals => lang.pick("equals sign", "等号（=）"),
        NameClass::Percent => lang.pick("& + # %", "&・+・#・%"),
        NameClass::Backslash => lang.pick("backslash", "円記号・バックスラッシュ（\\）"),
        NameClass::Slash => lang.pick("slash", "スラッシュ（/）"),
        NameClass::EncodedWord => lang.pick("encoded word (=?…?=)", "MIMEエンコード語（=?…?=）"),
        NameClass::DoubleExtension => lang.pick("double extension", "二重拡張子"),
        NameClass::NoExtension => lang.pick("no extension", "拡張子なし"),
        NameClass::UpperExtension => lang.pick("capital extension", "大文字の拡張子"),
        NameClass::LeadingDot => lang.pick("leading dot", "先頭がドット"),
        NameClass::LeadingSpace => lang.pick("leading blank", "先頭が空白"),
        NameClass::TrailingDot => lang.pick("trailing dot", "末尾がドット"),
        NameClass::LockFile => lang.pick("lock file (~$)", "ロックファイル（~$）"),
        NameClass::Long => lang.pick("over 100 bytes", "長い名前（100バイト超）"),
        NameClass::Bytes255 => lang.pick("255 bytes or more", "255バイト以上"),
        NameClass::Empty => lang.pick("empty", "名前なし"),
    }
}

/// The words for a transport.
pub(crate) fn transport(lang: Lang, transport: Transport) -> &'static str {
    match transport {
        Transport::Multipart => lang.pick("form (multipart/form-data)", "フォーム送信（multipart/form-data）"),
        Transport::Put => lang.pick("PUT of the file", "PUT（本文がファイル）"),
        Transport::Base64Json => lang.pick("JSON with base64", "JSON（Base64）"),
    }
}

/// The word for a decision.
pub(crate) fn decision(lang: Lang, decision: Decision) -> &'static str {
    match decision {
        Decision::Pass => lang.pick("PASS", "合格"),
        Decision::Fail => lang.pick("FAIL", "不合格"),
        Decision::Inconclusive => lang.pick("INCONCLUSIVE", "判定不能"),
    }
}

/// What passes rest on.
pub(crate) fn proof(lang: Lang, proof: Proof) -> &'static str {
    match proof {
        Proof::Receipt => lang.pick(
            "receipt of the origin (SHA-256, size, name and type as it got them)",
            "受領記録（受付サーバーが受け取ったファイルのSHA-256・サイズ・名前・種類）",
        ),
        Proof::ReadBack => lang.pick("read back, and the SHA-256 compared", "読み戻し照合（SHA-256）"),
        Proof::Marker => lang.pick("the page says that it was received", "完了表示（受付番号など）"),
        Proof::Status => {
            lang.pick("the HTTP status alone: WEAK, an edge may refuse with 200", "HTTPステータスのみ（弱い確認）")
        }
    }
}

/// What stands behind an edge.
pub(crate) fn environment(lang: Lang, environment: Environment) -> &'static str {
    match environment {
        Environment::Lab => lang.pick("lab", "試験環境（ラボ）"),
        Environment::Staging => lang.pick("staging", "検証環境（ステージング）"),
        Environment::Production => lang.pick("PRODUCTION", "本番環境"),
    }
}

/// How a run ended, and what was seen of it; `None`: well.
pub(crate) fn ending(lang: Lang, ending: Option<&RunEnding>) -> Option<(&'static str, Option<&str>)> {
    Some(match ending {
        None => (
            lang.pick(
                "it did not end: killed, or still being written",
                "最後まで終わっていません（強制終了、または書き込み中）",
            ),
            None,
        ),
        Some(RunEnding::Complete) => return None,
        Some(RunEnding::Interrupted) => (lang.pick("it was interrupted before its end", "途中で中断されました"), None),
        Some(RunEnding::Banned { detail }) => (
            lang.pick("it ended early, banned by the edge", "エッジに送信を禁止され、途中で終了しました"),
            Some(detail),
        ),
        Some(RunEnding::Ceiling { detail }) => {
            (lang.pick("it ended early at a ceiling", "上限に達し、途中で終了しました"), Some(detail))
        }
        Some(RunEnding::Unreachable { detail }) => {
            (lang.pick("it could not begin, nothing can be asked", "接続できず、開始できませんでした"), Some(detail))
        }
        Some(RunEnding::OtherSideEnded) => (
            lang.pick(
                "it ended early, because the other edge could not go on",
                "もう一方のエッジが続けられなくなり、途中で終了しました",
            ),
            None,
        ),
    })
}

/// A number that is told together with its limit: the gate says `3 cases …, at most 0 allowed`.
fn limited(what: &str, message: &str) -> String {
    let number = message.split_whitespace().next().unwrap_or_default();
    let waived = message.split_once(" (").and_then(|(_, rest)| rest.split_once(" more waived"));
    let waived = waived.map(|(count, _)| format!("ほかに{count}件が許容登録済み"));
    let limit = message.split_once("at most ").and_then(|(_, rest)| rest.strip_suffix(" allowed"));
    let limit = limit.map(|limit| match limit.parse::<u64>() {
        Ok(limit) => format!("許容上限 {limit}件"),
        Err(_) => format!("許容上限 {limit}"),
    });
    let more: Vec<String> = limit.into_iter().chain(waived).collect();
    let more = if more.is_empty() { String::new() } else { format!("（{}）", more.join("、")) };
    format!("{what}{number}件あります{more}。")
}

/// A reason of the decision. In Japanese it is told anew from its code; a code that is not known is quoted.
pub(crate) fn reason(lang: Lang, reason: &Reason) -> (String, bool) {
    let message = reason.message.as_str();
    if lang == Lang::En {
        return (message.to_owned(), false);
    }
    let told = match reason.code.as_str() {
        "newly_blocked" => limited("変更後に届かなくなる正当なファイルが", message),
        "protection_lost" => limited("これまで止まっていて、変更後は通過する検査用ファイルが", message),
        "newly_altered" => limited("変わって届くファイルが", message),
        "would_block" => limited("遮断モードでは届かなくなるファイルが", message),
        "reason_changed" => limited("拒否の理由が変わったケースが", message),
        "max_flaky" => limited("結果が一定しないケースが", message),
        "max_inconclusive" => limited("結果の得られないケースが", message),
        "not_delivered" => count(message, "届かない正当なファイルが", "件あります。"),
        "control_delivered" => count(message, "エッジを通過した検査用ファイルが", "件あります。"),
        "inconclusive" => count(message, "結果の得られないケースが", "件あります。"),
        "flaky" => count(message, "結果が一定しないケースが", "件あります。"),
        "deny_unused_waivers" => "どの指摘事項にも該当しない許容登録があります。".to_owned(),
        "run_incomplete" => incomplete(message),
        "dead_baseline" => {
            "変更前に届いたファイルが1件もないため、失われたものを判断できません。プロファイルの設定を確認してください。".to_owned()
        }
        "min_coverage" => "変更後で結果が得られたケースが、必要な割合に達していません。".to_owned(),
        "min_cases" => "両方で結果が得られたケースが、必要な件数に達していません。".to_owned(),
        "require_controls" => {
            "両方に送信した検査用ファイルがありません。エッジの管理者の同意を得て、プロファイルで許可してください。"
                .to_owned()
        }
        "empty_corpus" => "比較するケースがありません。".to_owned(),
        "same_edge" => "変更前と変更後が同じエッジです。".to_owned(),
        "different_corpora" => "変更前と変更後で、送信したコーパスが異なります。".to_owned(),
        _ => return (message.to_owned(), true),
    };
    (told, false)
}

/// Which side did not come to its end, and how.
fn incomplete(message: &str) -> String {
    let side = match () {
        () if message.starts_with("the candidate") => "変更後のエッジへの送信",
        () if message.starts_with("the baseline") => "変更前のエッジへの送信",
        () => "送信",
    };
    let how = match () {
        () if message.contains("banned") => "エッジに送信を禁止されたため、途中で終わりました",
        () if message.contains("ceiling") => "上限に達したため、途中で終わりました",
        () if message.contains("can't be asked") => "接続できないため、始められませんでした",
        () if message.contains("interrupted") => "途中で中断されました",
        () if message.contains("other edge") => "もう一方のエッジが続けられなくなったため、途中で終わりました",
        () => "最後まで完了していません",
    };
    format!("{side}は、{how}。")
}

fn count(message: &str, before: &str, after: &str) -> String {
    format!("{before}{}{after}", message.split_whitespace().next().unwrap_or_default())
}

/// A warning of a comparison. In Japanese those that are known are told anew, and others are quoted.
pub(crate) fn warning(lang: Lang, text: &str) -> (String, bool) {
    if lang == Lang::En {
        return (text.to_owned(), false);
    }
    let side = |text: &str| if text.contains("candidate") { "変更後" } else { "変更前" };
    let told = if text.contains("passes are weak") {
        format!(
            "{}の到達確認は弱いものです。HTTPステータスだけを根拠にしており、エッジは拒否に200を返すことがあります。",
            side(text)
        )
    } else if text.contains("certificates were not checked") {
        format!("{}のサーバー証明書を検証していません。", side(text))
    } else if text.contains("different kinds of proof") {
        "変更前と変更後で、到達確認の方法が異なります。".to_owned()
    } else if text.contains("every control gets through") {
        "変更前のエッジが検査用ファイルをすべて通しています。WAFが有効か確認してください。".to_owned()
    } else if text.contains("no control was asked") {
        "検査用ファイルを両方に送っていないため、防御の低下は検出できません。".to_owned()
    } else if let Some((waiver, end)) = waiver(text) {
        format!("{end}: {waiver}")
    } else if let Some((_, rest)) = text.split_once("log says nothing of ") {
        let count = rest.split_whitespace().next().unwrap_or_default();
        format!(
            "{}: 拒否された{count}件について、WAFのログに記録がありません。別の仕組みが拒否しているか、ログにケースの識別子が残っていません。",
            side(text)
        )
    } else {
        return (text.to_owned(), true);
    };
    (told, false)
}

/// The waiver that a warning speaks of, and what of it.
fn waiver(text: &str) -> Option<(&str, String)> {
    let rest = text.strip_prefix("the waiver of ")?;
    if let Some(waiver) = rest.strip_suffix(" matches no finding") {
        return Some((waiver, "どの指摘事項にも該当しない許容登録です".to_owned()));
    }
    if let Some((waiver, rest)) = rest.split_once(" expired on ") {
        let day = rest.split(':').next().unwrap_or(rest);
        return Some((waiver, format!("許容登録が{day}で期限切れです。指摘事項として再び数えます")));
    }
    let (waiver, day) = rest.split_once(" expires on ")?;
    Some((waiver, format!("許容登録の期限が近づいています（{day}まで）")))
}

/// Cases of a class, whether the gate counts them or not.
fn all_of(view: &View<'_>, class: Class) -> usize {
    view.counts.get(&class).copied().unwrap_or_default()
}

/// The verdict in one sentence. What the gate does not count, or a waiver covers, is told as well: people meet it all the same.
pub(crate) fn verdict(lang: Lang, view: &View<'_>) -> String {
    let doubtful: usize = Class::DOUBTFUL.iter().map(|class| all_of(view, *class)).sum();
    let passes = view.comparison.decision == Decision::Pass;
    if lang == Lang::En {
        let sentence = view.sentence();
        let told: Vec<String> = Class::DOUBTFUL
            .into_iter()
            .filter(|class| all_of(view, *class) > 0)
            .map(|class| format!("{} {}", all_of(view, class), class_words(class)))
            .collect();
        return match view.comparison.decision {
            Decision::Pass if doubtful == 0 => format!("All that got through still does: {sentence}"),
            Decision::Pass => {
                format!("The gate lets it pass, with cases that are waived or not counted: {}", told.join(", "))
            }
            Decision::Fail => format!("The change must not go live: {sentence}"),
            Decision::Inconclusive => format!("It can't be told, so it is no pass: {sentence}"),
        };
    }
    let total = view.comparison.cases.len();
    let told_of: Vec<&ComparedCase> =
        if passes { view.comparison.cases.iter().collect() } else { view.findings.clone() };
    let procedures = match view.procedures.len() {
        0 => String::new(),
        count => format!("{count}手続に影響します。"),
    };
    let mut told: Vec<String> = Vec::new();
    for class in Class::ALL.into_iter().filter(|class| !passes || Class::DOUBTFUL.contains(class)) {
        let cases = || told_of.iter().filter(|case| case.class == class);
        let count = cases().count();
        if count == 0 {
            continue;
        }
        told.push(match class {
            Class::NewlyBlocked => {
                let files: BTreeSet<&str> = cases().map(|case| case.id.attachment()).collect();
                format!(
                    "変更後に届かなくなる添付ファイルがあります（{}種類のファイル、{count}件。全{total}件中）。{procedures}",
                    files.len()
                )
            }
            Class::ProtectionLost => {
                format!("これまで止まっていた検査用ファイルが、変更後は通過します（{count}件）。")
            }
            Class::NewlyAltered => {
                format!("変更後に内容やファイル名が変わって届く添付ファイルがあります（{count}件）。")
            }
            Class::WouldBlock => format!(
                "検知モードでは届いていますが、遮断モードに切り替えると届かなくなる添付ファイルがあります（{count}件）。"
            ),
            Class::Flaky => format!("送るたびに結果が変わるケースがあります（{count}件）。"),
            other => format!("「{}」が{count}件あります。", self::class(lang, other)),
        });
    }
    let more = told.len() > 2;
    told.truncate(2);
    let found = told.concat() + if more { "ほかにも指摘事項があります。" } else { "" };
    let waived = match view.waived.len() {
        0 => String::new(),
        count => format!("うち{count}件は許容登録済みです。"),
    };
    match view.comparison.decision {
        Decision::Pass if doubtful == 0 => {
            let legitimate = view.comparison.cases.iter().filter(|case| case.intent == Intent::Legit).count();
            format!("変更前に届いていた添付ファイルは、変更後もすべて届きます（正当なファイル{legitimate}件を確認）。")
        }
        Decision::Pass => {
            format!("合否判定の基準内ですが、許容登録済み、または判定の対象外のものがあります。{found}{waived}")
        }
        Decision::Fail if found.is_empty() => "合否判定の条件を満たしていません。理由は下記のとおりです。".to_owned(),
        Decision::Fail => match view.waived.len() {
            0 => found,
            count => format!("{found}このほかに{count}件が許容登録済みです。"),
        },
        Decision::Inconclusive => format!("確認が十分でないため、合否を判定できません。合格とは扱いません。{found}"),
    }
}

/// Whether no control was sent to one of the sides.
pub(crate) fn without_controls(comparison: &Comparison) -> bool {
    !(comparison.baseline.run.authorized && comparison.candidate.run.authorized)
}
