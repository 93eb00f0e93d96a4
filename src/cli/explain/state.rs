//! What the page of `envoy.state_port` tells, read back.

use std::io;

use serde::Deserialize;

use crate::cli::read;
use crate::failure::Class;
use crate::observed::{CoolDown, Observed, TargetState, key};

/// What has been observed of targets at one moment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::cli) struct State {
    /// When, in Unix milliseconds; 0 when it does not say.
    #[serde(default)]
    pub(super) now_ms: u64,
    targets: Vec<Target>,
}

/// One target. What is left out has not been seen.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    provider: String,
    model: String,
    #[serde(default)]
    ttft_ms: Times,
    #[serde(default)]
    total_ms: Times,
    #[serde(default)]
    error_rate: Option<f64>,
    #[serde(default)]
    tokens_ratio: Option<f64>,
    #[serde(default)]
    in_flight: InFlight,
    #[serde(default)]
    cool_down: Option<Pause>,
    /// It has the beginning of the request's prompt in its cache: the page keeps prompts to
    /// itself, so only a person says this.
    #[serde(default)]
    warm: bool,
    /// For people.
    #[serde(default, rename = "failed")]
    _failed: serde::de::IgnoredAny,
    #[serde(default, rename = "attempts")]
    _attempts: serde::de::IgnoredAny,
    #[serde(default, rename = "failures")]
    _failures: serde::de::IgnoredAny,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Times {
    #[serde(rename = "mean")]
    _mean: serde::de::IgnoredAny,
    p50: Option<f64>,
    p95: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct InFlight {
    #[serde(rename = "requests")]
    _requests: serde::de::IgnoredAny,
    tokens: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pause {
    class: String,
    for_ms: u64,
}

impl State {
    /// Reads a file, or standard input when it is `-`. The error names the file and the place.
    pub(in crate::cli) fn read(file: &str) -> io::Result<State> {
        serde_json::from_str(&read(file)?)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{file}: {error}")))
    }

    fn find(&self, provider: &str, model: &str) -> Option<&Target> {
        let mut targets = self.targets.iter();
        targets.find(|target| target.provider == provider && target.model == model)
    }
}

impl Observed for State {
    fn target(&self, provider: &str, model: &str) -> TargetState {
        let found = self.find(provider, model);
        found.map_or_else(TargetState::default, |target| TargetState {
            ttft_p50_ms: target.ttft_ms.p50,
            ttft_p95_ms: target.ttft_ms.p95,
            latency_p50_ms: target.total_ms.p50,
            latency_p95_ms: target.total_ms.p95,
            error_rate: target.error_rate,
            tokens_ratio: target.tokens_ratio,
            in_flight_tokens: target.in_flight.tokens,
        })
    }

    fn is_warm(&self, provider: &str, model: &str, _prefix: u64) -> bool {
        self.find(provider, model).is_some_and(|target| target.warm)
    }

    fn cool_down(&self, provider: &str, model: &str) -> Option<CoolDown> {
        let pause = self.find(provider, model)?.cool_down.as_ref()?;
        (pause.for_ms > 0).then(|| CoolDown {
            who: key(provider, Some(model)),
            until_ms: self.now_ms.saturating_add(pause.for_ms),
            class: Class::parse(&pause.class).unwrap_or(Class::RateLimited),
        })
    }
}
