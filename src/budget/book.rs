//! Some accounts of one budget, as bytes.

use super::{Limit, Reservation, Who};

/// First byte. A new layout takes the next number, and so ignores what it finds.
const VERSION: u8 = 2;

/// Accounts on one page: with all pages more than 16000 for each budget.
const MOST_ACCOUNTS: usize = 16;

const SLOTS: usize = 8;

/// Bytes of an account's name that are kept: the last ones tell more of a path.
const NAME: usize = 40;

/// How an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Used in this window, by requests that are over.
    pub settled: u64,
    /// Reserved by requests that are not.
    pub reserved: u64,
}

/// One account, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// What tells it apart.
    pub who: u64,
    /// Whose it is; empty when that may not be told.
    pub name: String,
    /// How it stands.
    pub standing: Standing,
}

/// Some accounts of one budget.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Book(Vec<Entry>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    who: u64,
    name: [u8; NAME],
    /// When the window of `settled` began, in Unix milliseconds.
    window_ms: u64,
    settled: u64,
    /// Reserved, by when: the number of the slot, and how much.
    reserved: [(u32, u64); SLOTS],
}

impl Standing {
    /// Both together.
    pub fn used(&self) -> u64 {
        self.settled.saturating_add(self.reserved)
    }
}

impl Book {
    /// Reads what [`Book::encode`] wrote; anything else is empty.
    pub fn decode(bytes: &[u8]) -> Book {
        let accounts = bytes.strip_prefix(&[VERSION]).unwrap_or_default();
        let accounts = accounts.as_chunks::<{ Entry::BYTES }>().0;
        Book(accounts.iter().map(Entry::decode).collect())
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1 + self.0.len() * Entry::BYTES);
        bytes.push(VERSION);
        self.0.iter().for_each(|account| account.encode(&mut bytes));
        bytes
    }

    /// How an account stands.
    pub fn standing(&self, who: u64, limit: Limit, now_ms: u64) -> Standing {
        let account = self.0.iter().find(|account| account.who == who);
        account.map_or_else(Standing::default, |a| a.standing(limit, now_ms))
    }

    /// How all of its accounts stand.
    pub(super) fn accounts(&self, limit: Limit, now_ms: u64) -> impl Iterator<Item = Account> {
        self.0.iter().map(move |entry| {
            let name = String::from_utf8_lossy(&entry.name);
            Account {
                who: entry.who,
                name: name.trim_end_matches('\0').to_owned(),
                standing: entry.standing(limit, now_ms),
            }
        })
    }

    pub(super) fn reserve(
        &mut self,
        who: Who<'_>,
        amount: u64,
        limit: Limit,
        now_ms: u64,
    ) -> Result<(), Standing> {
        let standing = self.standing(who.id, limit, now_ms);
        if standing.used().saturating_add(amount) > limit.most {
            return Err(standing);
        }
        self.change(who, limit, now_ms, |account| {
            account.reserve(amount, limit, now_ms);
        });
        Ok(())
    }

    pub(super) fn settle(&mut self, held: &Reservation, used: u64, limit: Limit, now_ms: u64) {
        let who = Who {
            id: held.who,
            name: "",
        };
        self.change(who, limit, now_ms, |account| {
            account.release(held, limit);
            account.settled = account.settled.saturating_add(used);
        });
    }

    pub(super) fn note(&mut self, who: Who<'_>, used: u64, limit: Limit, now_ms: u64) {
        self.change(who, limit, now_ms, |account| account.settled = used);
    }

    /// Changes the account, with its window brought up to now.
    fn change(&mut self, who: Who<'_>, limit: Limit, now_ms: u64, change: impl FnOnce(&mut Entry)) {
        let place = match self.0.iter().position(|account| account.who == who.id) {
            Some(place) => place,
            None => self.open(who, limit, now_ms),
        };
        let Some(account) = self.0.get_mut(place) else {
            return;
        };
        let start = limit.window.start(now_ms);
        if account.window_ms != start {
            account.window_ms = start;
            account.settled = 0;
        }
        change(account);
    }

    /// A place for a new account: in the place of the one that is the least loss, when all are
    /// taken.
    fn open(&mut self, who: Who<'_>, limit: Limit, now_ms: u64) -> usize {
        let new = Entry::of(who);
        if self.0.len() < MOST_ACCOUNTS {
            self.0.push(new);
            return self.0.len() - 1;
        }
        let accounts = self.0.iter_mut().enumerate();
        let least = accounts.min_by_key(|(_, account)| account.standing(limit, now_ms).used());
        least.map_or(0, |(place, account)| {
            *account = new;
            place
        })
    }
}

