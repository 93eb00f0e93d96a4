//! Who asked to be left alone, and until when: one short list for a proxy, because it is read for
//! every request and is empty nearly always.

use std::cmp::Reverse;

use super::bytes::{Reader, Writer};
use crate::failure::Class;
use crate::sorted::sort_by_key;

const VERSION: u8 = 2;

/// The most that cool down at once; who is free soonest makes room.
const MOST: usize = 64;

/// How long the request may take that shows whether a target is well again; then another one does.
const PROBE_MS: u64 = 10_000;

/// The same after an ejection, which ends by itself: who comes too early loses no time.
const PROBE_EJECTED_MS: u64 = 1_000;

/// How long nobody may have shown whether a target is well, until it is taken to be.
const HALF_OPEN_MS: u64 = 30_000;

/// One target, or all of a provider, that is to be left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoolDown {
    /// Who, as [`key`] says.
    pub who: u64,
    /// Unix milliseconds.
    pub until_ms: u64,
    /// Why.
    pub class: Class,
}

/// All that cool down, or have until lately.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CoolDowns(Vec<Entry>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    cool_down: CoolDown,
    /// Until when a request may take to show whether the target is well.
    probed_ms: u64,
}

/// Who cools down: a model of a provider, or with no model all of it.
pub fn key(provider: &str, model: Option<&str>) -> u64 {
    let bytes = provider.bytes().chain([b'/']);
    let bytes = bytes.chain(model.unwrap_or_default().bytes());
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

impl CoolDowns {
    /// Reads what [`CoolDowns::encode`] wrote; anything else is an empty list.
    pub fn decode(bytes: &[u8]) -> CoolDowns {
        read(&mut Reader(bytes)).unwrap_or_default()
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.u8(VERSION);
        for Entry {
            cool_down: each,
            probed_ms,
        } in &self.0
        {
            writer.u64(each.who);
            writer.u64(each.until_ms);
            let class = Class::ALL.iter().position(|class| *class == each.class);
            writer.u8(class.and_then(|i| u8::try_from(i).ok()).unwrap_or(0));
            writer.u64(*probed_ms);
        }
        writer.0
    }

    /// Adds one, or makes it longer; never shorter. Forgets those that are over.
    pub fn add(&mut self, new: CoolDown, now_ms: u64) {
        self.0.retain(|each| !each.is_forgotten(now_ms));
        let is_over = new.until_ms <= now_ms;
        match self.0.iter_mut().find(|e| e.cool_down.who == new.who) {
            Some(old) if old.cool_down.until_ms < new.until_ms => {
                old.cool_down = new;
                old.probed_ms = if is_over { old.probed_ms } else { 0 };
            }
            Some(_) => {}
            None => {
                // Whoever tells of what is over has just tried.
                let probed_ms = if is_over { new.probed_until(now_ms) } else { 0 };
                self.0.push(Entry {
                    cool_down: new,
                    probed_ms,
                });
                sort_by_key(&mut self.0, |each| Reverse(each.cool_down.until_ms));
                self.0.truncate(MOST);
            }
        }
    }

    /// Until when a model of a provider is to be left alone; a time that has passed as long as
    /// nobody has shown that it is well again. `None` when it is not.
    pub fn of(&self, provider: &str, model: &str, now_ms: u64) -> Option<CoolDown> {
        if self.0.is_empty() {
            return None;
        }
        let who = [key(provider, Some(model)), key(provider, None)];
        let concerned = self.0.iter().filter(|each| each.is_of(who));
        let known = concerned.filter(|each| !each.is_forgotten(now_ms));
        known.map(|e| e.cool_down).max_by_key(|c| c.until_ms)
    }

    /// Lets one request show whether a model of a provider is well again, whose pause is over:
    /// the one that gets `true`.
    pub fn probe(&mut self, provider: &str, model: &str, now_ms: u64) -> bool {
        let who = [key(provider, Some(model)), key(provider, None)];
        let mut concerned = self.0.iter().filter(|each| each.is_of(who));
        let is_free = |each: &Entry| each.cool_down.until_ms <= now_ms && each.probed_ms <= now_ms;
        if !concerned.all(is_free) {
            return false;
        }
        for each in self.0.iter_mut().filter(|each| each.is_of(who)) {
            each.probed_ms = each.cool_down.probed_until(now_ms);
        }
        true
    }

    /// A model of a provider is well again.
    pub fn recover(&mut self, provider: &str, model: &str) {
        let who = [key(provider, Some(model)), key(provider, None)];
        self.0.retain(|each| !each.is_of(who));
    }
}

impl CoolDown {
    /// Until when a request that begins now may show whether it is well again.
    fn probed_until(&self, now_ms: u64) -> u64 {
        now_ms.saturating_add(match self.class {
            Class::Ejected => PROBE_EJECTED_MS,
            _ => PROBE_MS,
        })
    }
}

impl Entry {
    fn is_of(&self, who: [u64; 2]) -> bool {
        who.contains(&self.cool_down.who)
    }

    fn is_forgotten(&self, now_ms: u64) -> bool {
        let last = self.cool_down.until_ms.max(self.probed_ms);
        last.saturating_add(HALF_OPEN_MS) <= now_ms
    }
}

fn read(reader: &mut Reader<'_>) -> Option<CoolDowns> {
    if reader.u8()? != VERSION {
        return None;
    }
    let mut list = Vec::new();
    while !reader.is_at_end() && list.len() < MOST {
        let cool_down = CoolDown {
            who: reader.u64()?,
            until_ms: reader.u64()?,
            class: *Class::ALL.get(usize::from(reader.u8()?))?,
        };
        let probed_ms = reader.u64()?;
        list.push(Entry {
            cool_down,
            probed_ms,
        });
    }
    Some(CoolDowns(list))
}
