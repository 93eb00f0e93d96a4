//! Who may serve a request, and in which order.

use std::rc::Rc;

use super::asking::Subject;
use super::patience::{self, adapted};
use super::refusal::{no_candidate, not_admitted, unknown_model};
use super::{Downstream, RequestFacts};
use crate::callout::Spent;
use crate::catalog::{Backend, Labels};
use crate::classify::Sample;
use crate::config::{Config, OnUnsupported, Serving, Timeouts};
use crate::exchange::caching::Source;
use crate::exchange::explanation::{self, Decision, Told};
use crate::exchange::fleet::Fleet;
use crate::exchange::handoff::{self, Handoff, Step, cluster_name};
use crate::exchange::holding::{Holding, Purse, Refused};
use crate::exchange::mutation::Mutation;
use crate::exchange::sieve::{Loss, leave_out_unfit};
use crate::exchange::{Topology, load, trail, wishes};
use crate::failure::Failure;
use crate::fidelity::Report;
use crate::inspect::RequestProfile;
use crate::operation::Operation;
use crate::routing::{self, Constraints, RoutePlan, View};

/// Why a candidate's translation would not do; strict when nothing may be lost.
pub(super) type LossOf<'a> = dyn Fn(&Backend, bool) -> Option<Loss> + 'a;

/// A model's candidates, sorted out for one request.
pub(super) struct Choice<'a> {
    pub(super) plan: RoutePlan<'a>,
    /// So many at the plan's end are to be left alone for a while: they are asked only when all
    /// others have failed.
    pub(super) resting: usize,
    /// The first one was to be left alone until lately: this request shows whether it is well.
    pub(super) probes: bool,
    /// Left out because of what they could not carry.
    lost: Vec<(&'a Backend, Loss)>,
    /// Left alone for a while, and left out.
    pub(super) avoided: Vec<&'a Backend>,
}

impl<'a> Choice<'a> {
    pub(super) fn of(
        serving: Serving<'a>,
        required: &[&Labels],
        view: &View<'_>,
        topology: Topology,
        loss: &LossOf<'_>,
    ) -> Choice<'a> {
        let strict = serving.on_unsupported() == OnUnsupported::Reject;
        let candidates = serving.candidates();
        let all = candidates.len();
        let mut plan = routing::plan(candidates, required, serving.policy(), view);
        // What an attempt found out too late could not hand over to the next candidate.
        let lost = leave_out_unfit(&|candidate| loss(candidate, strict), &mut plan);
        let (resting, probes) = routing::put_last(&mut plan.candidates, view.observed);
        let mut choice = Choice {
            resting,
            probes,
            plan,
            lost,
            avoided: Vec::new(),
        };
        if !topology.can_move_last(all, serving.policy().keeps_order()) {
            let others = choice.regular().len();
            choice.avoided = choice.plan.candidates.split_off(others);
            choice.resting = 0;
        }
        choice
    }

    /// Those that are not to be left alone.
    fn regular(&self) -> &[&'a Backend] {
        let candidates = &self.plan.candidates;
        let others = candidates.len().saturating_sub(self.resting);
        candidates.get(..others).unwrap_or_default()
    }

    /// Those that are.
    pub(super) fn resting(&self) -> &[&'a Backend] {
        let candidates = &self.plan.candidates;
        candidates.get(self.regular().len()..).unwrap_or_default()
    }

    /// The trail's entries of those that are left alone for now.
    fn told_resting(&self, view: &View<'_>) -> String {
        let (last, left_out) = (self.resting().iter(), self.avoided.iter());
        let is_full = |c: &Backend| routing::is_full(c, view.observed);
        trail::of_avoided(last.chain(left_out).copied(), &is_full)
    }
}

impl Downstream {
    /// Whether whoever asks may: by the model that was asked for, whichever serves it.
    pub(super) fn admit(
        &mut self,
        profile: &RequestProfile,
        facts: RequestFacts<'_>,
    ) -> Result<(), Failure> {
        let (routing, known) = (&self.config.routing, &mut self.asked.known);
        known.set_time(facts.now_s, routing.utc_offset_minutes);
        match routing.admits(profile, known) {
            true => Ok(()),
            false => Err(not_admitted(known)),
        }
    }

