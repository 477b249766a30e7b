//! A profile as it is written: the keys of the TOML file, before their values are checked.

use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::{Each, Environment, Proof};
use crate::corpus::Transport;

/// A wafcanary profile: where uploads go, how, and what proves that they were delivered.
///
/// Any string may hold `${env:NAME}` or `${file:PATH}`. Values of steps, fields, headers and of the receipt and
/// read-back URLs may hold `${capture}`, `{attempt}`, `{case}` and `{run}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "wafcanary profile")]
pub(super) struct RawProfile {
    /// Version of this format: 1.
    pub(super) schema_version: Option<u32>,
    /// Name in reports; the file's stem when it is left out.
    pub(super) name: Option<String>,
    /// `preset/NAME` or a path relative to this file, whose values hold where this file has none.
    #[expect(dead_code, reason = "read from the tree before it is merged; here for the schema")]
    pub(super) extends: Option<String>,
    /// Where uploads go.
    #[serde(default)]
    pub(super) target: RawTarget,
    /// Certificates.
    #[serde(default)]
    pub(super) tls: RawTls,
    /// How the file is put into the request.
    #[serde(default)]
    pub(super) upload: RawUpload,
    /// What proves delivery.
    pub(super) oracle: Option<RawOracle>,
    /// Requests before the upload, in order: sign in, get the form.
    #[serde(default)]
    pub(super) before: Vec<RawStep>,
    /// Requests after the upload, in order.
    #[serde(default)]
    pub(super) after: Vec<RawStep>,
    /// How fast, how many at a time, how much at most.
    #[serde(default)]
    pub(super) pace: RawPace,
    /// How long to wait.
    #[serde(default)]
    pub(super) timeouts: RawTimeouts,
    /// What may be sent, and where.
    #[serde(default)]
    pub(super) guard: RawGuard,
    /// An embedded edge that is started for this profile.
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    pub(super) lab: Option<toml::Table>,
}

/// Where uploads go.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTarget {
    /// `http://` or `https://` URL of the upload, without credentials.
    pub(super) url: Option<String>,
    /// curl's `--resolve`: `HOST:PORT:ADDRESS[,ADDRESS]…`, `*` for any host, IPv6 addresses in brackets.
    #[serde(default)]
    pub(super) resolve: Vec<String>,
    /// curl's `--connect-to`: `HOST1:PORT1:HOST2:PORT2`; empty parts match, or keep, anything.
    #[serde(default)]
    pub(super) connect_to: Vec<String>,
    /// `Host` header, instead of the URL's authority.
    pub(super) host: Option<String>,
    /// Server name for SNI and the certificate check, instead of the URL's host.
    pub(super) sni: Option<String>,
    /// `http://`, `https://`, `socks5://` or `socks5h://` URL of a proxy.
    pub(super) proxy: Option<String>,
    /// HTTP version: `1.1` or `2`.
    pub(super) http: Option<RawHttp>,
}

/// HTTP version.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub(super) enum RawHttp {
    /// HTTP/1.1.
    #[serde(rename = "1.1")]
    Http1,
    /// HTTP/2.
    #[serde(rename = "2")]
    Http2,
}

/// Certificates. Paths are relative to the file that they are written in.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTls {
    /// PEM file of certificate authorities, instead of the system's.
    pub(super) ca: Option<String>,
    /// PEM file of the client certificate chain.
    pub(super) cert: Option<String>,
    /// PEM file of the client key.
    pub(super) key: Option<String>,
    /// Accept any certificate; every report says so.
    pub(super) insecure: Option<bool>,
}

/// How the file is put into the request.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawUpload {
    /// Method; POST, or PUT for the `put` transport, when it is left out.
    pub(super) method: Option<String>,
    /// Path and query, instead of the URL's; `{filename}`, `{case}`, `{attempt}` and `{run}` are filled in, percent-encoded.
    pub(super) path: Option<String>,
    /// Name of the file field.
    pub(super) field: Option<String>,
    /// How the file travels, for cases that do not fix it.
    pub(super) transport: Option<Transport>,
    /// The page that holds the form, for `Referer` and `Origin`.
    pub(super) page_url: Option<String>,
    /// Text fields before the file.
    #[serde(default)]
    pub(super) fields: Vec<RawPair>,
    /// More request headers.
    #[serde(default)]
    pub(super) headers: Vec<RawPair>,
    /// What is taken from the upload's answer, for `${name}` in later steps, the receipt's URL and read-back.
    #[serde(default)]
    pub(super) capture: Vec<RawCapture>,
}

/// A name with its value.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPair {
    /// Name.
    pub(super) name: String,
    /// Value.
    pub(super) value: String,
}

