//! Budgets: so many tokens, requests, or so much money, for each team or user in each window of
//! time.
//!
//! What a request may use is reserved before it is sent and settled when it is over; what is
//! never settled is given back after some minutes. Books are bytes in a store that all workers of
//! a proxy share; time is an argument.

mod book;
mod window;

pub use book::{Account, Book, Standing};
pub use window::Window;

use crate::observed::Store;

/// How much in which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Tokens, requests or nano-USD: what is reserved is never more than this.
    pub most: u64,
    /// In each of these.
    pub window: Window,
    /// For how long what is reserved stays so when nobody settles it, in milliseconds. Longer
    /// ones are settled all the same.
    pub lapse_ms: u64,
}

/// Whose account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Who<'a> {
    /// Told apart by this.
    pub id: u64,
    /// For people; may be empty.
    pub name: &'a str,
}

/// For how long reservations hold when nothing else is said: 20 minutes.
pub const USUAL_LAPSE_MS: u64 = 1_200_000;

/// What was reserved, to be settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The page of the book; see [`page_name`].
    pub page: String,
    /// Whose account.
    pub who: u64,
    /// How much.
    pub amount: u64,
    /// When, in Unix milliseconds.
    pub at_ms: u64,
}

/// What was used must be booked: a store's own tries are made so many times.
const SETTLING_TRIES: usize = 8;

/// In how many parts the accounts of one budget are kept: each is changed as a whole.
const PAGES: u64 = 1024;

/// Where an account of a budget is kept.
pub fn page_name(budget: &str, who: u64) -> String {
    let page = who.checked_rem(PAGES).unwrap_or(0);
    format!("pointsman.budget.2.{budget}.{page}")
}

/// How an account stands.
pub fn standing(store: &dyn Store, budget: &str, who: u64, limit: Limit, now_ms: u64) -> Standing {
    let bytes = store.load(&page_name(budget, who)).unwrap_or_default();
    Book::decode(&bytes).standing(who, limit, now_ms)
}

/// Every account of a budget that has used anything in this window, or has reserved it.
pub fn accounts(store: &dyn Store, budget: &str, limit: Limit, now_ms: u64) -> Vec<Account> {
    let pages = (0..PAGES).filter_map(|page| store.load(&page_name(budget, page)));
    let books = pages.map(|bytes| Book::decode(&bytes));
    let accounts = books.flat_map(|book| book.accounts(limit, now_ms).collect::<Vec<_>>());
    accounts
        .filter(|account| account.standing.used() > 0)
        .collect()
}

/// Notes how an account stands by the word of somebody who keeps it for all proxies.
pub fn note(store: &dyn Store, budget: &str, who: Who<'_>, used: u64, limit: Limit, now_ms: u64) {
    store.change(&page_name(budget, who.id), &mut |old| {
        let mut book = Book::decode(old);
        book.note(who, used, limit, now_ms);
        book.encode()
    });
}

/// Why nothing was reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// It would pass the limit; this is how the account stands.
    Exhausted(Standing),
    /// Others changed the book too often for this change to be made.
    Busy,
}

/// Reserves an amount if it is within the limit.
///
/// What could not be written is denied: bounded beats served.
pub fn reserve(
    store: &dyn Store,
    budget: &str,
    who: Who<'_>,
    amount: u64,
    limit: Limit,
    now_ms: u64,
) -> Result<Reservation, Denied> {
    let page = page_name(budget, who.id);
    let mut outcome = Ok(());
    let stored = store.change(&page, &mut |old| {
        let mut book = Book::decode(old);
        outcome = book.reserve(who, amount, limit, now_ms);
        book.encode()
    });
    outcome.map_err(Denied::Exhausted)?;
    stored.then_some(()).ok_or(Denied::Busy)?;
    Ok(Reservation {
        page,
        who: who.id,
        amount,
        at_ms: now_ms,
    })
}

impl Reservation {
    /// Replaces what was reserved by what was used: 0 gives all of it back. False when the book
    /// could not be written, however often it was tried: then all of it stays reserved until it
    /// lapses.
    pub fn settle(&self, store: &dyn Store, limit: Limit, used: u64, now_ms: u64) -> bool {
        let mut change = |old: &[u8]| {
            let mut book = Book::decode(old);
            book.settle(self, used, limit, now_ms);
            book.encode()
        };
        (0..SETTLING_TRIES).any(|_| store.change(&self.page, &mut change))
    }
}

#[cfg(test)]
mod tests;
