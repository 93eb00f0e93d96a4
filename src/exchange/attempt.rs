//! One upstream try: from the plan to the provider's request, and from its reply to the
//! client's. An attempt depends on no earlier one.

mod judging;
mod place;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use self::place::{Place, find_step, look_up};
use super::addressing::{address_to, set_own};
use super::ending::Ending;
use super::handoff::{self, Handoff};
use super::holding::Used;
use super::misfit::Misfit;
use super::mutation::{ImmediateResponse, Mutation};
use super::reply::{ReplyState, ResponseHead};
use super::{Topology, counting};
use crate::adapt::{self, Candidate, prompt_cache};
use crate::callout::Outcome;
use crate::catalog::Backend;
use crate::config::{Config, OnUnsupported, ProviderConfig, QualityGate};
use crate::failure::{Class, Failure};
use crate::fidelity::Report;
use crate::operation::Operation;
use crate::provider::Offer;
use crate::schema::openai::ChatCompletionRequest;
use crate::schema::{ReplyContext, Target, TranslateError, Translated};

/// What the host knows when an attempt starts.
#[derive(Debug, Clone, Default)]
pub struct AttemptFacts {
    /// The plan, from filter state.
    pub plan: Vec<u8>,
    /// The attempts so far, from filter state.
    pub trail: String,
    /// The most useful failure so far, from filter state.
    pub failure: Vec<u8>,
    /// The access token that an earlier attempt has kept, from filter state.
    pub token: String,
    /// What answers have cost that were thrown away, from filter state.
    pub rejected: Used,
    /// Envoy's attempt count, from 1.
    pub number: usize,
    /// `cluster` in the chosen endpoint's metadata.
    pub cluster: String,
    /// Milliseconds on the host's clock.
    pub now_ms: u64,
}

/// The attempt cannot be made, and Envoy shall not try to: it fails closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// For the client.
    pub response: ImmediateResponse,
    /// For the operator's log, and empty when nothing is wrong; holds no value from the request.
    pub reason: &'static str,
    /// What Envoy has not been told, when that is why.
    pub misfit: Option<Misfit>,
}

impl Refusal {
    /// Whether another configuration may know what the plan names.
    pub fn is_unknown(&self) -> bool {
        self.misfit == Some(Misfit::OtherPlan)
    }
}

impl From<Misfit> for Refusal {
    fn from(misfit: Misfit) -> Refusal {
        Refusal {
            response: misfit.response(),
            reason: misfit.cause(),
            misfit: Some(misfit),
        }
    }
}

/// One upstream try.
pub struct Attempt {
    config: Rc<Config>,
    plan: Handoff,
    index: usize,
    provider: ProviderConfig,
    backend: Backend,
    /// How the provider is asked for anything but chat.
    offer: Option<Offer>,
    on_unsupported: OnUnsupported,
    token: String,
    quality_gate: Option<Arc<QualityGate>>,
    reply: ReplyState,
}

impl Attempt {
    /// Starts an attempt; decides where Envoy goes if it fails.
    pub fn start(
        config: &Rc<Config>,
        topology: Topology,
        facts: AttemptFacts,
    ) -> Result<(Attempt, Mutation), Refusal> {
        let plan = Handoff::decode(&facts.plan).ok_or(Misfit::NoPlan)?;
        let index = find_step(&plan, topology, &facts)?;
        if let Some(ending) = Ending::of(&plan, index, topology, &facts) {
            return Err(Refusal {
                response: ending.response(),
                reason: "",
                misfit: None,
            });
        }
        let step = plan
            .steps
            .get(index)
            .ok_or_else(|| refusal("the plan has no such attempt"))?;
        let (serving, provider, backend) = look_up(config, &plan, step)?;
        let offer = match plan.operation {
            Operation::Chat => None,
            other => Some(provider.offer(other, &backend.model).ok_or_else(|| {
                refusal("the plan asks a provider for an operation that it does not offer")
            })?),
        };
        let context = ReplyContext {
            id: plan.id.clone(),
            created: plan.created,
            model: backend.model.clone(),
            include_usage: plan.include_usage,
            dialect: Arc::clone(&provider.dialect),
            ..ReplyContext::default()
        };
        // What may have been stored is not asked for twice: its answer is taken as it is.
        let is_last = plan.is_last(index) || plan.once;
        // Whoever is last may answer as well as it can.
        let is_judged = !is_last && !plan.hedged;
        let quality_gate = serving.quality_gate().filter(|_| is_judged).cloned();
        let (on_unsupported, token) = (serving.on_unsupported(), facts.token.clone());
        let place = Place {
            plan: &plan,
            index,
            step,
            topology,
            serving,
            is_last,
        };
        let origin = place.origin(config, backend, facts);
        let reply = ReplyState::new(
            origin,
            provider.kind.schema(),
            offer.as_ref().map(|offer| offer.schema),
            context,
            plan.streamed,
            config.limits,
        );
        let mut mutation = Mutation::default();
        if topology == Topology::PerAttempt
            && let Some(next) = plan.address(index + 1, topology)
        {
            mutation.store(handoff::CLUSTER, next);
        }
        reply.observe_start(&mut mutation);
        let attempt = Attempt {
            config: Rc::clone(config),
            on_unsupported,
            quality_gate,
            provider: provider.clone(),
            token,
            backend: backend.clone(),
            offer,
            plan,
            index,
            reply,
        };
        Ok((attempt, mutation))
    }

