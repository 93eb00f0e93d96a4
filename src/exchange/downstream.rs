//! Once per client request: inspect, plan, and tell the client what became of it.

use std::borrow::Cow;
use std::rc::Rc;

use super::answer::Answer;
use super::credentials::is_reserved;
use super::final_error::{self, FinalFacts};
use super::handoff::{self, ATTEMPTS, ESCALATE, FAILED, Handoff, Step, cluster_name};
use super::mutation::{ImmediateResponse, Mutation};
use super::sieve::{self, Loss, Sieve, leave_out_unfit};
use super::{Topology, listing, trail};
use crate::catalog::Backend;
use crate::config::{Config, ModelConfig, OnUnsupported};
use crate::failure::{Class, Failure};
use crate::fidelity::Report;
use crate::inspect::{InvalidRequest, RequestProfile, inspect, inspect_operation, prefix};
use crate::observed::{Observed, Unobserved};
use crate::operation::Operation;
use crate::routing::{self, Constraints, Facts, View};
use crate::surface::{SURFACES, Surface, SurfaceContext};

/// How many known models an error names.
const MODELS_NAMED: usize = 20;

/// A request's headers, as far as they matter.
#[derive(Debug, Clone, Default)]
pub struct RequestHead {
    /// Envoy's request id; empty when it gave none.
    pub request_id: String,
    /// HTTP method.
    pub method: String,
    /// Path with its query.
    pub path: String,
    /// `content-length`.
    pub content_length: Option<u64>,
    /// `content-type`.
    pub content_type: Option<String>,
    /// `content-encoding`.
    pub content_encoding: Option<String>,
    /// The client wants another protocol.
    pub upgrade: bool,
    /// Names of all headers.
    pub names: Vec<String>,
    /// No body follows.
    pub end_of_stream: bool,
}

/// What the core must be told because it may not find out.
#[derive(Clone, Copy)]
pub struct RequestFacts<'a> {
    /// Uniform over all values.
    pub draw: u64,
    /// Unix seconds.
    pub now_s: u64,
    /// Envoy's request id.
    pub request_id: &'a str,
    /// What has been observed of targets.
    pub observed: &'a dyn Observed,
}

impl Default for RequestFacts<'_> {
    fn default() -> Self {
        RequestFacts {
            draw: 0,
            now_s: 0,
            request_id: "",
            observed: &Unobserved,
        }
    }
}

/// What becomes of a request, told by its headers.
pub enum Verdict {
    /// Not ours: let it through untouched.
    Ignore,
    /// Answered by us.
    Respond(ImmediateResponse),
    /// Ours: hold it until the body is whole.
    Inspect(Downstream, Mutation),
}

/// One client request that is ours.
pub struct Downstream {
    config: Rc<Config>,
    topology: Topology,
    operation: Operation,
    /// The media type of a body that is not JSON.
    media_type: String,
    model: String,
    /// What the client speaks; `None` is OpenAI's own API.
    surface: Option<&'static dyn Surface>,
    answer: Option<Answer>,
}

impl RequestHead {
    /// What the access log tells of the client's request: the attempts change the headers.
    pub fn for_the_log(&self) -> Mutation {
        let mut mutation = Mutation::default();
        mutation.store(handoff::REQUEST_ID, self.request_id.as_bytes());
        mutation.store(handoff::REQUEST_PATH, self.path.as_bytes());
        mutation
    }

    /// The media type of a form; empty for any other body, which is taken to be JSON.
    fn multipart_type(&self) -> String {
        let media_type = self.content_type.as_deref().unwrap_or_default();
        let is_form = media_type
            .get(..10)
            .is_some_and(|m| m.eq_ignore_ascii_case("multipart/"));
        let form = if is_form { media_type } else { "" };
        form.to_owned()
    }
}

enum Endpoint<'p> {
    Operation(Operation),
    Surface(&'static dyn Surface),
    Models,
    Model(&'p str),
}

impl RequestFacts<'_> {
    /// Names the exchange.
    fn exchange_id(&self) -> String {
        if self.request_id.is_empty() {
            format!("{:016x}", self.draw)
        } else {
            self.request_id.to_owned()
        }
    }
}

