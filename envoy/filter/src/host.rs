//! The only file with host calls. The SDK's own wrappers panic on an unexpected status; these
//! log it and go on, because a panic would take down every stream of the worker.

use std::time::{Duration, UNIX_EPOCH};

use pointsman::callout::{MAX_REPLY_BYTES, Question, Reply};
use pointsman::config::Config;
use pointsman::exchange::handoff::{ATTEMPTS, COST_HEADER, INNER};
use pointsman::exchange::keep_warm::{LONGEST_MS, call as call_head};
use pointsman::exchange::{Flow, HeaderEdit, ImmediateResponse, Mutation, StateEdit};
use pointsman::metrics::of_observation;
use pointsman::observed::{Settings, Store, Wants};
use proxy_wasm::hostcalls;
use proxy_wasm::types::{Action, BufferType, MapType, MetricType, Status};

use crate::meter;

/// Whose headers and body.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    Request,
    Response,
}

impl Side {
    fn headers(self) -> MapType {
        match self {
            Side::Request => MapType::HttpRequestHeaders,
            Side::Response => MapType::HttpResponseHeaders,
        }
    }

    fn body(self) -> BufferType {
        match self {
            Side::Request => BufferType::HttpRequestBody,
            Side::Response => BufferType::HttpResponseBody,
        }
    }
}

/// Time since the Unix epoch.
pub(crate) fn now() -> Duration {
    checked("get_current_time", hostcalls::get_current_time())
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .unwrap_or_default()
}

/// Milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> u64 {
    u64::try_from(now().as_millis()).unwrap_or(u64::MAX)
}

/// All headers; a value that is not UTF-8 is read with replacement characters.
pub(crate) fn headers(side: Side) -> Vec<(String, String)> {
    checked("get_map", hostcalls::get_map_bytes(side.headers()))
        .unwrap_or_default()
        .into_iter()
        .map(|(name, value)| (name, text(value)))
        .collect()
}

/// One header.
pub(crate) fn header(side: Side, name: &str) -> Option<String> {
    let value = checked(
        "get_map_value",
        hostcalls::get_map_value_bytes(side.headers(), name),
    )??;
    Some(text(value))
}

/// Sets one header.
pub(crate) fn set_header(side: Side, name: &str, value: &str) {
    checked(
        "set_map_value",
        hostcalls::set_map_value(side.headers(), name, Some(value)),
    );
}

/// Removes one header.
pub(crate) fn remove_header(side: Side, name: &str) {
    checked(
        "remove_map_value",
        hostcalls::remove_map_value(side.headers(), name),
    );
}

/// `size` bytes of the body buffer, from `start` on.
pub(crate) fn body(side: Side, start: usize, size: usize) -> Vec<u8> {
    if size == 0 {
        return Vec::new();
    }
    checked(
        "get_buffer",
        hostcalls::get_buffer(side.body(), start, size),
    )
    .flatten()
    .unwrap_or_default()
}

/// Replaces the first `size` bytes of the body buffer.
pub(crate) fn set_body(side: Side, size: usize, bytes: &[u8]) {
    // A size of zero would prepend to what is there.
    let size = if size == 0 { usize::MAX } else { size };
    checked(
        "set_buffer",
        hostcalls::set_buffer(side.body(), 0, size, bytes),
    );
}

/// A property; `None` when it is not there.
pub(crate) fn property(path: &[&str]) -> Option<Vec<u8>> {
    match hostcalls::get_property(path.to_vec()) {
        Err(Status::NotFound) => None,
        other => checked("get_property", other)?,
    }
}

/// A property that is text.
pub(crate) fn property_text(path: &[&str]) -> String {
    property(path).map(text).unwrap_or_default()
}

/// A number that a mutation has stored; 0 when none has.
pub(crate) fn property_number(key: &str) -> u64 {
    property_text(&[key]).parse().unwrap_or(0)
}

/// A property that is a signed integer of Envoy's.
pub(crate) fn property_int(path: &[&str]) -> Option<i64> {
    property(path)?.try_into().ok().map(i64::from_le_bytes)
}

/// Carries out a mutation. `size` is what is in the body buffer now.
pub(crate) fn apply(side: Side, mutation: &Mutation, size: usize) -> Action {
    for edit in &mutation.headers {
        let (name, value) = match edit {
            HeaderEdit::Set(name, value) => (name, Some(value.as_str())),
            HeaderEdit::Remove(name) => (name, None),
        };
        checked(
            "set_map_value",
            hostcalls::set_map_value(side.headers(), name, value),
        );
    }
    if let Some(bytes) = &mutation.body {
        set_body(side, size, bytes);
    }
    store(mutation);
    match mutation.flow {
        Flow::Pause => Action::Pause,
        Flow::Continue => Action::Continue,
    }
}

/// Writes a mutation's filter state and its warning.
pub(crate) fn store(mutation: &Mutation) {
    store_state(&mutation.state);
    if let Some(warning) = &mutation.warning {
        log::warn!("{warning}");
    }
}

/// Writes filter state.
pub(crate) fn store_state(edits: &[StateEdit]) {
    for edit in edits {
        checked(
            "set_property",
            hostcalls::set_property(vec![&*edit.key], Some(&edit.value)),
        );
    }
}

/// How observations are recorded; the same for all of one configuration.
#[derive(Clone, Copy)]
pub(crate) struct Recording {
    pub(crate) settings: Settings,
    wants: Wants,
}

impl Recording {
    pub(crate) fn of(config: &Config) -> Recording {
        Recording {
            settings: config.observe,
            wants: config.wants,
        }
    }