    /// The attempt's number in the plan, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The host's number of the client's request; 0 for a question of ours.
    pub fn stream(&self) -> u64 {
        self.plan.stream
    }

    /// Who is asked, where its connections are to be kept open while nobody asks it.
    pub fn keeps_warm(&self) -> Option<&str> {
        let warm = self.provider.keep_warm.as_ref();
        warm.map(|_| self.provider.name.as_str())
    }

    /// Takes away what the provider must not see, and sets what it needs. `headers` are all
    /// headers of the request.
    pub fn on_request_headers(&self, headers: &[(String, String)]) -> Mutation {
        let mut mutation = Mutation::pause();
        let path = self.path();
        address_to(&self.config, &self.provider, path, headers, &mut mutation);
        mutation.set(
            "content-type",
            match self.plan.media_type.as_str() {
                "" => "application/json",
                other => other,
            },
        );
        // A reply that passes as it is may be of any type that the client takes.
        if !self
            .offer
            .as_ref()
            .is_some_and(|o| o.schema.keeps_media_type())
        {
            mutation.set(
                "accept",
                if self.plan.streamed {
                    self.provider.kind.stream_media_type()
                } else {
                    "application/json"
                },
            );
        }
        set_own(&self.provider, &self.token, headers, &mut mutation);
        mutation
    }

    /// Writes the provider's body. The client's body stays what it was for later attempts.
    pub fn on_request_body(&mut self, body: &[u8]) -> Result<Mutation, Refusal> {
        let schema = self.provider.kind.schema().name();
        let mut report = self.plan.findings.served_by(schema);
        let translated = self.translate(body, &mut report)?;
        self.reply
            .set_hints(translated.hints, &report, self.on_unsupported);
        let mut mutation = Mutation::default();
        for (name, value) in translated.headers {
            // The operator's own come first.
            let own = self.provider.headers.get(name);
            let value = own.map_or_else(|| value.clone(), |own| format!("{own},{value}"));
            mutation.set(name, value);
        }
        mutation.set("content-length", translated.body.len().to_string());
        mutation.body = Some(translated.body);
        Ok(mutation)
    }

    /// Writes the provider's body, whatever it is asked for.
    fn translate(&mut self, body: &[u8], report: &mut Report) -> Result<Translated, Refusal> {
        if let Some(offer) = &self.offer {
            let source = counting::readable(self.plan.operation, offer.schema, body, report);
            let source = source.map_err(untranslatable)?;
            let target = self.provider.target(&self.backend, &source);
            let media_type = &self.plan.media_type;
            let translated = offer.schema.translate_request(&target, media_type, report);
            return translated.map_err(untranslatable);
        }
        let read = |body| {
            let other = "the body is not the one that was planned for";
            ChatCompletionRequest::parse(body).ok_or_else(|| refusal(other))
        };
        let (mut body, mut request) = (body, read(body)?);
        self.reply.set_gate(self.gate(&request));
        let adapted = adapt::adapt(&request, body, &self.candidate(), report);
        let adapted = adapted.map_err(untranslatable)?;
        if let Some(adapted) = &adapted {
            body = &adapted.body;
            request = read(body)?;
            self.reply.set_reshape(adapted.reshape.clone());
            if let Some(template) = &adapted.template {
                let param = format!("system prompt by template {template}");
                report.rewritten(param, "the configuration says so");
            }
        }
        let schema = self.provider.kind.schema();
        let is_warm = self.plan.steps.get(self.index).is_some_and(|s| s.warm);
        let least = prompt_cache::least_tokens(schema.name(), &self.backend.model);
        if let Some(least) = least.filter(|_| is_warm) {
            prompt_cache::mark(&mut request, body, least, report);
        }
        let defaults = self.with_cache_key(&request, report);
        let target = Target {
            betas: &self.plan.betas,
            defaults: defaults.as_ref().unwrap_or(&self.backend.defaults),
            ..self.provider.target(&self.backend, body)
        };
        schema
            .translate_request(&request, &target, report)
            .map_err(untranslatable)
    }

