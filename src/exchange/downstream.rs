//! Once per client request: inspect, plan, and tell the client what became of it.

mod asking;
#[cfg(feature = "cli")]
mod assumed;
mod cached;
mod decision;
pub(super) mod endpoint;
mod head;
mod instead;
mod patience;
mod plan;
mod refusal;
mod replying;

use std::rc::Rc;

use self::endpoint::{Endpoint, decode_segment, find_endpoint, surface_of};
use self::refusal::{
    NO_ABLE_CANDIDATE, admitted_models, invalid, refuse_by_headers, too_large, unknown_model,
    wrong_method,
};
use super::answer::Answer;
use super::caching::{Filling, Source};
use super::fleet::Fleet;
use super::handoff;
use super::holding::Holding;
use super::mutation::{ImmediateResponse, Mutation};
use super::sieve::{self, Sieve};
use super::{Topology, listing, wishes};
use crate::cache::Directives;
use crate::callout::{Cache, Spent};
use crate::catalog::{Backend, Labels};
use crate::classify::Sample;
use crate::config::Config;
use crate::failure::Failure;
use crate::fidelity::Report;
use crate::inspect::{RequestProfile, estimate_tokens, inspect, inspect_operation, prefix, sized};
use crate::metrics::Request;
use crate::observed::{Observed, Store, Unobserved};
use crate::operation::Operation;
use crate::routing::{Constraints, Facts, View};
use crate::schema::openai::ChatCompletionRequest;
use crate::surface::{SURFACES, Surface, SurfaceContext};
use crate::tokens::{GLANCED, MOST_SCANNED};

pub use asking::relay;
pub use head::RequestHead;

/// The schema that `anthropic-beta` is for.
const BETAS_FOR: &str = "anthropic";

/// What the core must be told because it may not find out.
#[derive(Clone, Copy)]
pub struct RequestFacts<'a> {
    /// Uniform over all values.
    pub draw: u64,
    /// Unix seconds.
    pub now_s: u64,
    /// The same in milliseconds; where it is not known, all attempts together have no limit.
    pub now_ms: u64,
    /// Envoy's request id.
    pub request_id: &'a str,
    /// The host's number of the request, by which its attempts are found; 0 for none.
    pub stream: u64,
    /// What has been observed of targets.
    pub observed: &'a dyn Observed,
    /// Where the books of budgets are; budgets are not kept without.
    pub books: Option<&'a dyn Store>,
    /// What has been remembered of classifiers.
    pub cache: Cache<'a>,
    /// Where answers are kept; none are without.
    pub answers: Option<&'a dyn Store>,
}

