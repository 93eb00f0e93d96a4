//! A client request's place in the host: holds the filter where an answer can find it.

use std::cell::RefCell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::callouts::{Callouts, Seat};
use crate::downstream::DownstreamFilter;
use crate::watch::Watch;

/// One client request, and who it may have to wait for.
pub(crate) struct Seated {
    filter: Seat,
    callouts: Rc<Callouts>,
    watch: Rc<Watch>,
    context_id: u32,
}

impl Seated {
    pub(crate) fn new(
        filter: DownstreamFilter,
        callouts: Rc<Callouts>,
        watch: Rc<Watch>,
        context_id: u32,
    ) -> Self {
        Seated {
            filter: Rc::new(RefCell::new(filter)),
            callouts,
            watch,
            context_id,
        }
    }

    /// Nobody else holds the filter while the host calls: what is in use is let through.
    fn with(&self, call: impl FnOnce(&mut DownstreamFilter) -> Action) -> Action {
        let Ok(mut filter) = self.filter.try_borrow_mut() else {
            return Action::Continue;
        };
        let action = call(&mut filter);
        let (question, deadline_ms) = (filter.take_question(), filter.take_deadline());
        drop(filter);
        if let Some(until_ms) = deadline_ms {
            self.callouts
                .expect(until_ms, self.context_id, &self.filter);
        }
        if let Some(question) = question {
            self.callouts.join(question, self.context_id, &self.filter);
        }
        action
    }
}

impl Context for Seated {
    fn on_http_call_response(
        &mut self,
        number: u32,
        _headers: usize,
        size: usize,
        _trailers: usize,
    ) {
        self.callouts.on_reply(number, size);
    }

    fn on_done(&mut self) -> bool {
        // Also where Envoy has answered while it waited: whoever waits with it must ask again.
        self.callouts.leave(self.context_id);
        self.watch.forget(self.context_id);
        if let Ok(mut filter) = self.filter.try_borrow_mut() {
            if let Some(until_ms) = filter.expected_ms() {
                self.callouts.expect_no_more(until_ms, self.context_id);
            }
            filter.on_done();
        }
        true
    }
}

impl HttpContext for Seated {
    fn on_http_request_headers(&mut self, count: usize, end_of_stream: bool) -> Action {
        self.with(|filter| {
            let action = filter.on_http_request_headers(count, end_of_stream);
            if filter.awaits_body() {
                self.watch.hold(self.context_id, None);
            }
            action
        })
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        self.with(|filter| {
            if filter.awaits_body() {
                self.watch.body_came();
            }
            filter.on_http_request_body(size, end_of_stream)
        })
    }

    fn on_http_request_trailers(&mut self, count: usize) -> Action {
        self.with(|filter| filter.on_http_request_trailers(count))
    }

    fn on_http_response_headers(&mut self, count: usize, end_of_stream: bool) -> Action {
        self.with(|filter| filter.on_http_response_headers(count, end_of_stream))
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        self.with(|filter| filter.on_http_response_body(size, end_of_stream))
    }

    fn on_log(&mut self) {
        if let Ok(mut filter) = self.filter.try_borrow_mut() {
            filter.on_log();
        }
    }

    fn on_http_response_trailers(&mut self, count: usize) -> Action {
        self.with(|filter| filter.on_http_response_trailers(count))
    }
}
