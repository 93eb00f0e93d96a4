//! The upstream role: one attempt, in the filter chain of a provider's cluster.

use std::rc::Rc;

use pointsman::callout::{Cache, Outcome, Question, read_score};
use pointsman::config::Config;
use pointsman::exchange::handoff::{FAILURE, PLAN, REJECTED_COST, REJECTED_TOKENS, TOKEN, TRAIL};
use pointsman::exchange::keep_warm::{self, kept_by};
use pointsman::exchange::{
    Attempt, AttemptFacts, Mutation, Refusal, ResponseHead, Topology, Used, tells_limit,
};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::host::{self, Recording, SharedData, Side};
use crate::known;
use crate::misfit;
use crate::underway::{self, Running};
use crate::warmth;
use crate::watch::Watch;

/// One attempt.
pub(crate) struct UpstreamFilter {
    config: Rc<Config>,
    topology: Topology,
    attempt: Running,
    /// The client's request, as the host numbers it.
    stream: u64,
    recording: Recording,
    watch: Rc<Watch>,
    context_id: u32,
    /// It is no attempt for a client: it keeps a connection open.
    keeps_warm: bool,
    /// The call that the reply waits for, and whom it asks.
    call: Option<(u32, String)>,
}

impl UpstreamFilter {
    pub(crate) fn new(
        config: Rc<Config>,
        topology: Topology,
        recording: Recording,
        (watch, context_id): (Rc<Watch>, u32),
    ) -> Self {
        UpstreamFilter {
            config,
            recording,
            topology,
            attempt: Running::default(),
            stream: 0,
            watch,
            context_id,
            keeps_warm: false,
            call: None,
        }
    }

    /// Asks for what costs nothing, where that is known.
    fn keep_warm(&mut self, plan: &[u8]) -> Option<Action> {
        let provider = kept_by(plan)?;
        let headers = host::headers(Side::Request);
        let mut others = known::others(&self.config).into_iter();
        let head = keep_warm::head(&self.config, provider, &headers)
            .or_else(|| others.find_map(|config| keep_warm::head(&config, provider, &headers)))?;
        self.keeps_warm = true;
        Some(host::apply(Side::Request, &head, 0))
    }

    fn refuse(&mut self, refusal: &Refusal) -> Action {
        match refusal.misfit {
            Some(misfit) => misfit::tell(misfit),
            None if refusal.reason.is_empty() => {}
            None => log::error!("an attempt was refused: {}", refusal.reason),
        }
        host::respond(&refusal.response);
        self.attempt.take();
        Action::Pause
    }

    /// What the attempt says; nothing once it is over.
    fn with<T>(&self, call: impl FnOnce(&mut Attempt) -> T) -> Option<T> {
        let mut attempt = self.attempt.try_borrow_mut().ok()?;
        attempt.as_mut().map(call)
    }

    /// While a new configuration comes in, the plan may have been made by another one.
    fn start_with_others(&self, refusal: Refusal) -> Result<(Attempt, Mutation), Refusal> {
        if !refusal.is_unknown() {
            return Err(refusal);
        }
        let mut others = known::others(&self.config).into_iter();
        let started = others.find_map(|config| {
            let facts = attempt_facts(&config);
            Attempt::start(&config, self.topology, facts).ok()
        });
        started.ok_or(refusal)
    }

    /// The body is whole.
    fn send(&mut self, size: usize) -> Action {
        let body = || host::body(Side::Request, 0, size);
        match self.with(|attempt| attempt.on_request_body(&body())) {
            None => Action::Continue,
            Some(Ok(mutation)) => host::apply(Side::Request, &mutation, size),
            Some(Err(refusal)) => self.refuse(&refusal),
        }
    }

    fn receive(&mut self, size: usize, end_of_stream: bool) -> Action {
        let received = self.with(|attempt| {
            recall(attempt);
            let start = attempt.reads_from(size, end_of_stream)?;
            let bytes = host::body(Side::Response, start, size.saturating_sub(start));
            let now_ms = host::now_ms();
            let mutation = attempt.on_response_body(&bytes, end_of_stream, now_ms);
            Some((mutation, now_ms))
        });
        match received {
            None => Action::Continue,
            Some(None) => Action::Pause,
            Some(Some((mutation, now_ms))) => self.carry_out(mutation, size, now_ms),
        }
    }

    fn carry_out(&mut self, mutation: Mutation, size: usize, now_ms: u64) -> Action {
        self.recording.note(&mutation, now_ms);
        match mutation.question {
            Some(question) => self.ask(&question, now_ms),
            None => host::apply(Side::Response, &mutation, size),
        }
    }

    /// The reply is held until its score is there; whoever cannot be asked holds up nobody.
    fn ask(&mut self, question: &Question, now_ms: u64) -> Action {
        let cache = Cache::new(&SharedData, now_ms);
        let rests = cache.rests(&question.classifier);
        let asked = || host::call(question, question.deadline_ms);
        let outcome = match (!rests).then(asked) {
            None => Outcome::Resting,
            Some(Some(number)) => {
                self.call = Some((number, question.classifier.clone()));
                return Action::Pause;
            }
            Some(None) => {
                cache.note(&question.classifier, false);
                Outcome::Failed
            }
        };
        self.settle((outcome, None), now_ms)
            .unwrap_or(Action::Continue)
    }

    /// Goes on with a reply that waits for its score; `None` when it does not wait any more.
    fn settle(&self, score: (Outcome, Option<u16>), now_ms: u64) -> Option<Action> {
        let mutation = self.with(|attempt| {
            let unread = attempt.unread();
            let more = unread.map(|from| host::body(Side::Response, from, usize::MAX - from));
            attempt.on_score(&more.unwrap_or_default(), score, now_ms)
        })??;
        self.recording.note(&mutation, now_ms);
        Some(host::apply(Side::Response, &mutation, usize::MAX))
    }
}