    /// OpenAI finds what it has kept sooner when requests with one beginning have one key.
    fn with_cache_key(
        &self,
        request: &ChatCompletionRequest<'_>,
        report: &mut Report,
    ) -> Option<BTreeMap<String, String>> {
        let model = self.config.models.get(&self.plan.model)?;
        let is_long = self.plan.prefix != 0 && self.plan.input_tokens >= 1024;
        let is_openai = self.provider.kind.kind() == "openai";
        if !model.prompt_cache || !is_long || !is_openai || request.prompt_cache_key.is_some() {
            return None;
        }
        let mut defaults = self.backend.defaults.clone();
        let key = format!("\"pointsman-{:016x}\"", self.plan.prefix);
        defaults.entry("prompt_cache_key".to_owned()).or_insert(key);
        report.defaulted("prompt_cache_key", "one for each beginning of a prompt");
        Some(defaults)
    }

    fn candidate(&self) -> Candidate<'_> {
        Candidate {
            backend: &self.backend,
            schema: self.provider.kind.schema(),
            dialect: &self.provider.dialect,
            alias: &self.plan.model,
            is_fallback: self.plan.is_fallback(self.index),
        }
    }

    fn path(&self) -> String {
        match &self.offer {
            Some(offer) => offer.path.clone(),
            None => {
                let Attempt { backend, plan, .. } = self;
                self.provider.chat_path(&backend.model, plan.streamed)
            }
        }
    }

    /// The reply's headers have come.
    pub fn on_response_headers(&mut self, head: &ResponseHead, now_ms: u64) -> Mutation {
        self.reply.on_headers(head, now_ms)
    }

    /// Where the next bytes of the reply's body buffer, which holds `size`, begin; `None` while
    /// nothing shall be read because the whole body is needed first.
    pub fn reads_from(&mut self, size: usize, end_of_stream: bool) -> Option<usize> {
        self.reply.reads_from(size, end_of_stream)
    }

    /// More of the reply's body, from [`Attempt::reads_from`] on.
    pub fn on_response_body(&mut self, bytes: &[u8], end_of_stream: bool, now_ms: u64) -> Mutation {
        self.reply.on_body(bytes, end_of_stream, now_ms)
    }

    /// Where in the reply's body buffer begins what has come while a webhook was asked; `None` when
    /// nothing of it is of use.
    pub fn unread(&self) -> Option<usize> {
        self.reply.unread()
    }

    /// The webhook has given a score, or will not; `more` is what has come meanwhile, from
    /// [`Attempt::unread`] on. `None` when nobody waits for it any more.
    pub fn on_score(
        &mut self,
        more: &[u8],
        score: (Outcome, Option<u16>),
        now_ms: u64,
    ) -> Option<Mutation> {
        self.reply.on_score(more, score, now_ms)
    }

    /// Whether all has been told, so that [`Attempt::on_done`] has nothing to add.
    pub fn is_over(&self) -> bool {
        self.reply.is_over()
    }

    /// The attempt is over. `connect_failed` tells that no connection could be made.
    pub fn on_done(&mut self, connect_failed: bool, now_ms: u64) -> Mutation {
        self.reply.on_done(connect_failed, now_ms)
    }

    /// Whether another attempt of the request may be under way, so that filter state changes
    /// meanwhile.
    pub fn is_hedged(&self) -> bool {
        self.reply.is_hedged()
    }

    /// What other attempts have left in filter state meanwhile.
    pub fn recall(&mut self, trail: String, failure: Vec<u8>, rejected: Used) {
        self.reply.recall(trail, failure, rejected);
    }

    /// Another attempt has answered first; `None` when this one has come to its own end.
    pub fn on_outrun(&mut self, now_ms: u64) -> Option<Mutation> {
        self.reply.on_outrun(now_ms)
    }

    /// The client has left before the attempt came to a verdict: nobody is to blame.
    pub fn on_abandoned(&mut self) -> Mutation {
        self.reply.on_abandoned()
    }

    /// The limits of this configuration.
    pub fn limits(&self) -> crate::config::Limits {
        self.config.limits
    }
}

fn untranslatable(error: TranslateError) -> Refusal {
    let mut failure = Failure::new(Class::InvalidRequest, error.to_string());
    failure.param = Some(error.param);
    refuse("the request cannot be translated", failure)
}

fn refusal(reason: &'static str) -> Refusal {
    let message = "the gateway is not set up to serve this request";
    let failure = Failure::new(Class::ServerError, message).with_status(503);
    refuse(reason, failure.with_code("gateway_misconfigured"))
}

fn refuse(reason: &'static str, failure: Failure) -> Refusal {
    let mut response = ImmediateResponse::error(&failure);
    response.headers.push((handoff::LOCAL, "1".to_owned()));
    Refusal {
        response,
        reason,
        misfit: None,
    }
}
