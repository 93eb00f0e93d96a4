//! Where answers lie: sets of places in shared bytes, each set with a directory that is changed by
//! compare-and-swap. The number of names is fixed, because the host never forgets one.

use super::directory::{Directory, Evicted, Place};
use super::entry::Entry;
use crate::observed::Store;
use crate::routing::hash::mix;

/// Names of values begin with this, and with the number of their layout.
const PREFIX: &str = "pointsman.answer.1.";

/// Sets of places: each holds no more than its share of all bytes.
pub const SETS: u64 = 32;

/// Uses are noted this coarsely, in seconds: noting one is a change of shared bytes.
const USE_STEP_S: u32 = 8;

/// How much may be kept, in bytes; requests count as well as their answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Of all answers together.
    pub total: u64,
    /// Of one.
    pub entry: u64,
}

/// What keeping an answer came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    /// Its bytes; 0 when it was not kept, because it is too large.
    pub bytes: u64,
    /// Answers that made room.
    pub evicted: u64,
    /// Their bytes.
    pub evicted_bytes: u64,
}

/// All answers of a proxy.
#[derive(Clone, Copy)]
pub struct Shelf<'s> {
    store: &'s dyn Store,
    bounds: Bounds,
    now_ms: u64,
}

impl<'s> Shelf<'s> {
    /// As it is at `now_ms`.
    pub fn new(store: &'s dyn Store, bounds: Bounds, now_ms: u64) -> Shelf<'s> {
        Shelf {
            store,
            bounds,
            now_ms,
        }
    }

    /// The answer to an equal request that still counts.
    pub fn find(&self, request: &[u8]) -> Option<Entry> {
        let tag = hash(request);
        let (set, now_s) = (set_name(tag), seconds(self.now_ms));
        let directory = Directory::decode(&self.store.load(&set)?);
        let (at, place) = directory.find(tag)?;
        let bytes = self.store.load(&place_name(&set, at))?;
        let entry = Entry::decode(&bytes, request).filter(|e| self.now_ms < e.until_ms)?;
        if now_s.saturating_sub(place.used_s) >= USE_STEP_S {
            self.store.change(&set, &mut |old| {
                let mut directory = Directory::decode(old);
                directory.touch(tag, now_s);
                directory.encode()
            });
        }
        Some(entry)
    }

    /// Keeps an answer.
    pub fn keep(&self, request: &[u8], entry: &Entry) -> Kept {
        let bytes = entry.encode(request);
        let most = self.bounds.total / SETS;
        if bytes.len() as u64 > self.bounds.entry.min(most) {
            return Kept::default();
        }
        let tag = hash(request);
        let (set, now_s) = (set_name(tag), seconds(self.now_ms));
        let new = Place {
            tag,
            until_s: seconds(entry.until_ms),
            used_s: now_s,
            bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        };
        let (mut at, mut evicted) = (0, Evicted::new());
        let is_put = self.store.change(&set, &mut |old| {
            let mut directory = Directory::decode(old);
            (at, evicted) = directory.put(new, most, now_s);
            directory.encode()
        });
        if !is_put {
            return Kept::default();
        }
        let name = place_name(&set, at);
        self.store.put(&name, &bytes);
        let gone = evicted.iter().filter(|(place, _)| *place != at);
        gone.for_each(|(place, _)| self.store.put(&place_name(&set, *place), &[]));
        if !self.is_at(&set, at, new) {
            // Another worker has been faster: what nobody would find must not stay.
            self.store.change(&name, &mut |old| match old == bytes {
                true => Vec::new(),
                false => old.to_vec(),
            });
        }
        Kept {
            bytes: bytes.len() as u64,
            evicted: evicted.len() as u64,
            evicted_bytes: evicted.iter().map(|(_, bytes)| u64::from(*bytes)).sum(),
        }
    }

    fn is_at(&self, set: &str, at: usize, new: Place) -> bool {
        let directory = Directory::decode(&self.store.load(set).unwrap_or_default());
        directory
            .find(new.tag)
            .is_some_and(|(found, place)| found == at && place.bytes == new.bytes)
    }
}

fn set_name(tag: u64) -> String {
    format!("{PREFIX}{}", tag % SETS)
}

fn place_name(set: &str, at: usize) -> String {
    format!("{set}.{at}")
}

/// Tells where a request's answer may lie, not that it is the same request.
fn hash(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let tail = rest
        .iter()
        .fold(bytes.len() as u64, |tail, b| (tail << 8) | u64::from(*b));
    words.chain([tail]).fold(0, |hash, word| mix(hash ^ word))
}

fn seconds(ms: u64) -> u32 {
    u32::try_from(ms / 1000).unwrap_or(u32::MAX)
}
