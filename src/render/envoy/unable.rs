//! What a configuration asks for and an Envoy cannot do.

use super::{EnvoyVersion, MAX_CHAINS, chains, ratelimit, signing};
use crate::config::{Config, ProviderConfig, Timeouts, WaitFor};
use crate::exchange::Topology;

/// Why this Envoy cannot do what the configuration asks for, with a way out; empty when it can.
pub fn unable(config: &Config, version: EnvoyVersion) -> Vec<String> {
    let mut reasons = without_tokens(config, version);
    reasons.extend(match version.topology() {
        Topology::StaticChain => [confused(config), unawaited(config)].concat(),
        Topology::PerAttempt => hedged_twice(config, version),
    });
    if ratelimit::service(config).is_some_and(|s| s.negative_hits) && !version.has_negative_hits() {
        reasons.push(format!(
            "rate_limit_service.negative_hits: found true, and Envoy {version} gives no hits back: \
             use 1.38 or later, or write negative_hits: false"
        ));
    }
    reasons
}

/// A hedged attempt does not choose its cluster again.
fn hedged_twice(config: &Config, version: EnvoyVersion) -> Vec<String> {
    let hedged = times(config).filter(|(_, times)| times.hedge_ms > 0);
    let reason = |(place, _)| {
        format!(
            "{place}: timeouts.hedge: found a time, but where each attempt chooses its cluster, Envoy \
             {version} would ask the same provider twice: render with --chains, or leave hedge out"
        )
    };
    hedged.map(reason).collect()
}

/// In a chain Envoy goes on by itself: only its last member can be there twice.
fn unawaited(config: &Config) -> Vec<String> {
    let awaited = times(config).filter_map(|(place, times)| {
        let found = match times.wait_for {
            WaitFor::Last => return None,
            WaitFor::Warm => "warm",
            WaitFor::Any => "any",
        };
        Some(format!(
            "{place}: timeouts.wait_for: found {found}, expected last: a static chain goes on to the \
             next candidate instead of waiting for anybody else; render for Envoy 1.39 or later \
             without --chains, or leave wait_for out"
        ))
    });
    awaited.collect()
}

/// The times of every model and rule, and where they stand.
fn times(config: &Config) -> impl Iterator<Item = (String, Timeouts)> {
    let models = config.models.values();
    let models = models.map(|model| (format!("models.{}", model.name), model.timeouts));
    let rules = config.routing.rules.iter();
    let rules =
        rules.filter_map(|rule| Some((format!("rules of name {}", rule.name), rule.timeouts?)));
    models.chain(rules)
}

fn without_tokens(config: &Config, version: EnvoyVersion) -> Vec<String> {
    let providers = config.providers.values().filter(|p| p.metadata_tokens);
    let reason = |provider: &ProviderConfig| {
        format!(
            "providers.{}.gcp: found no key, and Envoy {version} fetches no access tokens from \
             Google's metadata server: use 1.40 or later, or write key: {{file: PATH}}",
            provider.name
        )
    };
    let providers = providers.filter(|_| !version.has_metadata_tokens());
    providers.map(reason).collect()
}

/// Too many chains are told by the rendering itself.
fn confused(config: &Config) -> Vec<String> {
    let chains = chains::all(config, MAX_CHAINS).unwrap_or_default();
    let mut reasons = Vec::new();
    for chain in &chains {
        let members = chain.members.iter();
        let providers: Vec<_> = members
            .filter_map(|m| config.providers.get(&m.provider))
            .collect();
        for (i, one) in providers.iter().enumerate() {
            for other in providers
                .iter()
                .skip(i + 1)
                .filter(|p| signing::are_confused(one, p))
            {
                reasons.push(format!(
                    "providers.{} and providers.{}: found one address and two credentials that \
                     Envoy writes, which static chains cannot tell apart: use Envoy 1.39 or \
                     later, or keep them out of one model",
                    one.name.as_str().min(&other.name),
                    one.name.as_str().max(&other.name)
                ));
            }
        }
    }
    reasons.sort();
    reasons.dedup();
    reasons
}
