//! Reading a tree into structs: serde, with errors that know file, line and key.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use super::node::{Node, Origin, Value};
use crate::error::Error;

/// Reads the whole tree.
pub(super) fn from_node<T: de::DeserializeOwned>(root: &Node) -> Result<T, Error> {
    T::deserialize(Reader(root)).map_err(|fault| fault.into_error(root))
}

/// The known word nearest to `word`, when it is near enough to be meant.
pub(super) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.into_iter().map(|name| (strsim::damerau_levenshtein(word, name), name));
    let (distance, name) = scored.min()?;
    (distance <= (name.len().max(word.len()) / 3).max(1)).then_some(name)
}

/// `did you mean …?` or the list of what there is.
pub(super) fn suggest(word: &str, known: &[&str]) -> String {
    match did_you_mean(word, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known here: {}", quoted(known)),
    }
}

/// Words between backticks.
pub(super) fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[derive(Debug)]
struct Fault {
    message: String,
    help: Option<String>,
    /// Innermost part first.
    path: Vec<String>,
    origin: Option<Origin>,
    at_key: bool,
}

impl Fault {
    fn new(message: impl Into<String>, help: Option<String>) -> Self {
        Self { message: message.into(), help, path: Vec::new(), origin: None, at_key: false }
    }

    fn within(mut self, part: String, origin: &Origin) -> Self {
        self.path.push(part);
        self.origin.get_or_insert_with(|| origin.clone());
        self
    }

    fn into_error(self, root: &Node) -> Error {
        let mut key = String::new();
        for part in self.path.iter().rev() {
            if !key.is_empty() && !part.starts_with('[') {
                key.push('.');
            }
            key.push_str(part);
        }
        let origin = self.origin.unwrap_or_else(|| root.origin.clone());
        let error = if self.at_key { origin.fail_at_key(&key, self.message) } else { origin.fail(&key, self.message) };
        error.help(self.help.unwrap_or_else(|| {
            "`wafcanary generate schema DIR` writes `profile.json`, which lists keys and types".to_owned()
        }))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        // A value's own error may carry its help after a line break.
        let text = message.to_string();
        match text.split_once('\n') {
            Some((message, help)) => Self::new(message, Some(help.to_owned())),
            None => Self::new(text, None),
        }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self { at_key: true, ..Self::new(format!("unknown key `{field}`"), Some(suggest(field, expected))) }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let help = match did_you_mean(variant, expected.iter().copied()) {
            Some(name) => format!("did you mean `{name}`? There are {}", quoted(expected)),
            None => format!("write one of {}", quoted(expected)),
        };
        Self::new(format!("unknown value `{variant}`"), Some(help))
    }

    fn missing_field(field: &'static str) -> Self {
        Self { at_key: true, ..Self::new(format!("key `{field}` is missing"), Some(format!("add `{field} = …`"))) }
    }
}

#[derive(Clone, Copy)]
struct Reader<'de>(&'de Node);

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.0.value {
            Value::Text(text) => visitor.visit_borrowed_str(&text.filled),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Boolean(boolean) => visitor.visit_bool(*boolean),
            Value::Array(items) => visitor.visit_seq(Items { items: items.iter().enumerate() }),
            Value::Table(entries) => visitor.visit_map(Entries { entries: entries.iter(), current: None }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.0.value {
            Value::Text(text) => visitor.visit_enum(text.filled.as_str().into_deserializer()),
            _ => Err(Fault::new("text expected", Some(format!("write one of {}", quoted(variants))))),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Items<'de> {
    items: std::iter::Enumerate<std::slice::Iter<'de, Node>>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some((index, node)) = self.items.next() else { return Ok(None) };
        seed.deserialize(Reader(node)).map(Some).map_err(|fault| fault.within(format!("[{index}]"), &node.origin))
    }
}

struct Entries<'de> {
    entries: std::collections::btree_map::Iter<'de, String, Node>,
    current: Option<(&'de String, &'de Node)>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.current = self.entries.next();
        let Some((key, node)) = self.current else { return Ok(None) };
        let reader = de::value::BorrowedStrDeserializer::new(key);
        seed.deserialize(reader).map(Some).map_err(|fault: Fault| fault.within(key.clone(), &node.origin))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let Some((key, node)) = self.current else { return Err(Fault::new("a value without a key", None)) };
        seed.deserialize(Reader(node)).map_err(|fault| fault.within(key.clone(), &node.origin))
    }
}
