//! Models: policy, times, and what the candidates are together.

use std::collections::BTreeMap;

use super::adaptation::Adaptations;
use super::candidate::{ProviderNames, check_candidates, check_labels};
use super::{cache, gate};
use crate::catalog::Backend;
use crate::config::names::{ModelName, OnUnsupportedWord, ProviderName, WaitWord};
use crate::config::path::Path;
use crate::config::policy::RawPolicies;
use crate::config::problem::{At, Finding, Findings};
use crate::config::raw::{
    MAX_CANDIDATES, RawAdaptive, RawCandidate, RawDefaults, RawModel, RawProvider, RawTimeouts,
    RawUnderLoad,
};
use crate::config::shape::Given;
use crate::config::units::show_duration;
use crate::config::values::{Duration, List, Map};
use crate::config::words::{did_you_mean, quote};
use crate::config::{Adaptive, ModelConfig, OnUnsupported, Timeouts, UnderLoad, WaitFor};
use crate::routing::Policies;
use crate::routing::load::Ceiling;

const DEFAULT_TIMEOUTS: Timeouts = Timeouts {
    per_try_ms: 60_000,
    idle_ms: 60_000,
    total_ms: 0,
    cuts_streams: false,
    wait_up_to_ms: None,
    wait_for: WaitFor::Last,
    adaptive: None,
    hedge_ms: 0,
};

/// What a model takes that does not say it itself.
pub(super) struct Defaults {
    on_unsupported: OnUnsupported,
    fallback_on_refusal: bool,
    repeat_stored: bool,
    pub(super) timeouts: Timeouts,
}

pub(super) fn models(
    raw: &Given<Map<ModelName, RawModel, 1>>,
    providers: &Given<Map<ProviderName, RawProvider, 1>>,
    adaptations: &Adaptations<'_>,
    defaults: &Defaults,
    findings: &mut Findings<'_>,
) -> BTreeMap<String, ModelConfig> {
    let names: ProviderNames<'_> = providers
        .get()
        .map(|map| map.entries.iter().map(|(name, _)| name.as_str()).collect());
    let top = Path::default().key("models");
    let mut checked = BTreeMap::new();
    for (name, raw) in raw.get().into_iter().flat_map(|map| &map.entries) {
        let Some(raw) = raw else { continue };
        let here = top.key(name);
        let model = check_model(name, raw, &names, adaptations, defaults, &here, findings);
        checked.insert(name.clone(), model);
    }
    checked
}

pub(super) fn check_defaults(raw: Option<&RawDefaults>, findings: &mut Findings<'_>) -> Defaults {
    let unsaid = RawDefaults::default();
    let RawDefaults {
        on_unsupported,
        fallback_on_refusal,
        repeat_stored,
        timeouts,
        degrade: _, // read with the rest of the adaptation
        fit: _,
        complex_tools: _,
    } = raw.unwrap_or(&unsaid);
    let path = Path::default().key("defaults").key("timeouts");
    Defaults {
        on_unsupported: on_unsupported
            .get()
            .map_or(OnUnsupported::Report, what_happens),
        fallback_on_refusal: fallback_on_refusal.get().copied().unwrap_or(false),
        repeat_stored: repeat_stored.get().copied().unwrap_or(false),
        timeouts: check_timeouts(timeouts.get(), DEFAULT_TIMEOUTS, &path, findings),
    }
}