    /// Chooses by the rules, and hands the plan over to the attempts.
    pub(super) fn decide(
        &mut self,
        profile: &RequestProfile,
        loss: &LossOf<'_>,
        sample: &dyn Fn() -> Option<Sample>,
        source: Source<'_>,
        facts: RequestFacts<'_>,
    ) -> Result<Mutation, Failure> {
        let config = Rc::clone(&self.config);
        let routing = &config.routing;
        let mut known = std::mem::take(&mut self.asked.known);
        let unknown = || unknown_model(&config, &profile.model, &known);
        let model = config.models.get(&profile.model).ok_or_else(unknown)?;
        self.model.clone_from(&model.name);
        let of_client = wishes::required_labels(routing, &known)?;
        let kept = std::mem::take(&mut self.asked.kept);
        let mut required = vec![&model.require, &of_client];
        required.extend(&kept);
        required.extend(routing.required(profile, &known));
        let subject = Subject {
            profile,
            sample,
            required: &required,
            facts,
        };
        let rule = match self.choose(&subject, &mut known) {
            Ok(rule) => rule.and_then(|name| config.rule(&name)),
            Err(question) => {
                self.asked.known = known;
                return Ok(Mutation::ask(question));
            }
        };
        self.asked.counted.rule = rule.map(|rule| rule.name.clone()).unwrap_or_default();
        let serving = Serving { model, rule };
        required.extend(rule.map(|rule| &rule.require));
        let of_rule = rule.map_or_else(Constraints::default, |rule| rule.constraints);
        let view = View {
            constraints: of_rule.tightened(wishes::constraints(routing, &known)?),
            ..facts.view(profile, &known)
        };
        let team = routing.team(profile, &known);
        self.asked.counted.team = team.unwrap_or_default().to_owned();
        let sized = self.asked.sized.take();
        let sized = View {
            profile: sized.as_ref().unwrap_or(profile),
            ..view
        };
        let purse = facts.books.filter(|_| !routing.budgets.is_empty());
        let purse = purse.map(|store| Purse {
            config: &config,
            store,
            view: sized,
            team,
        });
        if let Some(purse) = purse.filter(|_| self.asked.spent != Spent::default()) {
            purse.book(std::mem::take(&mut self.asked.spent).into());
        }
        let choice = Choice::of(serving, &required, &view, self.topology, loss);
        let timeouts = adapted(serving.timeouts(), choice.regular(), &view);
        let key = self.cache_key(serving, profile, source, &known);
        if self.asked.explain || explanation::is_wanted(&config, &view) {
            let downgraded = self.asked.counted.downgraded.as_ref();
            let asked_for = downgraded.map_or(&model.name, |(asked_for, _)| asked_for);
            let told = Told {
                classes: &self.asked.classified,
                downgraded: &self.asked.downgraded,
                load: load::tell(&config, facts.observed, asked_for),
                cache: key.as_ref().map(|key| key.as_ref().err().copied()),
                budgets: purse.map(|purse| purse.tell(&choice.plan.candidates)),
            };
            let told = explain(serving, view, timeouts, &required, &choice, told);
            self.asked.explanation = Some(told);
        }
        if choice.plan.candidates.is_empty() {
            let operation = profile.operation;
            return Err(no_candidate(model, operation, &choice.plan, &choice.lost));
        }
        if let Some(mut kept) = self.kept_answer(key, serving, profile, &choice, facts)? {
            self.tell(&view, serving, &choice, &mut kept);
            return Ok(kept);
        }
        let mut counted = Mutation::default();
        if let Some(purse) = purse {
            self.reserve(purse, &choice.plan.candidates, &mut counted)?;
        }
        let mut plan = self.handoff(&sized, serving, &choice, timeouts, source.findings, facts);
        let warm = |c: &Backend| view.cached_tokens(c) > 0;
        patience::bound(
            &mut plan,
            timeouts,
            &warm,
            choice.regular(),
            self.topology,
            facts,
        );
        self.asked.is_bounded = plan.deadline_ms > 0;
        self.asked.deadline_ms = patience::deadline_ms(&plan, timeouts);
        self.hedged = plan.hedged.then_some(plan.streamed);
        if plan.hedged {
            // Whether it is an answer at all is known too late to keep it.
            self.asked.filling = None;
        }
        let mut mutation = address(&config, &plan, timeouts, self.topology);
        mutation.state.extend(counted.state);
        self.tell(&view, serving, &choice, &mut mutation);
        Ok(mutation)
    }

    /// Holds what the request may use of its budgets, and tells the rate limit filter what it must
    /// know of those of the fleet.
    fn reserve(
        &mut self,
        purse: Purse<'_, '_>,
        candidates: &[&Backend],
        counted: &mut Mutation,
    ) -> Result<(), Failure> {
        let fleet = Fleet::ask(purse, candidates, counted);
        let held = fleet.and_then(|fleet| Ok((fleet, Holding::reserve(&purse, candidates)?)));
        let (fleet, held) = held.map_err(|Refused { failure, budget }| {
            self.asked.counted.refused_by = budget;
            failure
        })?;
        self.asked.fleet = fleet;
        self.asked.held = held;
        Ok(())
    }

