//! One upstream try: from the plan to the provider's request, and from its reply to the
//! client's. An attempt depends on no earlier one.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::credentials::is_withheld;
use super::ending::Ending;
use super::handoff::{self, DEAD_END, Handoff, KEY_PREFIX, Step};
use super::holding::Used;
use super::misfit::Misfit;
use super::mutation::{ImmediateResponse, Mutation};
use super::reply::{Again, Gate, Origin, ReplyState, ResponseHead};
use super::{Topology, counting, trail};
use crate::adapt::{self, Candidate, prompt_cache};
use crate::catalog::Backend;
use crate::config::{Config, OnUnsupported, ProviderConfig, QualityGate, Serving};
use crate::failure::{Class, Failure};
use crate::fidelity::Report;
use crate::observed::Payer;
use crate::operation::Operation;
use crate::provider::{Auth, Offer};
use crate::quality::Expected;
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
    quality_gate: Option<QualityGate>,
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
        let timeouts = serving.timeouts();
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
        let again = Again {
            up_to_ms: match step.waits && trail::waits(&facts.trail) == 0 {
                true => plan.wait_up_to_ms,
                false => 0,
            },
            deadline_ms: plan.deadline_ms,
            cluster: plan.address(index, topology),
        };
        let origin = Origin {
            provider: provider.name.clone(),
            model: backend.model.clone(),
            started_ms: facts.now_ms,
            trail: if facts.trail.is_empty() {
                plan.avoided.clone()
            } else {
                facts.trail
            },
            failure: facts.failure,
            // Envoy's idle timer runs before the first event too.
            per_try_ms: plan.per_try_ms.min(timeouts.idle_ms),
            idle_ms: timeouts.idle_ms,
            ejected: facts.cluster == DEAD_END,
            fallback_on_refusal: serving.fallback_on_refusal(),
            limited: config.routing.has_fleet(),
            is_last,
            probes: plan.probes && index == 0,
            again,
            settings: config.observe,
            number: index,
            payer: Payer {
                model: plan.model.clone(),
                rule: plan.rule.clone().unwrap_or_default(),
                team: plan.team.clone().unwrap_or_default(),
            },
            input_tokens: plan.input_tokens,
            tokens: step.tokens,
            tariff: backend.prices.clone(),
            prefix: plan.prefix,
            rejected: facts.rejected,
            hedged: plan.hedged && topology == Topology::StaticChain,
        };
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
            on_unsupported: serving.on_unsupported(),
            // Whoever is last may answer as well as it can.
            quality_gate: serving.quality_gate().filter(|_| !is_last && !plan.hedged),
            provider: provider.clone(),
            token: facts.token,
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

    /// Takes away what the provider must not see, and sets what it needs. `headers` are all
    /// headers of the request.
    pub fn on_request_headers(&self, headers: &[(String, String)]) -> Mutation {
        let mut mutation = Mutation::pause();
        let withheld = |name: &String| is_withheld(name) || self.config.sets_header(name);
        for (name, _) in headers.iter().filter(|(name, _)| withheld(name)) {
            mutation.remove(name.clone());
        }
        let endpoint = &self.provider.endpoint;
        mutation.set(":path", self.path());
        mutation.set(":authority", endpoint.authority());
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
        for (name, value) in self.provider.kind.headers() {
            mutation.set(*name, *value);
        }
        for (name, value) in &self.provider.headers {
            mutation.set(name.clone(), value.clone());
        }
        self.set_key(headers, &mut mutation);
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
        self.reply.set_gate(self.quality_gate.map(|bounds| Gate {
            bounds,
            expected: Expected::by(&request),
        }));
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
    pub fn reads_from(&self, size: usize, end_of_stream: bool) -> Option<usize> {
        self.reply.reads_from(size, end_of_stream)
    }

    /// More of the reply's body, from [`Attempt::reads_from`] on.
    pub fn on_response_body(&mut self, bytes: &[u8], end_of_stream: bool, now_ms: u64) -> Mutation {
        self.reply.on_body(bytes, end_of_stream, now_ms)
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

    /// Moves the key from where Envoy's credential injector put it to where the provider
    /// looks for it. Without a key the provider itself refuses, which leads to the next candidate.
    fn set_key(&self, headers: &[(String, String)], mutation: &mut Mutation) {
        let find = |header: &str| headers.iter().find(|(name, _)| name == header);
        // It stands in the headers of the first attempt, which removes it, for all.
        let token = find(handoff::TOKEN_HEADER).map(|(_, token)| token.as_str());
        if let Some(token) = token {
            mutation.store(handoff::TOKEN, token);
        }
        if self.provider.metadata_tokens {
            let token = token.unwrap_or(&self.token);
            if !token.is_empty() {
                mutation.set("authorization", format!("Bearer {token}"));
            }
        }
        if self.provider.key.is_none() {
            return;
        }
        let header = format!("{KEY_PREFIX}{}", self.provider.name);
        let Some((_, key)) = find(&header) else {
            return;
        };
        match &self.provider.auth {
            Auth::Bearer | Auth::AwsSigV4 { .. } => {
                mutation.set("authorization", format!("Bearer {}", key.trim()))
            }
            Auth::Header(name) => mutation.set(name.clone(), key.trim()),
        }
    }

    /// The limits of this configuration.
    pub fn limits(&self) -> crate::config::Limits {
        self.config.limits
    }
}

/// Which step of the plan this is.
///
/// Where the matcher chooses, attempt n is step n, and the endpoint must agree; in a static
/// chain Envoy chooses, and the endpoint says who it is.
fn find_step(plan: &Handoff, topology: Topology, facts: &AttemptFacts) -> Result<usize, Misfit> {
    let is_endpoint = |step: &Step| step.cluster == facts.cluster;
    let step = |index: usize| plan.steps.get(index);
    let stays = |index: usize| index > 0 && step(index - 1).is_some_and(is_endpoint);
    let disagreement = |index| match facts.cluster.as_str() {
        "" => Misfit::UnknownHost,
        _ if stays(index) => Misfit::NoRefresh,
        _ => Misfit::OtherCluster,
    };
    match topology {
        Topology::PerAttempt => {
            let earlier = facts.number.saturating_sub(1);
            let index = earlier.saturating_sub(trail::waits(&facts.trail));
            let agrees = step(index).is_none_or(is_endpoint);
            if agrees || facts.cluster == DEAD_END {
                Ok(index)
            } else {
                Err(disagreement(index))
            }
        }
        Topology::StaticChain => {
            let found = plan.steps.iter().position(is_endpoint);
            found.ok_or_else(|| disagreement(0))
        }
    }
}

fn look_up<'c>(
    config: &'c Config,
    plan: &Handoff,
    step: &Step,
) -> Result<(Serving<'c>, &'c ProviderConfig, &'c Backend), Refusal> {
    let gone = || Refusal::from(Misfit::OtherPlan);
    let model = config.models.get(&plan.model).ok_or_else(gone)?;
    let provider = config.providers.get(&step.provider).ok_or_else(gone)?;
    // While a new configuration comes in, a rule may be here and not yet, or no more, there: then
    // the model's own settings do, and the candidate is one of another model.
    let rule = plan.rule.as_deref().and_then(|name| config.rule(name));
    let serving = Serving { model, rule };
    let mut others = config
        .models
        .values()
        .map(|model| Serving { model, rule: None });
    let backend = serving
        .candidate(&step.provider, &step.model)
        .or_else(|| {
            plan.rule.as_ref()?;
            others.find_map(|other| other.candidate(&step.provider, &step.model))
        })
        .ok_or_else(gone)?;
    Ok((serving, provider, backend))
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
