//! Text for people: nothing hidden in it, and measured in columns.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::corpus::name::is_hidden;

/// `text` on one line, with everything that a terminal would obey, hide or reorder written as `\u{…}`.
///
/// Filenames and answers of servers come from strangers: an escape sequence could recolour or wipe the report, and a
/// right-to-left override shows `fdp.exe` as `exe.pdf`.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_hidden(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Columns that `text` takes; East Asian full-width characters take two.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// `text` cut to at most `limit` characters, with `…` in place of what is missing.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

/// `text` followed by blanks up to `width` columns.
pub(crate) fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// Breaks `text` at blanks into lines of at most `width` columns; a longer word is broken where it must be.
/// Between full-width characters a line may break anywhere, as Japanese does.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(2);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    // The byte after the last blank of `line`: where it may be cut without breaking a word.
    let mut after_blank = None;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        while used + wide > width && used > 0 {
            let rest = match after_blank.take() {
                Some(at) if c != ' ' && wide < 2 => line.split_off(at),
                Some(_) | None => String::new(),
            };
            lines.push(line.trim_end().to_owned());
            line = rest;
            used = columns(&line);
        }
        if c == ' ' && used == 0 && !lines.is_empty() {
            continue;
        }
        line.push(c);
        used += wide;
        let combines = wide == 0 && after_blank == Some(line.len() - c.len_utf8());
        if c == ' ' || wide == 2 || combines {
            after_blank = Some(line.len());
        }
    }
    if !line.trim_end().is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// `1 case`, `2 cases`.
pub(crate) fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// `1,048,576`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_or_hide_is_written_out() {
        assert_eq!(
            visible("a\u{1b}[2Jb\u{202e}fdp\u{200b}\r\n\t\u{0}"),
            "a\\u{1b}[2Jb\\u{202e}fdp\\u{200b}\\r\\n\\t\\u{0}"
        );
        assert_eq!(visible("排水設備計画確認申請書(最終).pdf"), "排水設備計画確認申請書(最終).pdf");
    }

    #[test]
    fn digits_stand_in_groups_of_three() {
        let told = [0, 999, 1000, 131_072, 13_107_200].map(grouped);
        assert_eq!(told, ["0", "999", "1,000", "131,072", "13,107,200"]);
    }

    #[test]
    fn japanese_breaks_between_characters_and_english_between_words() {
        assert_eq!(wrap("建築確認申請", 5), ["建築", "確認", "申請"]);
        assert_eq!(wrap("the edge answered", 10), ["the edge", "answered"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("", 4), [""]);
    }

    proptest! {
        #[test]
        fn no_wrapped_line_is_wider_than_asked_and_no_visible_character_is_lost(text in "[ -~あ-ん漢字é\u{301}]{0,80}", width in 2usize..40) {
            let lines = wrap(&text, width);
            for line in &lines {
                prop_assert!(columns(line) <= width, "{line:?} is wider than {width}");
            }
            let ink = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(ink(&lines.concat()), ink(&text));
        }
    }
}
