//! Answers that are remembered, and classifiers that failed too often, in shared bytes.

use super::digest::sha256;
use crate::observed::Store;

/// Names of values begin with this, and with the number of their layout.
const PREFIX: &str = "pointsman.class.2.";

/// So many answers are remembered at most: each has one place, which the next one takes.
const PLACES: u64 = 4096;

/// So many failures in a row, and it is left alone.
const MOST_FAILURES: u8 = 5;

/// For so long, in milliseconds.
const REST_MS: u64 = 5_000;

/// What a question is remembered by: equal questions have equal keys, and nobody can make two that
/// have the same. Nothing of a prompt is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 32]);

/// What all workers know of classifiers.
#[derive(Clone, Copy)]
pub struct Cache<'s> {
    store: &'s dyn Store,
    now_ms: u64,
}

impl Key {
    /// The key of a question: whom, and what.
    pub(super) fn of(cluster: &str, body: &[u8]) -> Key {
        let mut message = Vec::with_capacity(8 + cluster.len() + body.len() + 2 * 64);
        message.extend_from_slice(&(cluster.len() as u64).to_le_bytes());
        message.extend_from_slice(cluster.as_bytes());
        message.extend_from_slice(body);
        Key(sha256(message))
    }

    fn place(self) -> String {
        let first = self.0.first_chunk().copied().unwrap_or_default();
        format!("{PREFIX}{}", u64::from_le_bytes(first) % PLACES)
    }
}

impl<'s> Cache<'s> {
    /// As it is at `now_ms`.
    pub fn new(store: &'s dyn Store, now_ms: u64) -> Cache<'s> {
        Cache { store, now_ms }
    }

    /// The class that was told before and still holds.
    pub fn find(&self, key: Key) -> Option<String> {
        let bytes = self.store.load(&key.place())?;
        let (until, class) = bytes.strip_prefix(&key.0)?.split_first_chunk()?;
        let holds = self.now_ms < u64::from_le_bytes(*until);
        holds.then(|| String::from_utf8_lossy(class).into_owned())
    }

    /// Remembers a class for so long.
    pub fn keep(&self, key: Key, class: &str, for_ms: u64) {
        if for_ms == 0 {
            return;
        }
        let until = self.now_ms.saturating_add(for_ms);
        let mut bytes = Vec::with_capacity(40 + class.len());
        bytes.extend_from_slice(&key.0);
        bytes.extend_from_slice(&until.to_le_bytes());
        bytes.extend_from_slice(class.as_bytes());
        self.store.change(&key.place(), &mut |_| bytes.clone());
    }

    /// Whether a classifier is left alone for now.
    pub fn rests(&self, classifier: &str) -> bool {
        let (failures, until) = self.failures(classifier);
        failures >= MOST_FAILURES && self.now_ms < until
    }

    /// Notes whether a classifier told a class.
    pub fn note(&self, classifier: &str, told: bool) {
        if told && self.failures(classifier).0 == 0 {
            return;
        }
        let until = self.now_ms.saturating_add(REST_MS);
        self.store.change(&rest_name(classifier), &mut |old| {
            let failures = match told {
                true => 0,
                false => old.first().copied().unwrap_or(0).saturating_add(1),
            };
            let mut bytes = vec![failures];
            bytes.extend_from_slice(&until.to_le_bytes());
            bytes
        });
    }

    /// Failures in a row, and until when they count.
    fn failures(&self, classifier: &str) -> (u8, u64) {
        let bytes = self.store.load(&rest_name(classifier)).unwrap_or_default();
        let (failures, until) = bytes.split_first().unwrap_or((&0, &[]));
        (*failures, number(until))
    }
}

fn rest_name(classifier: &str) -> String {
    format!("{PREFIX}rest.{classifier}")
}

fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}
