//! `${capture}`, `{attempt}`, `{case}` and `{run}` in the values of a profile.

/// A part of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// Text as it is.
    Literal(&'a str),
    /// `${name}`.
    Capture(&'a str),
    /// `{attempt}`.
    Attempt,
    /// `{case}`.
    Case,
    /// `{run}`.
    Run,
}

/// The parts of a template, in order. Braces that name nothing known are literal.
#[must_use]
pub fn parts(template: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = template;
    let mut literal = 0;
    while let Some(found) = rest[literal..].find(['$', '{']) {
        let at = literal + found;
        match placeholder(&rest[at..]) {
            Some((part, len)) => {
                if at > 0 {
                    parts.push(Part::Literal(&rest[..at]));
                }
                parts.push(part);
                rest = &rest[at + len..];
                literal = 0;
            }
            None => literal = at + 1,
        }
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest));
    }
    parts
}

/// The names of the captures that a template uses.
pub fn captures(template: &str) -> impl Iterator<Item = &str> {
    parts(template).into_iter().filter_map(|part| match part {
        Part::Capture(name) => Some(name),
        Part::Literal(_) | Part::Attempt | Part::Case | Part::Run => None,
    })
}

fn placeholder(text: &str) -> Option<(Part<'_>, usize)> {
    for (mark, part) in [("{attempt}", Part::Attempt), ("{case}", Part::Case), ("{run}", Part::Run)] {
        if text.starts_with(mark) {
            return Some((part, mark.len()));
        }
    }
    let inner = text.strip_prefix("${")?;
    let end = inner.find('}')?;
    Some((Part::Capture(&inner[..end]), end + 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_cut_at_what_is_filled_in() {
        let found = parts(r#"{"a":"{attempt}","t":"${csrf}$5{x}"}{case}{run}"#);
        let expected = [
            Part::Literal(r#"{"a":""#),
            Part::Attempt,
            Part::Literal(r#"","t":""#),
            Part::Capture("csrf"),
            Part::Literal(r#"$5{x}"}"#),
            Part::Case,
            Part::Run,
        ];
        assert_eq!(found, expected);
    }
}
