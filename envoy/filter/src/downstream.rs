//! The downstream role: reads buffers and properties, asks the core, does what it says.

use std::rc::Rc;

use pointsman::callout::{Answer, Cache, Question};
use pointsman::config::Config;
use pointsman::exchange::handoff::{
    ATTEMPTS, BROKEN, CACHE_STATUS, COST, INPUT_TOKENS, LOCAL, OUTPUT_TOKENS, REJECTED_TOKENS,
    TRAIL,
};
use pointsman::exchange::{
    Downstream, Fleet, Holding, Mutation, RequestFacts, Told, Topology, Used, Verdict,
};
use pointsman::metrics::{Request, of_kept, of_request};
use pointsman::observed::Recorded;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::facts::{
    draw, final_facts, has_been_tried, request_head, response_status, signal_of_answer,
};
use crate::host::{self, SharedData, Side};
use crate::{meter, underway};

/// One client request.
pub(crate) struct DownstreamFilter {
    config: Rc<Config>,
    topology: Topology,
    context_id: u32,
    request_id: String,
    ending: Option<Ending>,
    held: Holding,
    fleet: Fleet,
    /// Whether the rate limit service has counted what `fleet` asks for, once it is known.
    counted: Option<bool>,
    state: State,
    /// What must be asked before the request goes on.
    question: Option<Box<Question>>,
    asked_ms: u64,
    deadline_ms: Option<u64>,
    expected_ms: Option<u64>,
}

/// What is counted of a request of ours.
#[derive(Default)]
struct Ending {
    request: Request,
    /// What the client got; `None` until it is known.
    status: Option<u16>,
}

impl Ending {
    fn of(status: u16) -> Ending {
        Ending {
            status: Some(status),
            ..Ending::default()
        }
    }
}

enum State {
    /// Not ours, or answered by us.
    Idle,
    /// Held until the body is whole.
    Inspecting(Downstream),
    /// Held until a classifier has answered.
    Asking(Downstream),
    /// On its way.
    Dispatched(Downstream),
    /// The reply is being translated back.
    Answering(Downstream),
    /// Held until it is whole.
    Holding(Downstream),
    /// The client's error takes the place of the reply's body; empty once it is written.
    Failed(Vec<u8>),
}

impl DownstreamFilter {
    pub(crate) fn new(config: Rc<Config>, topology: Topology, context_id: u32) -> Self {
        DownstreamFilter {
            config,
            topology,
            context_id,
            request_id: String::new(),
            ending: None,
            held: Holding::default(),
            fleet: Fleet::default(),
            counted: None,
            state: State::Idle,
            question: None,
            asked_ms: 0,
            deadline_ms: None,
            expected_ms: None,
        }
    }

    /// What must be asked now; told once.
    pub(crate) fn take_question(&mut self) -> Option<Question> {
        self.question.take().map(|question| *question)
    }

    /// Whether the headers are held until the body has come.
    pub(crate) fn awaits_body(&self) -> bool {
        matches!(self.state, State::Inspecting(_))
    }

    /// When the reply must have begun, in Unix milliseconds; told once.
    pub(crate) fn take_deadline(&mut self) -> Option<u64> {
        let deadline_ms = self.deadline_ms.take()?;
        self.expected_ms = Some(deadline_ms);
        self.expected_ms
    }

    /// What [`DownstreamFilter::take_deadline`] has told.
    pub(crate) fn expected_ms(&self) -> Option<u64> {
        self.expected_ms
    }

    /// It is too late for a reply that has not begun.
    pub(crate) fn give_up(&self) {
        if matches!(self.state, State::Dispatched(_)) {
            host::respond(&Downstream::too_late());
        }
    }

    /// An answer has come, outside of this request's own callbacks: goes on with it. Gives the
    /// next question where there is one.
    pub(crate) fn resume(&mut self, answer: &Answer) -> Option<Question> {
        let State::Asking(mut downstream) = std::mem::replace(&mut self.state, State::Idle) else {
            return None;
        };
        downstream.on_answer(answer, host::now_ms().saturating_sub(self.asked_ms));
        self.state = State::Inspecting(downstream);
        if self.dispatch(usize::MAX) == Action::Continue {
            host::resume_request();
        }
        self.take_question()
    }

