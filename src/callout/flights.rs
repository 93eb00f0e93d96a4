//! Who waits for which answer: equal questions are asked once, and everybody who has the same
//! waits for the one answer, each no longer than its own deadline.

use super::{Key, Outcome, Question};

/// Questions on their way, of one worker.
#[derive(Debug)]
pub struct Flights<W> {
    flights: Vec<Flight<W>>,
}

#[derive(Debug)]
struct Flight<W> {
    question: Question,
    /// The call's number at the host, and whose call it is; `None` while it must be made (again).
    call: Option<(u32, u32)>,
    /// It cannot be asked.
    hopeless: bool,
    waiting: Vec<Waiting<W>>,
}

/// One request that is held.
#[derive(Debug)]
pub struct Waiting<W> {
    /// Its number at the host.
    pub id: u32,
    /// When it goes on without an answer, in milliseconds.
    pub until_ms: u64,
    /// Whatever continues it.
    pub who: W,
}

/// What a request has to do for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Ask.
    Leads,
    /// Wait: somebody has asked.
    Waits,
}

impl<W> Default for Flights<W> {
    fn default() -> Self {
        Flights {
            flights: Vec::new(),
        }
    }
}

impl<W> Flights<W> {
    /// One more has this question.
    pub fn join(&mut self, question: Question, waiting: Waiting<W>) -> Place {
        let same = |flight: &&mut Flight<W>| flight.question.key == question.key;
        match self.flights.iter_mut().find(same) {
            Some(flight) => {
                flight.waiting.push(waiting);
                Place::Waits
            }
            None => {
                self.flights.push(Flight {
                    question,
                    call: None,
                    hopeless: false,
                    waiting: vec![waiting],
                });
                Place::Leads
            }
        }
    }

    /// The question with this key was asked: the call `number` of `owner`.
    pub fn departed(&mut self, key: Key, number: u32, owner: u32) {
        let mut flights = self.flights.iter_mut();
        if let Some(flight) = flights.find(|flight| flight.question.key == key) {
            flight.call = Some((number, owner));
        }
    }

    /// The question with this key cannot be asked: nobody needs to wait any longer.
    pub fn hopeless(&mut self, key: Key) {
        let mut flights = self.flights.iter_mut();
        if let Some(flight) = flights.find(|flight| flight.question.key == key) {
            flight.hopeless = true;
        }
    }

    /// Whose call this is.
    pub fn owner(&self, number: u32) -> Option<u32> {
        let mut calls = self.flights.iter().filter_map(|flight| flight.call);
        calls.find(|call| call.0 == number).map(|call| call.1)
    }

    /// An answer has come: the question, and everybody who waits for it.
    pub fn land(&mut self, number: u32) -> Option<(Question, Vec<Waiting<W>>)> {
        let is_it = |flight: &Flight<W>| flight.call.is_some_and(|call| call.0 == number);
        let at = self.flights.iter().position(is_it)?;
        let flight = self.flights.swap_remove(at);
        Some((flight.question, flight.waiting))
    }

    /// A client has left. If the call was its own, the host has cancelled that.
    pub fn leave(&mut self, id: u32) {
        for flight in &mut self.flights {
            flight.waiting.retain(|waiting| waiting.id != id);
            flight.call = flight.call.filter(|(_, owner)| *owner != id);
        }
        self.flights.retain(|flight| !flight.waiting.is_empty());
    }

    /// Everybody who need not wait any longer, with the classifier's name and why.
    pub fn overdue(&mut self, now_ms: u64) -> Vec<(String, Outcome, Waiting<W>)> {
        let mut overdue = Vec::new();
        for flight in &mut self.flights {
            let name = &flight.question.classifier;
            let outcome = match flight.hopeless {
                true => Outcome::Failed,
                false => Outcome::Timeout,
            };
            let hopeless = flight.hopeless;
            let late = |waiting: &mut Waiting<W>| hopeless || waiting.until_ms <= now_ms;
            let late = flight.waiting.extract_if(.., late);
            overdue.extend(late.map(|waiting| (name.clone(), outcome, waiting)));
        }
        self.flights.retain(|flight| !flight.waiting.is_empty());
        overdue
    }

    /// Questions that nobody asks (any more), each with the time that is left for it.
    pub fn unasked(&self, now_ms: u64) -> Vec<(Question, u64)> {
        let unasked = self
            .flights
            .iter()
            .filter(|flight| flight.call.is_none() && !flight.hopeless);
        let left = |flight: &Flight<W>| {
            let last = flight.waiting.iter().map(|waiting| waiting.until_ms).max();
            last.unwrap_or(0).saturating_sub(now_ms)
        };
        unasked
            .map(|flight| (flight.question.clone(), left(flight)))
            .collect()
    }

    /// Nobody waits.
    pub fn is_empty(&self) -> bool {
        self.flights.is_empty()
    }
}