/// What proves delivery. Everything that is set must hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOracle {
    /// The kind of proof that passes rest on.
    pub(super) proof: Option<Proof>,
    /// Accepted statuses of the upload's answer: `"200-299,302"` or `[200, 302]`.
    pub(super) status: Option<RawStatus>,
    /// A response header that must be there.
    pub(super) header: Option<RawHeaderMatch>,
    /// What the answer's body must hold.
    pub(super) body: Option<RawBodyMatch>,
    /// A JSON value that the answer's body must hold.
    pub(super) json: Option<RawJsonMatch>,
    /// Where the receipt is.
    pub(super) receipt: Option<RawReceipt>,
    /// How the file is fetched back.
    pub(super) read_back: Option<RawReadBack>,
    /// What the origin says when it refuses a file itself.
    pub(super) rejected: Option<RawBodyMatch>,
}

/// A response header that must be there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHeaderMatch {
    /// Header name.
    pub(super) name: String,
    /// Regular expression that its value must match; any value when it is left out.
    pub(super) matches: Option<String>,
}

/// Text in a body: one of the two keys.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBodyMatch {
    /// This text.
    pub(super) contains: Option<String>,
    /// This regular expression.
    pub(super) matches: Option<String>,
}

/// A JSON value that must be there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawJsonMatch {
    /// JSON pointer, RFC 6901.
    pub(super) pointer: String,
    /// The value; anything but `null` and `false` when it is left out.
    pub(super) equals: Option<serde_json::Value>,
}

/// Where a receipt is and how it is read: `in = "answer"`, or `url`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawReceipt {
    /// The receipt is the upload's own answer.
    #[serde(rename = "in")]
    pub(super) place: Option<RawReceiptPlace>,
    /// URL of the receipt, from behind the edge, with `{attempt}`.
    pub(super) url: Option<String>,
    /// Headers of the request for `url`.
    #[serde(default)]
    pub(super) headers: Vec<RawPair>,
    /// JSON pointer to the SHA-256 in hex; `/sha256` when it is left out.
    pub(super) sha256: Option<String>,
    /// JSON pointer to the size in bytes.
    pub(super) size: Option<String>,
    /// JSON pointer to the filename as the origin decoded it.
    pub(super) filename: Option<String>,
    /// JSON pointer to the filename's bytes as the origin received them, hex.
    pub(super) filename_hex: Option<String>,
    /// JSON pointer to the part's `Content-Type`.
    pub(super) content_type: Option<String>,
}

/// Which document is the receipt.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawReceiptPlace {
    /// The upload's own answer.
    Answer,
}

/// How the uploaded file is fetched back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawReadBack {
    /// URL; may hold captures of the `after` steps, and `{attempt}`.
    pub(super) url: String,
    /// Request headers.
    #[serde(default)]
    pub(super) headers: Vec<RawPair>,
}

/// A request around the upload.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStep {
    /// Name in records and errors.
    pub(super) name: String,
    /// Method; GET without a body and POST with one, when it is left out.
    pub(super) method: Option<String>,
    /// URL, absolute or relative to the target.
    pub(super) url: String,
    /// When the step is done: before each upload, or once for the whole run (`before` only, and first).
    #[serde(default)]
    pub(super) each: Each,
    /// Follow redirects, ten at most and only to allowed hosts.
    #[serde(default)]
    pub(super) follow: bool,
    /// Request headers.
    #[serde(default)]
    pub(super) headers: Vec<RawPair>,
    /// Form fields, sent as `application/x-www-form-urlencoded`.
    pub(super) form: Option<Vec<RawPair>>,
    /// JSON body.
    pub(super) json: Option<serde_json::Value>,
    /// Accepted statuses; `200-399` when it is left out, `200-299` with `follow`.
    pub(super) status: Option<RawStatus>,
    /// What is taken from the answer, for `${name}`.
    #[serde(default)]
    pub(super) capture: Vec<RawCapture>,
}

/// A value taken from an answer: one of `regex`, `json`, `header`, `cookie` and `css`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCapture {
    /// Its name.
    pub(super) name: String,
    /// First group, or the whole match, of a regular expression over the body.
    pub(super) regex: Option<String>,
    /// JSON pointer, RFC 6901.
    pub(super) json: Option<String>,
    /// Name of a response header.
    pub(super) header: Option<String>,
    /// Name of a cookie.
    pub(super) cookie: Option<String>,
    /// CSS selector and attribute: `input[name=csrf]@value`.
    pub(super) css: Option<String>,
    /// Take the value out of every record; true when it is left out.
    pub(super) secret: Option<bool>,
}

/// How fast, how many at a time, how much at most.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPace {
    /// Requests a second, or `"unlimited"`.
    pub(super) rate: Option<RawRate>,
    /// Requests under way at once.
    pub(super) concurrency: Option<usize>,
    /// Requests that may start at once after a pause; as `concurrency` when it is left out.
    pub(super) burst: Option<u32>,
    /// Requests in the whole run, canary controls and retries included.
    pub(super) max_requests: Option<u64>,
    /// Body bytes in the whole run.
    pub(super) max_bytes: Option<u64>,
    /// A canary control is sent after so many requests; 0: none.
    pub(super) canary_every: Option<u64>,
    /// Times that an attempt which failed in transport is tried again.
    pub(super) retries: Option<u32>,
    /// The longest `Retry-After` that is waited for.
    pub(super) max_retry_after: Option<RawDuration>,
}

