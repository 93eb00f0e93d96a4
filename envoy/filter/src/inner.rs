//! The inner listener's role: sends a classifier's question where its plan says.

use std::rc::Rc;

use pointsman::config::Config;
use pointsman::exchange::handoff::QUESTION;
use pointsman::exchange::{Topology, relay};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::host::{self, Side};

/// One question. Only our own calls reach the listener, so its plan is to be trusted.
pub(crate) struct InnerFilter {
    pub(crate) config: Rc<Config>,
    pub(crate) topology: Topology,
}

impl Context for InnerFilter {}

impl HttpContext for InnerFilter {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        let plan = host::header(Side::Request, QUESTION).unwrap_or_default();
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
}