impl Context for UpstreamFilter {
    fn on_http_call_response(
        &mut self,
        number: u32,
        _headers: usize,
        size: usize,
        _trailers: usize,
    ) {
        let Some((_, name)) = self.call.take_if(|(asked, _)| *asked == number) else {
            return;
        };
        let (reply, now_ms) = (host::reply(size), host::now_ms());
        let score = read_score(&reply);
        Cache::new(&SharedData, now_ms).note(&name, score.is_some());
        let outcome = match score {
            Some(_) => Outcome::Answered,
            None if reply.timed_out() => Outcome::Timeout,
            None => Outcome::Failed,
        };
        if self.settle((outcome, score), now_ms).is_some() {
            host::resume_response();
        }
    }

    fn on_done(&mut self) -> bool {
        self.watch.forget(self.context_id);
        underway::leave(self.stream, &self.attempt);
        underway::conclude(&self.attempt, self.recording);
        true
    }
}

impl HttpContext for UpstreamFilter {
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        let facts = attempt_facts(&self.config);
        if let Some(action) = self.keep_warm(&facts.plan) {
            return action;
        }
        let now_ms = facts.now_ms;
        match Attempt::start(&self.config, self.topology, facts)
            .or_else(|refusal| self.start_with_others(refusal))
        {
            Err(refusal) => self.refuse(&refusal),
            Ok((attempt, mutation)) => {
                host::store(&mutation);
                self.recording.note(&mutation, now_ms);
                let headers = attempt.on_request_headers(&host::headers(Side::Request));
                if let Some(provider) = attempt.keeps_warm() {
                    warmth::note(provider, now_ms);
                }
                self.stream = attempt.stream();
                self.attempt.replace(Some(attempt));
                underway::enter(self.stream, &self.attempt, self.recording);
                let action = host::apply(Side::Request, &headers, 0);
                if end_of_stream {
                    return self.send(0);
                }
                self.watch.hold(self.context_id, Some(&self.attempt));
                action
            }
        }
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        self.watch.body_came();
        if end_of_stream {
            self.send(size)
        } else {
            Action::Pause
        }
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        self.send(usize::MAX)
    }

    fn on_http_response_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        if self.keeps_warm {
            let status = host::header(Side::Response, ":status").unwrap_or_default();
            return host::apply(Side::Response, &keep_warm::answered(&status), 0);
        }
        let now_ms = host::now_ms();
        if self.with(recall).is_some_and(|hedged| hedged) {
            // Whichever answers is the one that is under way.
            underway::enter(self.stream, &self.attempt, self.recording);
        }
        let answered =
            self.with(|attempt| attempt.on_response_headers(&response_head(end_of_stream), now_ms));
        let Some(mutation) = answered else {
            return Action::Continue;
        };
        self.recording.note(&mutation, now_ms);
        host::apply(Side::Response, &mutation, 0)
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if self.keeps_warm && size > 0 {
            // Nobody reads it.
            host::set_body(Side::Response, size, &[]);
        }
        self.receive(size, end_of_stream)
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> Action {
        // With trailers, the last body callback does not carry the end of the stream.
        self.receive(usize::MAX, true)
    }
}

/// What other attempts have left meanwhile, where there may be others; whether there may.
pub(crate) fn recall(attempt: &mut Attempt) -> bool {
    if attempt.is_hedged() {
        let failure = host::property(&[FAILURE]).unwrap_or_default();
        attempt.recall(host::property_text(&[TRAIL]), failure, rejected());
    }
    attempt.is_hedged()
}

/// What answers have cost that were thrown away.
fn rejected() -> Used {
    Used {
        tokens: host::property_number(REJECTED_TOKENS),
        nano_usd: host::property_number(REJECTED_COST),
        ..Used::default()
    }
}

fn attempt_facts(config: &Config) -> AttemptFacts {
    let number = host::property_int(&["upstream", "request_attempt_count"]);
    let number = number.and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
    let is_first = number <= 1;
    AttemptFacts {
        plan: host::property(&[PLAN]).unwrap_or_default(),
        trail: if is_first {
            String::new()
        } else {
            host::property_text(&[TRAIL])
        },
        failure: if is_first {
            Vec::new()
        } else {
            host::property(&[FAILURE]).unwrap_or_default()
        },
        token: if !is_first && config.wants_token() {
            host::property_text(&[TOKEN])
        } else {
            String::new()
        },
        rejected: if is_first {
            Used::default()
        } else {
            rejected()
        },
        number,
        cluster: cluster(),
        now_ms: host::now_ms(),
    }
}

/// Who is asked: what the endpoint says of itself, or else what its cluster says. Endpoints that
/// a control plane makes say nothing of ours.
fn cluster() -> String {
    let said_by =
        |object| host::property_text(&["xds", object, "filter_metadata", "pointsman", "cluster"]);
    match said_by("upstream_host_metadata") {
        none if none.is_empty() => said_by("cluster_metadata"),
        cluster => cluster,
    }
}

fn response_head(end_of_stream: bool) -> ResponseHead {
    let mut head = ResponseHead {
        end_of_stream,
        ..ResponseHead::default()
    };
    for (name, value) in host::headers(Side::Response) {
        match name.as_str() {
            ":status" => head.status = value.parse().unwrap_or(0),
            "retry-after" => head.retry_after = Some(value),
            "retry-after-ms" => head.retry_after_ms = Some(value),
            "content-encoding" => head.content_encoding = Some(value),
            "x-gemini-service-tier" => head.service_tier = Some(value),
            _ if tells_limit(&name) => head.limits.push((name.clone(), value)),
            _ => {}
        }
        head.names.push(name);
    }
    head
}