impl Downstream {
    /// Decides by the headers.
    pub fn start(config: &Rc<Config>, topology: Topology, head: &RequestHead) -> Verdict {
        Downstream::start_among(SURFACES, config, topology, head)
    }

    pub(super) fn start_among(
        surfaces: &[&'static dyn Surface],
        config: &Rc<Config>,
        topology: Topology,
        head: &RequestHead,
    ) -> Verdict {
        let Some(endpoint) = find_endpoint(surfaces, config, &head.path) else {
            return Verdict::Ignore;
        };
        if head.upgrade || head.method == "OPTIONS" {
            return Verdict::Ignore;
        }
        let allowed = match endpoint {
            Endpoint::Operation(_) | Endpoint::Surface(_) => "POST",
            Endpoint::Models | Endpoint::Model(_) => "GET",
        };
        let (operation, surface) = match endpoint {
            Endpoint::Surface(surface) => (Operation::Chat, Some(surface)),
            Endpoint::Operation(operation) => (operation, None),
            _ => (Operation::Chat, None),
        };
        if head.method != allowed {
            return Verdict::Respond(wrong_method(surface, allowed));
        }
        match endpoint {
            Endpoint::Models => Verdict::Respond(listing::list(config)),
            Endpoint::Model(name) => Verdict::Respond(
                listing::find(config, &decode_segment(name)).unwrap_or_else(|| {
                    let failure = unknown_model(config, &decode_segment(name));
                    ImmediateResponse::error(&failure)
                }),
            ),
            Endpoint::Operation(_) | Endpoint::Surface(_) => {
                match refuse_by_headers(config, head) {
                    Some(failure) => {
                        Verdict::Respond(ImmediateResponse::error_of(surface, &failure))
                    }
                    None => Verdict::Inspect(
                        Downstream {
                            config: Rc::clone(config),
                            topology,
                            operation,
                            media_type: head.multipart_type(),
                            model: String::new(),
                            surface,
                            answer: None,
                        },
                        without_reserved_headers(head),
                    ),
                }
            }
        }
    }

    /// The body is whole: decides who may serve it, and in which order.
    pub fn on_body(
        &mut self,
        body: &[u8],
        facts: RequestFacts<'_>,
    ) -> Result<Mutation, ImmediateResponse> {
        let surface = self.surface;
        let outcome = self.check_size(body).and_then(|()| match surface {
            Some(surface) => self.open(surface, body, facts),
            None if self.operation.is_chat() => self.plan(body, Report::default(), facts),
            None => self.plan_operation(body, facts),
        });
        outcome.map_err(|failure| ImmediateResponse::error_of(surface, &failure))
    }

    fn check_size(&self, body: &[u8]) -> Result<(), Failure> {
        let limit = self.config.limits.request_bytes;
        if body.len() as u64 > limit {
            return Err(too_large(limit));
        }
        Ok(())
    }

    /// Writes the chat completion request, which takes the place of the client's body.
    fn open(
        &mut self,
        surface: &'static dyn Surface,
        body: &[u8],
        facts: RequestFacts<'_>,
    ) -> Result<Mutation, Failure> {
        let context = SurfaceContext {
            id: facts.exchange_id(),
            created: facts.now_s,
        };
        let (mut chat, mut findings) = (Vec::with_capacity(body.len()), Report::default());
        let reply = surface
            .open(body, &context, &mut chat, &mut findings)
            .map_err(|error| invalid(&error))?;
        self.check_size(&chat)?;
        let mut mutation = self.plan(&chat, findings, facts)?;
        self.answer = Some(Answer::new(surface, reply, self.config.limits.reply_bytes));
        mutation.set("content-length", chat.len().to_string());
        mutation.body = Some(chat);
        Ok(mutation)
    }

    /// Decides by a chat completion request; `findings` is what it has lost already.
    fn plan(
        &mut self,
        body: &[u8],
        findings: Report,
        facts: RequestFacts<'_>,
    ) -> Result<Mutation, Failure> {
        let (request, mut profile) = inspect(body).map_err(|error| invalid(&error))?;
        if self.config.wants().warmth {
            profile.prefix = Some(prefix(&request));
        }
        let config = Rc::clone(&self.config);
        let sieve = Sieve {
            config: &config,
            alias: &profile.model,
            request: &request,
            body,
            findings: &findings,
            plain: profile.plain,
        };
        let loss = |c: &Backend, strict| sieve.loss(c, strict);
        self.decide(&profile, &loss, &findings, facts)
    }

    /// Decides by a request for anything but chat.
    fn plan_operation(
        &mut self,
        body: &[u8],
        facts: RequestFacts<'_>,
    ) -> Result<Mutation, Failure> {
        let profile = inspect_operation(self.operation, body).map_err(|error| invalid(&error))?;
        let (config, media_type) = (Rc::clone(&self.config), self.media_type.clone());
        let loss = |candidate: &Backend, strict| {
            sieve::operation_loss(&config, &profile, body, &media_type, candidate, strict)
        };
        self.decide(&profile, &loss, &Report::default(), facts)
    }

    /// `loss` tells why a candidate's translation would not do, also when nothing may be lost.
    fn decide(
        &mut self,
        profile: &RequestProfile,
        loss: &dyn Fn(&Backend, bool) -> Option<Loss>,
        findings: &Report,
        facts: RequestFacts<'_>,
    ) -> Result<Mutation, Failure> {
        let config = Rc::clone(&self.config);
        let model = config
            .models
            .get(&profile.model)
            .ok_or_else(|| unknown_model(&config, &profile.model))?;
        self.model.clone_from(&model.name);
        let known = Facts::default();
        let view = View {
            profile,
            facts: &known,
            constraints: Constraints::default(),
            draw: facts.draw,
            now_ms: facts.now_s.saturating_mul(1000),
            observed: facts.observed,
        };
        let mut plan = routing::plan(&model.candidates, &[], &model.policy, &view);
        let cooling = routing::set_aside(&mut plan.candidates, facts.observed);
        // What an attempt found out too late could not hand over to the next candidate.
        let strict = model.on_unsupported == OnUnsupported::Reject;
        let mut avoided: Vec<&Backend> = cooling.iter().map(|(backend, _)| *backend).collect();
        let mut lost = leave_out_unfit(&|c| loss(c, strict), &mut plan);
        if plan.candidates.is_empty() && !avoided.is_empty() {
            // Who is to be left alone is better than nobody.
            plan.candidates = std::mem::take(&mut avoided);
            lost.extend(leave_out_unfit(&|c| loss(c, strict), &mut plan));
        }
        if plan.candidates.is_empty() {
            return Err(no_candidate(model, profile.operation, &plan, &lost));
        }
        let candidates = &plan.candidates;
        let handoff = Handoff {
            media_type: self.media_type.clone(),
            avoided: trail::of_avoided(&avoided),
            findings: findings.clone(),
            ..handoff_of(model, profile, candidates, self.topology, facts)
        };
        Ok(self.dispatch(&handoff, model))
    }

    /// No candidate answered: the client's error, as header changes and the body that
    /// replaces what Envoy or the last provider said.
    pub fn on_failure(&self, facts: &FinalFacts) -> (Mutation, Vec<u8>) {
        let ImmediateResponse {
            status,
            headers,
            body,
        } = self.failure_response(facts);
        let mut mutation = Mutation::default();
        for name in [ESCALATE, FAILED] {
            mutation.remove(name);
        }
        mutation.set(":status", status.to_string());
        mutation.set("content-type", "application/json");
        mutation.set("content-length", body.len().to_string());
        for (name, value) in headers {
            mutation.set(name, value);
        }
        (mutation, body)
    }

    /// The same as an answer of our own: for a reply without a body that could be replaced.
    pub fn failure_response(&self, facts: &FinalFacts) -> ImmediateResponse {
        let failure = final_error::compose(&self.model, facts);
        let mut response = ImmediateResponse::error_of(self.surface, &failure);
        if !facts.trail.is_empty() {
            response.headers.push((ATTEMPTS, facts.trail.clone()));
        }
        response
    }

    /// The model that the client asked for; empty until it is known to be one of ours.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Whether the reply must be translated back; what else happens to it is the attempts' work.
    pub fn translates_reply(&self) -> bool {
        self.answer.is_some()
    }

    /// A reply is on its way to the client: a committed one, or an upstream filter's own.
    pub fn on_reply_headers(&mut self, status: u16, local: bool) -> Mutation {
        let answer = self.answer.as_mut();
        answer.map_or_else(Mutation::default, |a| a.on_headers(status, local))
    }

    /// Whether the reply's body shall be read now, or held until it is whole.
    pub fn reads_reply(&self, end_of_stream: bool) -> bool {
        let answer = self.answer.as_ref();
        answer.is_some_and(|answer| answer.reads(end_of_stream))
    }

    /// More of the reply's body.
    pub fn on_reply_body(&mut self, bytes: &[u8], end_of_stream: bool) -> Mutation {
        let answer = self.answer.as_mut();
        answer.map_or_else(Mutation::default, |a| a.on_body(bytes, end_of_stream))
    }

    fn dispatch(&self, plan: &Handoff, model: &ModelConfig) -> Mutation {
        let mut mutation = Mutation::default();
        let timeouts = model.timeouts;
        mutation.set(
            "x-envoy-max-retries",
            plan.steps.len().saturating_sub(1).to_string(),
        );
        mutation.set(
            "x-envoy-upstream-rq-timeout-ms",
            timeouts.total_ms.to_string(),
        );
        mutation.set(
            "x-envoy-upstream-rq-per-try-timeout-ms",
            timeouts.per_try_ms.to_string(),
        );
        let first = plan.address(0, self.topology).unwrap_or_default();
        match self.topology {
            Topology::PerAttempt => mutation.store(handoff::CLUSTER, first),
            Topology::StaticChain => mutation.set(handoff::CHAIN, first),
        }
        mutation.store(handoff::PLAN, plan.encode());
        mutation.store(handoff::REQUEST_MODEL, plan.model.as_bytes());
        mutation
    }
}

// === requests ===

/// Which of our paths this is; `None` when it is not ours.
fn find_endpoint<'p>(
    surfaces: &[&'static dyn Surface],
    config: &Config,
    path: &'p str,
) -> Option<Endpoint<'p>> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let base_path = config.base_path.as_str();
    if let Some(operation) = Operation::of_path(base_path, path) {
        return Some(Endpoint::Operation(operation));
    }
    match path.strip_prefix(base_path)? {
        "/models" | "/models/" => Some(Endpoint::Models),
        rest => {
            let surface = surfaces.iter().find(|surface| surface.path() == rest);
            let model = || rest.strip_prefix("/models/").map(Endpoint::Model);
            surface.map(|s| Endpoint::Surface(*s)).or_else(model)
        }
    }
}

