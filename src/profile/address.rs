//! curl's `--resolve` and `--connect-to`, and the URL of a target.

use std::net::{IpAddr, Ipv6Addr};

use super::{ConnectTo, Resolve};

/// What is wrong with a value, and what to do.
pub(super) type Complaint = (String, &'static str);

const RESOLVE: &str = "write `HOST:PORT:ADDRESS[,ADDRESS]…` as for curl's `--resolve`: `form.example.jp:443:192.0.2.1`";
const CONNECT_TO: &str =
    "write `HOST1:PORT1:HOST2:PORT2` as for curl's `--connect-to`: `form.example.jp:443:edge.example.net:443`";

impl Resolve {
    /// Reads curl's `[+]HOST:PORT:ADDRESS[,ADDRESS]…`; the `+` (an entry that times out) changes nothing here.
    ///
    /// curl's `-HOST:PORT` removes an entry from a cache, which is never filled here, so it is refused.
    pub(super) fn parse(text: &str) -> Result<Self, Complaint> {
        let body = text.strip_prefix('+').unwrap_or(text);
        let (host, rest) = split_host(body).ok_or_else(|| complaint(text, "its host", RESOLVE))?;
        let (port, addresses) = rest.split_once(':').ok_or_else(|| complaint(text, "its address", RESOLVE))?;
        if host.is_empty() || host.starts_with('-') {
            return Err(complaint(text, "its host", RESOLVE));
        }
        let port = parse_port(port).ok_or_else(|| complaint(text, "its port", RESOLVE))?;
        let addresses: Option<Vec<IpAddr>> = addresses.split(',').map(|part| address(part.trim())).collect();
        let addresses = addresses.ok_or_else(|| complaint(text, "its address", RESOLVE))?;
        Ok(Self { host: host.to_ascii_lowercase(), port, addresses })
    }

    /// Whether it holds for a URL's host and port. `*` matches every host.
    #[must_use]
    pub fn matches(&self, host: &str, port: u16) -> bool {
        self.port == port && (self.host == "*" || self.host.eq_ignore_ascii_case(host))
    }
}

impl ConnectTo {
    /// Reads curl's `HOST1:PORT1:HOST2:PORT2`.
    pub(super) fn parse(text: &str) -> Result<Self, Complaint> {
        let (from_host, rest) = split_host(text).ok_or_else(|| complaint(text, "its first host", CONNECT_TO))?;
        let (from_port, rest) = rest.split_once(':').ok_or_else(|| complaint(text, "its second host", CONNECT_TO))?;
        let (to_host, to_port) = split_host(rest).ok_or_else(|| complaint(text, "its second host", CONNECT_TO))?;
        let port = |part: &str, name: &str| match part {
            "" => Ok(None),
            _ => parse_port(part).map(Some).ok_or_else(|| complaint(text, name, CONNECT_TO)),
        };
        Ok(Self {
            from_host: from_host.to_ascii_lowercase(),
            from_port: port(from_port, "its first port")?,
            to_host: to_host.to_ascii_lowercase(),
            to_port: port(to_port, "its second port")?,
        })
    }

    /// Whether it holds for a URL's host and port.
    #[must_use]
    pub fn matches(&self, host: &str, port: u16) -> bool {
        (self.from_host.is_empty() || self.from_host.eq_ignore_ascii_case(host))
            && self.from_port.is_none_or(|known| known == port)
    }
}

/// Where a connection for a URL's host and port really goes: host, port, and fixed addresses if there are any.
///
/// As curl does: the first `connect_to` that matches, then the last `resolve` that matches what came out of it, an
/// exact host before `*`.
#[must_use]
pub fn destination<'a>(target: &'a super::Target, host: &'a str, port: u16) -> (&'a str, u16, Option<&'a [IpAddr]>) {
    let (to_host, to_port) = redirected(target, host, port);
    (to_host, to_port, fixed_addresses(target, to_host, to_port))
}

/// The host and port that `connect_to` makes of a URL's: the first rule that matches, as in curl.
#[must_use]
pub fn redirected<'a>(target: &'a super::Target, host: &'a str, port: u16) -> (&'a str, u16) {
    let Some(rule) = target.connect_to.iter().find(|rule| rule.matches(host, port)) else { return (host, port) };
    let to_host = if rule.to_host.is_empty() { host } else { &rule.to_host };
    (to_host, rule.to_port.unwrap_or(port))
}

/// The addresses that `resolve` fixes for a host and port: the last rule that matches, an exact host before `*`, as in
/// curl.
#[must_use]
pub fn fixed_addresses<'a>(target: &'a super::Target, host: &str, port: u16) -> Option<&'a [IpAddr]> {
    let mut fixed = target.resolve.iter().rev().filter(|rule| rule.matches(host, port));
    let exact = fixed.clone().find(|rule| rule.host != "*");
    exact.or_else(|| fixed.next()).map(|rule| rule.addresses.as_slice())
}

fn complaint(text: &str, part: &str, help: &'static str) -> Complaint {
    (format!("`{text}` cannot be read: {part} is missing or malformed"), help)
}

/// The host before the first colon (IPv6 in brackets, given back without them) and what follows the colon.
fn split_host(text: &str) -> Option<(&str, &str)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        host.parse::<Ipv6Addr>().ok()?;
        return Some((host, rest.strip_prefix(':')?));
    }
    let (host, rest) = text.split_once(':')?;
    let sound = |c: char| c.is_ascii_alphanumeric() || "-._*".contains(c);
    host.chars().all(sound).then_some((host, rest))
}

fn parse_port(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port > 0)
}

fn address(text: &str) -> Option<IpAddr> {
    match text.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolve_reads_what_curl_reads() {
        let plain = Resolve::parse("Form.example.jp:443:192.0.2.1,[2001:db8::1]").unwrap();
        assert_eq!((plain.host.as_str(), plain.port), ("form.example.jp", 443));
        assert_eq!(plain.addresses, ["192.0.2.1".parse::<IpAddr>().unwrap(), "2001:db8::1".parse().unwrap()]);
        assert!(Resolve::parse("*:80:127.0.0.1").unwrap().matches("any.example", 80));
        assert_eq!(Resolve::parse("+a:1:::1").unwrap().addresses, ["::1".parse::<IpAddr>().unwrap()]);
        assert_eq!(Resolve::parse("[::1]:443:127.0.0.1").unwrap().host, "::1");
    }

    #[test]
    fn resolve_refuses_what_names_no_address() {
        for bad in
            ["", "a", "a:443", "a:443:", "a:0:1.2.3.4", "a:x:1.2.3.4", "a:1:b", "-a:1", ":1:1.2.3.4", "[::1:1:1.2.3.4"]
        {
            assert!(Resolve::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn connect_to_keeps_and_matches_empty_parts() {
        let any = ConnectTo::parse("::edge.example.net:8443").unwrap();
        assert!(any.matches("whatever", 1));
        assert_eq!((any.to_host.as_str(), any.to_port), ("edge.example.net", Some(8443)));
        let v6 = ConnectTo::parse("a:443:[::1]:").unwrap();
        assert_eq!(
            (v6.to_host.as_str(), v6.to_port, v6.matches("A", 443), v6.matches("a", 80)),
            ("::1", None, true, false)
        );
        for bad in ["", "a:1", "a:1:b", "a:x:b:1", "a:1:b:99999"] {
            assert!(ConnectTo::parse(bad).is_err(), "{bad}");
        }
    }
}
