//! What a provider says of its limits, in OpenAI's words: `limit`, `remaining` and `reset` of
//! requests and of tokens, resets as durations such as `6m0s`.
//!
//! Sources, read 2026-11-21: OpenAI, "Rate limits", "Rate limits in headers"; Anthropic, "Rate
//! limits", "Response headers"; Azure OpenAI, "Manage quota"; Groq, "Rate Limits"; Cerebras, "Rate
//! Limits"; Together, "Rate limits"; OpenRouter, "Limits"; Mistral has none, its names are those
//! of replies (mistralai/client-ts, issue 169).

/// OpenAI's names, in the order of requests and tokens, and of limit, remaining and reset.
const NAMES: [&str; 6] = [
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-tokens",
];

/// What others call the same, in the same order; empty where there is nothing.
const VENDORS: [[&str; 6]; 4] = [
    // Anthropic: resets are dates.
    [
        "anthropic-ratelimit-requests-limit",
        "anthropic-ratelimit-requests-remaining",
        "anthropic-ratelimit-requests-reset",
        "anthropic-ratelimit-tokens-limit",
        "anthropic-ratelimit-tokens-remaining",
        "anthropic-ratelimit-tokens-reset",
    ],
    // Cerebras: requests of a day, resets in seconds.
    [
        "x-ratelimit-limit-requests-day",
        "x-ratelimit-remaining-requests-day",
        "x-ratelimit-reset-requests-day",
        "x-ratelimit-limit-tokens-minute",
        "x-ratelimit-remaining-tokens-minute",
        "x-ratelimit-reset-tokens-minute",
    ],
    // Mistral, which tells no resets.
    [
        "x-ratelimit-limit-req-minute",
        "x-ratelimit-remaining-req-minute",
        "",
        "",
        "",
        "",
    ],
    // Together: resets in seconds. OpenRouter: of requests only, resets in Unix milliseconds.
    [
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "x-tokenlimit-limit",
        "x-tokenlimit-remaining",
        "x-tokenlimit-reset",
    ],
];

/// Whether a response header may tell of a limit.
pub fn tells_limit(name: &str) -> bool {
    name.contains("ratelimit-") || name.starts_with("x-tokenlimit-")
}

/// Whether a client takes this header for what we say of limits.
pub(super) fn is_normalised(name: &str) -> bool {
    NAMES.contains(&name)
}

/// What is known of a provider's limits.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Quota {
    /// In the order of the names.
    values: [Option<String>; 6],
    /// When what is used up comes back, in milliseconds from now; 0 when nothing is.
    pub(super) back_in_ms: u64,
}

impl Quota {
    /// Reads a provider's headers.
    pub(super) fn read(headers: &[(String, String)], now_ms: u64) -> Quota {
        let mut quota = Quota::default();
        for (at, own) in NAMES.iter().enumerate() {
            let of_vendors = VENDORS.iter().filter_map(|names| names.get(at));
            let mut names = std::iter::once(own).chain(of_vendors);
            let value = names.find_map(|name| {
                let mut told = headers.iter().filter(|(n, _)| n == name);
                told.find_map(|(_, value)| normalised(at % 3 == 2, value.trim(), now_ms))
            });
            if let Some(slot) = quota.values.get_mut(at) {
                *slot = value;
            }
        }
        quota.back_in_ms = quota.used_up_for(1).max(quota.used_up_for(4));
        quota
    }

    /// What the client is told; once.
    pub(super) fn take_headers(&mut self) -> impl Iterator<Item = (&'static str, String)> {
        let told = NAMES.into_iter().zip(std::mem::take(&mut self.values));
        told.filter_map(|(name, value)| Some((name, value?)))
    }

    fn used_up_for(&self, remaining: usize) -> u64 {
        let value = |at: usize| self.values.get(at)?.as_deref();
        match value(remaining) {
            Some("0") => value(remaining + 1).and_then(duration_ms).unwrap_or(0),
            _ => 0,
        }
    }
}

/// As OpenAI would say it; `None` for what says nothing.
fn normalised(is_reset: bool, value: &str, now_ms: u64) -> Option<String> {
    if !is_reset {
        let number = value
            .parse::<f64>()
            .ok()
            .filter(|n| (0.0..1e15).contains(n))?;
        return Some((number as u64).to_string());
    }
    match value.parse::<f64>() {
        Ok(number) => Some(in_words(wait_ms(number, now_ms)?)),
        Err(_) if duration_ms(value).is_some() => Some(value.to_owned()),
        Err(_) => Some(in_words(date_ms(value)?.saturating_sub(now_ms))),
    }
}

/// A number is seconds from now, Unix seconds or Unix milliseconds; its size tells which.
fn wait_ms(number: f64, now_ms: u64) -> Option<u64> {
    match number {
        n if !(0.0..1e15).contains(&n) => None,
        n if n >= 1e11 => Some((n as u64).saturating_sub(now_ms)),
        n if n >= 1e9 => Some(((n * 1000.0) as u64).saturating_sub(now_ms)),
        n => Some((n * 1000.0).ceil() as u64),
    }
}

/// `1h2m3.5s` or `12ms`, in milliseconds.
fn duration_ms(text: &str) -> Option<u64> {
    let (mut rest, mut total) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit_on) = rest.split_at_checked(digits)?;
        let size = unit_on.find(|c: char| c.is_ascii_digit());
        let (unit, after) = unit_on.split_at_checked(size.unwrap_or(unit_on.len()))?;
        let factor = match unit {
            "ms" => 1.0,
            "s" => 1e3,
            "m" => 6e4,
            "h" => 3.6e6,
            "d" => 8.64e7,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * factor;
        rest = after;
    }
    (!text.is_empty() && total < 1e15).then_some(total.ceil() as u64)
}

/// A date of RFC 3339 in UTC, such as `2026-11-21T12:41:00Z`, in Unix milliseconds.
fn date_ms(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|n| n.parse::<u64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time = time.splitn(3, ':').map(|n| n.parse::<f64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let is_sane = (1970..10_000).contains(&year) && (1..=12).contains(&month) && day <= 31;
    let in_day = hour * 3600.0 + minute * 60.0 + second;
    if !is_sane || !(0.0..=86_401.0).contains(&in_day) {
        return None;
    }
    // Years that begin in March: leap days come last.
    let (year, month) = match month {
        1 | 2 => (year - 1, month + 9),
        _ => (year, month - 3),
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day;
    // So many days before 1970-01-01, counted likewise.
    let days = days.checked_sub(719_469)?;
    Some(days * 86_400_000 + (in_day * 1000.0) as u64)
}

/// As OpenAI writes durations.
fn in_words(ms: u64) -> String {
    if ms < 1000 {
        return format!("{ms}ms");
    }
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    let seconds = (ms % 60_000) as f64 / 1000.0;
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests;
