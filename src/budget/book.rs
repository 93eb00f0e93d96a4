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

/// Some accounts of one budget, as their bytes: a change reads and writes one account, whatever
/// others there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Book(Vec<u8>);

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

impl Default for Book {
    fn default() -> Self {
        Book(vec![VERSION])
    }
}

impl Book {
    /// Reads what [`Book::encode`] wrote; anything else is empty.
    pub fn decode(bytes: &[u8]) -> Book {
        let is_whole = bytes.len() % Entry::BYTES == 1 && bytes.first() == Some(&VERSION);
        match is_whole {
            true => Book(bytes.to_vec()),
            false => Book::default(),
        }
    }

    /// Its bytes.
    pub fn encode(self) -> Vec<u8> {
        self.0
    }

    /// Each account's bytes.
    fn entries(&self) -> &[[u8; Entry::BYTES]] {
        self.0.get(1..).unwrap_or_default().as_chunks().0
    }

    fn place(&self, who: u64) -> Option<usize> {
        let who = who.to_le_bytes();
        self.entries().iter().position(|e| e.starts_with(&who))
    }

    /// How an account stands.
    pub fn standing(&self, who: u64, limit: Limit, now_ms: u64) -> Standing {
        let entry = self.place(who).and_then(|place| self.entries().get(place));
        entry.map_or_else(Standing::default, |bytes| {
            Entry::decode(bytes).standing(limit, now_ms)
        })
    }

    /// How all of its accounts stand.
    pub(super) fn accounts(&self, limit: Limit, now_ms: u64) -> impl Iterator<Item = Account> {
        self.entries().iter().map(move |bytes| {
            let entry = Entry::decode(bytes);
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
        let place = match self.place(who.id) {
            Some(place) => place,
            None => self.open(who, limit, now_ms),
        };
        let entries = self.0.get_mut(1..).unwrap_or_default();
        let Some(bytes) = entries.as_chunks_mut().0.get_mut(place) else {
            return;
        };
        let mut account = Entry::decode(bytes);
        let start = limit.window.start(now_ms);
        if account.window_ms != start {
            account.window_ms = start;
            account.settled = 0;
        }
        change(&mut account);
        *bytes = account.encode();
    }

    /// A place for a new account: in the place of the one that is the least loss, when all are
    /// taken.
    fn open(&mut self, who: Who<'_>, limit: Limit, now_ms: u64) -> usize {
        let new = Entry::of(who).encode();
        let accounts = self.entries().len();
        if accounts < MOST_ACCOUNTS {
            self.0.extend_from_slice(&new);
            return accounts;
        }
        let used = |bytes| Entry::decode(bytes).standing(limit, now_ms).used();
        let all = self.entries().iter().enumerate();
        let least = all.min_by_key(|(_, bytes)| used(bytes));
        let place = least.map_or(0, |(place, _)| place);
        let entries = self.0.get_mut(1..).unwrap_or_default();
        if let Some(bytes) = entries.as_chunks_mut().0.get_mut(place) {
            *bytes = new;
        }
        place
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

    fn encode(&self) -> [u8; Entry::BYTES] {
        let mut bytes = [0; Entry::BYTES];
        let (numbers, rest) = bytes.split_at_mut(24);
        let (slots, name) = rest.split_at_mut(12 * SLOTS);
        let all = [self.who, self.window_ms, self.settled];
        let places = numbers.as_chunks_mut().0;
        places
            .iter_mut()
            .zip(all)
            .for_each(|(to, n)| *to = n.to_le_bytes());
        let places = slots.as_chunks_mut::<12>().0;
        for (to, (number, amount)) in places.iter_mut().zip(self.reserved) {
            let (first, last) = to.split_at_mut(4);
            first.copy_from_slice(&number.to_le_bytes());
            last.copy_from_slice(&amount.to_le_bytes());
        }
        name.copy_from_slice(&self.name);
        bytes
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
