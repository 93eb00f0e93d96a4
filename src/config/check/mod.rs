//! Raw document to [`Config`]: what no shape can say.
//!
//! Collects all problems. What the shape already refused is [`Given::Broken`] or `None`
//! here and passes in silence.

mod adaptation;
mod aws;
mod budgets;
mod cache;
mod candidate;
mod classifier;
mod dialect;
#[cfg(feature = "cli")]
mod fleet;
mod gate;
mod intent;
mod model;
mod provider;
mod rules;
mod tokens;

use std::collections::BTreeMap;

use super::document::{Node, Value};
use super::names::ListenAddress;
use super::path::Path;
use super::problem::{At, Finding, Findings, Problem};
use super::raw::{Document, RawEnvoy, RawLimits, RawObserve};
use super::shape::{Given, Shaped};
use super::units::show_size;
use super::values::Size;
use super::walk::walk;
use super::words::describe;
use super::{Config, EnvoySettings, Limits, ModelConfig, Routing, Telemetry, WaitFor};
use crate::catalog::Backend;
use crate::observed::{Settings, Wants};
use crate::routing::Policies;
use adaptation::Adaptations;

/// The version of the format that this build reads.
const VERSION: u64 = 1;

/// Checks a whole document: shape first, then meaning; every problem of both.
///
/// `Ok` holds the warnings; `Err` is never empty.
pub(super) fn check(root: &Node) -> Result<(Config, Vec<Problem>), Vec<Problem>> {
    let mut findings = Findings::new(root);
    if let Some(version) = other_version(root) {
        findings.error(At::Value, &Path::default().key("version"), version);
        return Err(findings.into_sorted());
    }
    walk(&Document::SHAPE, root, &mut findings);
    let config = Document::read(root).and_then(|document| config(&document, &mut findings));
    match config {
        Some(mut config) if !findings.has_errors() => {
            config.versions = cache::versions(root, &config);
            Ok((config, findings.into_sorted()))
        }
        _ => Err(findings.into_sorted()),
    }
}

/// A document of another version would only give a list of misunderstandings.
fn other_version(root: &Node) -> Option<Finding> {
    let Value::Number(version) = &root.entry("version")?.node.value else {
        return None;
    };
    (version.as_u64() != Some(VERSION)).then(|| {
        let found = describe(&Value::Number(version.clone()));
        Finding::new(found, VERSION.to_string()).hint("this build reads no other version")
    })
}

/// `None` when the version is not said.
fn config(document: &Document, findings: &mut Findings<'_>) -> Option<Config> {
    let Document {
        version,
        providers: raw_providers,
        models,
        defaults,
        templates,
        rules,
        intents,
        classifiers,
        requirements,
        admit,
        budgets,
        teams,
        rate_limit_service,
        routing,
        explain,
        #[cfg(feature = "cli")]
            catalog: _,
        base_path,
        limits,
        observe,
        envoy,
    } = document;
    #[cfg(not(feature = "cli"))]
    let _ = rate_limit_service;
    let defaults = defaults.get();
    let adaptations = Adaptations::check(templates, raw_providers, defaults, findings);
    let providers = provider::providers(raw_providers, findings);
    let unsaid = model::check_defaults(defaults, findings);
    let mut models = model::models(models, raw_providers, &adaptations, &unsaid, findings);
    candidate::complete_by_provider(&providers, &mut models);
    model::refuse_unknown_downgrades(&models, findings);
    let parts = rules::RawParts {
        rules,
        intents,
        requirements,
        admit,
        budgets,
        teams,
        routing: routing.get(),
        explain: explain.get(),
    };
    let routing = rules::check_routing(&parts, &models, unsaid.timeouts, findings);
    let classifiers = classifier::check(classifiers, &models, findings);
    classifier::refuse_unknown(&classifiers, &routing, findings);
    let envoy = check_envoy(envoy.get(), findings);
    #[cfg(feature = "cli")]
    let rate_limit_service = fleet::check(rate_limit_service, &routing.budgets, findings);
    #[cfg(feature = "cli")]
    tokens::refuse_oauth_without_files(&providers, &envoy, findings);
    let wants = wants(&models, &routing, &envoy);
    let config = Config {
        wants,
        count_from: count_from(&models, &routing, wants),
        classifiers,
        routing,
        base_path: base_path.get().map_or("/v1", |p| &p.0).to_owned(),
        providers,
        models,
        limits: check_limits(limits.get(), findings),
        cache: cache::check_bounds(limits.get(), findings),
        versions: BTreeMap::new(),
        observe: check_observe(observe.get()),
        envoy,
        #[cfg(feature = "cli")]
        rate_limit_service,
    };
    if !findings.has_errors() {
        warn_of_unused_providers(&config, findings);
        #[cfg(feature = "cli")]
        budgets::warn_of_unknown_prices(&config, findings);
        #[cfg(feature = "cli")]
        rules::reach::warn(&config, findings);
        #[cfg(feature = "cli")]
        classifier::reach::warn(&config, findings);
    }
    version.get().map(|_| config)
}

