//! Whose turn it is, of all workers of a proxy, to do what only one shall do in a period.
//!
//! Workers that ask for a turn become members. Whoever has had nothing to do for the longest gets
//! the next one, so that turns go round.

use super::Store;
use super::bytes::{Reader, Writer};

const VERSION: u8 = 1;

/// More threads than any proxy has; what comes after waits until somebody is gone.
const MOST: usize = 256;

/// A member that has not asked for so many periods is gone.
const GONE_AFTER: u64 = 4;

/// A worker that asks for turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Worker {
    /// Its number among the members; `None` until it is one.
    pub id: Option<u32>,
    /// When it last did it, or what does as well, in Unix milliseconds.
    pub used_ms: u64,
}

/// What all workers know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Turns {
    /// When the next turn begins, in Unix milliseconds.
    due_ms: u64,
    next_id: u32,
    members: Vec<Member>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Member {
    id: u32,
    asked_ms: u64,
    used_ms: u64,
}

impl Worker {
    /// Whether this worker has the turn of this period at `task`, which nobody else gets then.
    pub fn takes_turn(
        &mut self,
        store: &dyn Store,
        task: &str,
        every_ms: u64,
        now_ms: u64,
    ) -> bool {
        let (mut has_turn, mut id) = (false, self.id);
        let stored = store.change(&name(task), &mut |old| {
            let mut turns = Turns::decode(old);
            (id, has_turn) = turns.ask(*self, every_ms, now_ms);
            turns.encode()
        });
        self.id = id.filter(|_| stored);
        let has_turn = has_turn && stored;
        if has_turn {
            self.used_ms = now_ms;
        }
        has_turn
    }

    /// It cannot do it: somebody else shall, at once.
    pub fn gives_up(&mut self, store: &dyn Store, task: &str) {
        let Some(id) = self.id.take() else {
            return;
        };
        store.change(&name(task), &mut |old| {
            let mut turns = Turns::decode(old);
            turns.members.retain(|member| member.id != id);
            turns.due_ms = 0;
            turns.encode()
        });
    }
}

fn name(task: &str) -> String {
    format!("{}turns.{task}", super::store::PREFIX)
}

impl Turns {
    fn decode(bytes: &[u8]) -> Turns {
        read(&mut Reader(bytes)).unwrap_or_default()
    }

    fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.u8(VERSION);
        writer.u64(self.due_ms);
        writer.u32(self.next_id);
        for member in &self.members {
            writer.u32(member.id);
            writer.u64(member.asked_ms);
            writer.u64(member.used_ms);
        }
        writer.0
    }

    /// The worker's number, and whether it has the turn.
    fn ask(&mut self, worker: Worker, every_ms: u64, now_ms: u64) -> (Option<u32>, bool) {
        let gone_ms = now_ms.saturating_sub(every_ms.saturating_mul(GONE_AFTER));
        self.members.retain(|member| member.asked_ms >= gone_ms);
        let Some(id) = self.enter(worker, now_ms) else {
            return (None, false);
        };
        let Some(idlest) = self.members.iter().min_by_key(|m| (m.used_ms, m.id)) else {
            return (Some(id), false);
        };
        let idle_until_ms = idlest.used_ms.saturating_add(every_ms);
        // Nobody's turn for those who do it anyway; and nobody waits for one who does not come.
        let (is_idlest, late_ms) = (idlest.id == id, self.due_ms.saturating_add(every_ms / 2));
        let mine = is_idlest || (now_ms >= late_ms && self.is_idle(id, every_ms, now_ms));
        if now_ms < self.due_ms || idle_until_ms > now_ms || !mine {
            return (Some(id), false);
        }
        // By the clock, unless it has stood still for long.
        let next_ms = self.due_ms.saturating_add(every_ms);
        self.due_ms = if late_ms > now_ms {
            next_ms
        } else {
            now_ms.saturating_add(every_ms)
        };
        for member in self.members.iter_mut().filter(|member| member.id == id) {
            member.used_ms = now_ms;
        }
        (Some(id), true)
    }

    fn is_idle(&self, id: u32, every_ms: u64, now_ms: u64) -> bool {
        let mut members = self.members.iter();
        members.any(|m| m.id == id && m.used_ms.saturating_add(every_ms) <= now_ms)
    }

    /// Makes the worker a member, or notes that it still is one.
    fn enter(&mut self, worker: Worker, now_ms: u64) -> Option<u32> {
        let known = |member: &&mut Member| Some(member.id) == worker.id;
        if let Some(member) = self.members.iter_mut().find(known) {
            member.asked_ms = now_ms;
            member.used_ms = member.used_ms.max(worker.used_ms);
            return worker.id;
        }
        if self.members.len() >= MOST {
            return None;
        }
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        self.members.push(Member {
            id,
            asked_ms: now_ms,
            used_ms: worker.used_ms,
        });
        Some(id)
    }
}

fn read(reader: &mut Reader<'_>) -> Option<Turns> {
    if reader.u8()? != VERSION {
        return None;
    }
    let (due_ms, next_id) = (reader.u64()?, reader.u32()?);
    let mut members = Vec::new();
    while !reader.is_at_end() {
        members.push(Member {
            id: reader.u32()?,
            asked_ms: reader.u64()?,
            used_ms: reader.u64()?,
        });
    }
    Some(Turns {
        due_ms,
        next_id,
        members,
    })
}

#[cfg(test)]
mod tests;
