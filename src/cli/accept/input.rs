//! Lines from the terminal, until it ends or somebody presses Ctrl-C.

use std::io::{self, BufRead as _};
use std::sync::mpsc;

use tokio::runtime::Runtime;
use tokio::sync::{mpsc as async_mpsc, watch};
use unicode_normalization::UnicodeNormalization as _;

use super::super::console::Console;
use super::super::session;
use crate::error::{Error, Result};

/// What was typed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// A line, without its end and the blanks around it.
    Line(String),
    /// The terminal ended: Ctrl-D, or a window that was closed.
    End,
    /// Ctrl-C or SIGTERM.
    Interrupted,
}

/// Who types. The terminal edits the line, so that whatever can be typed there, Japanese too, arrives as it stands.
pub(super) struct Input {
    runtime: Runtime,
    stop: watch::Receiver<bool>,
    ask: mpsc::Sender<()>,
    lines: async_mpsc::UnboundedReceiver<io::Result<Option<String>>>,
}

impl Input {
    pub(super) fn new() -> Result<Self> {
        let runtime = session::runtime()?;
        let stop = runtime.block_on(async { session::stop_on_signal() });
        let (ask, asked) = mpsc::channel();
        let (tell, lines) = async_mpsc::unbounded_channel();
        // A read of a terminal can't be taken back, so it has a thread of its own, which ends with the process.
        std::thread::spawn(move || {
            while asked.recv().is_ok() {
                if tell.send(line()).is_err() {
                    break;
                }
            }
        });
        Ok(Self { runtime, stop, ask, lines })
    }

    /// Asks, and waits for a line.
    pub(super) fn line(&mut self, prompt: &str, console: &Console) -> Result<Typed> {
        console.out(prompt)?;
        if self.ask.send(()).is_err() {
            return Ok(Typed::End);
        }
        let (stop, lines) = (&mut self.stop, &mut self.lines);
        let read = self.runtime.block_on(async {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => None,
                line = lines.recv() => line,
            }
        });
        let typed = match read {
            None => Typed::Interrupted,
            Some(Ok(Some(line))) => return Ok(Typed::Line(line.trim().to_owned())),
            Some(Ok(None)) => Typed::End,
            Some(Err(error)) => return Err(Error::inconclusive(format!("cannot read from the terminal: {error}"))),
        };
        // The prompt's line is not ended by anybody else.
        console.out("\n")?;
        Ok(typed)
    }
}

fn line() -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_until(b'\n', &mut bytes)?;
    Ok((!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into_owned()))
}

/// What a command or a day is, typed with a Japanese keyboard: full-width letters and digits are as good as ASCII.
pub(super) fn plain(text: &str) -> String {
    text.nfkc().collect::<String>().trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_letters_and_digits_are_as_good_as_ascii() {
        assert_eq!(plain("Ｗ"), "w");
        assert_eq!(plain("　２０２７－０３－３１ "), "2027-03-31");
    }
}
