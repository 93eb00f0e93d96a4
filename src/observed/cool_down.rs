//! Who asked to be left alone, and until when: one short list for a proxy, because it is read for
//! every request and is empty nearly always.

use super::bytes::{Reader, Writer};
use crate::failure::Class;

const VERSION: u8 = 1;

/// The most that cool down at once; who is free soonest makes room.
const MOST: usize = 64;

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

/// All that cool down.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CoolDowns(Vec<CoolDown>);

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
        for each in &self.0 {
            writer.u64(each.who);
            writer.u64(each.until_ms);
            let class = Class::ALL.iter().position(|class| *class == each.class);
            writer.u8(class.and_then(|i| u8::try_from(i).ok()).unwrap_or(0));
        }
        writer.0
    }

    /// Adds one, or makes it longer; never shorter. Forgets those that are over.
    pub fn add(&mut self, new: CoolDown, now_ms: u64) {
        self.0.retain(|each| each.until_ms > now_ms);
        match self.0.iter_mut().find(|each| each.who == new.who) {
            Some(old) if old.until_ms < new.until_ms => *old = new,
            Some(_) => {}
            None => {
                self.0.push(new);
                self.0.sort_by_key(|each| std::cmp::Reverse(each.until_ms));
                self.0.truncate(MOST);
            }
        }
    }

    /// How long a model of a provider is to be left alone; `None` when it is not.
    pub fn of(&self, provider: &str, model: &str, now_ms: u64) -> Option<CoolDown> {
        if self.0.is_empty() {
            return None;
        }
        let who = [key(provider, Some(model)), key(provider, None)];
        let concerned = self.0.iter().filter(|each| who.contains(&each.who));
        let longest = concerned.max_by_key(|each| each.until_ms);
        longest.filter(|each| each.until_ms > now_ms).copied()
    }
}

fn read(reader: &mut Reader<'_>) -> Option<CoolDowns> {
    if reader.u8()? != VERSION {
        return None;
    }
    let mut list = Vec::new();
    while !reader.is_at_end() && list.len() < MOST {
        list.push(CoolDown {
            who: reader.u64()?,
            until_ms: reader.u64()?,
            class: *Class::ALL.get(usize::from(reader.u8()?))?,
        });
    }
    Some(CoolDowns(list))
}