fn refuse_by_headers(config: &Config, head: &RequestHead) -> Option<Failure> {
    let limit = config.limits.request_bytes;
    if head.content_length.is_some_and(|length| length > limit) {
        return Some(too_large(limit));
    }
    if head
        .content_encoding
        .as_deref()
        .is_some_and(|e| e != "identity")
    {
        let failure = Failure::new(
            Class::InvalidRequest,
            "the request body must not be compressed",
        );
        return Some(failure.with_status(415));
    }
    head.end_of_stream.then(|| {
        invalid(&InvalidRequest {
            param: String::new(),
            message: "the body is empty; it must be a JSON object".into(),
        })
    })
}

fn without_reserved_headers(head: &RequestHead) -> Mutation {
    let mut mutation = Mutation::pause();
    for name in head.names.iter().filter(|name| is_reserved(name)) {
        mutation.remove(name.clone());
    }
    mutation
}

fn handoff_of(
    model: &ModelConfig,
    profile: &RequestProfile,
    candidates: &[&Backend],
    topology: Topology,
    facts: RequestFacts<'_>,
) -> Handoff {
    let mut steps: Vec<Step> = Vec::with_capacity(candidates.len());
    let tries = candidates
        .iter()
        .flat_map(|c| std::iter::repeat_n(c, c.tries.max(1) as usize));
    for candidate in tries {
        let earlier = steps.iter().filter(|s| s.provider == candidate.provider);
        let occurrence = match topology {
            Topology::PerAttempt => 0,
            Topology::StaticChain => earlier.count(),
        };
        steps.push(Step {
            provider: candidate.provider.clone(),
            model: candidate.model.clone(),
            cluster: cluster_name(&candidate.provider, occurrence),
        });
    }
    Handoff {
        model: model.name.clone(),
        operation: profile.operation,
        media_type: String::new(),
        streamed: profile.streamed,
        include_usage: profile.include_usage,
        id: format!("chatcmpl-{}", facts.exchange_id()),
        created: facts.now_s,
        input_tokens: profile.input_tokens,
        prefix: profile.prefix.map_or(0, |prefix| prefix.hash),
        avoided: String::new(),
        findings: Report::default(),
        steps,
    }
}