    /// The body is whole.
    fn dispatch(&mut self, size: usize) -> Action {
        let State::Inspecting(mut downstream) = std::mem::replace(&mut self.state, State::Idle)
        else {
            return Action::Continue;
        };
        let body = host::body(Side::Request, 0, size);
        let now = host::now();
        let now_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let recorded = Recorded::new(&SharedData, self.config.observe, now_ms);
        let facts = RequestFacts {
            draw: draw(now.subsec_nanos(), self.context_id, &self.request_id),
            now_s: now.as_secs(),
            now_ms,
            request_id: &self.request_id,
            stream: u64::from(self.context_id),
            observed: &recorded,
            books: Some(&SharedData),
            cache: Cache::new(&SharedData, now_ms),
            answers: Some(&SharedData),
        };
        let outcome = downstream.on_body(&body, facts);
        self.held = downstream.take_holding();
        self.fleet = downstream.take_fleet();
        if let Some(ending) = &mut self.ending {
            ending.request = downstream.take_counted();
            ending.status = outcome.as_ref().err().map(|response| response.status);
        }
        match outcome {
            Ok(Mutation {
                question: Some(question),
                ..
            }) => {
                self.question = Some(question);
                self.asked_ms = now_ms;
                self.state = State::Asking(downstream);
                Action::Pause
            }
            Ok(Mutation {
                answer: Some(response),
                state,
                ..
            }) => {
                host::store_state(&state);
                self.end(response.status);
                host::respond(&response);
                Action::Pause
            }
            Ok(mutation) => {
                let action = host::apply(Side::Request, &mutation, size);
                host::clear_route_cache();
                self.deadline_ms = downstream.deadline_ms();
                self.state = State::Dispatched(downstream);
                action
            }
            Err(response) => {
                host::respond(&response);
                Action::Pause
            }
        }
    }
}

impl DownstreamFilter {
    /// Books what the request has used, as the attempt that answered has told it.
    fn settle(&mut self) {
        let tokens = [INPUT_TOKENS, OUTPUT_TOKENS, REJECTED_TOKENS].map(host::property_number);
        let tokens = tokens.into_iter().fold(0, u64::saturating_add);
        // Also where the client has left before.
        let status = self.ending.as_ref().and_then(|ending| ending.status);
        let is_answered = status.map_or(tokens > 0, |status| status < 400);
        let used = Used {
            tokens,
            nano_usd: host::property_number(COST),
            requests: u64::from(is_answered),
        };
        let now_ms = host::now_ms();
        let held = std::mem::take(&mut self.held);
        let store = &SharedData;
        held.settle(&self.config, store, used, now_ms, &mut meter::count);
        let fleet = std::mem::take(&mut self.fleet);
        if !fleet.is_empty() {
            // Who has left before any attempt may have left before anything was counted.
            let counted = self.counted.unwrap_or_else(has_been_tried);
            host::store(&fleet.settle(&self.config, used, counted, now_ms));
        }
    }

    /// What the rate limit filter tells of budgets of the fleet.
    fn hear(&mut self) -> Told {
        let told = |name| host::header(Side::Response, name).unwrap_or_default();
        let told = Told {
            limit: told("x-ratelimit-limit"),
            remaining: told("x-ratelimit-remaining"),
            reset: told("x-ratelimit-reset"),
        };
        self.counted = Some(!told.limit.is_empty());
        let now_ms = host::now_ms();
        self.fleet.note(&self.config, &SharedData, &told, now_ms);
        told
    }

    /// Keeps the answer, where that is wanted.
    fn keep(&mut self) {
        let State::Answering(downstream) = &mut self.state else {
            return;
        };
        let state = |key: &str| host::property_text(&[key]);
        let kept = downstream.keep_reply(&SharedData, &state, host::now_ms());
        if let Some((kept, ending)) = kept.zip(self.ending.as_ref()) {
            let evicted = (kept.evicted, kept.evicted_bytes);
            of_kept(
                &ending.request.model,
                kept.bytes,
                evicted,
                &mut meter::count,
            );
        }
    }

    fn end(&mut self, status: u16) {
        if let Some(ending) = &mut self.ending {
            ending.status = Some(status);
        }
    }

    /// The reply is for the client.
    fn answer(&mut self, local: bool) -> Action {
        let State::Dispatched(mut downstream) = std::mem::replace(&mut self.state, State::Idle)
        else {
            return Action::Continue;
        };
        let cache_status = downstream.cache_status();
        if !cache_status.is_empty() {
            host::set_header(Side::Response, CACHE_STATUS, cache_status);
        }
        if downstream.holds_reply() && !local {
            self.state = State::Holding(downstream);
            return Action::Pause;
        }
        if !downstream.wants_reply() {
            return Action::Continue;
        }
        let mutation = downstream.on_reply_headers(response_status(), local);
        self.state = State::Answering(downstream);
        host::apply(Side::Response, &mutation, 0)
    }

