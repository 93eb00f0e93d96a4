//! The attempts of a request, as a header and a log field tell them:
//! `openai/gpt-5;class=rate_limited;status=429;ms=12, anthropic/claude;class=ok;status=200;ms=340`.

use std::fmt;

use crate::catalog::Backend;
use crate::failure::Class;

/// The class of an attempt that answered.
pub(super) const OK: &str = "ok";

/// The class of an attempt that another one has outrun.
pub(super) const OUTRUN: &str = "outrun";

/// The class of an attempt that was not made, because the target asked to be left alone.
const AVOIDED: &str = "cooling_down";

/// The same, because the target serves as many requests as it may.
const FULL: &str = "at_capacity";

/// The class of a model that was asked for and does not serve, for want of budget.
const DOWNGRADED: &str = "budget_downgrade";

/// The class of a model that was asked for and does not serve, because it has too much to do.
const RELIEVED: &str = "load_downgrade";

/// What follows an attempt after which there is a wait.
const WAITED: &str = ";wait_s=";

/// One attempt that has ended or has been committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub provider: &'a str,
    pub model: &'a str,
    /// What became of it: a failure's class, or a word of ours.
    pub class: &'a str,
    /// The provider's own status; `None` when it gave none.
    pub status: Option<u16>,
    /// From the start of the attempt to its verdict.
    pub elapsed_ms: u64,
    /// The same candidate is asked again in so many seconds; 0 when it is not.
    pub wait_s: u64,
    /// What the quality gate found wanting; empty for nothing.
    pub gate: &'a str,
    /// What became of asking the gate's webhook; empty where there is none.
    pub scorer: &'a str,
}

impl fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (model, class) = (token(self.model), self.class);
        write!(f, "{}/{model};class={class}", self.provider)?;
        if let Some(status) = self.status {
            write!(f, ";status={status}")?;
        }
        write!(f, ";ms={}", self.elapsed_ms)?;
        for (field, value) in [("gate", self.gate), ("scorer", self.scorer)] {
            if !value.is_empty() {
                write!(f, ";{field}={value}")?;
            }
        }
        match self.wait_s {
            0 => Ok(()),
            seconds => write!(f, "{WAITED}{seconds}"),
        }
    }
}

/// `trail` with `entry` at its end.
pub(super) fn append(trail: &str, entry: &Entry<'_>) -> String {
    if trail.is_empty() {
        entry.to_string()
    } else {
        format!("{trail}, {entry}")
    }
}

/// A target as entries name it.
pub(super) fn of_target(backend: &Backend) -> String {
    format!("{}/{}", backend.provider, token(&backend.model))
}

/// `trail` with `entry` before the last one.
pub(super) fn before_last(trail: &str, entry: &Entry<'_>) -> String {
    match trail.rsplit_once(", ") {
        Some((earlier, last)) => format!("{earlier}, {entry}, {last}"),
        None => format!("{entry}, {trail}"),
    }
}

/// Who is left alone, as entries of a trail: until now they were sent nothing, and cost no time.
pub(super) fn of_avoided<'a>(
    avoided: impl Iterator<Item = &'a Backend>,
    is_full: &dyn Fn(&Backend) -> bool,
) -> String {
    let mut trail = String::new();
    for candidate in avoided {
        let Backend {
            provider, model, ..
        } = candidate;
        let class = if is_full(candidate) { FULL } else { AVOIDED };
        if !trail.is_empty() {
            trail.push_str(", ");
        }
        trail.push_str(&format!("{provider}/{};class={class};ms=0", token(model)));
    }
    trail
}

/// Why another model serves than was asked for: a budget is nearly used up.
pub(super) fn of_downgrade(model: &str, budget: &str) -> String {
    format!("{}/{};class={DOWNGRADED};ms=0", token(model), token(budget))
}

/// Why another model serves than was asked for: it has too much to do.
pub(super) fn of_load(model: &str) -> String {
    format!("{};class={RELIEVED};ms=0", token(model))
}

/// Both trails, one after the other.
pub(super) fn joined(first: String, second: String) -> String {
    match (first.is_empty(), second.is_empty()) {
        (true, _) => second,
        (_, true) => first,
        _ => format!("{first}, {second}"),
    }
}

/// How often there was a wait.
pub(super) fn waits(trail: &str) -> usize {
    trail.matches(WAITED).count()
}

/// The candidate of the last attempt, why it failed, and whether it is asked again.
pub(super) fn last(trail: &str) -> Option<(&str, Option<Class>, bool)> {
    let entry = trail.rsplit(", ").next().filter(|e| !e.is_empty())?;
    let mut fields = entry.split(';');
    let candidate = fields.next()?;
    let class = fields.find_map(|field| field.strip_prefix("class="));
    Some((
        candidate,
        class.and_then(Class::parse),
        entry.contains(WAITED),
    ))
}

/// A candidate, as entries begin.
pub(super) fn candidate(provider: &str, model: &str) -> String {
    format!("{provider}/{}", token(model))
}

/// How many attempts a trail tells of.
pub(super) fn attempts(trail: &str) -> usize {
    let entries = trail.split(", ").filter(|entry| !entry.is_empty());
    let is_attempt = |entry: &&str| {
        let mut others = [AVOIDED, FULL, DOWNGRADED, RELIEVED].into_iter();
        !others.any(|class| entry.contains(class))
    };
    entries.filter(is_attempt).count()
}

/// The trail in words: `openai/gpt-5: rate_limited (429), gemini/pro: timeout`.
pub(super) fn in_words(trail: &str) -> String {
    let attempts = trail
        .split(", ")
        .filter(|attempt| !attempt.is_empty())
        .map(|attempt| {
            let mut fields = attempt.split(';');
            let mut words = fields.next().unwrap_or_default().to_owned();
            for field in fields {
                match field.split_once('=') {
                    Some(("class", class)) => words.push_str(&format!(": {class}")),
                    Some(("status", status)) => words.push_str(&format!(" ({status})")),
                    _ => {}
                }
            }
            words
        });
    attempts.collect::<Vec<_>>().join(", ")
}

/// `text` without anything that could end a field or a header.
pub(super) fn token(text: &str) -> String {
    let mut token = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '!'..='~' if !matches!(c, ',' | ';' | '%' | '=') => token.push(c),
            _ => c
                .encode_utf8(&mut [0; 4])
                .bytes()
                .for_each(|b| token.push_str(&format!("%{b:02X}"))),
        }
    }
    token
}
