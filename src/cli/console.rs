//! What is written for people: results to stdout, everything else to stderr.

use std::io::{self, IsTerminal as _, Write};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::report::Format;

/// When colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless `NO_COLOR` says otherwise.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Where a command writes to.
#[derive(Debug)]
pub(crate) struct Console {
    when: When,
    no_progress: bool,
}

impl Console {
    pub(crate) fn new(when: When, no_progress: bool) -> Self {
        Self { when, no_progress }
    }

    /// Whether stdout gets colours.
    pub(crate) fn colour(&self) -> bool {
        self.choice(&io::stdout()) != anstream::ColorChoice::Never
    }

    /// Columns of stdout's terminal; 100 where there is none, so that stored text does not depend on a window.
    pub(crate) fn width() -> usize {
        if !io::stdout().is_terminal() {
            return 100;
        }
        let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        columns.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))).unwrap_or(100)
    }

    /// Whether progress is shown as a bar; otherwise as lines now and then, or (`None`) not at all.
    pub(crate) fn progress_bar(&self) -> Option<bool> {
        let bar = io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        (!self.no_progress).then_some(bar)
    }

    /// Writes a result to stdout. A reader that went away (`| head`) is no error.
    pub(crate) fn out(&self, text: &str) -> Result<()> {
        let mut stdout = anstream::AutoStream::new(io::stdout().lock(), self.choice(&io::stdout()));
        tolerate_closed(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
    }

    /// Writes a report to stdout: for people with or without colours, for programs byte by byte.
    pub(crate) fn report(&self, format: Format, render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        if format == Format::Terminal { self.render(render) } else { Self::render_bytes(render) }
    }

    /// Writes text for people to stdout as it is rendered, so that a report of any size is never held whole.
    pub(crate) fn render(&self, render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        let stdout = anstream::AutoStream::new(io::stdout().lock(), self.choice(&io::stdout()));
        let mut out = io::BufWriter::with_capacity(1 << 16, stdout);
        tolerate_closed(render(&mut out).and_then(|()| out.flush()))
    }

    /// Writes a result for programs to stdout: its bytes stay as they are. What strips colours would take names apart.
    pub(crate) fn render_bytes(render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
        tolerate_closed(render(&mut out).and_then(|()| out.flush()))
    }

    /// Writes a document for programs to stdout.
    pub(crate) fn json(document: &impl Serialize) -> Result<()> {
        Self::render_bytes(|out| {
            serde_json::to_writer_pretty(&mut *out, document).map_err(Into::into).and_then(|()| writeln!(out))
        })
    }

    /// Whether stdout is a terminal.
    pub(crate) fn is_terminal() -> bool {
        io::stdout().is_terminal()
    }

    /// Says something on stderr.
    pub(crate) fn note(&self, text: &str) {
        let mut stderr = anstream::AutoStream::new(io::stderr().lock(), self.choice(&io::stderr()));
        // Nothing can be done about a closed stderr, and the result does not depend on it.
        let _ = writeln!(stderr, "{text}");
    }

    /// Says on stderr what a reader must know.
    pub(crate) fn warn(&self, text: &str) {
        self.note(&format!("warning: {text}"));
    }

    /// Shows an error.
    pub(crate) fn error(&self, error: &Error) {
        let colour = self.choice(&io::stderr()) != anstream::ColorChoice::Never;
        self.note(&error.render(colour));
    }

    fn choice(&self, stream: &impl anstream::stream::RawStream) -> anstream::ColorChoice {
        match self.when {
            When::Auto => anstream::AutoStream::choice(stream),
            When::Always => anstream::ColorChoice::Always,
            When::Never => anstream::ColorChoice::Never,
        }
    }
}

/// Turns a failed write to stdout into an error, unless the reader went away.
fn tolerate_closed(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::inconclusive(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Shows clap's own errors, help and version.
pub(crate) fn clap_error(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.use_stderr() { ExitCode::Usage } else { ExitCode::Passed }
}
