//! Pieces that the JSON logs of engines and vendors have in common.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A string that is borrowed where it has no escapes.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// A string or a number, as text: logs write ids, times and status codes as either.
pub(super) struct Scalar<'a>(pub(super) Cow<'a, str>);

/// The headers that name the attempt and the case; a name may stand more than once, and have several values.
#[derive(Default)]
pub(super) struct Headers<'a> {
    pub(super) attempt: Option<Cow<'a, str>>,
    pub(super) case: Option<Cow<'a, str>>,
}

/// The first value of a header.
struct FirstValue<'a>(Option<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Scalar<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a number")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Scalar(text.into()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Scalar(text.to_owned().into()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Scalar(number.to_string().into()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Scalar(number.to_string().into()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Scalar(number.to_string().into()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for FirstValue<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = FirstValue<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or a list of values")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(FirstValue(Some(text.into())))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(FirstValue(Some(text.to_owned().into())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
                let first = values.next_element::<Text<'de>>()?;
                while values.next_element::<IgnoredAny>()?.is_some() {}
                Ok(FirstValue(first.map(|text| text.0)))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Headers<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Headers<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("headers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut headers = Headers::default();
                while let Some(name) = map.next_key::<Text<'de>>()? {
                    if name.0.eq_ignore_ascii_case("x-wafcanary-attempt") {
                        headers.attempt = map.next_value::<FirstValue<'de>>()?.0;
                    } else if name.0.eq_ignore_ascii_case("x-wafcanary-case") {
                        headers.case = map.next_value::<FirstValue<'de>>()?.0;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(headers)
            }
        }
        deserializer.deserialize_map(Names)
    }
}

/// The text of a field, where it has any.
pub(super) fn text<'t>(field: Option<&'t Text<'_>>) -> Option<&'t str> {
    field.map(|text| text.0.as_ref()).filter(|text| !text.is_empty())
}

/// The text of a scalar field, where it has any.
pub(super) fn scalar<'t>(field: Option<&'t Scalar<'_>>) -> Option<&'t str> {
    field.map(|scalar| scalar.0.as_ref()).filter(|text| !text.is_empty())
}
