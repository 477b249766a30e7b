//! How fast requests may start, and how many in all.

use std::time::{Duration, Instant};

/// Says when the next request may start: a token bucket, a pause, and ceilings. A value without a clock of its own.
#[derive(Debug, Clone)]
pub struct Pacer {
    rate: Option<f64>,
    burst: f64,
    tokens: f64,
    filled: Instant,
    paused_until: Option<Instant>,
    max_requests: Option<u64>,
    max_bytes: Option<u64>,
    requests: u64,
    bytes: u64,
}

/// Whether a request may start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permit {
    /// Now; it is counted.
    Go,
    /// Not before so long.
    Wait(Duration),
    /// Never again in this run: a ceiling would be passed.
    Over(String),
}

impl Pacer {
    /// A full bucket at `now`, for the pace that a profile sets.
    #[must_use]
    pub fn new(pace: &crate::profile::Pace, now: Instant) -> Self {
        let burst = f64::from(pace.burst.max(1));
        Self {
            rate: pace.rate.filter(|rate| *rate > 0.0),
            burst,
            tokens: burst,
            filled: now,
            paused_until: None,
            max_requests: pace.max_requests,
            max_bytes: pace.max_bytes,
            requests: 0,
            bytes: 0,
        }
    }

    /// Asks for a request with a body of `bytes` bytes, at `now`.
    pub fn take(&mut self, bytes: u64, now: Instant) -> Permit {
        if let Some(over) = self.over(bytes) {
            return Permit::Over(over);
        }
        if let Some(until) = self.paused_until {
            if now < until {
                return Permit::Wait(until - now);
            }
            self.paused_until = None;
        }
        if let Some(rate) = self.rate {
            let grown = now.saturating_duration_since(self.filled).as_secs_f64() * rate;
            self.tokens = (self.tokens + grown).min(self.burst);
            self.filled = now;
            if self.tokens < 1.0 {
                // NOTE: rounded up, or a waiter could wake a nanosecond too early and ask again for nothing.
                let missing = Duration::try_from_secs_f64((1.0 - self.tokens) / rate).unwrap_or(Duration::MAX);
                return Permit::Wait(missing.saturating_add(Duration::from_micros(1)));
            }
            self.tokens -= 1.0;
        }
        self.requests += 1;
        self.bytes += bytes;
        Permit::Go
    }

    /// Lets no request start before `until`, and then begins without a burst.
    pub fn pause(&mut self, until: Instant) {
        self.paused_until = Some(self.paused_until.map_or(until, |known| known.max(until)));
        self.tokens = self.tokens.min(1.0);
        self.filled = self.filled.max(until);
    }

    /// Why no further request with a body of `bytes` bytes may start.
    #[must_use]
    pub fn over(&self, bytes: u64) -> Option<String> {
        if let Some(max) = self.max_requests.filter(|max| self.requests >= *max) {
            return Some(format!("the ceiling of {max} requests is reached (`pace.max_requests`)"));
        }
        let max = self.max_bytes.filter(|max| self.bytes.saturating_add(bytes) > *max || self.bytes >= *max)?;
        Some(format!("the ceiling of {max} body bytes is reached (`pace.max_bytes`)"))
    }

    /// Requests started.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// Body bytes of the requests started.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// Reads `Retry-After`, RFC 9110 section 10.2.3: seconds, or a date, which is a time from `now` (the answer's `Date`
/// where there is one, so that a wrong clock does no harm). A date that has passed gives zero.
#[must_use]
pub fn retry_after(value: &str, now: jiff::Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = http_date(value)?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO))
}

/// An HTTP date, RFC 9110 section 5.6.7, in its IMF-fixdate form.
#[must_use]
pub fn http_date(value: &str) -> Option<jiff::Timestamp> {
    jiff::fmt::rfc2822::parse(value.trim()).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Pace;

    fn pace() -> Pace {
        Pace {
            rate: Some(10.0),
            concurrency: 4,
            burst: 2,
            max_requests: None,
            max_bytes: None,
            canary_every: 0,
            retries: 0,
            max_retry_after: Duration::from_secs(60),
        }
    }

    #[test]
    fn after_the_burst_requests_start_at_the_rate() {
        let start = Instant::now();
        let mut pacer = Pacer::new(&pace(), start);
        assert_eq!(pacer.take(1, start), Permit::Go);
        assert_eq!(pacer.take(1, start), Permit::Go);
        let Permit::Wait(wait) = pacer.take(1, start) else { panic!("the burst is two") };
        assert!(wait >= Duration::from_millis(100) && wait < Duration::from_millis(101), "{wait:?}");
        assert_eq!(pacer.take(1, start + wait), Permit::Go);
        assert!(matches!(pacer.take(1, start + wait), Permit::Wait(_)));
        assert_eq!((pacer.requests(), pacer.bytes()), (3, 3));
    }

    #[test]
    fn no_rate_never_waits() {
        let start = Instant::now();
        let mut pacer = Pacer::new(&Pace { rate: None, ..pace() }, start);
        assert!((0..1000).all(|_| pacer.take(1, start) == Permit::Go));
    }

    #[test]
    fn nothing_starts_in_a_pause_and_no_burst_follows_it() {
        let start = Instant::now();
        let mut pacer = Pacer::new(&pace(), start);
        pacer.pause(start + Duration::from_secs(5));
        pacer.pause(start + Duration::from_secs(3));
        assert_eq!(pacer.take(1, start), Permit::Wait(Duration::from_secs(5)));
        let end = start + Duration::from_secs(5);
        assert_eq!(pacer.take(1, end), Permit::Go);
        assert!(matches!(pacer.take(1, end), Permit::Wait(_)));
    }

    #[test]
    fn ceilings_hold_before_they_are_passed() {
        let start = Instant::now();
        let mut requests = Pacer::new(&Pace { max_requests: Some(1), ..pace() }, start);
        assert_eq!(requests.take(1, start), Permit::Go);
        assert!(matches!(requests.take(1, start), Permit::Over(why) if why.contains("1 requests")));
        let mut bytes = Pacer::new(&Pace { max_bytes: Some(10), ..pace() }, start);
        assert_eq!(bytes.take(6, start), Permit::Go);
        assert!(matches!(bytes.take(6, start), Permit::Over(_)));
        assert_eq!((bytes.requests(), bytes.bytes()), (1, 6));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = http_date("Mon, 23 Nov 2026 12:00:00 GMT").unwrap();
        assert_eq!(retry_after("120", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after(" 0 ", now), Some(Duration::ZERO));
        assert_eq!(retry_after("Mon, 23 Nov 2026 12:00:30 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Mon, 23 Nov 2026 11:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("99999999999999999999999", now), Some(Duration::from_secs(u64::MAX)));
        assert_eq!(retry_after("-1", now), None);
        assert_eq!(retry_after("soon", now), None);
    }
}
