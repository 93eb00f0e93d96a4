//! Answers that are remembered, and classifiers that failed too often, in shared bytes.

use crate::observed::Store;
use crate::routing::hash;

/// Names of values begin with this, and with the number of their layout.
const PREFIX: &str = "pointsman.class.1.";

/// So many answers are remembered at most: each has one place, which the next one takes.
const PLACES: u64 = 4096;

/// So many failures in a row, and it is left alone.
const MOST_FAILURES: u8 = 5;

/// For so long, in milliseconds.
const REST_MS: u64 = 5_000;

/// What a question is remembered by: equal questions have equal keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key(u64, u64);

/// What all workers know of classifiers.
#[derive(Clone, Copy)]
pub struct Cache<'s> {
    store: &'s dyn Store,
    now_ms: u64,
}

impl Key {
    /// The key of a question: whom, and what.
    pub(super) fn of(cluster: &str, body: &[u8]) -> Key {
        // Two hashes of the same bytes, from two beginnings.
        let of = |start: u64| {
            let all = cluster.bytes().chain(body.iter().copied());
            let hashed = all.fold(start, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
            });
            hash::mix(hashed)
        };
        Key(of(0xCBF2_9CE4_8422_2325), of(0x9AE1_6A3B_2F90_404F))
    }

    fn place(self) -> String {
        format!("{PREFIX}{}", self.0 % PLACES)
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
        let (head, class) = bytes.split_at_checked(24)?;
        let mut numbers = head.chunks_exact(8).map(number);
        let same = numbers.next() == Some(key.0) && numbers.next() == Some(key.1);
        let holds = numbers.next().is_some_and(|until| self.now_ms < until);
        (same && holds).then(|| String::from_utf8_lossy(class).into_owned())
    }

    /// Remembers a class for so long.
    pub fn keep(&self, key: Key, class: &str, for_ms: u64) {
        if for_ms == 0 {
            return;
        }
        let until = self.now_ms.saturating_add(for_ms);
        let mut bytes = Vec::with_capacity(24 + class.len());
        for number in [key.0, key.1, until] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
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