/// What a limit is when the document does not say it, in bytes.
const DEFAULT_LIMITS: Limits = Limits {
    request_bytes: 32 << 20,
    reply_bytes: 16 << 20,
    held_stream_bytes: 64 << 10,
};

/// What must be recorded of targets, because something reads it.
fn wants(
    models: &BTreeMap<String, ModelConfig>,
    routing: &Routing,
    envoy: &EnvoySettings,
) -> Wants {
    let of_models = models.values().map(|model| &model.policy);
    let of_rules = routing.rules.iter().filter_map(|rule| rule.policy.as_ref());
    let policies = of_models.chain(of_rules).map(Policies::wants);
    let mut wants = policies.fold(Wants::default(), Wants::or);
    let shown = envoy.state_port.is_some();
    let of_rules = routing.rules.iter().filter_map(|rule| rule.timeouts);
    let times = models.values().map(|model| model.timeouts).chain(of_rules);
    let adapts = times.clone().any(|timeouts| timeouts.adaptive.is_some());
    let mut waits = times.map(|timeouts| timeouts.wait_for);
    wants.warmth |= waits.any(|who| who == WaitFor::Warm);
    wants.figures |= shown || adapts || routing.limits_times();
    let bounded = of_candidates(models, routing).any(|c| c.concurrency.is_some());
    let relieved = models.values().any(|model| model.under_load.is_some());
    wants.figures |= bounded;
    wants.in_flight |= shown || bounded || relieved;
    wants.warmth |= models.values().any(|model| model.prompt_cache);
    wants.tokens |= routing.reads_tokens();
    wants
}

fn of_candidates<'c>(
    models: &'c BTreeMap<String, ModelConfig>,
    routing: &'c Routing,
) -> impl Iterator<Item = &'c Backend> {
    let of_models = models.values().flat_map(|model| &model.candidates);
    of_models.chain(routing.rules.iter().flat_map(|rule| &rule.candidates))
}

/// No text of fewer bytes than the smallest window has tokens fills it.
fn count_from(models: &BTreeMap<String, ModelConfig>, routing: &Routing, wants: Wants) -> usize {
    let windows = of_candidates(models, routing);
    let smallest = windows.filter_map(|c| c.capabilities.context_window).min();
    match wants.tokens {
        true => 0,
        false => smallest.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX)),
    }
}