    /// What was decided, for the access log.
    fn tell(
        &mut self,
        view: &View<'_>,
        serving: Serving<'_>,
        choice: &Choice<'_>,
        mutation: &mut Mutation,
    ) {
        let (profile, known) = (view.profile, view.facts);
        mutation.warning = self.asked.warning.take();
        mutation.store(handoff::OPERATION, operation_name(profile.operation));
        mutation.store(handoff::REQUEST_MODEL, serving.model.name.as_bytes());
        let counted = &mut self.asked.counted;
        if !counted.cache.is_empty() {
            mutation.store(handoff::CACHE, counted.cache);
        }
        if let Some(rule) = serving.rule {
            mutation.store(handoff::RULE, rule.name.as_bytes());
        }
        if !counted.team.is_empty() {
            mutation.store(handoff::TEAM, counted.team.as_bytes());
        }
        if serving.policy().assigns() {
            let variant = variant(&choice.plan.candidates);
            mutation.store(handoff::VARIANT, variant.as_bytes());
            counted.variant = variant;
        }
        if let Some(explanation) = &self.asked.explanation {
            mutation.store(handoff::EXPLANATION, explanation.as_bytes());
        }
        if let Some(intent) = &known.intent {
            mutation.store(handoff::INTENT, intent.as_bytes());
        }
        if let Some(complexity) = profile.complexity {
            mutation.store(handoff::COMPLEXITY, complexity.to_string());
        }
        if !self.asked.classified.is_empty() {
            mutation.store(handoff::CLASSES, self.asked.classified.join(", "));
        }
    }

    /// Whether the next candidate may be asked while one is still silent. Only in a static chain
    /// does Envoy ask another one then, and it crashes if a reply is held to be judged.
    fn hedges(&self, serving: Serving<'_>, choice: &Choice<'_>) -> bool {
        self.topology == Topology::StaticChain
            && serving.timeouts().hedge_ms > 0
            && self.topology.wait_up_to_ms(&serving.timeouts()) == 0
            && serving.quality_gate().is_none()
            && !serving.fallback_on_refusal()
            && choice.plan.candidates.len() > 1
    }

    /// What the attempts need to know.
    fn handoff(
        &mut self,
        view: &View<'_>,
        serving: Serving<'_>,
        choice: &Choice<'_>,
        timeouts: Timeouts,
        findings: &Report,
        facts: RequestFacts<'_>,
    ) -> Handoff {
        let profile = view.profile;
        let mut steps = steps(&choice.plan.candidates, profile, self.topology);
        if serving.model.prompt_cache
            && let Some(prefix) = profile.prefix.filter(|_| profile.input_tokens >= 1024)
        {
            let is_warm = |s: &Step| facts.observed.is_warm(&s.provider, &s.model, prefix.hash);
            steps.iter_mut().for_each(|step| step.warm = is_warm(step));
        }
        let team = &self.asked.counted.team;
        // What may be stored is not asked for twice at a time either.
        let once = profile.stored && !serving.repeats_stored();
        Handoff {
            model: serving.model.name.clone(),
            rule: serving.rule.map(|rule| rule.name.clone()),
            team: Some(team).filter(|team| !team.is_empty()).cloned(),
            operation: profile.operation,
            media_type: self.asked.media_type.clone(),
            streamed: profile.streamed,
            hedged: !once && self.hedges(serving, choice),
            include_usage: profile.include_usage,
            id: format!("chatcmpl-{}", facts.exchange_id()),
            created: facts.now_s,
            per_try_ms: timeouts.per_try_ms,
            input_tokens: profile.input_tokens,
            stream: facts.stream,
            prefix: profile.prefix.map_or(0, |prefix| prefix.hash),
            avoided: trail::joined(
                std::mem::take(&mut self.asked.downgraded),
                choice.told_resting(view),
            ),
            findings: findings.clone(),
            betas: std::mem::take(&mut self.asked.betas),
            last_resort: last_resort(choice.resting(), &steps),
            probes: choice.probes,
            once,
            deadline_ms: 0,
            total_ms: 0,
            wait_up_to_ms: 0,
            steps,
        }
    }
}

/// As OpenTelemetry's GenAI conventions name operations; those that they do not know keep ours.
///
/// Source: OpenTelemetry, "Semantic conventions for generative AI", `gen_ai.operation.name`, read
/// 2026-11-21.
fn operation_name(operation: Operation) -> &'static str {
    match operation {
        Operation::Completions => "text_completion",
        other => other.as_str(),
    }
}

