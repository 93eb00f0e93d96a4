//! The inner listener's role: sends a classifier's question, or what keeps a connection open, where
//! its plan says.

use std::rc::Rc;

use pointsman::config::Config;
use pointsman::exchange::handoff::QUESTION;
use pointsman::exchange::keep_warm::{WARMED, kept_by};
use pointsman::exchange::{Topology, relay};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::host::{self, Side};

/// The status of a provider that has not answered.
const UNREACHED: &str = "unreached";

/// One question. Only our own calls reach the listener, so its plan is to be trusted.
pub(crate) struct InnerFilter {
    config: Rc<Config>,
    topology: Topology,
    keeps_warm: bool,
}

impl InnerFilter {
    pub(crate) fn new(config: Rc<Config>, topology: Topology) -> InnerFilter {
        InnerFilter {
            config,
            topology,
            keeps_warm: false,
        }
    }
}

impl Context for InnerFilter {}

impl HttpContext for InnerFilter {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        let plan = host::header(Side::Request, QUESTION).unwrap_or_default();
        self.keeps_warm = kept_by(plan.as_bytes()).is_some();
        match relay(&self.config, self.topology, &plan) {
            Ok(mutation) => {
                let action = host::apply(Side::Request, &mutation, 0);
                host::clear_route_cache();
                action
            }
            Err(response) => {
                host::respond(&response);
                Action::Pause
            }
        }
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        if self.keeps_warm && host::header(Side::Response, WARMED).is_none() {
            // So that the caller knows that the listener was there, and the provider was not.
            host::set_header(Side::Response, WARMED, UNREACHED);
        }
        Action::Continue
    }
}
