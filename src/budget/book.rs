//! Some accounts of one budget, as bytes.

use super::{Limit, Reservation, Window};

/// First byte. A new layout takes the next number, and so ignores what it finds.
const VERSION: u8 = 1;

/// Accounts on one page: with all pages more than 16000 for each budget.
const MOST_ACCOUNTS: usize = 16;

const SLOTS: usize = 8;

/// How long one slot takes reservations in: what is not settled is forgotten after 17 to 20
/// minutes. Only a worker that broke down leaves such; a stream that takes longer is settled all
/// the same.
const SLOT_MS: u64 = 150_000;

/// How an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Used in this window, by requests that are over.
    pub settled: u64,
    /// Reserved by requests that are not.
    pub reserved: u64,
}

/// Some accounts of one budget.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Book(Vec<Account>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Account {
    who: u64,
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
        let accounts = accounts.as_chunks::<{ Account::BYTES }>().0;
        Book(accounts.iter().map(Account::decode).collect())
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1 + self.0.len() * Account::BYTES);
        bytes.push(VERSION);
        self.0.iter().for_each(|account| account.encode(&mut bytes));
        bytes
    }

    /// How an account stands.
    pub fn standing(&self, who: u64, window: Window, now_ms: u64) -> Standing {
        let account = self.0.iter().find(|account| account.who == who);
        account.map_or_else(Standing::default, |a| a.standing(window, now_ms))
    }

    pub(super) fn reserve(
        &mut self,
        who: u64,
        amount: u64,
        limit: Limit,
        now_ms: u64,
    ) -> Result<(), Standing> {
        let standing = self.standing(who, limit.window, now_ms);
        if standing.used().saturating_add(amount) > limit.most {
            return Err(standing);
        }
        self.change(who, limit.window, now_ms, |account| {
            account.reserve(amount, now_ms);
        });
        Ok(())
    }

    pub(super) fn settle(&mut self, held: &Reservation, used: u64, window: Window, now_ms: u64) {
        self.change(held.who, window, now_ms, |account| {
            account.release(held.amount, held.at_ms);
            account.settled = account.settled.saturating_add(used);
        });
    }

    /// Changes the account, with its window brought up to now.
    fn change(&mut self, who: u64, window: Window, now_ms: u64, change: impl FnOnce(&mut Account)) {
        let place = match self.0.iter().position(|account| account.who == who) {
            Some(place) => place,
            None => self.open(who, window, now_ms),
        };
        let Some(account) = self.0.get_mut(place) else {
            return;
        };
        let start = window.start(now_ms);
        if account.window_ms != start {
            account.window_ms = start;
            account.settled = 0;
        }
        change(account);
    }

    /// A place for a new account: in the place of the one that is the least loss, when all are
    /// taken.
    fn open(&mut self, who: u64, window: Window, now_ms: u64) -> usize {
        let new = Account {
            who,
            ..Account::default()
        };
        if self.0.len() < MOST_ACCOUNTS {
            self.0.push(new);
            return self.0.len() - 1;
        }
        let accounts = self.0.iter_mut().enumerate();
        let least = accounts.min_by_key(|(_, account)| account.standing(window, now_ms).used());
        least.map_or(0, |(place, account)| {
            *account = new;
            place
        })
    }
}

impl Account {
    const BYTES: usize = 24 + 12 * SLOTS;

    fn standing(&self, window: Window, now_ms: u64) -> Standing {
        let is_now = self.window_ms == window.start(now_ms);
        let slot = slot_number(now_ms);
        let live = |(number, _): &&(u32, u64)| (slot.saturating_sub(*number) as usize) < SLOTS;
        let reserved = self.reserved.iter().filter(live);
        Standing {
            settled: if is_now { self.settled } else { 0 },
            reserved: reserved.fold(0, |sum, (_, amount)| sum.saturating_add(*amount)),
        }
    }

    fn reserve(&mut self, amount: u64, now_ms: u64) {
        let number = slot_number(now_ms);
        if let Some(slot) = self.reserved.get_mut(number as usize % SLOTS) {
            if slot.0 != number {
                *slot = (number, 0);
            }
            slot.1 = slot.1.saturating_add(amount);
        }
    }

    fn release(&mut self, amount: u64, at_ms: u64) {
        let number = slot_number(at_ms);
        let slot = self.reserved.get_mut(number as usize % SLOTS);
        if let Some(slot) = slot.filter(|slot| slot.0 == number) {
            slot.1 = slot.1.saturating_sub(amount);
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
    }

    fn decode(bytes: &[u8; Account::BYTES]) -> Account {
        let long = |at: usize| {
            let chunk = bytes.get(at..).and_then(|rest| rest.first_chunk());
            chunk.map_or(0, |chunk| u64::from_le_bytes(*chunk))
        };
        let short = |at: usize| {
            let chunk = bytes.get(at..).and_then(|rest| rest.first_chunk());
            chunk.map_or(0, |chunk| u32::from_le_bytes(*chunk))
        };
        Account {
            who: long(0),
            window_ms: long(8),
            settled: long(16),
            reserved: std::array::from_fn(|i| (short(24 + 12 * i), long(28 + 12 * i))),
        }
    }
}

fn slot_number(ms: u64) -> u32 {
    u32::try_from(ms / SLOT_MS).unwrap_or(u32::MAX)
}