/// Whether an attempt will need an access token from Google's metadata server.
fn wants_token(config: &Config, handoff: &Handoff) -> bool {
    let mut providers = handoff
        .steps
        .iter()
        .map(|step| config.provider(&step.provider));
    providers.any(|provider| provider.is_some_and(|p| p.metadata_tokens))
}

fn explain(
    serving: Serving<'_>,
    view: View<'_>,
    timeouts: Timeouts,
    required: &[&Labels],
    choice: &Choice<'_>,
    told: Told<'_>,
) -> String {
    let decision = Decision {
        serving,
        view,
        timeouts,
        policy: serving.policy(),
        required,
        told,
        chosen: &choice.plan.candidates,
        resting: choice.resting,
        left_out: explanation::left_out(&choice.plan, &choice.lost, &choice.avoided),
    };
    decision.explain()
}

/// The plan for the attempts, the first address and the limits for Envoy's router.
pub(super) fn address(
    config: &Config,
    plan: &Handoff,
    timeouts: Timeouts,
    topology: Topology,
) -> Mutation {
    let mut mutation = Mutation::default();
    limit_attempts(plan, timeouts, topology, &mut mutation);
    let first = plan.address(0, topology).unwrap_or_default();
    match topology {
        Topology::PerAttempt => mutation.store(handoff::CLUSTER, first),
        Topology::StaticChain => mutation.set(handoff::CHAIN, first),
    }
    if wants_token(config, plan) {
        mutation.set(handoff::WANTS_TOKEN, "1");
    }
    mutation.store(handoff::PLAN, plan.encode());
    mutation
}

/// How often Envoy shall try, and how long.
fn limit_attempts(plan: &Handoff, timeouts: Timeouts, topology: Topology, mutation: &mut Mutation) {
    let total_ms = match plan.streamed && !timeouts.cuts_streams {
        true => 0, // It ends with the first event, of which Envoy knows nothing.
        false => timeouts.total_ms,
    };
    let limits = [
        ("x-envoy-max-retries", plan.retries(topology)),
        ("x-envoy-upstream-rq-timeout-ms", total_ms),
        (
            "x-envoy-upstream-rq-per-try-timeout-ms",
            timeouts.per_try_ms,
        ),
    ];
    for (name, limit) in limits {
        mutation.set(name, limit.to_string());
    }
    if plan.hedged {
        hedge(plan, timeouts, mutation);
    }
}

/// Envoy then knows no time for an attempt, only when to begin the next one; a reply that is no
/// stream is bounded as a whole.
fn hedge(plan: &Handoff, timeouts: Timeouts, mutation: &mut Mutation) {
    let Timeouts {
        hedge_ms,
        per_try_ms,
        total_ms,
        ..
    } = timeouts;
    mutation.set("x-envoy-hedge-on-per-try-timeout", "true");
    mutation.set(
        "x-envoy-upstream-rq-per-try-timeout-ms",
        hedge_ms.to_string(),
    );
    if total_ms == 0 && !plan.streamed {
        let before_last = hedge_ms.saturating_mul(plan.steps.len().saturating_sub(1) as u64);
        let longest = before_last.saturating_add(per_try_ms);
        mutation.set("x-envoy-upstream-rq-timeout-ms", longest.to_string());
    }
}

/// One step for each try of each candidate.
pub(super) fn steps(
    candidates: &[&Backend],
    profile: &RequestProfile,
    topology: Topology,
) -> Vec<Step> {
    let tries = candidates
        .iter()
        .flat_map(|c| std::iter::repeat_n(c, c.tries.max(1) as usize))
        .take(handoff::MOST_ATTEMPTS);
    let mut steps: Vec<Step> = Vec::with_capacity(candidates.len());
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
            tokens: match profile.tally {
                Some(_) => profile.tokens(candidate.tokenizer),
                None => 0,
            },
            waits: false,
            warm: false,
        });
    }
    steps
}

/// How many steps are those of candidates that are to be left alone.
pub(super) fn last_resort(resting: &[&Backend], steps: &[Step]) -> usize {
    let tries: usize = resting.iter().map(|c| c.tries.max(1) as usize).sum();
    tries.min(steps.len().saturating_sub(1))
}

/// The name of whoever is asked first.
fn variant(candidates: &[&Backend]) -> String {
    match candidates.first() {
        Some(first) if first.variant.is_empty() => format!("{}/{}", first.provider, first.model),
        Some(first) => first.variant.clone(),
        None => String::new(),
    }
}
