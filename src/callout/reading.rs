//! What an answer means. Whatever cannot be understood is no class.

use serde_json::Value;

use super::Spent;
use crate::config::{Classifier, Source};
use crate::json;

/// The most of an answer that is read, in bytes; a longer one is none.
pub const MAX_REPLY_BYTES: usize = 64 << 10;

/// The most of a model's words that are looked at, in bytes.
const MAX_WORDS_BYTES: usize = 200;

/// What came back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status; Envoy's own for a call that did not come through.
    pub status: u16,
    /// A provider's answer, committed by an attempt.
    pub committed: bool,
    /// What it cost, in USD with nine decimals; empty when that is not known.
    pub cost: String,
    /// The body; empty when it was too long.
    pub body: Vec<u8>,
}

impl Reply {
    /// Whether it is Envoy's own for a call that took too long.
    pub fn timed_out(&self) -> bool {
        self.status == 504
    }
}

/// The class that a reply tells.
pub fn read<'c>(classifier: &'c Classifier, reply: &Reply) -> Option<&'c str> {
    if reply.status != 200 || reply.body.len() > MAX_REPLY_BYTES {
        return None;
    }
    let value: Value = json::deserialize(&reply.body).ok()?;
    match &classifier.source {
        Source::Model(_) if !reply.committed => None,
        Source::Model(_) => {
            let content = value.pointer("/choices/0/message/content")?;
            by_words(classifier, content.as_str()?)
        }
        Source::Webhook(_) => by_name(classifier, value.get("class")?.as_str()?),
    }
}

/// The score that a webhook gives an answer, in thousandths.
pub fn read_score(reply: &Reply) -> Option<u16> {
    if reply.status != 200 || reply.body.len() > MAX_REPLY_BYTES {
        return None;
    }
    let value: Value = json::deserialize(&reply.body).ok()?;
    let score = value.get("score")?.as_f64()?;
    // What lies between 0 and 1 fits.
    (0.0..=1.0)
        .contains(&score)
        .then(|| (score * 1000.0).round() as u16)
}

/// What an answer of a model used, as it says itself; nothing for webhooks.
pub fn spent(reply: &Reply) -> Spent {
    if !reply.committed || reply.body.len() > MAX_REPLY_BYTES {
        return Spent::default();
    }
    let value: Value = json::deserialize(&reply.body).unwrap_or_default();
    let tokens = value.pointer("/usage/total_tokens").and_then(Value::as_u64);
    let digits: String = reply.cost.chars().filter(char::is_ascii_digit).collect();
    Spent {
        tokens: tokens.unwrap_or(0),
        nano_usd: digits.parse().unwrap_or(0),
    }
}

fn by_name<'c>(classifier: &'c Classifier, name: &str) -> Option<&'c str> {
    let mut classes = classifier.classes.iter();
    let same = |class: &&String| class.eq_ignore_ascii_case(name);
    classes.find(same).map(String::as_str)
}

/// A class by its number or its name, whatever stands around it; several are none.
fn by_words<'c>(classifier: &'c Classifier, words: &str) -> Option<&'c str> {
    if words.len() > MAX_WORDS_BYTES {
        return None;
    }
    let is_part = |c: char| c.is_alphanumeric() || "_./-".contains(c);
    let words = words.split(|c: char| !is_part(c));
    let told = words.filter_map(|word| {
        let word = word.trim_matches(['.', '-', '_', '/']);
        let number: Option<usize> = word.parse().ok();
        let numbered = number.and_then(|n| classifier.classes.get(n.checked_sub(1)?));
        by_name(classifier, word).or(numbered.map(String::as_str))
    });
    let mut only = None;
    for class in told {
        if only.is_some_and(|earlier| earlier != class) {
            return None;
        }
        only = Some(class);
    }
    only
}
