//! Requests of our own that keep a provider's connections open: who is due, and how such a request
//! goes through the inner listener and the provider's cluster.
//!
//! They are nobody's: no client's in metrics and budgets, and no status of theirs is a failure.

use super::Topology;
use super::addressing::{address_to, set_own};
use super::handoff::{self, CHAIN, CLUSTER, INNER, PLAN, QUESTION, VIA_PREFIX, chain_name};
use super::mutation::Mutation;
use crate::config::{Config, KeepWarm, ProviderConfig};
use crate::observed::{Observed, Recorded};

/// What stands in a plan's place, before the provider's name. A plan begins with a brace.
const MARK: &str = "keep-warm ";

/// Response header: the status with which the provider answered; nobody has where it is missing.
pub const WARMED: &str = "x-pointsman-warmed";

/// The longest that an answer may take, in milliseconds.
pub const LONGEST_MS: u64 = 10_000;

/// The providers whose connections are kept open, and how.
pub fn kept_warm(config: &Config) -> impl Iterator<Item = (&ProviderConfig, &KeepWarm)> {
    let providers = config.providers.values();
    providers.filter_map(|provider| Some((provider, provider.keep_warm.as_ref()?)))
}

/// How often to look who is due, in milliseconds; `None` when nobody ever is.
pub fn looks_every_ms(config: &Config) -> Option<u64> {
    let shortest_ms = kept_warm(config).map(|(_, warm)| warm.every_ms).min()?;
    Some((shortest_ms / 8).clamp(10, 1_000))
}

/// Whether a provider, or a model of it, has asked to be left alone for now.
pub fn rests(config: &Config, provider: &str, recorded: &Recorded<'_>, now_ms: u64) -> bool {
    let models = config.models.values();
    let mut candidates = models.flat_map(|model| &model.candidates);
    candidates.any(|candidate| {
        let cool_down = || recorded.cool_down(provider, &candidate.model);
        candidate.provider == provider && cool_down().is_some_and(|c| c.until_ms > now_ms)
    })
}

/// The head of the request to the inner listener.
pub fn call(provider: &str) -> Vec<(&'static str, String)> {
    vec![
        (":method", "GET".to_owned()),
        (":path", "/".to_owned()),
        (":authority", INNER.to_owned()),
        (QUESTION, format!("{MARK}{provider}")),
    ]
}

/// Whose connections are to be kept open; `None` for a plan.
pub fn kept_by(plan: &[u8]) -> Option<&str> {
    let plan = plan.strip_prefix(MARK.as_bytes())?;
    std::str::from_utf8(plan).ok()
}

/// It has come to the inner listener: sends it to the provider, and to nobody when that is out of
/// service. It is repeated once, for where an old connection turns out to be dead.
pub(super) fn send(provider: &ProviderConfig, topology: Topology) -> Mutation {
    let mut mutation = Mutation::default();
    let name = provider.name.as_str();
    match topology {
        Topology::PerAttempt => mutation.store(CLUSTER, format!("{VIA_PREFIX}{name}")),
        Topology::StaticChain => mutation.set(CHAIN, chain_name([name].into_iter())),
    }
    if provider.metadata_tokens {
        mutation.set(handoff::WANTS_TOKEN, "1");
    }
    mutation.set("x-envoy-max-retries", "1");
    mutation.set("x-envoy-upstream-rq-timeout-ms", LONGEST_MS.to_string());
    mutation.store(PLAN, format!("{MARK}{name}"));
    mutation.remove(QUESTION);
    mutation
}

/// The head of the request to the provider. `headers` are all headers; `None` when the
/// configuration does not know it.
pub fn head(config: &Config, provider: &str, headers: &[(String, String)]) -> Option<Mutation> {
    let provider = config.providers.get(provider)?;
    let path = provider.keep_warm.as_ref()?.path.clone();
    let mut mutation = Mutation::default();
    address_to(config, provider, path, headers, &mut mutation);
    set_own(provider, "", headers, &mut mutation);
    Some(mutation)
}

/// The head of the provider's reply: whatever it says, the connection is there. Outlier detection
/// shall not count what is said of something that no client asks for.
pub fn answered(status: &str) -> Mutation {
    let mut mutation = Mutation::default();
    mutation.set(WARMED, status);
    mutation.set(":status", "200");
    mutation.remove("content-length");
    mutation
}

#[cfg(test)]
mod tests;
