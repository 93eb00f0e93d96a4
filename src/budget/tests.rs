//! What the books promise, whatever happens.

use std::cell::Cell;
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{
    Book, Denied, Limit, Reservation, Standing, USUAL_LAPSE_MS, Who, Window, page_name, reserve,
    standing,
};
use crate::observed::{Memory, Store};

/// Another worker is always faster: the first try is for nothing.
#[derive(Default)]
struct Contended(Memory);

impl Store for Contended {
    fn load(&self, name: &str) -> Option<Vec<u8>> {
        self.0.load(name)
    }

    fn change(&self, name: &str, change: &mut dyn FnMut(&[u8]) -> Vec<u8>) -> bool {
        let _ = change(&self.load(name).unwrap_or_default());
        self.0.change(name, change)
    }
}

/// Others are faster, so many times.
struct Crowded<'m>(&'m Contended, Cell<u32>);

impl Store for Crowded<'_> {
    fn load(&self, name: &str) -> Option<Vec<u8>> {
        self.0.load(name)
    }

    fn change(&self, name: &str, change: &mut dyn FnMut(&[u8]) -> Vec<u8>) -> bool {
        let Some(left) = self.1.get().checked_sub(1) else {
            return self.0.change(name, change);
        };
        self.1.set(left);
        let _ = change(&self.load(name).unwrap_or_default());
        false
    }
}

#[test]
fn what_could_not_be_written_is_not_reserved() {
    let memory = Contended::default();
    let crowded = Crowded(&memory, Cell::new(1));
    let reserved = reserve(&crowded, "b", of(1), 60, limit(100), NOW);
    assert_eq!(reserved, Err(Denied::Busy));
    let nothing = Standing::default();
    assert_eq!(standing(&memory, "b", 1, limit(0), NOW), nothing);
}

#[test]
fn settling_tries_longer_than_reserving_and_says_when_it_failed() {
    let memory = Contended::default();
    let held = reserve(&memory, "b", of(1), 60, limit(100), NOW).expect("room");
    let crowded = Crowded(&memory, Cell::new(100));
    assert!(!held.settle(&crowded, limit(0), 20, NOW));
    let seen = standing(&memory, "b", 1, limit(0), NOW);
    assert_eq!((seen.settled, seen.reserved), (0, 60));
    crowded.1.set(3);
    assert!(held.settle(&crowded, limit(0), 20, NOW));
    let seen = standing(&memory, "b", 1, limit(0), NOW);
    assert_eq!((seen.settled, seen.reserved), (20, 0));
}

/// 2026-11-21T16:00:00Z.
const NOW: u64 = 1_795_276_800_000;
const DAY: u64 = 86_400_000;

fn limit(most: u64) -> Limit {
    Limit {
        most,
        window: Window::Day,
        lapse_ms: USUAL_LAPSE_MS,
    }
}

fn of(id: u64) -> Who<'static> {
    Who { id, name: "" }
}

#[test]
fn windows_begin_and_end_on_the_clock() {
    let moment = NOW + 61_234;
    assert_eq!(Window::Minute.start(moment), NOW + 60_000);
    assert_eq!(Window::Minute.end(moment), NOW + 120_000);
    assert_eq!(Window::Hour.start(moment), NOW);
    assert_eq!(Window::Day.start(moment), NOW - 16 * 3_600_000);
    assert_eq!(Window::Month.start(moment), NOW - 16 * 3_600_000 - 20 * DAY);
    assert_eq!(Window::Month.end(moment), NOW + 8 * 3_600_000 + 9 * DAY);
}

#[test]
fn every_month_follows_on_the_one_before() {
    let mut start = Window::Month.start(0);
    let mut days = Vec::new();
    while days.len() < 12 * 60 {
        let end = Window::Month.end(start);
        assert_eq!(Window::Month.start(end), end);
        assert_eq!(Window::Month.start(end - 1), start);
        days.push((end - start) / DAY);
        start = end;
    }
    assert_eq!(
        days[..14],
        [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 28]
    );
    // Leap years: 1972, and 2000 too.
    assert_eq!((days[25], days[361]), (29, 29));
}

