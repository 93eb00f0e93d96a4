//! A reply of an attempt beside which another one may be under way.
//!
//! Envoy crashes when the headers of such a reply are held. So it is taken or not by its head
//! alone; what its body turns out to be can only be told.

use super::{Phase, ReplyState, too_large};
use crate::adapt::Whole;
use crate::exchange::final_error;
use crate::exchange::handoff::{ANSWERED, BROKEN};
use crate::exchange::holding::Used;
use crate::exchange::mutation::{Flow, Mutation};
use crate::exchange::trail;
use crate::failure::{Class, Failure};
use crate::schema::Reply;
use crate::schema::openai::write_error;

impl ReplyState {
    pub(in crate::exchange) fn is_hedged(&self) -> bool {
        self.origin.hedged
    }

    pub(in crate::exchange) fn recall(&mut self, trail: String, failure: Vec<u8>, rejected: Used) {
        let origin = &mut self.origin;
        (origin.trail, origin.failure, origin.rejected) = (trail, failure, rejected);
    }

    /// Takes a good status for an answer, and any other for what it says.
    pub(super) fn take_by_head(&mut self, now_ms: u64, mut mutation: Mutation) -> Mutation {
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Held { translator, .. } => {
                self.set_stream_type(&mut mutation);
                self.answer_by_head(now_ms, &mut mutation);
                (self.heard_ms, self.unheard) = (now_ms, true);
                self.phase = Phase::Committed { translator };
            }
            Phase::Buffered => {
                if !self.keeps_media_type() {
                    mutation.set("content-type", "application/json");
                }
                self.answer_by_head(now_ms, &mut mutation);
                self.phase = Phase::Buffered;
            }
            phase => {
                self.phase = phase;
                return self.on_empty(now_ms, mutation);
            }
        }
        mutation.flow = Flow::Continue;
        mutation
    }

    fn answer_by_head(&mut self, now_ms: u64, mutation: &mut Mutation) {
        self.commit(&self.context.model.clone(), false, now_ms, mutation);
        mutation.store(ANSWERED, "1");
    }

    /// The body of a reply whose headers have gone on.
    pub(super) fn whole_of_hedged(&mut self, body: &[u8], now_ms: u64) -> Mutation {
        let mut mutation = Mutation::default();
        match self.read_hedged(body) {
            Ok((reply, out)) => {
                self.store_usage(reply.usage, &mut mutation);
                self.observe_whole(now_ms, &mut mutation);
                mutation.body = Some(out);
            }
            Err(failure) => {
                let mut out = Vec::new();
                write_error(&failure, &mut out);
                let status = final_error::status(&failure);
                mutation.store(BROKEN, status.to_string());
                self.tell_broken(failure.class, &mut mutation);
                mutation.body = Some(out);
            }
        }
        mutation
    }

    fn read_hedged(&mut self, body: &[u8]) -> Result<(Reply, Vec<u8>), Failure> {
        let limit = self.limits.reply_bytes;
        let fits = |body: &[u8]| match body.len() as u64 > limit {
            true => Err(too_large()),
            false => Ok(()),
        };
        fits(body)?;
        let mut out = Vec::with_capacity(body.len());
        let reply = self.translate_whole(body, &mut out)?;
        if let Some(reshape) = self.reshape.take() {
            let Whole { body, is_json: _ } = reshape.whole(&self.context.id, out);
            out = body;
        }
        fits(&out)?;
        Ok((reply, out))
    }

    /// Another attempt has answered first, and Envoy takes this one back. Its provider has read
    /// the prompt, and will charge for that at least.
    pub(in crate::exchange) fn on_outrun(&mut self, now_ms: u64) -> Option<Mutation> {
        if !self.origin.hedged || !matches!(self.phase, Phase::Awaited) {
            return None;
        }
        self.phase = Phase::Over;
        let mut mutation = Mutation::default();
        self.append_trail(trail::OUTRUN, None, 0, now_ms, &mut mutation);
        self.seen.is_all = true;
        self.usage = self.estimate();
        self.book_rejected(&mut mutation);
        self.observe_outrun(&mut mutation);
        Some(mutation)
    }

    /// A reply that was taken by its head has no body to the end.
    pub(super) fn lose_hedged(&mut self, class: Class, mutation: &mut Mutation) {
        self.settle_unfinished(mutation);
        self.tell_broken(class, mutation);
    }
}
