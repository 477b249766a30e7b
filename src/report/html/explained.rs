//! Why a case is refused, in one sentence of the page's language.

use crate::explain::{Cause, Detail, Explanation, Factor, Finding, Part, Place};
use crate::report::Lang;
use crate::report::explain::{bytes, sentence};
use crate::report::text::shorten;
use crate::verdict::Outcome;

/// What is known, the same for cases with one trigger.
pub(crate) fn told(lang: Lang, explanation: &Explanation) -> String {
    let became = match (lang, explanation.outcome) {
        (Lang::En, _) => return capital(&sentence(explanation)),
        (Lang::Ja, Outcome::Altered) => "改変される",
        (Lang::Ja, Outcome::Rejected) => "申請システム側で拒否される",
        (Lang::Ja, Outcome::Lost) => "受け付け後に失われる",
        (Lang::Ja, _) => "拒否される",
    };
    match &explanation.finding {
        Finding::Flaky { refused: 0, of } => format!("現在は届きます（{of}回中{of}回）。原因は調べられません。"),
        Finding::Flaky { refused, of } => {
            format!("結果が一定しません（{of}回中{refused}回拒否）。特定の原因はありません。")
        }
        Finding::NoReference => "比較対象とする無害なファイルが1件も届かないため、原因を調べられません。".to_owned(),
        Finding::Unknown { .. } => "原因を特定できませんでした。".to_owned(),
        Finding::Causes { causes, proven, .. } => {
            let all: Vec<String> = causes.iter().map(cause).collect();
            let all = all.join("です。これを除いても、次の原因があります: ");
            let unsure = if *proven {
                ""
            } else {
                "確証はありません。ほかにも原因があるか、偶然の応答の可能性があります。"
            };
            format!("{became}原因は、{all}です。{unsure}")
        }
    }
}

/// What was found to be innocent.
pub(crate) fn ruled_out(lang: Lang, explanation: &Explanation) -> Vec<&'static str> {
    match &explanation.finding {
        Finding::Causes { ruled_out, .. } => ruled_out.iter().map(|it| factor(lang, *it)).collect(),
        Finding::Flaky { .. } | Finding::NoReference | Finding::Unknown { .. } => Vec::new(),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    first + chars.as_str()
}

fn factor(lang: Lang, factor: Factor) -> &'static str {
    if lang == Lang::En {
        return factor.words();
    }
    match factor {
        Factor::Extension => "拡張子",
        Factor::Stem => "ファイル名（拡張子を除く）",
        Factor::Type => "申告されたContent-Type",
        Factor::Page => "ページの文字コード",
        Factor::Client => "クライアントの書き方",
        Factor::Transport => "送信方式",
        Factor::Fields => "入力欄・同時に送るファイル",
        Factor::Form => "フォームの書式",
        Factor::Size => "サイズ",
        Factor::Content => "ファイルの内容",
    }
}

fn cause(cause: &Cause) -> String {
    let page = cause.parts.iter().find_map(|part| match (&part.factor, &part.detail) {
        (Factor::Page, Detail::Whole { value }) => Some(value.as_str()),
        _ => None,
    });
    let named = cause.parts.iter().any(|part| part.factor == Factor::Stem);
    // The page says how the filename is written: one thing, not two.
    let told: Vec<String> =
        cause.parts.iter().filter(|part| !(named && part.factor == Factor::Page)).map(|part| one(part, page)).collect();
    let together = if told.len() > 1 { "の組み合わせ" } else { "" };
    told.join("と") + together
}

fn one(Part { factor: of, detail }: &Part, page: Option<&str>) -> String {
    let of_words = factor(Lang::Ja, *of);
    match detail {
        Detail::Whole { value } if value.is_empty() => format!("{of_words}がないこと"),
        Detail::Whole { value } if *of == Factor::Extension => format!("拡張子「{}」", value.to_lowercase()),
        Detail::Whole { value } => format!("{of_words}「{}」", shorten(value, 80)),
        Detail::Unclear => format!("{of_words}（そのうちの何が原因かは特定できていません）"),
        Detail::Characters { text, wire, byte } => {
            let from = page.map_or_else(String::new, |page| format!("、{page}のページから送信した場合"));
            let byte = byte.map_or_else(String::new, |byte| {
                format!("、そのうちのバイト0x{:02X}（{byte}）だけで拒否", u32::from(byte))
            });
            format!("ファイル名に含まれる「{text}」（送信時のバイト列 {wire}{from}{byte}）")
        }
        Detail::Field { names, text, wire } => {
            format!("入力欄「{names}」に含まれる「{text}」（送信時のバイト列 {wire}）")
        }
        Detail::Length { from } => format!("ファイル名が{from}バイト以上であること"),
        Detail::Size { from } => format!("サイズが{from}バイト以上であること"),
        Detail::TooSmall { up_to } => format!("サイズが{up_to}バイト以下であること"),
        Detail::Bytes { runs, place, others, more } => {
            let told: Vec<String> = runs.iter().map(|run| bytes(&run.hex, run.len)).collect();
            let such = if *others { "またはこれに類するもの" } else { "" };
            let at = match (place, &runs[..]) {
                (Some(Place::Only), [run]) => format!("（オフセット{}の位置）", run.offset),
                _ => String::new(),
            };
            let more = if *more { "（同様の箇所がほかにもあります）" } else { "" };
            format!("内容に含まれるバイト列 {}{such}{at}{more}", told.join("と"))
        }
        Detail::Form { lines } => format!("フォームの{}", quoted(lines)),
        Detail::Lines { client, lines } => format!("{client}が書く{}", quoted(lines)),
        Detail::NotAsNamed { offset, hex } if !hex.is_empty() => {
            format!("名前と異なる内容（届くファイルでは、オフセット{offset}に {} があります）", bytes(hex, 0))
        }
        Detail::NotAsNamed { .. } => "名前と異なる内容".to_owned(),
    }
}

fn quoted(lines: &[String]) -> String {
    lines.iter().map(|line| format!("「{}」", shorten(line, 120))).collect::<Vec<_>>().join("と")
}