fn check_model(
    name: &str,
    raw: &RawModel,
    providers: &ProviderNames<'_>,
    adaptations: &Adaptations<'_>,
    defaults: &Defaults,
    path: &Path,
    findings: &mut Findings<'_>,
) -> ModelConfig {
    let RawModel {
        require,
        policy,
        candidates,
        on_unsupported,
        fallback_on_refusal,
        repeat_stored,
        quality_gate,
        timeouts,
        under_load,
        degrade: _, // read with the rest of the adaptation
        fit: _,
        complex_tools: _,
        cache,
        prompt_cache,
    } = raw;
    let policy = policy.get().map(|RawPolicies(policies)| policies.clone());
    let policy = policy.unwrap_or_default();
    let at = path.key("candidates");
    let timeouts_at = path.key("timeouts");
    let on_unsupported = on_unsupported
        .get()
        .map_or(defaults.on_unsupported, what_happens);
    let adaptation = adaptations.of_model(raw, on_unsupported, path, findings);
    let checked = check_candidates(candidates, providers, &adaptation, &at, findings);
    refuse_weightless(&policy, candidates, &checked, &at, findings);
    let whose = (name, checked.len());
    let model = ModelConfig {
        name: name.to_owned(),
        require: check_labels(require),
        policy,
        candidates: checked,
        on_unsupported,
        fallback_on_refusal: fallback_on_refusal
            .get()
            .copied()
            .unwrap_or(defaults.fallback_on_refusal),
        repeat_stored: repeat_stored
            .get()
            .copied()
            .unwrap_or(defaults.repeat_stored),
        quality_gate: quality_gate
            .get()
            .map(|raw| gate::check(raw, whose, &path.key("quality_gate"), findings)),
        under_load: under_load
            .get()
            .and_then(|raw| check_under_load(raw, &path.key("under_load"), findings)),
        timeouts: check_timeouts(timeouts.get(), defaults.timeouts, &timeouts_at, findings),
        cache: cache::check(cache, &path.key("cache"), findings),
        prompt_cache: prompt_cache.get().is_some_and(|word| word.0 == "auto"),
    };
    refuse_held_hedges(&model, path, findings);
    model
}