impl Default for RequestFacts<'_> {
    fn default() -> Self {
        RequestFacts {
            draw: 0,
            now_s: 0,
            now_ms: 0,
            request_id: "",
            stream: 0,
            observed: &Unobserved,
            books: None,
            cache: Cache::new(&Unobserved, 0),
            answers: None,
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
    model: String,
    /// What the client speaks; `None` is OpenAI's own API.
    surface: Option<&'static dyn Surface>,
    answer: Option<Answer>,
    /// Attempts may be under way at the same time; whether the reply is a stream.
    hedged: Option<bool>,
    asked: Box<Asked>,
}

/// What decides besides the body, and the decision's reasons.
struct Asked {
    /// The media type of a body that is not JSON.
    media_type: String,
    /// Values of `anthropic-beta`.
    betas: Vec<String>,
    known: Facts,
    /// What became of classifiers, for the log.
    classified: Vec<String>,
    explain: bool,
    explanation: Option<String>,
    counted: Request,
    held: Holding,
    fleet: Fleet,
    /// When a reply that has not begun is given up, in Unix milliseconds; 0 for never.
    deadline_ms: u64,
    /// All attempts together have a limit.
    is_bounded: bool,
    /// Why another model serves than was asked for, as the trail tells it.
    downgraded: String,
    /// The labels that the model which was asked for must keep, where another one serves.
    kept: Vec<Labels>,
    /// As large as the request may be, where its profile does not say.
    sized: Option<RequestProfile>,
    /// What the client says of caches.
    directives: Directives,
    /// What became of the request in the cache, as the client is told; empty where none is.
    cache_status: String,
    /// The answer, to be kept when it is whole.
    filling: Option<Box<Filling>>,
    /// What asking classifiers has used and nobody has booked yet.
    spent: Spent,
    /// For the operator.
    warning: Option<String>,
}

impl Asked {
    fn by(head: &RequestHead, config: &Config) -> Asked {
        Asked {
            media_type: head.multipart_type(),
            betas: head.betas.clone(),
            known: head.facts(config),
            classified: Vec::new(),
            explain: head.explain,
            explanation: None,
            counted: Request::default(),
            held: Holding::default(),
            fleet: Fleet::default(),
            downgraded: String::new(),
            kept: Vec::new(),
            deadline_ms: 0,
            is_bounded: false,
            sized: None,
            directives: head.directives(),
            cache_status: String::new(),
            filling: None,
            spent: Spent::default(),
            warning: None,
        }
    }
}

impl<'a> RequestFacts<'a> {
    pub(super) fn now_ms(&self) -> u64 {
        self.now_s.saturating_mul(1000)
    }

    /// The request, before anything limits it.
    fn view(&self, profile: &'a RequestProfile, facts: &'a Facts) -> View<'a> {
        View {
            profile,
            facts,
            constraints: Constraints::default(),
            draw: self.draw,
            now_ms: self.now_ms(),
            observed: self.observed,
        }
    }

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
        let surface = match endpoint {
            Endpoint::Surface(surface) => Some(surface),
            Endpoint::Operation(operation) => surface_of(surfaces, operation),
            Endpoint::Models | Endpoint::Model(_) => None,
        };
        let allowed = endpoint.method();
        if head.method != allowed {
            return Verdict::Respond(wrong_method(surface, allowed));
        }
        let operation = match endpoint {
            Endpoint::Models => {
                let known = head.facts(config);
                return Verdict::Respond(listing::list(admitted_models(config, &known)));
            }
            Endpoint::Model(name) => {
                let known = head.facts(config);
                return Verdict::Respond(model_named(config, name, &known));
            }
            Endpoint::Operation(operation) => operation,
            Endpoint::Surface(_) => Operation::Chat,
        };
        if let Some(failure) = refuse_by_headers(config, head) {
            return Verdict::Respond(ImmediateResponse::error_of(surface, &failure));
        }
        let downstream = Downstream {
            config: Rc::clone(config),
            topology,
            operation,
            model: String::new(),
            surface,
            answer: None,
            hedged: None,
            asked: Box::new(Asked::by(head, config)),
        };
        Verdict::Inspect(downstream, head.held(&config.routing))
    }

    /// The body is whole: decides who may serve it, and in which order.
    pub fn on_body(
        &mut self,
        body: &[u8],
        facts: RequestFacts<'_>,
    ) -> Result<Mutation, ImmediateResponse> {
        let surface = self.surface;
        let outcome = self
            .check_size(body)
            .and_then(|()| match self.operation_profile(body)? {
                Some(profile) => self.plan_operation(&profile, body, facts),
                None => match surface {
                    Some(surface) => self.open(surface, body, facts),
                    None => self.plan(body, Report::default(), facts),
                },
            });
        outcome.map_err(|failure| {
            let unable = failure.code.as_deref() == Some(NO_ABLE_CANDIDATE);
            match unable && self.operation.counts_tokens() {
                true => estimate(self.operation, body),
                false => ImmediateResponse::error_of(surface, &failure),
            }
        })
    }

    /// What a request for anything but chat asks for; `None` for what chat serves.
    fn operation_profile(&self, body: &[u8]) -> Result<Option<RequestProfile>, Failure> {
        let inspected = || inspect_operation(self.operation, body, &self.asked.media_type);
        match self.operation {
            Operation::Chat => Ok(None),
            // What is wrong with them is told by whoever reads them in chat's place.
            Operation::Completions => Ok(inspected()
                .ok()
                .filter(|profile| self.completes_by_itself(profile))),
            _ => inspected().map(Some).map_err(|error| invalid(&error)),
        }
    }

    /// Whether a candidate is said to take legacy completions as they are.
    fn completes_by_itself(&self, profile: &RequestProfile) -> bool {
        let model = self.config.models.get(&profile.model);
        model.is_some_and(|model| {
            let mut candidates = model.candidates.iter();
            candidates.any(|c| c.capabilities.operations.contains(self.operation))
        })
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
        if mutation.question.is_some() {
            return Ok(mutation); // All of this happens again when the answer is there.
        }
        let mut answer = Answer::new(surface, reply, self.config.limits.reply_bytes);
        if let Some(kept) = &mut mutation.answer {
            answer.translate(kept)?;
            return Ok(mutation);
        }
        self.answer = Some(answer);
        mutation.set("content-length", chat.len().to_string());
        mutation.body = Some(chat);
        Ok(mutation)
    }

    /// Decides by a chat completion request; `findings` is what it has lost already.
    fn plan(
        &mut self,
        body: &[u8],
        mut findings: Report,
        facts: RequestFacts<'_>,
    ) -> Result<Mutation, Failure> {
        if !self.asked.betas.is_empty() {
            findings.dropped_unless(BETAS_FOR, "anthropic-beta", "only Anthropic knows it");
        }
        let (request, mut profile) = inspect(body).map_err(|error| invalid(&error))?;
        self.count(&request, body.len(), &mut profile);
        if self.config.wants.warmth {
            profile.prefix = Some(prefix(&request));
        }
        let config = Rc::clone(&self.config);
        let known = &mut self.asked.known;
        wishes::read_body(&config.routing, &request, known);
        wishes::read_text(&config.routing, &request, &mut profile, known);
        self.admit(&profile, facts)?;
        self.downgrade(&mut profile, facts);
        let betas = self.asked.betas.clone();
        let sieve = Sieve {
            config: &config,
            alias: &profile.model,
            request: &request,
            body,
            betas: &betas,
            findings: &findings,
            plain: profile.plain,
        };
        let loss = |c: &Backend, strict| sieve.loss(c, strict);
        let sample = || Some(Sample::of(&request));
        let source = Source {
            body,
            chat: Some(&request),
            findings: &findings,
        };
        self.decide(&profile, &loss, &sample, source, facts)
    }

    /// Estimates the tokens of a body of `size` bytes, as closely as anybody needs.
    fn count(
        &self,
        request: &ChatCompletionRequest<'_>,
        size: usize,
        profile: &mut RequestProfile,
    ) {
        let Config {
            wants, count_from, ..
        } = *self.config;
        if size < count_from {
            return;
        }
        if !wants.tokens {
            profile.count(request, size, GLANCED);
            // A glance may be off, but not by half.
            let most = (count_from as u64) / 2;
            if profile.input_tokens < most {
                return;
            }
        }
        profile.count(request, size, MOST_SCANNED);
    }

    /// What the request holds of its budgets, to be settled when it is over.
    pub fn take_holding(&mut self) -> Holding {
        std::mem::take(&mut self.asked.held)
    }

    /// What the request asks of the rate limit service, to be settled when it is over.
    pub fn take_fleet(&mut self) -> Fleet {
        std::mem::take(&mut self.asked.fleet)
    }

    /// Decides by a request for anything but chat.
    fn plan_operation(
        &mut self,
        profile: &RequestProfile,
        body: &[u8],
        facts: RequestFacts<'_>,
    ) -> Result<Mutation, Failure> {
        let Asked {
            media_type, known, ..
        } = &mut *self.asked;
        wishes::read_other_body(&self.config.routing, body, media_type, known);
        self.admit(profile, facts)?;
        self.asked.sized = Some(sized(profile, body));
        let (config, media_type) = (Rc::clone(&self.config), self.asked.media_type.clone());
        let loss = |candidate: &Backend, strict| {
            sieve::operation_loss(&config, profile, body, &media_type, candidate, strict)
        };
        let source = Source {
            body,
            chat: None,
            findings: &Report::default(),
        };
        self.decide(profile, &loss, &|| None, source, facts)
    }
}

/// One model of the listing.
fn model_named(config: &Config, name: &str, known: &Facts) -> ImmediateResponse {
    let name = decode_segment(name);
    match admitted_models(config, known).find(|model| *model == name) {
        Some(name) => listing::one(name),
        None => ImmediateResponse::error(&unknown_model(config, &name, known)),
    }
}

/// A count of tokens that no candidate can give, guessed and marked as such: clients ask for it
/// often, and go on with less without it.
fn estimate(operation: Operation, body: &[u8]) -> ImmediateResponse {
    let object = match operation {
        Operation::InputTokens => r#""object":"response.input_tokens","#,
        _ => "",
    };
    let body = format!(r#"{{{object}"input_tokens":{}}}"#, estimate_tokens(body));
    ImmediateResponse {
        status: 200,
        headers: vec![(handoff::ESTIMATED, "true".to_owned())],
        body: body.into_bytes(),
    }
}
