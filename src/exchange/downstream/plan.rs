//! The plan of one request: what the attempts need to know, and the limits for Envoy's router.

use super::Downstream;
use super::decision::{Choice, Decided};
use super::patience;
use crate::catalog::{Backend, Labels};
use crate::config::{Config, Serving, Timeouts};
use crate::exchange::fleet::Fleet;
use crate::exchange::handoff::{self, Handoff, Step, cluster_name};
use crate::exchange::holding::{Holding, Purse, Refused};
use crate::exchange::mutation::Mutation;
use crate::exchange::{Topology, trail};
use crate::failure::Failure;
use crate::fidelity::Report;
use crate::inspect::RequestProfile;

impl Downstream {
    /// Reserves what the request may use, and writes the plan for the attempts.
    pub(super) fn hand_over(
        &mut self,
        decided: &Decided<'_>,
        findings: &Report,
    ) -> Result<Mutation, Failure> {
        let (view, timeouts) = (decided.view, decided.timeouts);
        let mut counted = Mutation::default();
        if let Some(purse) = decided.purse {
            self.reserve(purse, &decided.choice.plan.candidates, &mut counted)?;
        }
        let mut plan = self.handoff(decided, findings);
        let warm = |c: &Backend| view.cached_tokens(c) > 0;
        patience::bound(
            &mut plan,
            timeouts,
            &warm,
            decided.choice.regular(),
            self.topology,
            decided.facts,
        );
        self.asked.is_bounded = plan.deadline_ms > 0;
        self.asked.deadline_ms = patience::deadline_ms(&plan, timeouts);
        self.hedged = plan.hedged.then_some(plan.streamed);
        if plan.hedged {
            // Whether it is an answer at all is known too late to keep it.
            self.asked.filling = None;
        }
        let mut mutation = address(&self.config, &plan, timeouts, self.topology);
        mutation.state.extend(counted.state);
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
    fn handoff(&mut self, decided: &Decided<'_>, findings: &Report) -> Handoff {
        let Decided { serving, facts, .. } = *decided;
        let (view, choice) = (&decided.sized, &decided.choice);
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
            per_try_ms: decided.timeouts.per_try_ms,
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
            unscored: is_unscored(serving, decided.required),
            steps,
            ..Handoff::default()
        }
    }
}

/// Whether whoever scores answers may not see those to this request.
fn is_unscored(serving: Serving<'_>, required: &[&Labels]) -> bool {
    let scorer = serving.quality_gate().and_then(|gate| gate.scorer.as_ref());
    scorer.is_some_and(|scorer| {
        let labels = &scorer.webhook.labels;
        required
            .iter()
            .any(|required| labels.breach(required).is_some())
    })
}

/// Whether an attempt will need an access token from Google's metadata server.
fn wants_token(config: &Config, handoff: &Handoff) -> bool {
    let mut providers = handoff
        .steps
        .iter()
        .map(|step| config.provider(&step.provider));
    providers.any(|provider| provider.is_some_and(|p| p.metadata_tokens))
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
