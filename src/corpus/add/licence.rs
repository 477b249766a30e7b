//! SPDX licence expressions (SPDX 3.0, annex B), as far as their form goes.

/// Whether `text` is one: identifiers, joined by `AND`, `OR` and `WITH`, with parentheses.
pub(super) fn is_expression(text: &str) -> bool {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let mut tokens = spaced.split_ascii_whitespace().peekable();
    expression(&mut tokens) && tokens.next().is_none()
}

type Tokens<'a> = std::iter::Peekable<std::str::SplitAsciiWhitespace<'a>>;

fn expression(tokens: &mut Tokens<'_>) -> bool {
    loop {
        if !operand(tokens) {
            return false;
        }
        if tokens.next_if(|token| matches!(*token, "AND" | "and" | "OR" | "or")).is_none() {
            return true;
        }
    }
}

fn operand(tokens: &mut Tokens<'_>) -> bool {
    if tokens.next_if_eq(&"(").is_some() {
        return expression(tokens) && tokens.next_if_eq(&")").is_some();
    }
    let licence = tokens.next().is_some_and(is_licence);
    let exception =
        tokens.next_if(|token| matches!(*token, "WITH" | "with")).is_none() || tokens.next().is_some_and(is_identifier);
    licence && exception
}

/// `CC0-1.0`, `GPL-2.0+`, `LicenseRef-internal`, `DocumentRef-ours:LicenseRef-1`.
fn is_licence(token: &str) -> bool {
    let token = token.strip_suffix('+').unwrap_or(token);
    match token.split_once(':') {
        Some((document, licence)) => {
            document.starts_with("DocumentRef-")
                && licence.starts_with("LicenseRef-")
                && is_identifier(document)
                && is_identifier(licence)
        }
        None => is_identifier(token),
    }
}

fn is_identifier(token: &str) -> bool {
    let operator = ["AND", "OR", "WITH"].iter().any(|operator| token.eq_ignore_ascii_case(operator));
    let first = token.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    !operator && first && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_known_by_its_form() {
        for sound in [
            "CC0-1.0",
            "GPL-2.0+",
            "LicenseRef-internal",
            "DocumentRef-ours:LicenseRef-1",
            "MIT OR Apache-2.0",
            "(MIT and (Apache-2.0 OR CC-BY-4.0)) OR 0BSD",
            "GPL-2.0-only WITH Classpath-exception-2.0",
        ] {
            assert!(is_expression(sound), "{sound}");
        }
        for wrong in [
            "",
            " ",
            "our own",
            "社内",
            "MIT,Apache-2.0",
            "MIT/Apache-2.0",
            "MIT OR",
            "OR MIT",
            "(MIT",
            "MIT)",
            "MIT WITH",
            "MIT AND OR ISC",
            "a:b",
            "CC BY 4.0",
            "\"MIT\"",
            "-",
            "()",
        ] {
            assert!(!is_expression(wrong), "{wrong}");
        }
    }
}
