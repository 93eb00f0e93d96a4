//! The page that tells what has been observed.

use std::rc::Rc;

use pointsman::config::Config;
use pointsman::exchange::state_page;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::host::{self, SharedData, Side};

/// One request for it.
pub(crate) struct StateFilter(pub(crate) Rc<Config>);

impl Context for StateFilter {}

impl HttpContext for StateFilter {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        let path = host::header(Side::Request, ":path").unwrap_or_default();
        host::respond(&state_page(&self.0, &SharedData, &path, host::now_ms()));
        Action::Pause
    }
}