/// How long to wait.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTimeouts {
    /// For DNS, TCP, proxy and TLS together.
    pub(super) connect: Option<RawDuration>,
    /// From the last sent byte to the answer's first.
    pub(super) answer: Option<RawDuration>,
    /// Without any byte in either direction.
    pub(super) idle: Option<RawDuration>,
    /// For a whole attempt.
    pub(super) total: Option<RawDuration>,
    /// How long a receipt or a file to read back may take to appear.
    pub(super) receipt: Option<RawDuration>,
}

/// What may be sent, and where.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGuard {
    /// Hosts that requests may go to; the target's alone when it is left out.
    pub(super) allowed_hosts: Option<Vec<String>>,
    /// The owner of the edge agreed to controls (files that must be blocked).
    pub(super) authorized: Option<bool>,
    /// What stands behind the target.
    pub(super) environment: Option<Environment>,
    /// Append the tool's name to the client's `User-Agent`.
    pub(super) identify_user_agent: Option<bool>,
}

/// Requests a second; `None`: unlimited.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawRate(pub(super) Option<f64>);

/// A set of statuses as text or list.
#[derive(Debug, Clone)]
pub(super) struct RawStatus(pub(super) super::StatusSet);

/// A time such as `10s`.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawDuration(pub(super) Duration);

impl<'de> Deserialize<'de> for RawRate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rate;
        impl Visitor<'_> for Rate {
            type Value = RawRate;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("requests a second, or `unlimited`")
            }
            fn visit_f64<E: de::Error>(self, rate: f64) -> Result<RawRate, E> {
                let help = "write a number above 0, or \"unlimited\"";
                if rate > 0.0 {
                    Ok(RawRate(Some(rate)))
                } else {
                    Err(E::custom(format!("`{rate}` is no rate\n{help}")))
                }
            }
            fn visit_i64<E: de::Error>(self, rate: i64) -> Result<RawRate, E> {
                self.visit_f64(i32::try_from(rate).map_or(f64::from(i32::MAX), f64::from))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<RawRate, E> {
                let help = "write a number of requests a second, or \"unlimited\"";
                let unlimited = text == "unlimited";
                if unlimited { Ok(RawRate(None)) } else { Err(E::custom(format!("`{text}` is no rate\n{help}"))) }
            }
        }
        deserializer.deserialize_any(Rate)
    }
}

impl<'de> Deserialize<'de> for RawStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Status;
        impl<'de> Visitor<'de> for Status {
            type Value = RawStatus;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("statuses such as `200-299,302`, or a list of numbers")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<RawStatus, E> {
                super::StatusSet::parse(text).map(RawStatus).ok_or_else(|| {
                    E::custom(format!("`{text}` is no set of statuses\nwrite statuses such as `200-299,302`"))
                })
            }
            fn visit_i64<E: de::Error>(self, status: i64) -> Result<RawStatus, E> {
                self.visit_str(&status.to_string())
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<RawStatus, A::Error> {
                let mut ranges = Vec::new();
                while let Some(RawStatus(set)) = items.next_element()? {
                    ranges.extend(set.0);
                }
                let none = "the set of statuses is empty\nlist at least one status";
                if ranges.is_empty() { Err(de::Error::custom(none)) } else { Ok(RawStatus(super::StatusSet(ranges))) }
            }
        }
        deserializer.deserialize_any(Status)
    }
}

impl<'de> Deserialize<'de> for RawDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Time;
        impl Visitor<'_> for Time {
            type Value = RawDuration;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time with its unit, such as `10s` or `500ms`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<RawDuration, E> {
                duration(text).map(RawDuration).ok_or_else(|| {
                    E::custom(format!("`{text}` is no time\nwrite a number with `ms`, `s`, `m` or `h`, such as `10s`"))
                })
            }
        }
        deserializer.deserialize_any(Time)
    }
}

/// `500ms`, `10s`, `2m`, `1h`; a day at most.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let count: u64 = text[..digits].parse().ok()?;
    let millis = match &text[digits..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let time = Duration::from_millis(count.checked_mul(millis)?);
    (time <= Duration::from_secs(24 * 60 * 60)).then_some(time)
}

impl JsonSchema for RawRate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Rate".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"const": "unlimited"}]})
    }
}

impl JsonSchema for RawStatus {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Status".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let text = r"^\s*\d{3}(\s*-\s*\d{3})?(\s*,\s*\d{3}(\s*-\s*\d{3})?)*\s*$";
        schemars::json_schema!({"anyOf": [
            {"type": "string", "pattern": text},
            {"type": "integer", "minimum": 100, "maximum": 999},
            {"type": "array", "minItems": 1, "items": {"anyOf": [
                {"type": "string", "pattern": text}, {"type": "integer", "minimum": 100, "maximum": 999}]}}]})
    }
}

impl JsonSchema for RawDuration {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({"type": "string", "pattern": r"^\d+(ms|s|m|h)$"})
    }
}
