//! A terminal page: lines of a bounded width, colour only beside words, nothing from strangers unescaped.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::text::{columns, pad, visible, wrap};

/// Below this a report is unreadable, so that narrower terminals wrap it themselves.
const NARROWEST: usize = 40;

/// Where the terminal report is written.
pub(crate) struct Page<'a> {
    out: &'a mut dyn Write,
    width: usize,
    colour: bool,
}

/// How a line stands out. The words say the same: colour only helps the eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Text.
    Plain,
    /// A heading.
    Heading,
    /// A regression, a failure.
    Bad,
    /// A warning, something uncertain.
    Doubt,
    /// A pass.
    Good,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Heading => Style::new().bold(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Doubt => AnsiColor::Yellow.on_default().bold(),
            Self::Good => AnsiColor::Green.on_default().bold(),
        }
    }
}

impl<'a> Page<'a> {
    /// A page of `width` columns.
    pub(crate) fn new(out: &'a mut dyn Write, width: usize, colour: bool) -> Self {
        Self { out, width: width.max(NARROWEST), colour }
    }

    /// An empty line.
    pub(crate) fn gap(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// Text, wrapped.
    pub(crate) fn line(&mut self, tone: Tone, text: &str) -> io::Result<()> {
        self.hanging(tone, "", text)
    }

    /// Text in one piece however long: `tail -n 1` must give all of the summary.
    pub(crate) fn whole_line(&mut self, tone: Tone, text: &str) -> io::Result<()> {
        self.raw(tone, &visible(text))
    }

    /// Columns.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Text after `lead`, wrapped and indented below itself.
    pub(crate) fn hanging(&mut self, tone: Tone, lead: &str, text: &str) -> io::Result<()> {
        let indent = columns(lead);
        for (at, part) in wrap(&visible(text), self.width.saturating_sub(indent)).iter().enumerate() {
            let lead = if at == 0 { lead.to_owned() } else { " ".repeat(indent) };
            self.raw(tone, &format!("{lead}{part}"))?;
        }
        Ok(())
    }

    /// `    label      text`, wrapped.
    pub(crate) fn field(&mut self, label: &str, text: &str) -> io::Result<()> {
        self.hanging(Tone::Plain, &format!("    {} ", pad(label, 9)), text)
    }

    /// As [`Self::field`], in one piece however long: a command is there to be copied.
    pub(crate) fn command(&mut self, label: &str, command: &str) -> io::Result<()> {
        self.raw(Tone::Plain, &format!("    {} {}", pad(label, 9), visible(command)))
    }

    /// Whether columns of these widths leave enough for the last one.
    pub(crate) fn fits(&self, widths: &[usize]) -> bool {
        let taken = 2 + widths.iter().map(|width| width + 2).sum::<usize>();
        taken + 16 <= self.width
    }

    /// A table without borders: columns as wide as their widest cell, the last one wrapped.
    pub(crate) fn table(&mut self, rows: &[Vec<String>]) -> io::Result<()> {
        let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| visible(cell)).collect()).collect();
        let last = rows.iter().map(Vec::len).max().unwrap_or(0).saturating_sub(1);
        let widest = |at| rows.iter().filter_map(|row| row.get(at).map(|cell: &String| columns(cell))).max();
        let widths: Vec<usize> = (0..last).map(|at| widest(at).unwrap_or(0)).collect();
        // Too wide for columns: each row becomes wrapped text.
        let narrow = !self.fits(&widths);
        for row in &rows {
            if narrow {
                self.hanging(Tone::Plain, "  ", &row.join("  "))?;
                continue;
            }
            let mut lead = String::from("  ");
            for (cell, width) in row.iter().zip(&widths) {
                lead.push_str(&pad(cell, width + 2));
            }
            self.hanging(Tone::Plain, &lead, row.get(last).map_or("", |cell| cell))?;
        }
        Ok(())
    }

    /// `… and 12 more (see comparison.json)`, if there are more than `limit`.
    pub(crate) fn more(&mut self, all: usize, limit: usize, whole: &str) -> io::Result<()> {
        if all > limit {
            self.hanging(Tone::Plain, "  ", &format!("… and {} more (see {whole})", all - limit))?;
        }
        Ok(())
    }

    fn raw(&mut self, tone: Tone, text: &str) -> io::Result<()> {
        let text = text.trim_end();
        if self.colour && tone != Tone::Plain {
            let style = tone.style();
            writeln!(self.out, "{}{text}{}", style.render(), style.render_reset())
        } else {
            writeln!(self.out, "{text}")
        }
    }
}
