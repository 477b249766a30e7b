//! A profile's text as a tree in which every value knows where it was written.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Error, Result};

/// A text that values come from: a file, a preset, or the defaults.
#[derive(Debug)]
pub(super) struct Source {
    /// How people know it: a path, `preset/NAME` or `default`.
    pub(super) label: String,
    /// The folder that relative paths in it start from; `None`: it is part of the program.
    pub(super) folder: Option<PathBuf>,
    /// The whole text.
    pub(super) text: Arc<str>,
}

/// Where a value was written.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) source: Arc<Source>,
    pub(super) key: Range<usize>,
    pub(super) value: Range<usize>,
}

impl Origin {
    /// `preset/NAME` and `default` as they are, a file with its line.
    pub(super) fn describe(&self) -> String {
        match self.source.folder {
            Some(_) => format!("{}:{}", self.source.label, crate::error::line_of(&self.source.text, self.key.start)),
            None => self.source.label.clone(),
        }
    }

    /// An error that points at the value.
    pub(super) fn fail(&self, key: &str, message: impl Into<String>) -> Error {
        self.error(key, message, self.value.clone())
    }

    /// An error that points at the key.
    pub(super) fn fail_at_key(&self, key: &str, message: impl Into<String>) -> Error {
        self.error(key, message, self.key.clone())
    }

    fn error(&self, key: &str, message: impl Into<String>, span: Range<usize>) -> Error {
        let error = Error::usage(message).file(&self.source.label).span(self.source.text.clone(), span);
        if key.is_empty() { error } else { error.key(key) }
    }
}

/// A value with its origin.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// A TOML value.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(Text),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Array(Vec<Node>),
    Table(BTreeMap<String, Node>),
}

/// A string, before and after `${env:…}` and `${file:…}` are filled in.
#[derive(Debug, Clone)]
pub(super) struct Text {
    /// What is used.
    pub(super) filled: String,
    /// What stands in the file.
    pub(super) written: String,
    /// It must not be shown.
    pub(super) hidden: bool,
}

impl Node {
    /// Reads a text. Syntax errors name file and line.
    pub(super) fn parse(source: &Arc<Source>) -> Result<Self> {
        let table = DeTable::parse(&source.text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            let message = format!("not valid TOML: {}", error.message().trim());
            Error::usage(message).file(&source.label).span(source.text.clone(), span).help("mend the syntax there")
        })?;
        let origin = Origin { source: source.clone(), key: 0..0, value: 0..0 };
        Ok(Self { value: table_of(table.get_ref(), source, "")?, origin })
    }

    /// The table's entries; none for other values.
    pub(super) fn entries(&self) -> Option<&BTreeMap<String, Node>> {
        match &self.value {
            Value::Table(entries) => Some(entries),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&Text> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value at a path such as `before[0].url`, or the nearest one above it.
    pub(super) fn nearest(&self, path: &str) -> &Self {
        let mut node = self;
        for part in path.split(['.', '[']).filter(|part| !part.is_empty()) {
            let next = match (&node.value, part.strip_suffix(']')) {
                (Value::Array(items), Some(index)) => index.parse().ok().and_then(|index: usize| items.get(index)),
                (Value::Table(entries), None) => entries.get(part),
                _ => None,
            };
            match next {
                Some(next) => node = next,
                None => return node,
            }
        }
        node
    }

    /// Puts `over` on top of this tree: tables entry by entry, everything else replaced.
    pub(super) fn merge(&mut self, over: Self) {
        match (&mut self.value, over.value) {
            (Value::Table(below), Value::Table(above)) => {
                for (key, node) in above {
                    match below.get_mut(&key) {
                        Some(known) => known.merge(node),
                        None => drop(below.insert(key, node)),
                    }
                }
                self.origin = over.origin;
            }
            (_, value) => *self = Self { value, origin: over.origin },
        }
    }
}

fn table_of(table: &DeTable<'_>, source: &Arc<Source>, path: &str) -> Result<Value> {
    let mut entries = BTreeMap::new();
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        entries.insert(name.to_owned(), node_of(value, key.span(), source, &path)?);
    }
    Ok(Value::Table(entries))
}

fn node_of(value: &Spanned<DeValue<'_>>, key: Range<usize>, source: &Arc<Source>, path: &str) -> Result<Node> {
    let origin = Origin { source: source.clone(), key, value: value.span() };
    let value = match value.get_ref() {
        DeValue::String(text) => {
            let (filled, written) = (text.as_ref().to_owned(), text.as_ref().to_owned());
            Value::Text(Text { filled, written, hidden: false })
        }
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(Value::Integer)
            .map_err(|_| origin.fail(path, format!("`{number}` is too large")).help("write a smaller number"))?,
        DeValue::Float(number) => match number.as_str().parse::<f64>() {
            Ok(float) if float.is_finite() => Value::Float(float),
            _ => return Err(origin.fail(path, format!("`{number}` is not a finite number")).help("write a number")),
        },
        DeValue::Boolean(boolean) => Value::Boolean(*boolean),
        DeValue::Datetime(date) => {
            let help = "put it in quotes if it is meant as text";
            return Err(origin.fail(path, format!("`{date}` is a date, and no key takes one")).help(help));
        }
        DeValue::Array(items) => {
            let nodes = items.iter().enumerate().map(|(index, item)| {
                let span = item.span();
                node_of(item, span, source, &format!("{path}[{index}]"))
            });
            Value::Array(nodes.collect::<Result<_>>()?)
        }
        DeValue::Table(table) => table_of(table, source, path)?,
    };
    Ok(Node { value, origin })
}