// === refusals ===

fn invalid(error: &InvalidRequest) -> Failure {
    let message = if error.param.is_empty() {
        error.message.clone()
    } else {
        Cow::Owned(format!("{} {}", error.param, error.message))
    };
    let mut failure = Failure::new(Class::InvalidRequest, message);
    failure.param = (!error.param.is_empty()).then(|| error.param.clone().into());
    failure
}

fn too_large(limit: u64) -> Failure {
    let message = format!("the request body exceeds the limit of {limit} bytes");
    Failure::new(Class::InvalidRequest, message)
        .with_status(413)
        .with_code("request_too_large")
}

fn wrong_method(surface: Option<&'static dyn Surface>, allowed: &'static str) -> ImmediateResponse {
    let failure = Failure::new(
        Class::InvalidRequest,
        format!("use {allowed} for this path"),
    )
    .with_status(405)
    .with_code("method_not_allowed");
    let mut response = ImmediateResponse::error_of(surface, &failure);
    response.headers.push(("allow", allowed.to_owned()));
    response
}

fn unknown_model(config: &Config, name: &str) -> Failure {
    let name: String = name.chars().take(100).collect();
    let mut known: Vec<&str> = config.models.keys().map(String::as_str).collect();
    let more = known.len().saturating_sub(MODELS_NAMED);
    known.truncate(MODELS_NAMED);
    let mut message = format!(
        "the model {name:?} does not exist; known models: {}",
        known.join(", ")
    );
    if more > 0 {
        message.push_str(&format!(" and {more} more"));
    }
    let mut failure = Failure::new(Class::ModelNotFound, message);
    failure.param = Some("model".into());
    failure
}

fn no_candidate(
    model: &ModelConfig,
    operation: Operation,
    plan: &routing::RoutePlan<'_>,
    lost: &[(&Backend, Loss)],
) -> Failure {
    let mut reasons = Vec::new();
    for (c, why) in &plan.unable {
        reasons.push(format!("{}/{}: {}", c.provider, c.model, why));
    }
    for (c, loss) in lost {
        reasons.push(format!("{}/{}: {loss}", c.provider, c.model));
    }
    let name = &model.name;
    let what = match operation {
        Operation::Chat => "request".to_owned(),
        other => format!("request for {}", other.as_str()),
    };
    let message = format!(
        "no candidate of {name} can serve this {what} ({})",
        reasons.join("; ")
    );
    let mut failure = Failure::new(Class::InvalidRequest, message).with_code("no_able_candidate");
    failure.param = lost.iter().find_map(|(_, loss)| loss.param());
    failure
}

/// A path segment with its percent-encoding undone.
fn decode_segment(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex
            .filter(|_| byte == b'%')
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
        {
            Some(decoded) => {
                bytes.push(decoded);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