#[test]
fn a_limit_is_reached_and_never_passed_and_begins_anew() {
    let store = Contended::default();
    let held = reserve(&store, "b", of(1), 60, limit(100), NOW).expect("room");
    let refused = reserve(&store, "b", of(1), 41, limit(100), NOW).expect_err("no room");
    let (settled, reserved) = (0, 60);
    assert_eq!(refused, Denied::Exhausted(Standing { settled, reserved }));
    assert!(
        reserve(&store, "b", of(2), 100, limit(100), NOW).is_ok(),
        "another account"
    );
    held.settle(&store, limit(0), 30, NOW + 1);
    assert!(reserve(&store, "b", of(1), 71, limit(100), NOW + 2).is_err());
    assert!(reserve(&store, "b", of(1), 70, limit(100), NOW + 2).is_ok());
    let tomorrow = NOW + DAY;
    assert_eq!(
        standing(&store, "b", 1, limit(0), tomorrow),
        Standing::default()
    );
}

#[test]
fn what_is_never_settled_is_given_back_after_some_minutes() {
    let store = Contended::default();
    reserve(&store, "b", of(1), 100, limit(100), NOW).expect("room");
    assert!(reserve(&store, "b", of(1), 1, limit(100), NOW + 17 * 60_000).is_err());
    assert!(reserve(&store, "b", of(1), 1, limit(100), NOW + 20 * 60_000).is_ok());
}

#[test]
fn the_time_after_which_reservations_lapse_can_be_short_or_long() {
    for lapse_ms in [2_000, 60_000, 86_400_000] {
        let short = Limit {
            lapse_ms,
            ..limit(100)
        };
        let store = Contended::default();
        let ask = |amount, ms| reserve(&store, "b", of(1), amount, short, NOW + ms);
        ask(100, 0).expect("room");
        assert!(ask(1, lapse_ms * 7 / 8 - 1).is_err(), "{lapse_ms}");
        assert!(ask(1, lapse_ms).is_ok(), "{lapse_ms}");
    }
}

#[test]
fn accounts_are_bounded_and_the_least_used_are_forgotten_first() {
    let mut book = Book::default();
    for who in 0..100 {
        let held = Reservation {
            page: String::new(),
            who,
            amount: 0,
            at_ms: NOW,
        };
        book.settle(&held, if who == 7 { 1_000 } else { 1 }, limit(0), NOW);
    }
    assert_eq!(book.standing(7, limit(0), NOW).settled, 1_000);
    let bytes = book.clone().encode();
    assert!(bytes.len() < 3_000);
    assert_eq!(Book::decode(&bytes), book);
    assert_eq!(Book::decode(&bytes[..bytes.len() - 1]), Book::default());
    assert_eq!(Book::decode(b"\x09what"), Book::default());
    assert_ne!(page_name("a", 1), page_name("a", 2));
}

proptest! {
    /// Requests come, are served, fail, or die without a word, in any order and at any pace.
    #[test]
    fn nothing_leaks_and_no_limit_is_passed(
        steps in proptest::collection::vec((0_u64..3, 0_u64..400, 0_u64..120_000, any::<u8>()), 1..200),
        most in 100_u64..2_000,
    ) {
        let store = Contended::default();
        let mut live: Vec<Reservation> = Vec::new();
        let mut settled: BTreeMap<(u64, u64), u64> = BTreeMap::new();
        let mut now = NOW;
        for (who, amount, pause, fate) in steps {
            now += pause / 8;
            if let Ok(held) = reserve(&store, "b", of(who), amount, limit(most), now) {
                live.push(held);
            }
            // Some are settled, by no more than was reserved; some given back; some forgotten.
            if fate % 3 == 0 && !live.is_empty() {
                let held = live.swap_remove(fate as usize % live.len());
                // What has lapsed may have been reserved by others since.
                let is_live = now - held.at_ms < 17 * 60_000 && fate % 2 == 0;
                let used = if is_live { held.amount * u64::from(fate) / 255 } else { 0 };
                held.settle(&store, limit(0), used, now);
                *settled.entry((held.who, Window::Day.start(now))).or_default() += used;
            }
            for who in 0..3 {
                let seen = standing(&store, "b", who, limit(0), now);
                prop_assert!(seen.used() <= most, "{seen:?}");
                let expected = settled.get(&(who, Window::Day.start(now)));
                prop_assert_eq!(seen.settled, expected.copied().unwrap_or(0));
                let mine = live.iter().filter(|held| held.who == who);
                let young = mine.clone().filter(|held| now - held.at_ms < 17 * 60_000);
                let sum = |all: &mut dyn Iterator<Item = &Reservation>| all.map(|h| h.amount).sum::<u64>();
                prop_assert!(seen.reserved >= sum(&mut young.into_iter()));
                prop_assert!(seen.reserved <= sum(&mut mine.into_iter()));
            }
        }
        for held in live {
            held.settle(&store, limit(0), 0, now);
        }
        for who in 0..3 {
            prop_assert_eq!(standing(&store, "b", who, limit(0), now).reserved, 0);
        }
    }
}
