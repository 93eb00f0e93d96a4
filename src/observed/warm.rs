//! Which prompts a target has seen lately, and so may still have in its cache: a set of hashes
//! of bounded size, in which the oldest makes room.

use super::bytes::{Reader, Writer};

const VERSION: u8 = 1;

/// Sets of places; a hash belongs to one of them.
const SETS: usize = 64;
/// Places of a set.
const WAYS: usize = 4;

/// Prefixes of prompts and until when each is warm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warm([Place; SETS * WAYS]);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Place {
    /// The upper half of the hash; the set is chosen by the lower one.
    tag: u32,
    /// Unix seconds.
    until_s: u32,
}

impl Default for Warm {
    fn default() -> Self {
        Warm([Place::default(); SETS * WAYS])
    }
}

impl Warm {
    /// Reads what [`Warm::encode`] wrote; anything else is an empty set.
    pub fn decode(bytes: &[u8]) -> Warm {
        read(&mut Reader(bytes)).unwrap_or_default()
    }

    /// Its bytes, always as many.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer(Vec::with_capacity(1 + 8 * SETS * WAYS));
        writer.u8(VERSION);
        for place in &self.0 {
            writer.u32(place.tag);
            writer.u32(place.until_s);
        }
        writer.0
    }

    /// Notes that a prompt with this prefix has been served.
    pub fn add(&mut self, prefix: u64, until_ms: u64) {
        let new = Place {
            tag: tag(prefix),
            until_s: seconds(until_ms),
        };
        let Some(set) = self.0.chunks_exact_mut(WAYS).nth(set(prefix)) else {
            return;
        };
        let same = set.iter().position(|place| place.tag == new.tag);
        let oldest = || (0..set.len()).min_by_key(|i| set.get(*i).map(|place| place.until_s));
        if let Some(place) = same.or_else(oldest).and_then(|i| set.get_mut(i)) {
            *place = new;
        }
    }

    /// Whether a prompt with this prefix has been served lately.
    pub fn has(&self, prefix: u64, now_ms: u64) -> bool {
        let set = self.0.chunks_exact(WAYS).nth(set(prefix));
        let is_it = |place: &Place| place.tag == tag(prefix) && place.until_s > seconds(now_ms);
        set.is_some_and(|set| set.iter().any(is_it))
    }
}

fn read(reader: &mut Reader<'_>) -> Option<Warm> {
    if reader.u8()? != VERSION {
        return None;
    }
    let mut warm = Warm::default();
    for place in &mut warm.0 {
        place.tag = reader.u32()?;
        place.until_s = reader.u32()?;
    }
    reader.is_at_end().then_some(warm)
}

fn tag(prefix: u64) -> u32 {
    (prefix >> 32) as u32
}

fn set(prefix: u64) -> usize {
    prefix as usize % SETS
}

fn seconds(ms: u64) -> u32 {
    u32::try_from(ms / 1000).unwrap_or(u32::MAX)
}
