//! What the client is told: of the decision, and of the reply on its way back.

use super::Downstream;
use crate::catalog::cost::usd;
use crate::exchange::ending::Ending;
use crate::exchange::final_error::{self, FinalFacts};
use crate::exchange::handoff::{self, ATTEMPTS};
use crate::exchange::mutation::{ImmediateResponse, Mutation};
use crate::metrics::Request;

impl Downstream {
    /// Why the request goes where it goes, as JSON, when that was asked for and decided.
    pub fn explanation(&self) -> Option<&str> {
        self.asked.explanation.as_deref()
    }

    /// No candidate answered: the client's error, which takes the place of what Envoy or the
    /// last provider said.
    pub fn failure_response(&self, facts: &FinalFacts) -> ImmediateResponse {
        let failure = final_error::compose(&self.config, &self.model, facts, self.asked.is_bounded);
        let mut response = ImmediateResponse::error_of(self.surface, &failure);
        if !facts.trail.is_empty() {
            response.headers.push((ATTEMPTS, facts.trail.clone()));
        }
        if facts.nano_usd > 0 {
            let cost = usd(facts.nano_usd);
            response.headers.push((handoff::COST_HEADER, cost));
        }
        response
    }

    /// What metrics tell of the request; to be asked once, when it is decided.
    pub fn take_counted(&mut self) -> Request {
        self.asked.counted.model.clone_from(&self.model);
        std::mem::take(&mut self.asked.counted)
    }

    /// When a stream that has not begun is given up, in Unix milliseconds; `None` for never, and
    /// where Envoy does it.
    pub fn deadline_ms(&self) -> Option<u64> {
        (self.asked.deadline_ms > 0).then_some(self.asked.deadline_ms)
    }

    /// In place of a reply that has not begun in time; the client's error is made of it.
    pub fn too_late() -> ImmediateResponse {
        Ending::Total.response()
    }

    /// Whether attempts may be under way at the same time: the trail is complete only when one of
    /// them has answered.
    pub fn is_hedged(&self) -> bool {
        self.hedged.is_some()
    }

    /// Whether the reply must be held here, because no attempt may hold it.
    pub fn holds_reply(&self) -> bool {
        self.hedged == Some(false) && self.answer.is_none()
    }

    /// A reply that was held here is whole: `broken` is its status if it is none, and `nano_usd`
    /// what the request has cost.
    pub fn on_held_reply(&self, broken: u64, nano_usd: u64) -> Mutation {
        let mut mutation = Mutation::default();
        if broken > 0 {
            mutation.set(":status", broken.to_string());
        }
        if nano_usd > 0 {
            mutation.set(handoff::COST_HEADER, usd(nano_usd));
        }
        mutation
    }

    /// Whether the reply must be read: it is translated back, or kept; what else happens to it is
    /// the attempts' work.
    pub fn wants_reply(&self) -> bool {
        self.answer.is_some() || self.asked.filling.is_some()
    }

    /// A reply is on its way to the client: a committed one, or an upstream filter's own.
    pub fn on_reply_headers(&mut self, status: u16, local: bool) -> Mutation {
        let answer = self.answer.as_mut();
        answer.map_or_else(Mutation::default, |a| a.on_headers(status, local))
    }

    /// Whether the reply's body shall be read now, or held until it is whole.
    pub fn reads_reply(&self, end_of_stream: bool) -> bool {
        let answer = self.answer.as_ref();
        answer.is_none_or(|answer| answer.reads(end_of_stream))
    }

    /// More of the reply's body.
    pub fn on_reply_body(&mut self, bytes: &[u8], end_of_stream: bool) -> Mutation {
        if let Some(filling) = &mut self.asked.filling {
            filling.push(bytes);
        }
        let answer = self.answer.as_mut();
        answer.map_or_else(Mutation::default, |a| a.on_body(bytes, end_of_stream))
    }
}
