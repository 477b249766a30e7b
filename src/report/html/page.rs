//! The shell of a page: one file that asks the network for nothing and runs no script but its own.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use crate::report::Lang;
use crate::report::text::visible;

/// The style of every page.
const STYLE: &str = include_str!("style.css");

/// What a page is.
pub(crate) struct Page<'a> {
    /// The language of its text.
    pub(crate) lang: Lang,
    /// Its title.
    pub(crate) title: &'a str,
    /// Its script; everything is to be readable without.
    pub(crate) script: Option<&'a str>,
}

impl Page<'_> {
    /// Writes the page around what `body` writes.
    pub(crate) fn write(
        &self,
        out: &mut dyn Write,
        body: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let head = html! {
            meta charset="utf-8";
            // NOTE: first of all, and by digests: nothing from outside is loaded, and no text of a file's name is ever run.
            meta http-equiv="Content-Security-Policy" content=(self.policy());
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="referrer" content="no-referrer";
            meta name="robots" content="noindex";
            meta name="generator" content=(concat!("wafcanary ", env!("CARGO_PKG_VERSION")));
            title { (shown(self.title)) }
            style { (PreEscaped(STYLE)) }
        };
        let skip = self.lang.pick("Skip to the content", "本文へ移動");
        let top = html! { a.skip href="#main" { (skip) } };
        write!(
            out,
            "{}<html lang=\"{}\"><head>{}</head><body>{}",
            DOCTYPE.into_string(),
            self.lang.tag(),
            head.into_string(),
            top.into_string()
        )?;
        body(out)?;
        if let Some(script) = self.script {
            write!(out, "<script>{script}</script>")?;
        }
        writeln!(out, "</body></html>")
    }

    fn policy(&self) -> String {
        let digest = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
        let script = self.script.map_or_else(|| "'none'".to_owned(), digest);
        format!(
            "default-src 'none'; style-src {}; script-src {script}; img-src data:; base-uri 'none'; form-action 'none'",
            digest(STYLE)
        )
    }
}

/// Text of strangers: what a browser would obey, hide or reorder is shown as `\u{…}`; maud escapes the rest.
pub(crate) fn shown(text: &str) -> String {
    visible(text)
}

/// A name of a stranger, as a unit of its own direction. One that can't be seen is shown by signs.
pub(crate) fn name(text: &str) -> Markup {
    let text = match shown(text) {
        empty if empty.is_empty() => "\"\"".to_owned(),
        blank if blank.trim().is_empty() => "␣".repeat(blank.chars().count()),
        text => text,
    };
    html! { bdi { (text) } }
}

/// A name, an id or bytes in letters of one width.
pub(crate) fn code(text: &str) -> Markup {
    html! { code { bdi { (shown(text)) } } }
}
