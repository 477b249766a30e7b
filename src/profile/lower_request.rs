//! The request side of a profile: upload, steps, captures.

use super::lower::{Place, host_of};
use super::raw::{RawCapture, RawPair, RawStep, RawUpload};
use super::{Capture, CaptureFrom, Each, Secret, StatusSet, Step, StepBody, Upload, de, template};
use crate::error::Result;

/// What URLs in a profile are relative to, and where they may go.
pub(super) struct Base<'a> {
    pub(super) url: url::Url,
    pub(super) allowed: &'a [String],
}

impl Base<'_> {
    /// Checks a URL template: its captures, its scheme, and its host as far as it is known before the run.
    pub(super) fn check(&self, place: &Place<'_>, path: &str, text: &str, known: &[String]) -> Result<()> {
        check_captures(place, path, text, known)?;
        let authority = text.split_once("://").map_or(text, |(_, rest)| rest).split('/').next().unwrap_or_default();
        if authority.contains("${") {
            // Only the run knows where it goes; the steps refuse hosts that are not listed.
            return Ok(());
        }
        let filled: String = template::parts(text)
            .into_iter()
            .map(|part| match part {
                template::Part::Literal(text) => text,
                template::Part::Capture(_) | template::Part::Attempt | template::Part::Case | template::Part::Run => {
                    "x"
                }
            })
            .collect();
        let url = self.url.join(&filled).map_err(|error| {
            place.fail(path, format!("`{text}` is not a URL: {error}"), "write it whole, or a path such as `/login`")
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(place.fail(
                path,
                format!("`{text}` is not an http or https URL"),
                "write `http://` or `https://`",
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            let help = "take them out and send an `Authorization` header with `${env:NAME}`";
            return Err(place.root.nearest(path).origin.fail_at_key(path, "the URL holds credentials").help(help));
        }
        let host = host_of(&url);
        if !self.allowed.contains(&host) {
            let help = format!(
                "add it, if requests may go there: `[guard] allowed_hosts = [\"{}\", \"{host}\"]`",
                host_of(&self.url)
            );
            return Err(place.fail(path, format!("host `{host}` is not an allowed host"), help));
        }
        Ok(())
    }
}

type RequestSide = (Upload, Vec<Step>, Vec<Step>, Vec<String>);

/// Upload and steps; also the names of all captures.
pub(super) fn request_side(
    place: &Place<'_>,
    base: &Base<'_>,
    raw: RawUpload,
    raw_before: Vec<RawStep>,
    raw_after: Vec<RawStep>,
) -> Result<RequestSide> {
    let mut known = Vec::new();
    let mut before: Vec<Step> = Vec::new();
    for (index, step) in raw_before.into_iter().enumerate() {
        let path = format!("before[{index}]");
        let step = step_of(place, base, &path, step, &mut known)?;
        if step.each == Each::Run && before.iter().any(|earlier| earlier.each == Each::Upload) {
            let help = "move the steps of the whole run to the front";
            return Err(place.fail(
                &format!("{path}.each"),
                "a step of the run stands after a step of the upload",
                help,
            ));
        }
        before.push(step);
    }
    let upload = upload_of(place, raw, &mut known)?;
    let mut after = Vec::new();
    for (index, step) in raw_after.into_iter().enumerate() {
        let path = format!("after[{index}]");
        let step = step_of(place, base, &path, step, &mut known)?;
        if step.each == Each::Run {
            let help = "only steps before the upload can be done once for the run";
            return Err(place.fail(&format!("{path}.each"), "a step after the upload belongs to each upload", help));
        }
        after.push(step);
    }
    Ok((upload, before, after, known))
}

fn upload_of(place: &Place<'_>, raw: RawUpload, known: &mut Vec<String>) -> Result<Upload> {
    if let Some(path) =
        raw.path.as_deref().filter(|path| !path.starts_with('/') || path.contains([' ', '#', '\r', '\n']))
    {
        let help = "write path and query from the root: `/upload?kind=1`";
        return Err(place.fail("upload.path", format!("`{path}` is not a path"), help));
    }
    let page_url = raw.page_url.as_deref().map(url::Url::parse);
    if !matches!(&page_url, None | Some(Ok(_))) {
        return Err(place.fail("upload.page_url", "the page's URL cannot be read", "write it whole: `https://…`"));
    }
    let field = raw.field.unwrap_or_else(|| "file".to_owned());
    if field.is_empty() {
        return Err(place.fail("upload.field", "the file field has no name", "write the `name` of the file input"));
    }
    let upload = Upload {
        method: raw.method.map(|method| method_of(place, "upload.method", &method)).transpose()?,
        path: raw.path,
        field,
        fields: pairs(place, "upload.fields", raw.fields, known, false)?,
        headers: pairs(place, "upload.headers", raw.headers, known, true)?,
        transport: raw.transport.unwrap_or_default(),
        page_url: raw.page_url,
        captures: captures_of(place, "upload", raw.capture, known)?,
    };
    Ok(upload)
}

fn method_of(place: &Place<'_>, path: &str, method: &str) -> Result<String> {
    let upper = method.to_ascii_uppercase();
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    if known.contains(&upper.as_str()) {
        return Ok(upper);
    }
    Err(place.fail(path, format!("`{method}` is not a method"), de::suggest(&upper, &known)))
}

/// Names and values; captures must be known, and header names and values must be such.
pub(super) fn pairs(
    place: &Place<'_>,
    path: &str,
    raw: Vec<RawPair>,
    known: &[String],
    headers: bool,
) -> Result<Vec<(String, Secret<String>)>> {
    let mut out = Vec::with_capacity(raw.len());
    for (index, pair) in raw.into_iter().enumerate() {
        let at = format!("{path}[{index}]");
        check_captures(place, &format!("{at}.value"), &pair.value, known)?;
        if headers {
            place.header_name(&format!("{at}.name"), &pair.name)?;
            if pair.value.contains(['\r', '\n', '\0']) {
                let help = "a header's value is one line";
                return Err(place.fail(&format!("{at}.value"), "the value holds a line break", help));
            }
        }
        out.push((pair.name, Secret::new(pair.value)));
    }
    Ok(out)
}

fn check_captures(place: &Place<'_>, path: &str, text: &str, known: &[String]) -> Result<()> {
    match template::captures(text).find(|name| !known.iter().any(|known| known == name)) {
        None => Ok(()),
        Some(name) => {
            let names: Vec<&str> = known.iter().map(String::as_str).collect();
            let help = if names.is_empty() {
                "no step before this captures anything; environment variables are `${env:NAME}`".to_owned()
            } else {
                de::suggest(name, &names)
            };
            Err(place.fail(path, format!("nothing captures `{name}` before this"), help))
        }
    }
}

fn step_of(place: &Place<'_>, base: &Base<'_>, path: &str, raw: RawStep, known: &mut Vec<String>) -> Result<Step> {
    base.check(place, &format!("{path}.url"), &raw.url, known)?;
    let body = match (raw.form, raw.json) {
        (Some(_), Some(_)) => {
            let message = format!("step `{}` has both `form` and `json`", raw.name);
            return Err(place.fail(&format!("{path}.json"), message, "a request has one body: keep one of them"));
        }
        (Some(form), None) => StepBody::Form(pairs(place, &format!("{path}.form"), form, known, false)?),
        (None, Some(json)) => {
            let text = json.to_string();
            check_captures(place, &format!("{path}.json"), &text, known)?;
            StepBody::Json(Secret::new(text))
        }
        (None, None) => StepBody::Empty,
    };
    let default_method = if matches!(body, StepBody::Empty) { "GET" } else { "POST" };
    let method = method_of(place, &format!("{path}.method"), raw.method.as_deref().unwrap_or(default_method))?;
    let headers = pairs(place, &format!("{path}.headers"), raw.headers, known, true)?;
    let accepted = if raw.follow { 200..=299 } else { 200..=399 };
    Ok(Step {
        method,
        url: Secret::new(raw.url),
        headers,
        body,
        status: raw.status.map_or_else(|| StatusSet(vec![accepted]), |status| status.0),
        captures: captures_of(place, path, raw.capture, known)?,
        each: raw.each,
        follow: raw.follow,
        name: raw.name,
    })
}

fn captures_of(place: &Place<'_>, path: &str, raw: Vec<RawCapture>, known: &mut Vec<String>) -> Result<Vec<Capture>> {
    let mut out = Vec::with_capacity(raw.len());
    for (index, capture) in raw.into_iter().enumerate() {
        let at = format!("{path}.capture[{index}]");
        let sound = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if capture.name.is_empty() || !capture.name.chars().all(sound) {
            let message = format!("`{}` is not a name for a capture", capture.name);
            return Err(place.fail(&format!("{at}.name"), message, "use letters, digits, `_` and `-`"));
        }
        let secret = capture.secret.unwrap_or(true);
        let (name, from) = capture_from(place, &at, capture)?;
        known.push(name.clone());
        out.push(Capture { name, from, secret });
    }
    Ok(out)
}

fn capture_from(place: &Place<'_>, at: &str, raw: RawCapture) -> Result<(String, CaptureFrom)> {
    const WAYS: &str = "write one of `regex`, `json`, `header`, `cookie` and `css`";
    let mut ways = Vec::new();
    if let Some(pattern) = raw.regex {
        ways.push(CaptureFrom::Regex(place.regex(&format!("{at}.regex"), &pattern)?));
    }
    if let Some(pointer) = raw.json {
        ways.push(CaptureFrom::JsonPointer(place.pointer(&format!("{at}.json"), &pointer)?));
    }
    if let Some(name) = raw.header {
        ways.push(CaptureFrom::Header(place.header_name(&format!("{at}.header"), &name)?));
    }
    if let Some(name) = raw.cookie {
        ways.push(CaptureFrom::Cookie(name));
    }
    if let Some(text) = raw.css {
        let help = "write selector and attribute: `input[name=csrf]@value`";
        let path = format!("{at}.css");
        match text.rsplit_once('@') {
            Some((selector, attribute)) if !selector.is_empty() && !attribute.is_empty() => {
                let (selector, attribute) = (selector.to_owned(), attribute.to_owned());
                ways.push(CaptureFrom::Css { selector, attribute });
            }
            _ => return Err(place.fail(&path, format!("`{text}` names no attribute"), help)),
        }
    }
    let count = ways.len();
    match (ways.pop(), count) {
        (Some(way), 1) => Ok((raw.name, way)),
        (None, _) => Err(place.fail(at, format!("capture `{}` says not where its value is", raw.name), WAYS)),
        (Some(_), _) => Err(place.fail(at, format!("capture `{}` has more than one source", raw.name), WAYS)),
    }
}
