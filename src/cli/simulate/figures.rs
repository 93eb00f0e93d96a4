//! How targets do: as somebody says, as the state page tells, or as a log shows.

use std::collections::BTreeMap;

use super::traffic::Spread;
use crate::cli::explain::state::State;
use crate::observed::{CoolDown, Observed, TargetState};

/// How targets do, by `provider/model`.
#[derive(Debug, Default)]
pub(super) struct Figures {
    /// What was said or logged of them.
    pub(super) known: BTreeMap<String, Figure>,
    /// What the state page tells of the others.
    pub(super) state: Option<State>,
}

/// How one target does; what is not said is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Figure {
    /// Time to the first token of a stream, in milliseconds.
    pub(super) ttft_ms: Option<Spread>,
    /// Time to the end of an answer, in milliseconds.
    pub(super) total_ms: Option<Spread>,
    /// Share of attempts that fail, 0 to 1.
    pub(super) error_rate: Option<f64>,
    /// Share of answers that a quality gate would throw away, 0 to 1.
    pub(super) poor: Option<f64>,
}

impl Figures {
    /// How a target does.
    pub(super) fn of(&self, provider: &str, model: &str) -> Figure {
        let known = self.known.get(&format!("{provider}/{model}"));
        let told = self.told(provider, model);
        let spread = |p50: Option<f64>, p95| {
            p50.map(|p50| Spread::Percentiles {
                min: 0.0,
                p50,
                p95,
                max: None,
            })
        };
        let told = Figure {
            ttft_ms: spread(told.ttft_p50_ms, told.ttft_p95_ms),
            total_ms: spread(told.latency_p50_ms, told.latency_p95_ms),
            error_rate: told.error_rate,
            poor: None,
        };
        let known = known.copied().unwrap_or_default();
        Figure {
            ttft_ms: known.ttft_ms.or(told.ttft_ms),
            total_ms: known.total_ms.or(told.total_ms),
            error_rate: known.error_rate.or(told.error_rate),
            poor: known.poor,
        }
    }

    fn told(&self, provider: &str, model: &str) -> TargetState {
        let state = self.state.as_ref();
        state.map_or_else(TargetState::default, |s| s.target(provider, model))
    }
}

impl Observed for Figures {
    fn target(&self, provider: &str, model: &str) -> TargetState {
        let figure = self.of(provider, model);
        let at = |spread: Option<Spread>, share| spread.map(|spread| spread.at(share));
        TargetState {
            ttft_p50_ms: at(figure.ttft_ms, 0.5),
            ttft_p95_ms: at(figure.ttft_ms, 0.95),
            latency_p50_ms: at(figure.total_ms, 0.5),
            latency_p95_ms: at(figure.total_ms, 0.95),
            error_rate: figure.error_rate,
            ..self.told(provider, model)
        }
    }

    fn is_warm(&self, provider: &str, model: &str, prefix: u64) -> bool {
        let state = self.state.as_ref();
        state.is_some_and(|state| state.is_warm(provider, model, prefix))
    }

    /// Pauses pass in minutes, and traffic is of days.
    fn cool_down(&self, _provider: &str, _model: &str) -> Option<CoolDown> {
        None
    }
}
