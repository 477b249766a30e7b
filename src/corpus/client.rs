//! The clients whose way of writing a request is known.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A real client program, in one of the ways it sends files. `wire` knows how each of them writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Client(&'static str);

impl Client {
    /// The client of cases that name none.
    pub const DEFAULT: Self = Self("chromium");

    /// Every known client and what it is.
    pub const ALL: &'static [(&'static str, &'static str)] = &[
        ("chromium", "Chromium 156, form submission"),
        ("chromium-fetch", "Chromium 156, fetch with FormData"),
        ("firefox", "Firefox 153 ESR, form submission"),
        ("webkit", "WebKitGTK 2.50, form submission"),
        ("curl", "curl 7.88 -F"),
    ];

    /// The client of that name, if it is known.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(known, _)| Self(known))
    }

    /// Its name in case ids and profiles.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for Client {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Client {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| serde::de::Error::custom(format!("unknown client `{name}`")))
    }
}