impl Entry {
    const BYTES: usize = 24 + 12 * SLOTS + NAME;

    fn of(who: Who<'_>) -> Entry {
        let mut name = [0; NAME];
        let from = who.name.len().saturating_sub(NAME);
        let from = who.name.ceil_char_boundary(from);
        let bytes = who.name.bytes().skip(from);
        name.iter_mut().zip(bytes).for_each(|(to, byte)| *to = byte);
        Entry {
            who: who.id,
            name,
            window_ms: 0,
            settled: 0,
            reserved: [(0, 0); SLOTS],
        }
    }

    fn standing(&self, limit: Limit, now_ms: u64) -> Standing {
        let is_now = self.window_ms == limit.window.start(now_ms);
        let slot = slot_number(limit, now_ms);
        let live = |(number, _): &&(u32, u64)| (slot.wrapping_sub(*number) as usize) < SLOTS;
        let reserved = self.reserved.iter().filter(live);
        Standing {
            settled: if is_now { self.settled } else { 0 },
            reserved: reserved.fold(0, |sum, (_, amount)| sum.saturating_add(*amount)),
        }
    }

    fn reserve(&mut self, amount: u64, limit: Limit, now_ms: u64) {
        let number = slot_number(limit, now_ms);
        if let Some(slot) = self.reserved.get_mut(number as usize % SLOTS) {
            if slot.0 != number {
                *slot = (number, 0);
            }
            slot.1 = slot.1.saturating_add(amount);
        }
    }

    fn release(&mut self, held: &Reservation, limit: Limit) {
        let number = slot_number(limit, held.at_ms);
        let slot = self.reserved.get_mut(number as usize % SLOTS);
        if let Some(slot) = slot.filter(|slot| slot.0 == number) {
            slot.1 = slot.1.saturating_sub(held.amount);
        }
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        for number in [self.who, self.window_ms, self.settled] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for (number, amount) in self.reserved {
            bytes.extend_from_slice(&number.to_le_bytes());
            bytes.extend_from_slice(&amount.to_le_bytes());
        }
        bytes.extend_from_slice(&self.name);
    }

    fn decode(bytes: &[u8; Entry::BYTES]) -> Entry {
        let long = |at: usize| {
            let chunk = bytes.get(at..).and_then(|rest| rest.first_chunk());
            chunk.map_or(0, |chunk| u64::from_le_bytes(*chunk))
        };
        let short = |at: usize| {
            let chunk = bytes.get(at..).and_then(|rest| rest.first_chunk());
            chunk.map_or(0, |chunk| u32::from_le_bytes(*chunk))
        };
        let name = bytes.last_chunk().copied().unwrap_or([0; NAME]);
        Entry {
            name,
            who: long(0),
            window_ms: long(8),
            settled: long(16),
            reserved: std::array::from_fn(|i| (short(24 + 12 * i), long(28 + 12 * i))),
        }
    }
}

/// In which of all slots a moment is. One takes reservations in for an eighth of their time: what
/// is not settled is forgotten after seven or eight of them. Only a worker that broke down
/// leaves such.
fn slot_number(limit: Limit, ms: u64) -> u32 {
    let slot_ms = (limit.lapse_ms / SLOTS as u64).max(1);
    // The lowest bits tell the few apart that live.
    (ms / slot_ms) as u32
}