fn check_under_load(
    raw: &RawUnderLoad,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Option<UnderLoad> {
    let RawUnderLoad {
        in_flight_tokens,
        in_flight_requests,
        back_at,
        downgrade_to,
    } = raw;
    if in_flight_tokens.is_absent() && in_flight_requests.is_absent() {
        let expected = "in_flight_tokens or in_flight_requests";
        findings.error(At::Value, path, Finding::new("no ceiling", expected));
    }
    let back = back_at.get().map_or(0.7, |ratio| ratio.0);
    Some(UnderLoad {
        ceiling: Ceiling {
            tokens: in_flight_tokens.get().map(|n| n.0),
            requests: in_flight_requests.get().map(|n| n.0),
            back: (back * 1000.0).round() as u64,
        },
        downgrade_to: downgrade_to.get()?.0.clone(),
    })
}

/// What serves instead must be there, and be another.
pub(super) fn refuse_unknown_downgrades(
    models: &BTreeMap<String, ModelConfig>,
    findings: &mut Findings<'_>,
) {
    for model in models.values() {
        let Some(under_load) = &model.under_load else {
            continue;
        };
        let name = under_load.downgrade_to.as_str();
        if name == model.name || !models.contains_key(name) {
            let others = models.keys().map(String::as_str);
            let near = did_you_mean(name, others.filter(|other| *other != model.name));
            let at = Path::default().key("models").key(&model.name);
            let finding = Finding::new(quote(name), "another name under models");
            findings.error(
                At::Value,
                &at.key("under_load").key("downgrade_to"),
                finding.hint(near.unwrap_or_default()),
            );
        }
    }
}

pub(super) fn what_happens(word: &OnUnsupportedWord) -> OnUnsupported {
    match word.0.as_str() {
        "reject" => OnUnsupported::Reject,
        "ignore" => OnUnsupported::Ignore,
        _ => OnUnsupported::Report,
    }
}

pub(super) fn check_timeouts(
    raw: Option<&RawTimeouts>,
    unsaid: Timeouts,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Timeouts {
    let Some(raw) = raw else {
        return unsaid;
    };
    let RawTimeouts {
        per_try,
        idle,
        total,
        cut_streams,
        wait_up_to,
        wait_for,
        adaptive,
        hedge,
    } = raw;
    let per_try_ms = milliseconds(per_try, unsaid.per_try_ms);
    let timeouts = Timeouts {
        per_try_ms,
        // Silence before the first event counts too: a shorter one would end attempts early.
        idle_ms: milliseconds(idle, unsaid.idle_ms.max(per_try_ms)),
        total_ms: milliseconds(total, unsaid.total_ms),
        cuts_streams: cut_streams.get().copied().unwrap_or(unsaid.cuts_streams),
        wait_up_to_ms: wait_up_to.get().map(|d| d.0).or(unsaid.wait_up_to_ms),
        wait_for: wait_for.get().map_or(unsaid.wait_for, who_is_waited_for),
        adaptive: adaptive.get().map(check_adaptive).or(unsaid.adaptive),
        hedge_ms: milliseconds(hedge, unsaid.hedge_ms),
    };
    let known = !matches!(per_try, Given::Broken);
    if known && timeouts.total_ms > 0 && timeouts.total_ms < timeouts.per_try_ms {
        let per_try = show_duration(timeouts.per_try_ms);
        let expected = format!("0s, or at least per_try, which is {per_try}");
        let finding = Finding::new(show_duration(timeouts.total_ms), expected);
        findings.error(At::Value, &path.key("total"), finding);
    }
    if known && timeouts.hedge_ms >= timeouts.per_try_ms {
        let per_try = show_duration(timeouts.per_try_ms);
        let finding = Finding::new(
            show_duration(timeouts.hedge_ms),
            format!("less than per_try, which is {per_try}"),
        );
        findings.error(At::Value, &path.key("hedge"), finding);
    }
    timeouts
}

fn who_is_waited_for(word: &WaitWord) -> WaitFor {
    match word.0.as_str() {
        "warm" => WaitFor::Warm,
        "any" => WaitFor::Any,
        _ => WaitFor::Last,
    }
}

/// Envoy crashes when the headers of a hedged reply are held, as judging it needs.
fn refuse_held_hedges(model: &ModelConfig, path: &Path, findings: &mut Findings<'_>) {
    if model.timeouts.hedge_ms == 0 {
        return;
    }
    let judged = [
        (model.quality_gate.is_some(), "quality_gate"),
        (model.fallback_on_refusal, "fallback_on_refusal"),
    ];
    if model.timeouts.wait_up_to_ms.is_some_and(|ms| ms > 0) {
        let finding = Finding::new("a wait before a retry", "no timeouts.hedge beside it");
        findings.error(At::Key, &path.key("timeouts").key("wait_up_to"), finding);
    }
    for (_, key) in judged.iter().filter(|(is_judged, _)| *is_judged) {
        let expected = "no timeouts.hedge beside it, or hedge: 0s";
        let finding = Finding::new("replies that are judged before they go on", expected)
            .hint("Envoy crashes when a hedged reply is held");
        findings.error(At::Key, &path.key(key), finding);
    }
    if model.candidates.len() == 1 {
        let finding = Finding::new("nobody to ask besides", "two candidates or more");
        findings.warning(At::Key, &path.key("timeouts").key("hedge"), finding);
    }
}

fn check_adaptive(raw: &RawAdaptive) -> Adaptive {
    let RawAdaptive { times, at_least } = raw;
    Adaptive {
        times: times.get().map_or(3, |times| times.0),
        at_least_ms: milliseconds(at_least, 5_000),
    }
}

pub(super) fn milliseconds<const MIN: u64, const MAX: u64>(
    given: &Given<Duration<MIN, MAX>>,
    unsaid: u64,
) -> u64 {
    given.get().map_or(unsaid, |d| d.0)
}

/// Only when the candidates are right otherwise: a broken weight is no weight of 0.
fn refuse_weightless(
    policy: &Policies,
    raw: &Given<List<RawCandidate, 1, MAX_CANDIDATES>>,
    checked: &[Backend],
    path: &Path,
    findings: &mut Findings<'_>,
) {
    let complete = raw.get().is_some_and(|list| list.0.len() == checked.len());
    let weightless = checked.iter().all(|backend| backend.weight == 0);
    if policy.has("weighted") && complete && !checked.is_empty() && weightless {
        let finding = Finding::new(
            "no weight above 0",
            "at least one, because policy is weighted",
        );
        findings.error(At::Value, path, finding);
    }
}
