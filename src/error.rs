//! What went wrong, where, and what to do about it.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::exit::ExitCode;

/// The result of everything that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Which exit code an error leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The user can mend it before anything is sent: exit code 2.
    Usage,
    /// The world did not allow an answer (disk full, no network): exit code 3.
    Inconclusive,
}

/// One error, as a user reads it: what, where (file, line, key), and help.
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: Kind,
    message: String,
    file: Option<PathBuf>,
    key: Option<String>,
    source_text: Option<(Arc<str>, Range<usize>)>,
    help: Option<String>,
}

impl Error {
    /// An error that the user mends in arguments, configuration or files.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// An error of the world around: the run says nothing, and that is never a pass.
    pub fn inconclusive(message: impl Into<String>) -> Self {
        Self::new(Kind::Inconclusive, message)
    }

    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), file: None, key: None, source_text: None, help: None }))
    }

    /// Names the file that the error is in.
    #[must_use]
    pub fn file(mut self, path: impl AsRef<Path>) -> Self {
        self.0.file = Some(path.as_ref().to_path_buf());
        self
    }

    /// Names the key, dotted from the root of the file: `pace.rate`.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.0.key = Some(key.into());
        self
    }

    /// Points at the bytes `span` of `text`, the file's whole text.
    #[must_use]
    pub fn span(mut self, text: impl Into<Arc<str>>, span: Range<usize>) -> Self {
        self.0.source_text = Some((text.into(), span));
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// The exit code this error leads to.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self.0.kind {
            Kind::Usage => ExitCode::Usage,
            Kind::Inconclusive => ExitCode::Inconclusive,
        }
    }

    /// What went wrong, with the key and without the place.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.0.key {
            Some(key) => format!("{} (key `{key}`)", self.0.message),
            None => self.0.message.clone(),
        }
    }

    /// What to do about it, if that was said.
    #[must_use]
    pub fn help_text(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// The file that the error is in, if it is in one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.0.file.as_deref()
    }

    /// The 1-based line, if the error points into a file's text.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        let (text, span) = self.0.source_text.as_ref()?;
        Some(line_of(text, span.start))
    }

    /// The error as a terminal shows it, with a source snippet where there is one.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let inner = &self.0;
        let mut group = Level::ERROR.primary_title(self.title()).elements(Vec::<annotate_snippets::Element<'_>>::new());
        let path = inner.file.as_ref().map(|file| file.display().to_string());
        if let Some((text, span)) = &inner.source_text {
            let mut snippet = Snippet::source(text.as_ref()).annotation(AnnotationKind::Primary.span(span.clone()));
            if let Some(path) = &path {
                snippet = snippet.path(path.as_str());
            }
            group = group.element(snippet);
        } else if let Some(path) = &path {
            group = group.element(annotate_snippets::Origin::path(path.as_str()));
        }
        if let Some(help) = &inner.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }
}

/// The 1-based line of a byte offset.
#[must_use]
pub fn line_of(text: &str, offset: usize) -> usize {
    memchr::memchr_iter(b'\n', &text.as_bytes()[..offset.min(text.len())]).count() + 1
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title())?;
        match (&self.0.file, self.line()) {
            (Some(file), Some(line)) => write!(f, ", in `{}` line {line}", file.display()),
            (Some(file), None) => write!(f, ", in `{}`", file.display()),
            (None, _) => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
