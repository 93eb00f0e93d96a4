//! A reply that comes as a stream: held until it says something, then passed on as it comes.

use super::{Arrived, Mutation, Phase, ReplyState};
use crate::schema::{Progress, Reply, StreamTranslator};

impl ReplyState {
    pub(super) fn held(
        &mut self,
        held: Phase,
        bytes: &[u8],
        end_of_stream: bool,
        now_ms: u64,
    ) -> Mutation {
        let Phase::Held {
            mut translator,
            read,
            mut out,
            started,
        } = held
        else {
            return Mutation::default();
        };
        let progress = match translator.push(bytes, &mut out) {
            Ok(progress) => progress,
            Err(failure) => return self.fail_charged(translator.usage(), failure, now_ms),
        };
        let read = read.saturating_add(bytes.len());
        if end_of_stream {
            // Nothing has reached the client: a stream that stopped short fails as a whole.
            let usage = translator.usage();
            return match translator.finish(&mut out) {
                Ok(reply) => self.pass_gate(Arrived::Ended { reply, out }, now_ms),
                Err(failure) => self.fail_charged(usage, failure, now_ms),
            };
        }
        let started = started || progress == Progress::Started;
        if started {
            self.begin_judging(now_ms);
        }
        let held_too_much = read as u64 > self.limits.held_stream_bytes;
        let tells_enough = self
            .gate
            .as_ref()
            .is_none_or(|gate| gate.is_content_with(out.len()));
        if (started && tells_enough) || held_too_much {
            let begun = Arrived::Begun {
                translator,
                out,
                read,
                is_all_there: false,
            };
            return self.pass_gate(begun, now_ms);
        }
        self.phase = Phase::Held {
            translator,
            read,
            out,
            started,
        };
        Mutation::pause()
    }

    /// The client gets to see what has been held.
    pub(super) fn begin_stream(
        &mut self,
        translator: Box<dyn StreamTranslator>,
        out: Vec<u8>,
        now_ms: u64,
    ) -> Mutation {
        let mut mutation = Mutation::default();
        self.set_stream_type(&mut mutation);
        self.commit(&self.context.model.clone(), false, now_ms, &mut mutation);
        self.store_usage(translator.usage(), &mut mutation);
        self.seen.note(&out);
        self.observe_first(now_ms, &mut mutation);
        self.heard_ms = now_ms;
        self.phase = Phase::Committed { translator };
        mutation.body = Some(out);
        mutation
    }

    /// A stream that came whole before it was released.
    pub(super) fn release(&mut self, out: Vec<u8>, reply: &Reply, now_ms: u64) -> Mutation {
        let mut mutation = Mutation::default();
        self.set_stream_type(&mut mutation);
        self.commit_whole(reply, now_ms, &mut mutation);
        mutation.body = Some(out);
        mutation
    }

    pub(super) fn committed(
        &mut self,
        mut translator: Box<dyn StreamTranslator>,
        bytes: &[u8],
        end_of_stream: bool,
        now_ms: u64,
    ) -> Mutation {
        let mut mutation = Mutation::default();
        self.heard_ms = now_ms;
        let mut out = Vec::with_capacity(bytes.len());
        let pushed = translator.push(bytes, &mut out);
        self.store_usage(translator.usage(), &mut mutation);
        self.seen.note(&out);
        if std::mem::take(&mut self.unheard) {
            self.observe_first(now_ms, &mut mutation);
        }
        match pushed {
            Err(failure) => self.break_stream(&failure, &mut out, &mut mutation),
            Ok(_) if end_of_stream => match translator.finish(&mut out) {
                Ok(reply) => {
                    self.store_usage(reply.usage, &mut mutation);
                    if !reply.usage.is_known() {
                        self.settle_unfinished(&mut mutation);
                    }
                    self.observe_end(Some(now_ms), Ok(()), &mut mutation);
                }
                Err(failure) => self.break_stream(&failure, &mut out, &mut mutation),
            },
            Ok(_) => self.phase = Phase::Committed { translator },
        }
        mutation.body = Some(out);
        mutation
    }
}
