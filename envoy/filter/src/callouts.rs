//! Questions to classifiers: sent once for all requests that have the same, and answered to each.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use pointsman::callout::{
    Answer, Cache, Flights, Outcome, Place, Question, Spent, Waiting, read, spent,
};
use pointsman::config::Config;

use crate::downstream::DownstreamFilter;
use crate::host::{self, SharedData};
use crate::watch::Ticks;

/// Envoy ends a call at its deadline; only what it does not tell of is ended here, a bit later.
const GRACE_MS: u64 = 10;

/// A request that is held.
pub(crate) type Seat = Rc<RefCell<DownstreamFilter>>;

/// Replies that must begin in time: until when, whose, and who waits; the soonest first.
type Expected = BTreeMap<(u64, u32), Seat>;

/// Those of one worker.
pub(crate) struct Callouts {
    config: Rc<Config>,
    root: u32,
    flights: RefCell<Flights<Seat>>,
    expected: RefCell<Expected>,
    ticks: Rc<Ticks>,
}

impl Callouts {
    pub(crate) fn new(config: Rc<Config>, root: u32, ticks: Rc<Ticks>) -> Callouts {
        Callouts {
            config,
            root,
            flights: RefCell::default(),
            expected: RefCell::default(),
            ticks,
        }
    }

    /// A request waits for this answer: asks, unless somebody has.
    pub(crate) fn join(&self, question: Question, id: u32, seat: &Seat) {
        let asked = question.clone();
        if self.wait(question, id, seat) == Place::Leads {
            self.ask(&asked, asked.deadline_ms, id);
        }
    }

    /// A reply must begin until then.
    pub(crate) fn expect(&self, until_ms: u64, id: u32, seat: &Seat) {
        self.ticks.for_calls(true);
        let mut expected = self.expected.borrow_mut();
        expected.insert((until_ms, id), Rc::clone(seat));
    }

    /// A request is over.
    pub(crate) fn expect_no_more(&self, until_ms: u64, id: u32) {
        self.expected.borrow_mut().remove(&(until_ms, id));
    }

    /// Gives up what has not begun in time.
    fn give_up(&self, now_ms: u64) {
        loop {
            let mut expected = self.expected.borrow_mut();
            let Some(first) = expected.first_entry().filter(|e| e.key().0 <= now_ms) else {
                return;
            };
            let ((_, id), seat) = first.remove_entry();
            drop(expected);
            if host::act_for(id)
                && let Ok(filter) = seat.try_borrow()
            {
                filter.give_up();
            }
        }
    }

    fn wait(&self, question: Question, id: u32, seat: &Seat) -> Place {
        let until_ms = host::now_ms().saturating_add(question.deadline_ms + GRACE_MS);
        let waiting = Waiting {
            id,
            until_ms,
            who: Rc::clone(seat),
        };
        self.ticks.for_calls(true);
        self.flights.borrow_mut().join(question, waiting)
    }

    /// What cannot be sent is given up by the next tick: a request must not go on while it stops.
    fn ask(&self, question: &Question, timeout_ms: u64, owner: u32) {
        let mut flights = self.flights.borrow_mut();
        match host::call(question, timeout_ms) {
            Some(number) => flights.departed(question.key, number, owner),
            None => flights.hopeless(question.key),
        }
    }

    /// A client has left.
    pub(crate) fn leave(&self, id: u32) {
        self.flights.borrow_mut().leave(id);
    }

    /// A reply has come to one of our calls.
    pub(crate) fn on_reply(&self, number: u32, size: usize) {
        let landed = {
            let mut flights = self.flights.borrow_mut();
            let owner = flights.owner(number);
            owner.zip(flights.land(number))
        };
        let Some((owner, (question, waiting))) = landed else {
            return;
        };
        host::act_for(owner);
        let mut answer = self.read(&question, size);
        for each in waiting {
            self.free(each, &answer);
            // The first of them has asked, and pays.
            answer.spent = Spent::default();
        }
    }

    fn read(&self, question: &Question, size: usize) -> Answer {
        let without = |outcome| Answer::without(&question.classifier, outcome);
        let Some(classifier) = self.config.classifiers.get(&question.classifier) else {
            return without(Outcome::Failed);
        };
        let reply = host::reply(size);
        let cache = Cache::new(&SharedData, host::now_ms());
        let class = read(classifier, &reply);
        cache.note(&classifier.name, class.is_some());
        match class {
            Some(class) => {
                cache.keep(question.key, class, classifier.cache_ms);
                Answer {
                    class: Some(class.to_owned()),
                    spent: spent(&reply),
                    ..without(Outcome::Answered)
                }
            }
            None if reply.timed_out() => without(Outcome::Timeout),
            None => Answer {
                spent: spent(&reply),
                ..without(Outcome::Failed)
            },
        }
    }

    fn free(&self, waiting: Waiting<Seat>, answer: &Answer) {
        let Waiting {
            id,
            until_ms: _,
            who,
        } = waiting;
        if !host::act_for(id) {
            return;
        }
        let (next, deadline_ms) = match who.try_borrow_mut() {
            Ok(mut filter) => (filter.resume(answer), filter.take_deadline()),
            Err(_) => (None, None),
        };
        if let Some(until_ms) = deadline_ms {
            self.expect(until_ms, id, &who);
        }
        // The next tick asks: a call that is made here would be of whoever's callback this is.
        if let Some(question) = next {
            self.wait(question, id, &who);
        }
    }

    /// Ends what is overdue, and asks again what a client that has left had asked.
    pub(crate) fn on_tick(&self) {
        let now_ms = host::now_ms();
        self.give_up(now_ms);
        let overdue = self.flights.borrow_mut().overdue(now_ms);
        let mut failing: Vec<&str> = overdue.iter().map(|(name, ..)| name.as_str()).collect();
        failing.dedup();
        let cache = Cache::new(&SharedData, now_ms);
        failing.iter().for_each(|name| cache.note(name, false));
        for (classifier, outcome, waiting) in overdue {
            self.free(waiting, &Answer::without(&classifier, outcome));
        }
        host::act_for(self.root);
        let unasked = self.flights.borrow().unasked(now_ms);
        for (question, left_ms) in unasked {
            self.ask(&question, left_ms.max(1), self.root);
        }
        if self.flights.borrow().is_empty() && self.expected.borrow().is_empty() {
            self.ticks.for_calls(false);
        }
    }
}