    /// Records what a mutation tells of targets.
    pub(crate) fn note(self, mutation: &Mutation, now_ms: u64) {
        for observation in &mutation.observed {
            observation.record(&SharedData, self.settings, self.wants, now_ms);
            of_observation(observation, &mut meter::count);
        }
    }
}

/// Times that a change is tried before it is given up: each time another worker was faster.
const MOST_TRIES: usize = 64;

/// Of a value that is not there yet: what has been written since has another one. Without it
/// Envoy would write without comparing, and two workers could both be first.
const NOT_THERE: u32 = u32::MAX;

/// Envoy's shared data: of all workers and of both roles, as they share one `vm_id`.
pub(crate) struct SharedData;

impl Store for SharedData {
    fn load(&self, name: &str) -> Option<Vec<u8>> {
        checked("get_shared_data", hostcalls::get_shared_data(name))?.0
    }

    fn change(&self, name: &str, change: &mut dyn FnMut(&[u8]) -> Vec<u8>) -> bool {
        for _ in 0..MOST_TRIES {
            let Some((old, cas)) = checked("get_shared_data", hostcalls::get_shared_data(name))
            else {
                return false;
            };
            let new = change(&old.unwrap_or_default());
            match hostcalls::set_shared_data(name, Some(&new), cas.or(Some(NOT_THERE))) {
                Err(Status::CasMismatch) => {}
                other => return checked("set_shared_data", other).is_some(),
            }
        }
        log::warn!("a change was given up: others were faster {MOST_TRIES} times");
        false
    }

    fn put(&self, name: &str, value: &[u8]) {
        let set = hostcalls::set_shared_data(name, Some(value), None);
        checked("set_shared_data", set);
    }
}

/// The id of a metric of this name; the same for every worker.
pub(crate) fn define_metric(is_histogram: bool, name: &str) -> Option<u32> {
    let kind = if is_histogram {
        MetricType::Histogram
    } else {
        MetricType::Counter
    };
    checked("define_metric", hostcalls::define_metric(kind, name))
}

/// Adds to a counter.
pub(crate) fn increment(id: u32, by: u64) {
    let by = i64::try_from(by).unwrap_or(i64::MAX);
    checked("increment_metric", hostcalls::increment_metric(id, by));
}

/// Adds a value to a histogram.
pub(crate) fn record(id: u32, value: u64) {
    checked("record_metric", hostcalls::record_metric(id, value));
}

/// Answers the request.
pub(crate) fn respond(response: &ImmediateResponse) {
    let own = response.headers.iter();
    let mut headers: Vec<_> = own.map(|(name, value)| (*name, value.as_str())).collect();
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        headers.push(("content-type", "application/json"));
    }
    checked(
        "send_http_response",
        hostcalls::send_http_response(u32::from(response.status), headers, Some(&response.body)),
    );
}

/// Lets a held request go on.
pub(crate) fn resume_request() {
    checked("continue_stream", hostcalls::resume_http_request());
}

/// Lets a held reply go on.
pub(crate) fn resume_response() {
    checked("continue_stream", hostcalls::resume_http_response());
}

/// What follows is done for this context; false when it is no more.
pub(crate) fn act_for(context_id: u32) -> bool {
    let acts = hostcalls::set_effective_context(context_id);
    checked("set_effective_context", acts).is_some()
}

/// Ticks from now on; 0 for not at all.
pub(crate) fn tick(period_ms: u64) {
    let ticks = hostcalls::set_tick_period(Duration::from_millis(period_ms));
    checked("set_tick_period", ticks);
}

/// Sends a question; the number of the call, or `None` when it cannot be sent.
pub(crate) fn call(question: &Question, timeout_ms: u64) -> Option<u32> {
    let called = dispatch(
        &question.cluster,
        &question.headers,
        &question.body,
        timeout_ms,
    );
    let failed =
        |status: &Status| log::warn!("a webhook or classifier cannot be called: {status:?}");
    called.inspect_err(failed).ok()
}

/// Asks the inner listener to keep a connection open; the number of the call, or `None` when this
/// thread has none.
pub(crate) fn keep_warm(provider: &str) -> Option<u32> {
    dispatch(INNER, &call_head(provider), &[], LONGEST_MS).ok()
}

fn dispatch(
    cluster: &str,
    headers: &[(&'static str, String)],
    body: &[u8],
    timeout_ms: u64,
) -> Result<u32, Status> {
    let headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
    let timeout = Duration::from_millis(timeout_ms);
    hostcalls::dispatch_http_call(cluster, headers.collect(), Some(body), Vec::new(), timeout)
}

/// One header of what came back to a call.
pub(crate) fn reply_header(name: &str) -> Option<String> {
    let value = hostcalls::get_map_value_bytes(MapType::HttpCallResponseHeaders, name);
    checked("get_map_value", value).flatten().map(text)
}

/// What came back to a call; too long a body is left where it is.
pub(crate) fn reply(size: usize) -> Reply {
    let body = match size <= MAX_REPLY_BYTES {
        true => hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, size),
        false => Ok(None),
    };
    Reply {
        status: reply_header(":status")
            .and_then(|s| s.parse().ok())
            .unwrap_or(0),
        committed: reply_header(ATTEMPTS).is_some(),
        cost: reply_header(COST_HEADER).unwrap_or_default(),
        body: checked("get_buffer", body).flatten().unwrap_or_default(),
    }
}

/// Lets Envoy choose the route again, now that filter state names a cluster.
pub(crate) fn clear_route_cache() {
    checked(
        "clear_route_cache",
        hostcalls::call_foreign_function("clear_route_cache", None),
    );
}

/// Without a copy, unless it is not UTF-8.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn checked<T>(call: &str, result: Result<T, Status>) -> Option<T> {
    result
        .inspect_err(|status| log::error!("host call {call} failed: {status:?}"))
        .ok()
}
