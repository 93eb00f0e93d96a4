//! What a target is serving now. What began is counted with the time at which it began, so that
//! a stream whose end nobody could tell of is forgotten after ten minutes.

use super::bytes::{Reader, Writer};

const SLOTS: usize = 8;

/// How long one slot counts what begins.
const SLOT_MS: u64 = 75_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Slot {
    /// Which of all slots it is.
    number: u32,
    requests: u32,
    tokens: u64,
}

/// Requests that have begun and not ended, by when they began.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct InFlight([Slot; SLOTS]);

impl InFlight {
    pub(super) fn begin(&mut self, tokens: u64, now_ms: u64) {
        let number = number(now_ms);
        let Some(slot) = self.0.get_mut(place(number)) else {
            return;
        };
        if slot.number != number {
            *slot = Slot {
                number,
                ..Slot::default()
            };
        }
        slot.requests = slot.requests.saturating_add(1);
        slot.tokens = slot.tokens.saturating_add(tokens);
    }

    pub(super) fn end(&mut self, tokens: u64, began_ms: u64) {
        let number = number(began_ms);
        let slot = self.0.get_mut(place(number));
        let Some(slot) = slot.filter(|slot| slot.number == number && slot.requests > 0) else {
            return;
        };
        slot.requests -= 1;
        slot.tokens = slot.tokens.saturating_sub(tokens);
        if slot.requests == 0 {
            slot.tokens = 0;
        }
    }

    /// Requests and their tokens.
    pub(super) fn now(&self, now_ms: u64) -> (u64, u64) {
        let now = number(now_ms);
        let live = |slot: &&Slot| (now.saturating_sub(slot.number) as usize) < SLOTS;
        self.0
            .iter()
            .filter(live)
            .fold((0, 0), |(requests, tokens), slot| {
                let requests: u64 = requests + u64::from(slot.requests);
                (requests, slot.tokens.saturating_add(tokens))
            })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        for slot in &self.0 {
            writer.u32(slot.number);
            writer.u32(slot.requests);
            writer.u64(slot.tokens);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<InFlight> {
        let mut in_flight = InFlight::default();
        for slot in &mut in_flight.0 {
            *slot = Slot {
                number: reader.u32()?,
                requests: reader.u32()?,
                tokens: reader.u64()?,
            };
        }
        Some(in_flight)
    }
}

fn number(ms: u64) -> u32 {
    u32::try_from(ms / SLOT_MS).unwrap_or(u32::MAX)
}

fn place(number: u32) -> usize {
    number as usize % SLOTS
}
