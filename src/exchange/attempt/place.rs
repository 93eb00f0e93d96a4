//! Where in the plan an attempt stands, and whom it asks.

use super::{AttemptFacts, Refusal};
use crate::catalog::Backend;
use crate::config::{Config, ProviderConfig, Serving};
use crate::exchange::handoff::{DEAD_END, Handoff, Step};
use crate::exchange::misfit::Misfit;
use crate::exchange::reply::{Again, Origin};
use crate::exchange::{Topology, trail};
use crate::observed::Payer;

/// Which step of the plan this is.
///
/// Where the matcher chooses, attempt n is step n, and the endpoint must agree; in a static
/// chain Envoy chooses, and the endpoint says who it is.
pub(super) fn find_step(
    plan: &Handoff,
    topology: Topology,
    facts: &AttemptFacts,
) -> Result<usize, Misfit> {
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

/// Who is asked, by what the plan names.
pub(super) fn look_up<'c>(
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

/// An attempt's place in its plan.
pub(super) struct Place<'p> {
    pub plan: &'p Handoff,
    pub index: usize,
    pub step: &'p Step,
    pub topology: Topology,
    pub serving: Serving<'p>,
    pub is_last: bool,
}

impl Place<'_> {
    /// What judges the reply and tells of it.
    pub(super) fn origin(&self, config: &Config, backend: &Backend, facts: AttemptFacts) -> Origin {
        let Place {
            plan,
            index,
            step,
            topology,
            serving,
            is_last,
        } = *self;
        let timeouts = serving.timeouts();
        let again = Again {
            up_to_ms: match step.waits && trail::waits(&facts.trail) == 0 {
                true => plan.wait_up_to_ms,
                false => 0,
            },
            deadline_ms: plan.deadline_ms,
            cluster: plan.address(index, topology),
        };
        Origin {
            provider: step.provider.clone(),
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
        }
    }
}