fn check_limits(raw: Option<&RawLimits>, findings: &mut Findings<'_>) -> Limits {
    let Some(raw) = raw else {
        return DEFAULT_LIMITS;
    };
    let RawLimits {
        request_body,
        reply,
        held_stream,
        cache: _, // with the cache's own
        cache_entry: _,
    } = raw;
    let reply_bytes = size(reply, DEFAULT_LIMITS.reply_bytes);
    let unsaid = DEFAULT_LIMITS.held_stream_bytes.min(reply_bytes);
    let limits = Limits {
        request_bytes: size(request_body, DEFAULT_LIMITS.request_bytes),
        reply_bytes,
        held_stream_bytes: size(held_stream, unsaid),
    };
    if limits.held_stream_bytes > limits.reply_bytes {
        let reply = show_size(limits.reply_bytes);
        let finding = Finding::new(
            show_size(limits.held_stream_bytes),
            format!("at most limits.reply, which is {reply}"),
        );
        let place = Path::default().key("limits").key("held_stream");
        findings.error(At::Value, &place, finding);
    }
    limits
}

fn check_observe(raw: Option<&RawObserve>) -> Settings {
    let (unsaid, nothing) = (Settings::default(), RawObserve::default());
    let RawObserve {
        half_life,
        longest_cool_down,
        quota_cool_down,
        heed_limits,
        prompt_cache,
    } = raw.unwrap_or(&nothing);
    Settings {
        half_life_ms: model::milliseconds(half_life, unsaid.half_life_ms),
        longest_cool_down_ms: model::milliseconds(longest_cool_down, unsaid.longest_cool_down_ms),
        quota_cool_down_ms: model::milliseconds(quota_cool_down, unsaid.quota_cool_down_ms),
        heeds_limits: heed_limits.get().copied().unwrap_or(unsaid.heeds_limits),
        warm_ms: model::milliseconds(prompt_cache, unsaid.warm_ms),
    }
}

fn size<const MIN: u64, const MAX: u64>(given: &Given<Size<MIN, MAX>>, default: u64) -> u64 {
    given.get().map_or(default, |size| size.0)
}

fn check_envoy(raw: Option<&RawEnvoy>, findings: &mut Findings<'_>) -> EnvoySettings {
    let unsaid = RawEnvoy::default();
    let RawEnvoy {
        address,
        port,
        admin_port,
        state_port,
        module,
        secrets,
    } = raw.unwrap_or(&unsaid);
    let unsaid = admin_port.is_absent();
    let port = port.get().map_or(10_000, |p| port_number(p.0));
    let admin_port = admin_port.get().map_or(9_901, |p| port_number(p.0));
    if port == admin_port {
        let hint = if unsaid {
            "it is 9901 when not said"
        } else {
            ""
        };
        let finding = Finding::new(port.to_string(), "a port other than the listener's").hint(hint);
        let place = Path::default().key("envoy").key("admin_port");
        findings.error(At::Value, &place, finding);
    }
    let state_port = state_port.get().map_or(0, |p| port_number(p.0));
    if state_port > 0 && (state_port == port || state_port == admin_port) {
        let expected = "a port other than the listener's and the admin interface's";
        let place = Path::default().key("envoy").key("state_port");
        findings.error(
            At::Value,
            &place,
            Finding::new(state_port.to_string(), expected),
        );
    }
    let ListenAddress(address) = match address.get() {
        Some(address) => address.clone(),
        None => ListenAddress("127.0.0.1".to_owned()),
    };
    EnvoySettings {
        address,
        port,
        admin_port: Some(admin_port).filter(|port| *port > 0),
        state_port: Some(state_port).filter(|port| *port > 0),
        module: module.get().map_or("pointsman.wasm", |m| &m.0).to_owned(),
        secrets: secrets.get().map(|folder| folder.0.clone()),
        telemetry: Telemetry::default(),
    }
}

/// The shape's range holds it within a port already.
fn port_number(port: u64) -> u16 {
    u16::try_from(port).unwrap_or(u16::MAX)
}

fn warn_of_unused_providers(config: &Config, findings: &mut Findings<'_>) {
    let candidates = config.models.values().flat_map(|m| &m.candidates);
    for name in config.providers.keys() {
        if candidates.clone().any(|c| c.provider == *name) {
            continue;
        }
        let finding = Finding::new("no model that uses it", "a candidate of this provider");
        findings.warning(
            At::Key,
            &Path::default().key("providers").key(name),
            finding,
        );
    }
}