    /// A reply that was held is whole.
    fn release(&mut self) -> Action {
        let State::Holding(downstream) = std::mem::replace(&mut self.state, State::Idle) else {
            return Action::Continue;
        };
        let broken = host::property_number(BROKEN);
        let mutation = downstream.on_held_reply(broken, host::property_number(COST));
        if let Some(status) = u16::try_from(broken).ok().filter(|status| *status > 0) {
            self.end(status);
        }
        host::apply(Side::Response, &mutation, 0)
    }

    fn translate(&mut self, size: usize, end_of_stream: bool) -> Action {
        let State::Answering(downstream) = &mut self.state else {
            return Action::Continue;
        };
        if !downstream.reads_reply(end_of_stream) {
            return Action::Pause;
        }
        let bytes = host::body(Side::Response, 0, size);
        let mutation = downstream.on_reply_body(&bytes, end_of_stream);
        host::apply(Side::Response, &mutation, size)
    }
}

impl Context for DownstreamFilter {
    fn on_done(&mut self) -> bool {
        if !self.held.is_empty() || !self.fleet.is_empty() {
            self.settle();
        }
        self.keep();
        if let Some(Ending { request, status }) = self.ending.take() {
            of_request(&request, status, &mut meter::count);
        }
        true
    }
}

impl HttpContext for DownstreamFilter {
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        let head = request_head(&self.config.routing, end_of_stream);
        host::store(&head.for_the_log());
        self.request_id.clone_from(&head.request_id);
        match Downstream::start(&self.config, self.topology, &head) {
            Verdict::Ignore => Action::Continue,
            Verdict::Respond(response) => {
                self.ending = (response.status >= 400).then(|| Ending::of(response.status));
                host::respond(&response);
                Action::Pause
            }
            Verdict::Inspect(downstream, mutation) => {
                self.ending = Some(Ending::default());
                self.state = State::Inspecting(downstream);
                host::apply(Side::Request, &mutation, 0)
            }
        }
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        match self.state {
            State::Inspecting(_) if end_of_stream => self.dispatch(size),
            State::Inspecting(_) => Action::Pause,
            _ => Action::Continue,
        }
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        // With trailers, the last body callback does not carry the end of the stream.
        match self.state {
            State::Inspecting(_) => self.dispatch(usize::MAX),
            _ => Action::Continue,
        }
    }

    fn on_http_response_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        let told = match self.fleet.is_empty() {
            true => Told::default(),
            false => self.hear(),
        };
        // Envoy can refuse a request by itself while it is still inspected.
        let (State::Dispatched(downstream)
        | State::Inspecting(downstream)
        | State::Asking(downstream)) = &self.state
        else {
            return Action::Continue;
        };
        // Envoy's own way takes it from the request, where the attempts have removed it.
        if !self.request_id.is_empty() {
            host::set_header(Side::Response, "x-request-id", &self.request_id);
        }
        if let Some(signal) = signal_of_answer() {
            host::remove_header(Side::Response, signal);
            if downstream.is_hedged() {
                // Others may have ended since the answer's headers were written.
                host::set_header(Side::Response, ATTEMPTS, &host::property_text(&[TRAIL]));
            }
            let is_local = signal == LOCAL;
            self.end(if is_local { response_status() } else { 200 });
            return self.answer(is_local);
        }
        let facts = final_facts(&self.fleet, told);
        if facts.is_limited() {
            host::store(&self.fleet.give_up(&self.config));
        } else if facts.is_unlimited() {
            // Nothing was counted, so nothing is given back.
            self.fleet = Fleet::default();
        }
        let mut response = downstream.failure_response(&facts);
        let status = response.status;
        if end_of_stream {
            response
                .headers
                .push(("x-request-id", self.request_id.clone()));
            self.state = State::Idle;
            self.end(status);
            host::respond(&response);
            return Action::Pause;
        }
        let (mutation, body) = response.in_place();
        host::apply(Side::Response, &mutation, 0);
        self.end(status);
        self.state = State::Failed(body);
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        match &mut self.state {
            State::Failed(body) => {
                host::set_body(Side::Response, size, &std::mem::take(body));
                Action::Continue
            }
            State::Answering(_) => self.translate(size, end_of_stream),
            State::Holding(_) if end_of_stream => self.release(),
            State::Holding(_) => Action::Pause,
            _ => Action::Continue,
        }
    }

    fn on_log(&mut self) {
        underway::end(u64::from(self.context_id));
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> Action {
        // With trailers, the last body callback does not carry the end of the stream.
        match &self.state {
            State::Answering(downstream) if !downstream.reads_reply(false) => {
                self.translate(usize::MAX, true)
            }
            State::Holding(_) => self.release(),
            _ => Action::Continue,
        }
    }
}
